"""Charts drawn by another process, while this one reads and solves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import Defect
from optimizer.report.formats import render
from optimizer.report.formats.extras import missing

if TYPE_CHECKING:
    from concurrent.futures import Future

    from optimizer.report.charts.vegalite import Spec
    from optimizer.report.formats.elements import Chart, Rich

# Starting the drawing engine takes half a second: early, while others are imported.
NOTHING = {"mark": "point", "data": {"values": []}, "config": {}}
FONTS = Path(render.__file__).parents[1] / "templates" / "fonts.conf"
OWN = "\u052f"  # the last letter, of Latin, Greek and Cyrillic, that the engine draws


class Studio:
    """Draws charts in one other process: a second would but take this one's core."""

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
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - it starts by now

        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(self._ask, NOTHING)
        self._drawn: list[tuple[Chart, Future[str]]] = []

    def start(self, blocks: Iterable[Rich]) -> None:
        """Starts drawing the charts among some blocks, those that are new."""
        for _, chart in _charts(blocks):
            self._picture(chart)

    def pictures(self, blocks: Sequence[Rich]) -> dict[int, str]:
        """The charts among some blocks by their places, as SVG."""
        found = {i: self._picture(chart) for i, chart in _charts(blocks)}
        return {place: picture.result() for place, picture in found.items()}

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.kill()
        self._process.communicate()

    def _picture(self, chart: Chart) -> Future[str]:
        from optimizer.report.charts.catalogue import draw  # noqa: PLC0415 - later
        from optimizer.report.charts.tips import tipped  # noqa: PLC0415

        known = (picture for drawn, picture in self._drawn if drawn == chart)
        picture = next(known, None)
        if picture is None:
            picture = self._thread.submit(self._ask, tipped(draw(chart)))
            self._drawn.append((chart, picture))
        return picture

    def _ask(self, specification: Spec) -> str:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise Defect("a process that draws has no pipes")
        process.stdin.write(json.dumps(specification).encode() + b"\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "failed" in answer:
            raise Defect(f"a chart could not be drawn: {answer['failed']}")
        return str(answer["done"])


def _charts(blocks: Iterable[Rich]) -> Iterator[tuple[int, Chart]]:
    from optimizer.report.formats.elements import Chart  # noqa: PLC0415 - later

    for place, block in enumerate(blocks):
        if isinstance(block, Chart):
            yield place, block


@contextmanager
def studio(files: Iterable[str], texts: Iterable[str]) -> Iterator[Studio]:
    """A studio for the time of one command, open before its files are read.

    Args:
        files: with the names that charts show; in a pipe there may be any.
        texts: further such names.

    Raises:
        InputError: vl-convert is not installed.
    """
    try:
        render.ready()
    except ImportError as error:
        raise missing(error) from None
    opened = Studio(any(_foreign(text) for text in (*texts, *map(_text, files))))
    try:
        yield opened
    finally:
        opened.close()


def _foreign(text: str | None) -> bool:
    return text is None or any(c > OWN and c.isalpha() for c in text)


def _text(file: str) -> str | None:
    """What stands in a file; None where it cannot be read twice."""
    if not os.path.isfile(file):
        return None
    try:
        return Path(file).read_text(encoding="utf-8", errors="ignore")
    except OSError:
        return None
