"""The frontier of loss against lifetime cost."""

from __future__ import annotations

from typing import Any

from optimizer.analysis.frontier.band import Banded
from optimizer.analysis.frontier.path import Point
from optimizer.analysis.plan.wording import amount
from optimizer.report.charts.theme import (
    BLUE,
    BOLD,
    DIAMOND,
    HEIGHT,
    INK,
    PALE,
    WIDTH,
    colour,
    cost_title,
    exactly,
    linear,
    log_axis,
    short,
    span,
)
from optimizer.report.charts.vegalite import (
    Spec,
    also,
    field,
    layered,
    mark,
    over,
    tips,
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
    x = log_axis("cost", cost_title(unit), unit, box, 6)
    room = 0.07 * (max(losses) - min(losses))
    y = field(
        "loss:Q",
        title="loss, nats per token",
        scale=linear(min(losses) - room, max(losses) + room),
        axis={"format": ".2f", "tickCount": 7},
    )
    rows = [_row(point, unit, "line") for point in points]
    names = [RANGE, SURE] if figure.band is not None else [SURE]
    hue = colour("what", names, (PALE, BLUE)[-len(names) :])
    line = over(
        [{**row, "what": SURE} for row in rows],
        x=x,
        y=y,
        color=hue,
        order=field("order:Q"),
        tooltip=tips("its loss", "bill", "size", "trained on"),
    )
    layers = [*_band(figure, box, x, y, hue), mark("line", line, clip=True)]
    layers += _sizes(found.points, found.own, unit, x, y)
    if found.plan is not None:
        whose = "the budget's loss" if found.bought else "the plan"
        layers += _plan(found.plan, f"{whose}, {_size(found.plan)}", unit, x, y)
    return layered(*layers, width=WIDTH, height=HEIGHT + 20)


def _ends(figure: Banded) -> list[float]:
    band = figure.band
    every = () if band is None else (*band.low, *band.high)
    return [end for end in every if end is not None]


def _band(
    figure: Banded, box: tuple[float, float], x: Spec, y: Spec, hue: Spec
) -> list[Spec]:
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
    # Without this, areas that share a loss are piled on each other.
    start = {**x, "stack": None}
    area = over(rows, x=start, x2={"field": "to"}, y=y, color=hue)
    look = {"orient": "horizontal", "interpolate": "linear", "clip": True}
    return [mark("area", area, opacity=0.55, **look)]


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
    points: tuple[Point, ...], own: int | None, unit: str, x: Spec, y: Spec
) -> list[Spec]:
    """What sizes the models along the line have, away from the plan's own words."""
    last = len(points) - 1
    places = {round(i * last / (NAMED - 1)) for i in range(NAMED)}
    kept = [i for i in places if own is None or abs(i - own) > last / 10]
    base = {
        i: over([_row(points[i], unit, _size(points[i]))], x=x, y=y)
        for i in sorted(kept)
    }
    text = {"color": INK, "fontSize": 11}
    return [
        part
        for i, at in base.items()
        for part in (
            mark("circle", at, size=34, color=BLUE, opacity=1),
            # The first stands at the frame; its words go to the right.
            mark(
                "text",
                also(at, text=field("word:N")),
                align="right" if i else "left",
                dx=-7 if i else 9,
                dy=8 if i else -4,
                **text,
            ),
        )
    ]


def _size(point: Point) -> str:
    return amount(float(f"{point.parameters:.1e}"), "parameters")


def _plan(plan: Point, word: str, unit: str, x: Spec, y: Spec) -> list[Spec]:
    here = over([_row(plan, unit, word)], x=x, y=y)
    return [
        mark("point", here, color=BLUE, **DIAMOND),
        mark("text", also(here, text=field("word:N")), dx=10, dy=-6, **BOLD),
    ]
