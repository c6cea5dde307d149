"""Charts over the demand: what models cost, and which plan is best."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from optimizer.analysis.story.curves import OverDemand
from optimizer.report.charts.theme import (
    BLUE,
    BROWN,
    GREY,
    HEIGHT,
    INK,
    MUTED,
    ORANGE,
    PANEL,
    PURPLE,
    WIDTH,
    colour,
    cost_title,
    dash,
    exactly,
    log_axis,
    percents,
    short,
    span,
    told,
)
from optimizer.report.charts.vegalite import (
    Spec,
    also,
    field,
    layered,
    mark,
    over,
    stacked,
    tips,
)

SERVED = "served tokens"
MOST = 0.6  # regrets above this are off the chart
CLEAR = 2.2  # demands nearer than this factor share a label
LINES = (BLUE, ORANGE, PURPLE, BROWN)


def demand(figure: OverDemand) -> Spec:
    """Lifetime cost of models over the demand, and how far above the best plan."""
    served = figure.served
    names = [running.model.name for running in figure.running]
    costs = [
        {
            "T": short(T),
            "cost": short(cost),
            "over": None if best is None else short(max(cost / best - 1, 0.0)),
            "model": running.model.name,
            "demand": exactly(T, "tokens"),
            "bill": exactly(cost, figure.unit),
            "above": ""
            if best is None
            else exactly(max(cost / best - 1, 0), "percent"),
        }
        for running in figure.running
        for T, cost, best in zip(served, running.costs, figure.best, strict=True)
    ]
    x = _over(figure)
    every = [c for running in figure.running for c in running.costs]
    y = log_axis("cost", cost_title(figure.unit), figure.unit, span(every), 5)
    above = percents("over", "above the best plan", MOST)
    base = over(
        costs,
        x=x,
        color=colour("model", names, LINES),
        strokeDash=dash("model", names),
        tooltip=tips("model", "demand", "bill", "above"),
    )
    crossings = [
        {"T": short(c.tokens), "cost": short(c.cost), "word": _crossing(c.tokens)}
        | {"over": _regret(figure, c.tokens, c.cost)}
        for c in figure.crossings
    ]
    _cleared(crossings)
    marks = over(crossings, x=x)
    words = also(marks, y=above, text=field("word:N"))
    ring = {"size": 70, "filled": True, "color": INK, "opacity": 1}
    upper = layered(
        _now(figure, x, "now"),
        mark("line", also(base, y=y), clip=True),
        mark("point", also(marks, y=y, tooltip=tips("word")), **ring),
        width=WIDTH,
        height=HEIGHT - 60,
    )
    lower = layered(
        _now(figure, x),
        mark("line", also(base, y=above), clip=True),
        mark("point", also(marks, y=above), clip=True, **ring),
        mark("text", words, clip=True, dy=-11, color=INK, fontSize=11),
        width=WIDTH,
        height=PANEL,
    )
    return stacked(upper, lower)


def _cleared(crossings: list[dict[str, Any]]) -> None:
    """Takes words away that would stand on each other."""
    last = 0.0
    for row in sorted(crossings, key=lambda row: row["T"]):
        if last and row["T"] / last < CLEAR:
            row["word"] = ""
        else:
            last = row["T"]


def _over(figure: OverDemand, title: str = SERVED) -> Spec:
    served = span(figure.served)
    return log_axis("T", title, "tokens", served)


def _crossing(tokens: float) -> str:
    return told(float(f"{tokens:.1e}"), "tokens")


def _regret(figure: OverDemand, tokens: float, cost: float) -> float | None:
    """Cost at a crossing over the best plan's, between two points of the curve."""
    rows = [
        (math.log(T), math.log(b))
        for T, b in zip(figure.served, figure.best, strict=True)
        if b is not None
    ]
    at = math.log(tokens)
    for (x0, y0), (x1, y1) in itertools.pairwise(rows):
        if x0 <= at <= x1:
            best = y0 + (y1 - y0) * (at - x0) / (x1 - x0)
            return short(max(cost / math.exp(best) - 1, 0.0))
    return None


def _now(figure: OverDemand, x: Spec, word: str = "") -> Spec:
    rule = over([{"T": short(figure.now), "word": word, "top": 1}], x=x)
    line = mark("rule", rule, color=GREY, strokeDash=[3, 3])
    if not word:
        return line
    low, high = span(figure.served)
    # Left of the line, where there is room: what stands at its point is on the right.
    left = math.log(figure.now / low) > 0.15 * math.log(high / low)
    side = {"align": "right", "dx": -4} if left else {"align": "left", "dx": 4}
    text = also(rule, y={"value": 0}, text=field("word:N"))
    return layered(line, mark("text", text, dy=8, color=MUTED, fontSize=11, **side))


def plan(figure: OverDemand, ranges: Sequence[tuple[float, float]]) -> Spec:
    """N and D of the best plan over the demand; the range within 1 % at this demand.

    Args:
        figure: the curve.
        ranges: of N and of D within 1 % of the optimum; may be empty.
    """
    x = _over(figure)
    panels: list[Spec] = []
    rows = list(zip(("parameters", "tokens"), (BLUE, ORANGE), strict=True))
    for index, (word, hue) in enumerate(rows):
        values = getattr(figure, word)
        points: list[dict[str, Any]] = [
            {"T": short(T), "v": short(v), "demand": exactly(T, "tokens")}
            | {word: exactly(v, word)}
            for T, v in zip(figure.served, values, strict=True)
            if v is not None
        ]
        title = "parameters" if word == "parameters" else "training tokens"
        y = log_axis("v", title, word, span(values, 1.15), 5)
        line = over(points, x=x, y=y, tooltip=tips("demand", word))
        layers = [
            _now(figure, x, "now" if index == 0 else ""),
            mark("line", line, color=hue),
        ]
        if ranges:
            low, high = ranges[index]
            bar = [{"T": short(figure.now), "v": short(low), "v2": short(high)}]
            base = over(bar, x=x, y=y, y2={"field": "v2"})
            layers.append(mark("rule", base, color=hue, strokeWidth=6, opacity=0.45))
        here = [p for p in points if abs(p["T"] / figure.now - 1) < 1e-3]
        dot = over(here, x=x, y=y)
        text = also(dot, text=field(f"{word}:N"))
        side = {"align": "right", "dx": -9} if index else {"align": "left", "dx": 9}
        layers += [
            mark("point", dot, size=90, filled=True, color=hue, opacity=1),
            mark("text", text, dy=-9, color=INK, **side),
        ]
        panels.append(layered(*layers, width=WIDTH, height=PANEL))
    return stacked(*panels)
