"""Charts drawn by another process, while this one solves; and the scripts, kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from optimizer.errors import Defect
from optimizer.report.charts.catalogue import draw
from optimizer.report.formats import render
from optimizer.report.formats.elements import Chart, Rich
from optimizer.report.formats.extras import missing

Spec = dict[str, Any]
# Starting the drawing engine takes half a second: early, while others are imported.
NOTHING = {"mark": "point", "data": {"values": []}, "config": {}}
FONTS = Path(render.__file__).parents[1] / "templates" / "fonts.conf"
OWN = "\u052f"  # the last letter, of Latin, Greek and Cyrillic, that the engine draws


class Drawer:
    """A process that does jobs of `render` in their order, while this one goes on."""

    def __init__(self, fonts: bool) -> None:
        """Starts it, with all fonts of the system or those of the engine alone."""
        own = {} if fonts else {"FONTCONFIG_FILE": str(FONTS)}
        # -P keeps files of the current folder out of its imports.
        self._process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-P", str(Path(render.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **own},
        )
        self._thread = ThreadPoolExecutor(1)

    def do(self, *job: object) -> Future[str]:
        """Takes a job; see `render.serve`."""
        return self._thread.submit(self._ask, job)

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.kill()
        self._process.communicate()

    def _ask(self, job: tuple[object, ...]) -> str:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise Defect("a process that draws has no pipes")
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "failed" in answer:
            raise Defect(f"a chart could not be drawn: {answer['failed']}")
        return str(answer["done"])


class Studio:
    """Draws charts in one other process: a second would but take this one's core."""

    def __init__(self, open_drawer: Callable[[], Drawer]) -> None:
        self._drawer = open_drawer()
        self._drawer.do("svg", NOTHING)
        self._kept = _kept()
        self._scripts: Future[str] | None = None
        if self._kept is None or not self._kept.is_file():
            # It takes seconds, once, and not those of the charts.
            self._scripts = open_drawer().do("bundle")
        # With the chart itself, so that no other takes over its id.
        self._drawn: dict[int, tuple[Chart, Spec, Future[str]]] = {}

    def start(self, blocks: Sequence[Rich]) -> None:
        """Starts drawing the charts among some blocks.

        Raises:
            InputError: Altair is not installed.
        """
        for block in blocks:
            if isinstance(block, Chart) and id(block) not in self._drawn:
                specification = draw(block)
                picture = self._drawer.do("svg", specification)
                self._drawn[id(block)] = block, specification, picture

    def pictures(self, blocks: Sequence[Rich]) -> dict[int, tuple[Spec, str]]:
        """The charts among some blocks by their places, as Vega-Lite and as SVG."""
        self.start(blocks)
        found = {}
        for place, block in enumerate(blocks):
            if isinstance(block, Chart):
                _, specification, picture = self._drawn[id(block)]
                found[place] = specification, picture.result()
        return found

    def scripts(self) -> str:
        """The bundle; made once for each version of vl-convert, and kept."""
        if self._scripts is None and self._kept is not None:
            with suppress(OSError, UnicodeDecodeError):
                return self._kept.read_text(encoding="utf-8")
        text = (self._scripts or self._drawer.do("bundle")).result()
        if self._kept is not None:
            with suppress(OSError):
                _keep(self._kept, text)
        return text


@contextmanager
def studio(texts: Iterable[str]) -> Iterator[Studio]:
    """A studio for the time of one command.

    Args:
        texts: in which are all names that charts show.

    Raises:
        InputError: vl-convert is not installed.
    """
    try:
        render.version()
    except ImportError as error:
        raise missing(error) from None
    fonts = any(sign > OWN and sign.isalpha() for text in texts for sign in text)
    with ExitStack() as stack:

        def open_drawer() -> Drawer:
            drawer = Drawer(fonts)
            stack.callback(drawer.close)
            return drawer

        yield Studio(open_drawer)


def _kept() -> Path | None:
    """Where the bundle is kept, in the user's own cache; None without a home."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "overtrain" / f"charts-{render.version()}.js"


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=".charts", dir=path.parent)
    with open(number, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(name, path)
