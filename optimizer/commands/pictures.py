"""Charts drawn by another process, while this one solves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from optimizer.errors import Defect
from optimizer.report.charts.catalogue import draw
from optimizer.report.charts.tips import tipped
from optimizer.report.charts.vegalite import Spec
from optimizer.report.formats import render
from optimizer.report.formats.elements import Chart, Rich
from optimizer.report.formats.extras import missing

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
        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(self._ask, NOTHING)
        # With the chart itself, so that no other takes over its id.
        self._drawn: dict[int, tuple[Chart, Future[str]]] = {}

    def start(self, blocks: Sequence[Rich]) -> None:
        """Starts drawing the charts among some blocks."""
        for block in blocks:
            if isinstance(block, Chart) and id(block) not in self._drawn:
                picture = self._thread.submit(self._ask, tipped(draw(block)))
                self._drawn[id(block)] = block, picture

    def pictures(self, blocks: Sequence[Rich]) -> dict[int, str]:
        """The charts among some blocks by their places, as SVG."""
        self.start(blocks)
        return {
            place: self._drawn[id(block)][1].result()
            for place, block in enumerate(blocks)
            if isinstance(block, Chart)
        }

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.kill()
        self._process.communicate()

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


@contextmanager
def studio(texts: Iterable[str]) -> Iterator[Studio]:
    """A studio for the time of one command.

    Args:
        texts: in which are all names that charts show.

    Raises:
        InputError: vl-convert is not installed.
    """
    try:
        render.ready()
    except ImportError as error:
        raise missing(error) from None
    opened = Studio(any(c > OWN and c.isalpha() for text in texts for c in text))
    try:
        yield opened
    finally:
        opened.close()
