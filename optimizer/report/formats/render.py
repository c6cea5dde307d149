"""From Vega-Lite to pictures, without a browser: the door of vl-convert.

It imports nothing else of this package, so that it also runs as a process of its own,
which draws while another solves: a chart a line comes in, a picture a line goes out.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from typing import Any

PLACES = re.compile(r' (?:d|transform|x|y|x2|y2|width|height)="[^"]*"')
PRECISION = re.compile(r"-?\d+\.\d{2,}")
SCALE = 2.0  # pixels of a PNG for one of the SVG


def svg(specification: dict[str, Any]) -> str:
    """A chart as SVG.

    Raises:
        ImportError: vl-convert is not installed; as for all of these.
    """
    library, closed = _library()
    text: str = library.vegalite_to_svg(specification, **closed)
    # A tenth of a pixel is enough, and half the size.
    return PLACES.sub(lambda place: PRECISION.sub(_short, place[0]), text)


def png(specification: dict[str, Any]) -> bytes:
    """A chart as PNG on white."""
    config = {**specification["config"], "background": "#ffffff"}
    library, closed = _library()
    picture: bytes = library.vegalite_to_png(
        {**specification, "config": config}, scale=SCALE, **closed
    )
    return picture


def ready() -> None:
    """Looks whether vl-convert is installed."""
    import vl_convert  # noqa: F401, PLC0415 - optional


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


@cache
def _library() -> tuple[Any, dict[str, Any]]:
    """The library, and the arguments without which it would load what a chart names."""
    import vl_convert  # noqa: PLC0415 - optional

    closed: dict[str, Any] = {"allowed_base_urls": []}
    if hasattr(vl_convert, "configure"):  # from 2.0 on, once for all charts
        vl_convert.configure(base_url=False, **closed)
        return vl_convert, {}
    return vl_convert, closed


if __name__ == "__main__":
    serve()
