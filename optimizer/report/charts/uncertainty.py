"""The distribution of the best size over draws of law and demand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optimizer.analysis.plan.wording import amount
from optimizer.analysis.uncertainty.uncertainty import Uncertainty
from optimizer.report.charts.theme import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    MUTED,
    ORANGE,
    RINGED,
    SPACED,
    WIDTH,
    colour,
    exactly,
    labels,
    linear,
    log_axis,
    matched,
    short,
)
from optimizer.report.charts.vegalite import Spec, field, layered, mark, over, tips

BINS = 32
NARROWEST = 2.0  # the least factor from one end of the frame to the other
SHORT = 6.0  # a factor up to which an axis has even steps
WIDE = 1.6  # of the span from the 5th to the 95th percentile, in logarithms


def uncertainty(figure: Uncertainty) -> Spec:
    """How often each size is best, with percentiles, the plan and the robust plan."""
    size = figure.intervals["parameters"]
    marked = _marked(figure)
    sizes = [N for _, N, _ in marked]
    box = _box(size.p5, size.p95, [min(figure.sizes), max(figure.sizes)], sizes)
    bars, outside = _bins(figure.sizes, box)
    top = max(bar["part"] for bar in bars) * 1.3
    x = _sizes_axis(box)
    labelled = f"datum.value > 1 ? '' : {SPACED}"
    y = field(
        "part:Q",
        title=f"of {len(figure.sizes)} draws",
        scale=linear(0, top),
        axis={"format": ".2~%", "tickCount": 6, "labelExpr": labelled},
    )
    counts = over(
        bars,
        x=x,
        x2={"field": "to"},
        y=y,
        y2={"datum": 0},
        tooltip=tips("size", "draws"),
    )
    look = {"color": BLUE, "opacity": 0.45, "stroke": "#ffffff", "strokeWidth": 0.8}
    layers = [mark("bar", counts, **look), *_percentiles(figure, top, x, y)]
    layers += _plans(marked, top, x, y)
    if outside:
        layers.append(_note(f"{outside} draws lie outside the frame", top, box, x, y))
    return layered(*layers, width=WIDTH, height=HEIGHT - 20)


def _marked(figure: Uncertainty) -> list[tuple[str, float, str]]:
    found = []
    if figure.plan is not None:
        found.append(("the plan", figure.plan.parameters, "diamond"))
    if figure.robust is not None:
        sure = f"{100 * figure.robust.probability:g} %"
        name = f"robust plan, {sure} sure"
        found.append((name, figure.robust.parameters, "square"))
    return found


def _box(
    low: float, high: float, ends: Sequence[float], marked: Sequence[float]
) -> tuple[float, float]:
    """Room for all but far tails, and for what is marked."""
    reach = (high / low) ** (WIDE / 2)
    middle = math.sqrt(low * high)
    left = min([max(middle / reach, ends[0]), low, *marked])
    right = max([min(middle * reach, ends[1]), high, *marked])
    room = max((right / left) ** 0.04, (NARROWEST * left / right) ** 0.5)
    return left / room, right * room


def _sizes_axis(box: tuple[float, float]) -> Spec:
    """A log axis of sizes; even steps where a few round numbers would be too few."""
    low, high = box
    made = log_axis("N", "parameters", "parameters", box, 8)
    if high / low < SHORT:
        power = 10.0 ** math.floor(math.log10(high - low))
        step = next(
            s * power for s in (0.1, 0.2, 0.5, 1, 2) if (high - low) / (s * power) < 8
        )
        first, last = math.ceil(low / step), math.floor(high / step)
        values = [round(i * step) * 1.0 for i in range(first, last + 1)]
        made["axis"] = {"values": values, "labelExpr": labels(values, "parameters")}
    return made


def _bins(
    sizes: Sequence[float], box: tuple[float, float]
) -> tuple[list[dict[str, Any]], int]:
    """Bars even in logarithms, and how many draws are in none."""
    low, high = box
    step = math.log(high / low) / BINS
    counts = [0] * BINS
    outside = 0
    for N in sizes:
        place = math.floor(math.log(N / low) / step)
        if 0 <= place < BINS:
            counts[place] += 1
        else:
            outside += 1
    edges = [low * math.exp(step * i) for i in range(BINS + 1)]
    rows = [
        {"N": short(edges[i]), "to": short(edges[i + 1])}
        | {"part": short(count / len(sizes)), "draws": str(count)}
        | {"size": " to ".join(exactly(e, "parameters") for e in edges[i : i + 2])}
        for i, count in enumerate(counts)
        if count
    ]
    return rows, outside


def _percentiles(figure: Uncertainty, top: float, x: Spec, y: Spec) -> list[Spec]:
    size = figure.intervals["parameters"]
    names = (("5 %", size.p5), ("50 %", size.p50), ("95 %", size.p95))
    rows = [
        {"N": short(N), "part": short(0.96 * top)}
        | {"word": f"{name}: {_size(N)}", "none": 0}
        for name, N in names
    ]
    walls = over(rows, x=x, y=field("none:Q"), y2={"field": "part"})
    found = [mark("rule", walls, color=GREY, strokeDash=[3, 3])]
    for row, align, shift in zip(
        rows, ("right", "center", "left"), (-4, 0, 4), strict=True
    ):
        word = over([row], x=x, y=y, text=field("word:N"))
        place = {"align": align, "dx": shift, "dy": -8 if align == "center" else 4}
        found.append(mark("text", word, color=MUTED, fontSize=11, **place))
    return found


def _plans(
    marked: Sequence[tuple[str, float, str]], top: float, x: Spec, y: Spec
) -> list[Spec]:
    """The plans on the axis, each with its own shape, named in the legend."""
    rows = [
        # One above the other, for they may have the same size.
        {"N": short(N), "part": short((0.035 + 0.06 * i) * top)}
        | {"what": f"{name}: {exactly(N, 'parameters')}", "shape": shape}
        for i, (name, N, shape) in enumerate(marked)
    ]
    if not rows:
        return []
    names = [str(row["what"]) for row in rows]
    shapes = [shape for _, _, shape in marked]
    pool = [GREEN if shape == "diamond" else ORANGE for shape in shapes]
    dots = over(
        rows,
        x=x,
        y=y,
        color=colour("what", names, pool),
        shape=field("what:N", scale=matched(names, shapes), title=None),
    )
    return [mark("point", dots, size=150, **RINGED)]


def _note(word: str, top: float, box: tuple[float, float], x: Spec, y: Spec) -> Spec:
    rows = [{"N": short(box[1]), "part": short(top), "word": word}]
    note = over(rows, x=x, y=y, text=field("word:N"))
    look = {"align": "right", "dy": -6, "fontSize": 10, "fontStyle": "italic"}
    return mark("text", note, color=MUTED, **look)


def _size(N: float) -> str:
    return amount(float(f"{N:.2e}"), "parameters")
