"""How charts look: colours that everybody can tell apart, and axes in our words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optimizer.analysis.plan.wording import amount, lifetime
from optimizer.reading.quantity import significant
from optimizer.report.charts.vegalite import Spec, field

# Each of these is at least 3:1 on white and on the page's dark ground, and all differ
# for the colour-blind; the page lightens them in the dark by these very values.
BLUE, ORANGE, GREEN, PURPLE, BROWN, GREY = SERIES = (
    *("#0072b2", "#d55e00", "#00855f", "#aa4499", "#8a6d00", "#6e7781"),
)
PALE = "#9ec3dd"  # a range behind what is blue
INK, MUTED, GRID = "#1f2328", "#57606a", "#d8dee4"
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])
WIDTH, HEIGHT, PANEL = 460, 280, 160
# The page has the first; the drawing engine has the second, of the same widths.
FONT = "Overtrain, Liberation Sans, Arial, sans-serif"
# How a plan is marked, how its words stand beside it, and how points are ringed.
RINGED = {"filled": True, "opacity": 1, "stroke": "#ffffff", "strokeWidth": 1.2}
DIAMOND = {"size": 150, "shape": "diamond", **RINGED}
BOLD = {"align": "left", "fontWeight": "bold", "color": INK}
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "aria": False,  # each picture has its words beside it or in its title
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": INK,
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelFlush": False,
        # Ticks are chosen here, and measuring their words takes half of the drawing.
        "labelOverlap": False,
        "labelLimit": 0,
        "titleLimit": 0,
        "tickSize": 4,
    },
    "legend": {
        "orient": "top",
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "labelLimit": 0,
        "symbolStrokeWidth": 2.5,
        "symbolSize": 110,
        "columnPadding": 14,
        "title": None,
    },
    "text": {"color": INK, "fontSize": 12},
    "title": {"color": INK, "fontSize": 13, "anchor": "start", "fontWeight": "normal"},
    "line": {"strokeWidth": 2.5},
    "range": {"category": list(SERIES)},
    "axisY": {"titlePadding": 8},
}


def short(value: float) -> float:
    """A number for a chart's data: five digits place it within a pixel."""
    return float(f"{value:.4e}")


def told(value: float, unit: str) -> str:
    """A number on an axis or a tip, in the words of the page."""
    if unit == "factor":
        return f"{significant(value, 2)} ×"
    if unit == "percent":
        return f"{significant(100 * value, 2)} %".replace("-", "−")
    if unit == "nats":
        return f"{value:.3f}"
    if unit == "FLOP":
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return amount(value, unit).removesuffix(" FLOP").removesuffix(".00")


def exactly(value: float, unit: str) -> str:
    """A number in a tip, to three digits."""
    return told(value, unit) if unit in ("factor", "percent") else amount(value, unit)


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers for a log axis: powers of ten, or with 2 and 5 on short spans."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for steps in ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,)):
        found = [
            step * 10.0**power
            for power in range(first, last + 1)
            for step in steps
            if low * 0.999 <= step * 10.0**power <= high * 1.001
        ]
        if len(found) <= most:
            break
    every = max(math.ceil(len(found) / most), 1)  # a span may hold no round number
    return found[::every]


def log_axis(
    name: str, title: str, unit: str, span: tuple[float, float], most: int = 7
) -> Spec:
    """A position channel on a log scale, labelled 1B, 10T, $2.5M."""
    values = ticks(*span, most)
    return field(
        f"{name}:Q",
        title=title,
        scale=log_scale(span),
        axis={"values": values, "labelExpr": labels(values, unit)},
    )


def log_scale(span: Sequence[float]) -> Spec:
    """A log scale that ends where it is told to."""
    return {"type": "log", "domain": list(span), "nice": False, "clamp": True}


def linear(*domain: float) -> Spec:
    """A linear scale that ends where it is told to, whether or not at zero."""
    return {"domain": list(domain), "nice": False, "zero": False}


def limited(name: str) -> str:
    """A limit in a picture: `limit: parameters` of `limits.parameters`."""
    return f"limit: {name.rpartition('.')[2].replace('_', ' ')}"


def cost_title(unit: str) -> str:
    """The title of an axis of costs; dollars say their unit themselves."""
    return f"{lifetime(unit)} in FLOP" if unit == "FLOP" else lifetime(unit)


def labels(values: Sequence[float], unit: str) -> str:
    """An expression from a tick to its label."""
    words = ", ".join(f"'{told(value, unit)}'" for value in values)
    # Powers of ten of a scale may differ from ours in the last digit.
    logs = ", ".join(f"{math.log10(value):.3f}" for value in values)
    return (
        f"[{words}][indexof([{logs}], +format(log(datum.value) / LN10, '.3f'))] || ''"
    )


def names_axis(names: Sequence[str], most: int, **more: Any) -> Spec:
    """An axis of names, cut at so many pixels where one could be longer.

    Not everywhere: a name that may be cut is measured twice, and measuring words is
    most of the drawing.
    """
    limit = most if any(_width(name) > most for name in names) else 0
    return {"labelLimit": limit, "labelColor": INK, **more}


def _width(name: str) -> int:
    """What a name takes at most, in pixels at the size of labels."""
    wide = [
        13 if ord(c) > 127 else 11 if c.isupper() or c in "mw@%" else 7 for c in name
    ]
    return sum(wide)


# Percentages as the page writes them: `60 %`, and nothing without a sign.
SPACED = "datum.value == 0 ? '0 %' : replace(datum.label, '%', ' %')"


PERCENTS_OFF = {"format": "+.2~%", "tickCount": 6, "labelExpr": SPACED}


def percents(name: str, title: str, high: float) -> Spec:
    """A linear channel of percentages from nothing up."""
    return field(
        f"{name}:Q",
        title=title,
        scale=linear(0, high),
        axis={"format": "%", "tickCount": 6, "labelExpr": SPACED},
    )


def span(values: Sequence[float | None], room: float = 1.0) -> tuple[float, float]:
    """The least and greatest of some values, with room around them."""
    known = [v for v in values if v is not None and v > 0 and math.isfinite(v)]
    return min(known) / room, max(known) * room


def colour(name: str, names: Sequence[str], chosen: Sequence[str] = SERIES) -> Spec:
    """A channel with a colour for each name, in their order."""
    return field(f"{name}:N", scale=matched(names, chosen), title=None)


def dash(name: str, names: Sequence[str]) -> Spec:
    """A channel with a dash for each name: lines differ without colour too."""
    return field(f"{name}:N", scale=matched(names, DASHES), title=None)


def matched(names: Sequence[str], pool: Sequence[Any]) -> Spec:
    """A scale from names to what shows them, from the first again after the last."""
    shown = [pool[i % len(pool)] for i in range(len(names))]
    return {"domain": list(names), "range": shown}
