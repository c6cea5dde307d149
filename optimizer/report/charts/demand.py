"""Charts over the demand: what models cost, and which plan is best."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import altair as alt

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
    Spec,
    colours,
    cost_title,
    dashes,
    data,
    exactly,
    layered,
    log_axis,
    percents,
    short,
    span,
    stacked,
    told,
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
    y = alt.Y(**log_axis("cost", cost_title(figure.unit), figure.unit, span(every), 5))
    colour = alt.Color("model:N", scale=colours(names, LINES), title=None)
    dash = alt.StrokeDash("model:N", scale=dashes(names), title=None)
    tips = [alt.Tooltip(f"{w}:N") for w in ("model", "demand", "bill", "above")]
    base = alt.Chart(data(costs)).encode(
        x=x, color=colour, strokeDash=dash, tooltip=tips
    )
    crossings = [
        {"T": short(c.tokens), "cost": short(c.cost), "word": _crossing(c.tokens)}
        | {"over": _regret(figure, c.tokens, c.cost)}
        for c in figure.crossings
    ]
    _cleared(crossings)
    marks = alt.Chart(data(crossings)).encode(x=x)
    ring = {"size": 70, "filled": True, "color": INK, "opacity": 1}
    upper = layered(
        _now(figure, x, "now"),
        base.mark_line(clip=True).encode(y=y),
        marks.mark_point(**ring).encode(y=y, tooltip=alt.Tooltip("word:N")),
        width=WIDTH,
        height=HEIGHT - 60,
    )
    above = alt.Y(**percents("over", "above the best plan", MOST))
    lower = layered(
        _now(figure, x),
        base.mark_line(clip=True).encode(y=above),
        marks.mark_point(clip=True, **ring).encode(y=above),
        marks.mark_text(clip=True, dy=-11, color=INK, fontSize=11).encode(
            y=above, text=alt.Text("word:N")
        ),
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


def _over(figure: OverDemand, title: str = SERVED) -> alt.X:
    served = span(figure.served)
    return alt.X(**log_axis("T", title, "tokens", served))


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


def _now(figure: OverDemand, x: alt.X, word: str = "") -> Any:
    rule = alt.Chart(data([{"T": short(figure.now), "word": word, "top": 1}]))
    line = rule.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=x)
    if not word:
        return line
    low, high = span(figure.served)
    # Left of the line, where there is room: what stands at its point is on the right.
    left = math.log(figure.now / low) > 0.15 * math.log(high / low)
    side = {"align": "right", "dx": -4} if left else {"align": "left", "dx": 4}
    text = rule.mark_text(dy=8, color=MUTED, fontSize=11, **side)
    return layered(line, text.encode(x=x, y=alt.YValue(0), text=alt.Text("word:N")))


def plan(figure: OverDemand, ranges: Sequence[tuple[float, float]]) -> Spec:
    """N and D of the best plan over the demand; the range within 1 % at this demand.

    Args:
        figure: the curve.
        ranges: of N and of D within 1 % of the optimum; may be empty.
    """
    x = _over(figure)
    panels: list[Spec] = []
    rows = list(zip(("parameters", "tokens"), (BLUE, ORANGE), strict=True))
    for index, (word, colour) in enumerate(rows):
        values = getattr(figure, word)
        points: list[dict[str, Any]] = [
            {"T": short(T), "v": short(v), "demand": exactly(T, "tokens")}
            | {word: exactly(v, word)}
            for T, v in zip(figure.served, values, strict=True)
            if v is not None
        ]
        title = "parameters" if word == "parameters" else "training tokens"
        y = alt.Y(**log_axis("v", title, word, span(values, 1.15), 5))
        tips = [alt.Tooltip(f"{w}:N") for w in ("demand", word)]
        line = (
            alt.Chart(data(points))
            .mark_line(color=colour)
            .encode(x=x, y=y, tooltip=tips)
        )
        layers = [_now(figure, x, "now" if index == 0 else ""), line]
        if ranges:
            low, high = ranges[index]
            bar = [{"T": short(figure.now), "v": short(low), "v2": short(high)}]
            base = alt.Chart(data(bar)).encode(x=x, y=y, y2=alt.Y2("v2:Q"))
            layers.append(base.mark_rule(color=colour, strokeWidth=6, opacity=0.45))
        here = [p for p in points if abs(p["T"] / figure.now - 1) < 1e-3]
        dot = alt.Chart(data(here)).encode(x=x, y=y)
        layers.append(dot.mark_point(size=90, filled=True, color=colour, opacity=1))
        layers.append(
            dot.mark_text(
                align="right" if index else "left",
                dx=-9 if index else 9,
                dy=-9,
                color=INK,
            ).encode(text=alt.Text(f"{word}:N"))
        )
        panels.append(layered(*layers, width=WIDTH, height=PANEL))
    return stacked(*panels)
