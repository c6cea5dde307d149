"""From Vega-Lite to pictures, without a browser: the door of vl-convert.

It imports nothing else of this package, so that it also runs as a process of its own,
which draws while another solves: a chart a line comes in, its picture goes out. That
process imports hardly anything before the engine, whose start a page waits for.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

    Spec = dict[str, Any] | str

ADDRESSES = 66 * 2**30  # [bytes] that V8 and what it loads reserve; measured, 1.9
SCALE = 2.0  # pixels of a PNG for one of the SVG
NOTHING = '{"mark": "point", "data": {"values": []}, "config": {}}'
DONE, FAILED = "done", "failed"


def svg(specification: Spec) -> str:
    """A chart as SVG.

    Args:
        specification: a record, or the JSON of one.

    Raises:
        ImportError: vl-convert is not installed; as for all of these.
    """
    return shorter(_drawn(specification))


def png(specification: dict[str, Any]) -> bytes:
    """A chart as PNG on white."""
    config = {**specification["config"], "background": "#ffffff"}
    library, closed = _library()
    picture: bytes = library.vegalite_to_png(
        {**specification, "config": config}, scale=SCALE, **closed
    )
    return picture


def ready() -> None:
    """Looks whether vl-convert is installed, and may have the addresses it takes.

    Raises:
        InputError: it may not; it would end the process that it runs in.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - as all here, late

    if find_spec("vl_convert") is None:
        raise ImportError("vl-convert is not installed", name="vl_convert")
    try:
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit  # noqa: PLC0415
    except ImportError:  # there is no such limit on Windows
        return
    most = getrlimit(RLIMIT_AS)[0]
    if most != RLIM_INFINITY and most < ADDRESSES:
        from optimizer.errors import InputError, Mark, Problem  # noqa: PLC0415

        message = (
            f"charts are drawn by vl-convert, whose engine reserves 64 GiB of "
            f"addresses, not of memory; ulimit -v allows {most / 2**30:.3g} GiB. "
            "Lift it (ulimit -v unlimited), or ask for what has no pictures"
        )
        raise InputError([Problem(Mark("overtrain"), "", message)])


def shorter(picture: str) -> str:
    """An SVG of half the size: a tenth of a pixel is enough."""
    import re  # noqa: PLC0415

    places = r' (?:d|transform|x|y|x2|y2|width|height)="[^"]*"'
    precise = re.compile(r"-?\d+\.\d{2,}")
    return re.sub(places, lambda place: precise.sub(_short, place[0]), picture)


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}"


def serve() -> None:
    """Draws charts until there are no more, one a line.

    Of each goes out a line, the word whether it is done and how many bytes follow, and
    its picture as the engine wrote it, or what went wrong.
    """
    _answer(NOTHING)  # starts the engine, before there is anything to draw
    for line in sys.stdin.buffer:
        word, text = _answer(line.decode())
        told = text.encode()
        sys.stdout.buffer.write(b"%s %d\n%s" % (word.encode(), len(told), told))
        sys.stdout.buffer.flush()


def _answer(specification: str) -> tuple[str, str]:
    try:
        return DONE, _drawn(specification)
    except Exception as error:
        return FAILED, f"{type(error).__name__}: {error}"


def _drawn(specification: Spec) -> str:
    library, closed = _library()
    text: str = library.vegalite_to_svg(specification, **closed)
    return text


_known: list[tuple[Any, dict[str, Any]]] = []


def _library() -> tuple[Any, dict[str, Any]]:
    """The library, and the arguments without which it would load what a chart names."""
    if not _known:
        import vl_convert  # noqa: PLC0415 - optional

        closed: dict[str, Any] = {"allowed_base_urls": []}
        if hasattr(vl_convert, "configure"):  # from 2.0 on, once for all charts
            vl_convert.configure(base_url=False, **closed)
            closed = {}
        _known.append((vl_convert, closed))
    return _known[0]


if __name__ == "__main__":
    serve()
