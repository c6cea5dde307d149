"""From Vega-Lite to pictures, without a browser: the door of vl-convert.

It imports nothing else of this package, so that it also runs as a process of its own,
which draws while another solves: a chart a line comes in, a picture a line goes out.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

PLACES = re.compile(r' (?:d|transform|x|y|x2|y2|width|height)="[^"]*"')
PRECISION = re.compile(r"-?\d+\.\d{2,}")
SCALE = 2.0  # pixels of a PNG for one of the SVG


def svg(specification: dict[str, Any]) -> str:
    """A chart as SVG.

    Raises:
        ImportError: vl-convert is not installed; as for all of these.
    """
    text: str = _library().vegalite_to_svg(specification, allowed_base_urls=[])
    # A tenth of a pixel is enough, and half the size.
    return PLACES.sub(lambda place: PRECISION.sub(_short, place[0]), text)


def png(specification: dict[str, Any]) -> bytes:
    """A chart as PNG on white."""
    config = {**specification["config"], "background": "#ffffff"}
    picture: bytes = _library().vegalite_to_png(
        {**specification, "config": config}, scale=SCALE, allowed_base_urls=[]
    )
    return picture


def ready() -> None:
    """Looks whether vl-convert is installed."""
    _library()


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}"


def serve() -> None:
    """Draws charts until there are no more, one a line."""
    for line in sys.stdin.buffer:
        try:
            answer = {"done": svg(json.loads(line))}
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        told = json.dumps(answer).encode()
        sys.stdout.buffer.write(told + b"\n")
        sys.stdout.buffer.flush()


def _library() -> Any:
    import vl_convert  # noqa: PLC0415 - optional

    return vl_convert


if __name__ == "__main__":
    serve()
