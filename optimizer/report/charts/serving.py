"""The picture of serving predicted beside measured: the time of every token."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.analysis.plan.wording import percent
from optimizer.analysis.serving.beside import CLOSE, Beside, both
from optimizer.report.charts.theme import (
    BLUE,
    CONFIG,
    GREY,
    ORANGE,
    colour,
    log_axis,
    short,
    span,
)
from optimizer.report.charts.vegalite import (
    Spec,
    field,
    finished,
    layered,
    mark,
    over,
)

SIDE = 320
MILLI = 1e-3
NAMES = {"dense": "dense models", "mixture": "mixtures of experts"}


def predicted_beside_measured(found: Sequence[Beside]) -> Spec:
    """The Vega-Lite of measured against predicted times per token.

    Args:
        found: points with their predictions; those without a time are left out.

    Raises:
        ValueError: no point has both.
    """
    told = [x for x in found if x.tpot is not None]
    if not told:
        raise ValueError("no point has a measured and a predicted time per token")
    return finished(_drawn(told), _words(told), CONFIG)


def _drawn(told: Sequence[Beside]) -> Spec:
    rows = [
        {"x": short((x.point.per_token or 0.0) / MILLI)}
        | {"y": short(x.answer.per_token / MILLI)}
        | {"kind": NAMES[x.kind]}
        for x in told
        if x.answer is not None
    ]
    both_ways = [row[axis] for row in rows for axis in ("x", "y")]
    low, high = span([float(value) for value in both_ways], 1.1)
    x = log_axis("x", "measured [ms]", "tokens", (low, high))
    y = log_axis("y", "predicted [ms]", "tokens", (low, high))
    hue = colour("kind", tuple(NAMES.values()), (BLUE, ORANGE))
    dots = over(rows, x=x, y=y, color=hue)
    lines = [
        {"x": short(end), "y": short(end * factor), "line": str(factor)}
        for factor in (1 - CLOSE, 1.0, 1 + CLOSE)
        for end in (low * (1 + CLOSE), high / (1 + CLOSE))
    ]
    band = over(lines, x=x, y=y, detail=field("line:N"))
    return layered(
        mark("line", band, color=GREY, strokeWidth=1, clip=True),
        mark("point", dots, filled=True, size=14, opacity=0.55),
        width=SIDE,
        height=SIDE,
    )


def _words(told: Sequence[Beside]) -> str:
    """What the picture shows, for those who do not see it."""
    parts = []
    for kind, name in NAMES.items():
        tpot, _ = both([x for x in told if x.kind == kind])
        if tpot.median is not None:
            parts.append(f"{name} are off by {percent(tpot.median)} in the median")
    return (
        "Time per output token, predicted against measured, with lines at equality "
        f"and {percent(CLOSE)} beside it: {'; '.join(parts)}."
    )
