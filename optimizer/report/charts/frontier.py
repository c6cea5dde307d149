"""The frontier of loss against lifetime cost."""

from __future__ import annotations

from typing import Any

import altair as alt

from optimizer.analysis.frontier.band import Banded
from optimizer.analysis.frontier.path import Point
from optimizer.analysis.plan.wording import amount
from optimizer.report.charts.theme import (
    BLUE,
    HEIGHT,
    INK,
    WIDTH,
    Spec,
    cost_title,
    data,
    exactly,
    layered,
    log_axis,
    short,
    span,
)

BEYOND = 12.0  # how far a band may reach past the line
NAMED = 5  # points that say their size
SURE = "least cost, the law as published"
RANGE = "5 % to 95 % of the draws of the law"


def frontier(figure: Banded) -> Spec:
    """The least cost of each loss, the plan, and where draws of the law have it."""
    found = figure.frontier
    points, unit = found.points, found.unit
    costs = [point.cost_total for point in points]
    low, high = span(costs)
    ends = _ends(figure)
    box = (
        max(min([low, *ends]), low / BEYOND),
        min(max([high, *ends]), high * BEYOND),
    )
    room = (box[1] / box[0]) ** 0.05
    box = (box[0] / room**1.6, box[1] * room)
    losses = [point.loss for point in points]
    x = alt.X(**log_axis("cost", cost_title(unit), unit, box, 6))
    room = 0.07 * (max(losses) - min(losses))
    y = alt.Y(
        "loss:Q",
        title="loss, nats per token",
        scale=alt.Scale(
            domain=[min(losses) - room, max(losses) + room], nice=False, zero=False
        ),
        axis=alt.Axis(format=".2f", tickCount=7),
    )
    rows = [_row(point, unit, "line") for point in points]
    names = [RANGE, SURE] if figure.band is not None else [SURE]
    colour = alt.Color(
        "what:N",
        scale=alt.Scale(domain=names, range=["#9ec3dd", BLUE][-len(names) :]),
        title=None,
    )
    tips = [alt.Tooltip(f"{w}:N") for w in ("its loss", "bill", "size", "trained on")]
    line = (
        alt.Chart(data([{**row, "what": SURE} for row in rows]))
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, order=alt.Order("order:Q"), tooltip=tips)
    )
    layers = [*_band(figure, box, x, y, colour), line]
    layers += _sizes(found.points, found.own, unit, x, y)
    if found.plan is not None:
        layers += _plan(found.plan, unit, x, y)
    return layered(*layers, width=WIDTH, height=HEIGHT + 20)


def _ends(figure: Banded) -> list[float]:
    band = figure.band
    every = () if band is None else (*band.low, *band.high)
    return [end for end in every if end is not None]


def _band(
    figure: Banded, box: tuple[float, float], x: alt.X, y: alt.Y, colour: alt.Color
) -> list[Any]:
    """The band, cut at the frame."""
    band = figure.band
    if band is None:
        return []
    low, high = box
    rows = [
        {"loss": short(point.loss), "cost": short(max(a, low)), "what": RANGE}
        | {"to": short(high if b is None else min(b, high))}
        for point, a, b in zip(figure.frontier.points, band.low, band.high, strict=True)
        if a is not None and a < high
    ]
    area = alt.Chart(data(rows)).mark_area(
        orient="horizontal", opacity=0.55, interpolate="linear", clip=True
    )
    # Without this, areas that share a loss are piled on each other.
    unit = figure.frontier.unit
    start = alt.X(**log_axis("cost", cost_title(unit), unit, box, 6), stack=None)
    return [area.encode(x=start, x2=alt.X2("to:Q"), y=y, color=colour)]


def _row(point: Point, unit: str, word: str) -> dict[str, Any]:
    return {
        "cost": short(point.cost_total),
        "loss": short(point.loss),
        "order": -short(point.loss),
        "its loss": exactly(point.loss, "nats"),
        "bill": exactly(point.cost_total, unit),
        "size": exactly(point.parameters, "parameters"),
        "trained on": exactly(point.tokens, "tokens"),
        "word": word,
    }


def _sizes(
    points: tuple[Point, ...], own: int | None, unit: str, x: alt.X, y: alt.Y
) -> list[Any]:
    """What sizes the models along the line have, away from the plan's own words."""
    last = len(points) - 1
    places = {round(i * last / (NAMED - 1)) for i in range(NAMED)}
    kept = [i for i in places if own is None or abs(i - own) > last / 10]
    base = {
        i: alt.Chart(data([_row(points[i], unit, _size(points[i]))])).encode(x=x, y=y)
        for i in sorted(kept)
    }
    text = {"color": INK, "fontSize": 11}
    return [
        part
        for i, at in base.items()
        for part in (
            at.mark_circle(size=34, color=BLUE, opacity=1),
            # The first stands at the frame; its words go to the right.
            at.mark_text(
                align="right" if i else "left",
                dx=-7 if i else 9,
                dy=8 if i else -4,
                **text,
            ).encode(text=alt.Text("word:N")),
        )
    ]


def _size(point: Point) -> str:
    return amount(float(f"{point.parameters:.1e}"), "parameters")


def _plan(plan: Point, unit: str, x: alt.X, y: alt.Y) -> list[Any]:
    word = f"the plan, {_size(plan)}"
    base = alt.Chart(data([_row(plan, unit, word)])).encode(x=x, y=y)
    return [
        base.mark_point(
            size=150,
            shape="diamond",
            filled=True,
            color=BLUE,
            opacity=1,
            stroke="#ffffff",
            strokeWidth=1.2,
        ),
        base.mark_text(align="left", dx=10, dy=-6, fontWeight="bold", color=INK).encode(
            text=alt.Text("word:N")
        ),
    ]
