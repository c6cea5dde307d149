"""How charts look: colours that everybody can tell apart, and axes in our words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
from altair.utils import schemapi

from optimizer.analysis.plan.wording import amount, lifetime
from optimizer.reading.quantity import significant

# Each of these is at least 3:1 on white and on the page's dark ground, and all differ
# for the colour-blind; the page lightens them in the dark by these very values.
BLUE, ORANGE, GREEN, PURPLE, BROWN, GREY = SERIES = (
    *("#0072b2", "#d55e00", "#00855f", "#aa4499", "#8a6d00", "#6e7781"),
)
INK, MUTED, GRID = "#1f2328", "#57606a", "#d8dee4"
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])
WIDTH, HEIGHT, PANEL = 460, 280, 160
# The page has the first; the drawing engine has the second, of the same widths.
FONT = "Overtrain, Liberation Sans, Arial, sans-serif"
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
_rows: dict[str, list[dict[str, Any]]] = {}  # of the chart that is being drawn


Spec = dict[str, Any]


def unchecked() -> Any:
    """Spares Altair its checks, a third of its time; the tests draw every kind."""
    return schemapi.debug_mode(False)


def layered(*parts: Any, **size: Any) -> Spec:
    """Charts on top of each other.

    Each is turned into its Vega-Lite first: Altair's own layering copies all of them
    at every step, which takes most of the time of a report.
    """
    return {"layer": [_plain(part) for part in parts], **size}


def stacked(*parts: Any, **more: Any) -> Spec:
    """Charts below each other."""
    return {"vconcat": [_plain(part) for part in parts], "spacing": 14, **more}


def _plain(part: Any) -> Spec:
    if isinstance(part, dict):
        return part
    found: Spec = part.to_dict(validate=False, context={"top_level": False})
    return found


# The names on Object.prototype. Source: ECMA-262, sections 20.1.3 and B.2.2.
TAKEN = frozenset(
    (
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf", "__defineGetter__", "__proto__"),
        *("__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
    )
)


def finished(chart: Any, alternative: str) -> Spec:
    """The whole Vega-Lite of a chart, with its text alternative."""
    content = {
        "$schema": alt.SCHEMA_URL,
        "description": alternative,
        "config": CONFIG,
        **_plain(chart),
    }
    content["datasets"] = {
        name: _rows[name] for name in sorted(set(_named(content)) & set(_rows))
    }
    _rows.clear()
    drawable: Spec = _drawable(content)
    return drawable


def _drawable(node: Any) -> Any:
    """A chart whose names are none that every object of JavaScript has already.

    Vega looks names up in plain objects, where `constructor` is always found. A mark
    of no width behind such a name makes it a name like others.
    """
    if isinstance(node, list):
        return [_drawable(member) for member in node]
    if isinstance(node, dict):
        return {key: _drawable(member) for key, member in node.items()}
    return f"{node}\u2060" if isinstance(node, str) and node in TAKEN else node


def _named(node: Any) -> Iterator[str]:
    """The names of all data that a chart uses."""
    if isinstance(node, list):
        for member in node:
            yield from _named(member)
    elif isinstance(node, dict):
        if set(node.get("data", ())) == {"name"}:
            yield node["data"]["name"]
        for member in node.values():
            yield from _named(member)


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
    field: str, title: str, unit: str, span: tuple[float, float], most: int = 7
) -> dict[str, Any]:
    """The arguments of a position channel on a log scale, labelled 1B, 10T, $2.5M."""
    values = ticks(*span, most)
    return {
        "shorthand": f"{field}:Q",
        "title": title,
        "scale": alt.Scale(type="log", domain=list(span), nice=False, clamp=True),
        "axis": alt.Axis(values=values, labelExpr=labels(values, unit)),
    }


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


def names_axis(names: Sequence[str], most: int, **more: Any) -> alt.Axis:
    """An axis of names, cut at so many pixels where one could be longer.

    Not everywhere: a name that may be cut is measured twice, and measuring words is
    most of the drawing.
    """
    limit = most if any(_width(name) > most for name in names) else 0
    return alt.Axis(labelLimit=limit, labelColor=INK, **more)


def _width(name: str) -> int:
    """What a name takes at most, in pixels at the size of labels."""
    wide = [
        13 if ord(c) > 127 else 11 if c.isupper() or c in "mw@%" else 7 for c in name
    ]
    return sum(wide)


# Percentages as the page writes them: `60 %`, and nothing without a sign.
SPACED = "datum.value == 0 ? '0 %' : replace(datum.label, '%', ' %')"


def percents(field: str, title: str, high: float) -> dict[str, Any]:
    """The arguments of a linear channel of percentages from nothing up."""
    return {
        "shorthand": f"{field}:Q",
        "title": title,
        "scale": alt.Scale(domain=[0, high], nice=False),
        "axis": alt.Axis(format="%", tickCount=6, labelExpr=SPACED),
    }


def data(rows: Sequence[dict[str, Any]]) -> alt.NamedData:
    """Rows as the data of a chart, under a name, because Altair copies what it holds.

    Rows that several layers share are kept once.
    """
    listed = list(rows)
    name = next((n for n, known in _rows.items() if known == listed), None)
    name = name or f"rows{len(_rows)}"
    _rows[name] = listed
    return alt.NamedData(name)


def span(values: Sequence[float | None], room: float = 1.0) -> tuple[float, float]:
    """The least and greatest of some values, with room around them."""
    known = [v for v in values if v is not None and v > 0 and math.isfinite(v)]
    return min(known) / room, max(known) * room


def colours(names: Sequence[str], chosen: Sequence[str] = SERIES) -> alt.Scale:
    """A colour for each name, in their order."""
    pool = [chosen[i % len(chosen)] for i in range(len(names))]
    return alt.Scale(domain=list(names), range=pool)


def dashes(names: Sequence[str]) -> alt.Scale:
    """A dash for each name, so that lines differ without colour too."""
    pool = [DASHES[i % len(DASHES)] for i in range(len(names))]
    return alt.Scale(domain=list(names), range=pool)
