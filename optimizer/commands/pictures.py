"""Charts drawn by other processes, while this one solves; and the scripts, kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from optimizer.errors import Defect
from optimizer.report import render
from optimizer.report.chart import draw
from optimizer.report.extras import missing
from optimizer.report.rich import Chart, Rich

Spec = dict[str, Any]
WORKERS = 2
# Starting the drawing engine takes most of a second: once for each worker, early.
NOTHING = {"mark": "point", "data": {"values": []}, "config": {}}


class Studio:
    """Draws in other processes, each of which has a thread here that waits for it."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._all = [_started() for _ in range(WORKERS)]
        for process in self._all:
            self._free.put(process)
        self._kept = _kept()
        self._scripts: Future[str] | None = None
        # With the chart itself, so that no other takes over its id.
        self._drawn: dict[int, tuple[Chart, Spec, Future[str]]] = {}
        if self._kept is None or not self._kept.is_file():
            self._scripts = self._do("bundle")
        for _ in self._all:
            self._do("svg", NOTHING)

    def start(self, blocks: Sequence[Rich]) -> None:
        """Starts drawing the charts among some blocks.

        Raises:
            InputError: Altair is not installed.
        """
        for block in blocks:
            if isinstance(block, Chart) and id(block) not in self._drawn:
                specification = draw(block)
                picture = self._do("svg", specification)
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
        text = (self._scripts or self._do("bundle")).result()
        if self._kept is not None:
            with suppress(OSError):
                _keep(self._kept, text)
        return text

    def close(self) -> None:
        """Ends the processes, whatever they do."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.kill()
            process.communicate()

    def _do(self, *job: object) -> Future[str]:
        return self._threads.submit(self._ask, job)

    def _ask(self, job: tuple[object, ...]) -> str:
        process = self._free.get()
        try:
            if process.stdin is None or process.stdout is None:
                raise Defect("a process that draws has no pipes")
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        finally:
            self._free.put(process)
        if "failed" in answer:
            raise Defect(f"a chart could not be drawn: {answer['failed']}")
        return str(answer["done"])


@contextmanager
def studio() -> Iterator[Studio]:
    """A studio for the time of one command.

    Raises:
        InputError: vl-convert is not installed.
    """
    try:
        render.version()
    except ImportError as error:
        raise missing(error) from None
    opened = Studio(ThreadPoolExecutor(WORKERS))
    try:
        yield opened
    finally:
        opened.close()


def _started() -> subprocess.Popen[bytes]:
    """A process that draws; -P keeps files of the current folder out of its imports."""
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-P", str(Path(render.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


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
