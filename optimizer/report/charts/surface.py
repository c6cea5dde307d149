"""Charts over sizes: the loss surface, and what a size costs in training."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from optimizer.analysis.plan.wording import given
from optimizer.analysis.story.contour import Contour
from optimizer.analysis.story.curves import Dot, Line, Overhead
from optimizer.report.charts.theme import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    INK,
    MUTED,
    ORANGE,
    WIDTH,
    Spec,
    colours,
    dashes,
    data,
    exactly,
    layered,
    log_axis,
    percents,
    short,
    told,
)

MOST = 1.5  # overheads above this are off the chart, unless the plan's own is higher
FARTHEST = 10.0
PATHS = ("lifetime-optimal", "training-optimal")


def contour(figure: Contour) -> Spec:
    """Loss over N and D, isoFLOP lines, both optimal paths, and models."""
    box = figure.box
    x = alt.X(**log_axis("N", "parameters", "parameters", box[:2]))
    y = alt.Y(**log_axis("D", "training tokens", "tokens", box[2:]))
    layers = [*_levels(figure, x, y), *_flops(figure, x, y)]
    layers += [_paths(figure, x, y), *_published(figure, x, y)]
    layers += _dots(figure.dots, x, y)
    return layered(*layers, width=WIDTH, height=HEIGHT + 60)


def _levels(figure: Contour, x: alt.X, y: alt.Y) -> list[Any]:
    """Bands that grow deeper with lower loss, and their lines with a label."""
    top = figure.box[3]
    rows = [
        {"N": short(N), "D": short(D), "loss": f"{loss:.2f}"}
        for loss, line in figure.levels
        for N, D in line
        if top > D
    ]
    ends = [
        {"N": short(N), "D": short(D), "loss": f"{loss:.2f}"}
        for loss, line in figure.levels
        for N, D in _right_end(line, figure.box)
    ]
    base = alt.Chart(data(rows)).encode(x=x, y=y, detail=alt.Detail("loss:N"))
    return [
        base.mark_area(color=BLUE, opacity=0.07, clip=True).encode(
            # Without this, areas that share an x are piled on each other.
            y=alt.Y(
                **log_axis("D", "training tokens", "tokens", figure.box[2:]), stack=None
            ),
            y2=alt.Y2Datum(top),
        ),
        base.mark_line(color=BLUE, strokeWidth=0.8, opacity=0.6, clip=True),
        alt.Chart(data(ends))
        .mark_text(align="right", dx=-3, dy=-6, fontSize=11, color=MUTED)
        .encode(x=x, y=y, text=alt.Text("loss:N")),
    ]


def _right_end(line: Line, box: tuple[float, ...]) -> list[tuple[float, float]]:
    inside = [(N, D) for N, D in line if box[2] * 1.15 < D < box[3] / 1.15]
    return inside[-1:]


def _flops(figure: Contour, x: alt.X, y: alt.Y) -> list[Any]:
    rows = [
        {"N": short(N), "D": short(D), "flop": told(compute, "FLOP")}
        for compute, line in figure.flops
        for N, D in line
    ]
    starts = [
        {"N": short(line[0][0]), "D": short(line[0][1]), "flop": told(c, "FLOP")}
        for c, line in figure.flops
    ]
    base = alt.Chart(data(rows)).encode(x=x, y=y, detail=alt.Detail("flop:N"))
    return [
        base.mark_line(color=GREY, strokeWidth=1, strokeDash=[2, 3]),
        alt.Chart(data(starts))
        .mark_text(align="left", dx=4, dy=9, fontSize=10, color=GREY)
        .encode(x=x, y=y, text=alt.Text("flop:N")),
    ]


def _paths(figure: Contour, x: alt.X, y: alt.Y) -> Any:
    rows = [
        {"N": short(N), "D": short(D), "path": name, "order": order}
        for name, line in zip(PATHS, (figure.lifetime, figure.training), strict=True)
        for order, (N, D) in enumerate(line)
    ]
    scale = colours(PATHS, (BLUE, ORANGE))
    return (
        alt.Chart(data(rows))
        .mark_line(clip=True)
        .encode(
            x=x,
            y=y,
            order=alt.Order("order:Q"),
            color=alt.Color("path:N", scale=scale, title=None),
            strokeDash=alt.StrokeDash("path:N", scale=dashes(PATHS), title=None),
        )
    )


def _published(figure: Contour, x: alt.X, y: alt.Y) -> list[Any]:
    rows = [
        {"N": short(d.parameters), "D": short(d.tokens), "model": d.name}
        | {"size": exactly(d.parameters, "parameters")}
        | {"data": exactly(d.tokens, "tokens")}
        for d in figure.published
    ]
    base = alt.Chart(data(rows)).encode(
        x=x,
        y=y,
        tooltip=[alt.Tooltip(f"{w}:N") for w in ("model", "size", "data")],
    )
    named = alt.Chart(data(_apart(rows, figure))).encode(
        x=x, y=y, text=alt.Text("model:N")
    )
    return [
        base.mark_circle(size=26, color=INK, opacity=0.75),
        named.mark_text(align="left", dx=6, fontSize=10, color=INK, clip=True),
    ]


def _apart(rows: list[dict[str, Any]], figure: Contour) -> list[dict[str, Any]]:
    """Models whose names would not run into another's, nor off the chart."""
    taken: list[tuple[float, float, float]] = []
    kept = []
    for dot in figure.dots:
        taken.append((*_pixels(dot.parameters, dot.tokens, figure), 90.0))
    for row in rows:
        px, py = _pixels(row["N"], row["D"], figure)
        width = 6.2 * len(row["model"]) + 8
        clear = all(
            abs(py - qy) > 12 or px + width < qx or qx + other < px
            for qx, qy, other in taken
        )
        if clear and px + width < WIDTH:
            kept.append(row)
            taken.append((px, py, width))
    return kept


