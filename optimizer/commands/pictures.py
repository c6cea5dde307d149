"""Charts drawn by another process, while this one reads and solves."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from optimizer.commands import drawer
from optimizer.errors import Defect
from optimizer.report.formats import render
from optimizer.report.formats.extras import missing

if TYPE_CHECKING:
    from concurrent.futures import Future

    from optimizer.report.charts.vegalite import Spec
    from optimizer.report.formats.elements import Chart, Rich


class Studio:
    """Draws charts in one other process: a second would but take this one's core."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Takes a process that draws."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - it starts by now

        self._process = process
        self._thread = ThreadPoolExecutor(1)
        self._drawn: list[tuple[Chart, Future[str]]] = []

    def start(self, blocks: Iterable[Rich]) -> None:
        """Starts drawing the charts among some blocks, those that are new."""
        for _, chart in _charts(blocks):
            self._picture(chart)

    def pictures(self, blocks: Sequence[Rich]) -> Iterator[tuple[int, str]]:
        """The charts among some blocks, each with its place and its SVG, in turn."""
        found = [(place, self._picture(chart)) for place, chart in _charts(blocks)]
        return ((place, render.shorter(picture.result())) for place, picture in found)

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        drawer.stop(self._process)

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
        try:
            process.stdin.write(json.dumps(specification).encode() + b"\n")
            process.stdin.flush()
            word, count = process.stdout.readline().decode().split()
            answer = process.stdout.read(int(count)).decode()
        except (OSError, ValueError):
            raise Defect("the process that draws has ended before its time") from None
        if word == render.FAILED:
            raise Defect(f"a chart could not be drawn: {answer}")
        return answer


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
    opened = Studio(drawer.taken((*files, *texts)))
    try:
        yield opened
    finally:
        opened.close()