def _pixels(N: float, D: float, figure: Contour) -> tuple[float, float]:
    a, b, c, d = map(math.log, figure.box)
    return (
        (math.log(N) - a) / (b - a) * WIDTH,
        (d - math.log(D)) / (d - c) * (HEIGHT + 60),
    )


def _dots(dots: tuple[Dot, ...], x: alt.X, y: alt.Y) -> list[Any]:
    rows = [
        {"N": short(d.parameters), "D": short(d.tokens), "model": d.name}
        | {"size": exactly(d.parameters, "parameters")}
        | {"data": exactly(d.tokens, "tokens")}
        for d in dots
    ]
    tips = [alt.Tooltip(f"{w}:N") for w in ("model", "size", "data")]
    found = []
    for row, colour, shape in zip(
        rows, (BLUE, ORANGE), ("diamond", "square"), strict=True
    ):
        base = alt.Chart(data([row])).encode(x=x, y=y)
        found.append(
            base.mark_point(
                size=150,
                shape=shape,
                filled=True,
                color=colour,
                opacity=1,
                stroke="#ffffff",
                strokeWidth=1.2,
            ).encode(tooltip=tips)
        )
        if shape == "diamond":
            found.append(
                base.mark_text(
                    align="left", dx=10, dy=-2, fontWeight="bold", color=INK
                ).encode(text=alt.Text("model:N"))
            )
    return found


def overhead(figure: Overhead) -> Spec:
    """De Vries' curve: extra training compute by size; lifetime cost beside it."""
    names = ("training compute over the least", "lifetime cost over the least")
    highest = max(_above(figure, dot)["over"] for dot in figure.dots)
    top = min(max(MOST, 1.15 * highest), FARTHEST)
    inside = zip(figure.sizes, figure.training, figure.lifetime, strict=True)
    rows = [
        {
            "N": short(N),
            "over": short(_more(value)),
            "curve": name,
            "size": exactly(N, "parameters"),
            "above": exactly(_more(value), "percent"),
        }
        for N, *values in inside
        for name, value in zip(names, values, strict=True)
        if value <= top * 1.6
    ]
    low, high = figure.floor / 1.1, figure.sizes[-1]
    x = alt.X(**log_axis("N", "parameters", "parameters", (low, high)))
    y = alt.Y(**percents("over", "above the least", top))
    lines = (
        alt.Chart(data(rows))
        .mark_line(clip=True)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "curve:N", scale=colours(names, (ORANGE, BLUE)), title=None
            ),
            strokeDash=alt.StrokeDash("curve:N", scale=dashes(names), title=None),
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("curve", "size", "above")],
        )
    )
    walls = alt.Chart(
        data(
            [
                {"N": short(figure.floor), "word": "floor", "at": top},
                {"N": short(figure.critical), "word": "critical size", "at": top},
            ]
        )
    ).encode(x=x)
    marks = alt.Chart(data([_above(figure, d) for d in figure.dots])).encode(x=x, y=y)
    return layered(
        walls.mark_rule(color=GREY, strokeDash=[3, 3]),
        walls.mark_text(align="left", dx=4, dy=8, color=MUTED, fontSize=11).encode(
            y=alt.Y("at:Q"), text=alt.Text("word:N")
        ),
        lines,
        marks.mark_point(
            size=110, filled=True, opacity=1, color=GREEN, shape="diamond"
        ),
        marks.mark_text(dy=-12, color=INK).encode(text=alt.Text("word:N")),
        width=WIDTH,
        height=HEIGHT,
    )


def _more(value: float) -> float:
    """An overhead, which at the least itself is nothing, not a rounding error."""
    return max(round(value, 9), 0.0)


def _above(figure: Overhead, dot: Dot) -> dict[str, Any]:
    at = min(
        range(len(figure.sizes)), key=lambda i: abs(figure.sizes[i] - dot.parameters)
    )
    return {
        "N": short(dot.parameters),
        "over": short(_more(figure.training[at])),
        "word": f"{dot.name} {given(float(f'{dot.parameters:.1e}'), 'parameters')}",
    }
