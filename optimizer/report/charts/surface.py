"""Charts over sizes: the loss surface, and what a size costs in training."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from optimizer.analysis.plan.wording import amount
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
NEIGHBOUR = 110  # the words of points nearer than this may meet [px]
LINE = 12  # the height of a line of words [px]
Box = tuple[float, float, float]  # the left, the right and the middle of a word [px]
PATHS = ("lifetime-optimal", "training-optimal")


def contour(figure: Contour) -> Spec:
    """Loss over N and D, isoFLOP lines, both optimal paths, and models."""
    box = figure.box
    x = alt.X(**log_axis("N", "parameters", "parameters", box[:2]))
    y = alt.Y(**log_axis("D", "training tokens", "tokens", box[2:]))
    taken = [_box(d.parameters, d.tokens, figure, (-8, 90)) for d in figure.dots]
    layers = [*_levels(figure, x, y, taken), *_flops(figure, x, y, taken)]
    layers += [_paths(figure, x, y), *_published(figure, x, y, taken)]
    layers += _dots(figure.dots, x, y)
    return layered(*layers, width=WIDTH, height=HEIGHT + 60)


def _levels(figure: Contour, x: alt.X, y: alt.Y, taken: list[Box]) -> list[Any]:
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
        if _free(_box(N, D, figure, (-30, -3), -6), taken)
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
        base.mark_line(color=BLUE, strokeWidth=0.8, opacity=0.6, clip=True).encode(
            tooltip=alt.Tooltip("loss:N")  # one along the whole line
        ),
        alt.Chart(data(ends))
        .mark_text(align="right", dx=-3, dy=-6, fontSize=11, color=MUTED)
        .encode(x=x, y=y, text=alt.Text("loss:N")),
    ]


def _right_end(line: Line, box: tuple[float, ...]) -> list[tuple[float, float]]:
    inside = [(N, D) for N, D in line if box[2] * 1.15 < D < box[3] / 1.15]
    return inside[-1:]


def _flops(figure: Contour, x: alt.X, y: alt.Y, taken: list[Box]) -> list[Any]:
    rows = [
        {"N": short(N), "D": short(D), "flop": told(compute, "FLOP")}
        for compute, line in figure.flops
        for N, D in line
    ]
    starts = [
        {"N": short(line[0][0]), "D": short(line[0][1]), "flop": told(c, "FLOP")}
        for c, line in figure.flops
        if _free(_box(*line[0], figure, (4, 32), 9), taken)
    ]
    base = alt.Chart(data(rows)).encode(x=x, y=y, detail=alt.Detail("flop:N"))
    return [
        base.mark_line(color=GREY, strokeWidth=1, strokeDash=[2, 3]).encode(
            tooltip=alt.Tooltip("flop:N", title="training FLOP")
        ),
        alt.Chart(data(starts))
        .mark_text(align="left", dx=4, dy=9, fontSize=10, color=GREY)
        .encode(x=x, y=y, text=alt.Text("flop:N")),
    ]


def _paths(figure: Contour, x: alt.X, y: alt.Y) -> Any:
    rows = [
        {"N": short(N), "D": short(D), "path": name, "order": order}
        | {"size": exactly(N, "parameters"), "data": exactly(D, "tokens")}
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
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("path", "size", "data")],
        )
    )


def _published(figure: Contour, x: alt.X, y: alt.Y, taken: list[Box]) -> list[Any]:
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
    kept = [
        row
        for row, d in zip(rows, figure.published, strict=True)
        if _free(
            _box(d.parameters, d.tokens, figure, (0, 6.2 * len(d.name) + 8)), taken
        )
    ]
    named = alt.Chart(data(kept)).encode(x=x, y=y, text=alt.Text("model:N"))
    return [
        base.mark_circle(size=26, color=INK, opacity=0.75),
        named.mark_text(align="left", dx=6, fontSize=10, color=INK, clip=True),
    ]


def _box(
    N: float, D: float, figure: Contour, reach: tuple[float, float], down: float = 0.0
) -> Box:
    """Where a word beside a point stands, from its reach to both sides."""
    px, py = _pixels(N, D, figure)
    return px + reach[0], px + reach[1], py + down


def _free(box: Box, taken: list[Box]) -> bool:
    """Whether a word stands on the chart and on no other, which takes its place."""
    left, right, middle = box
    free = left >= 0 and right < WIDTH
    free = free and all(
        abs(middle - other[2]) > LINE or right < other[0] or other[1] < left
        for other in taken
    )
    if free:
        taken.append(box)
    return free


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
    low, high = (figure.floor or figure.sizes[0]) / 1.1, figure.sizes[-1]
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
                {"N": short(N), "word": word, "at": top}
                for N, word in (
                    (figure.floor, "floor"),
                    (figure.critical, "critical size"),
                )
                if N
            ]
        )
    ).encode(x=x)
    above = [_above(figure, d) for d in figure.dots]
    far = abs(math.log(above[0]["N"] / above[1]["N"])) / math.log(high / low) * WIDTH
    high_apart = abs(above[0]["over"] - above[1]["over"]) / top * HEIGHT
    # Words of neighbours stand in two lines.
    near = far < NEIGHBOUR and high_apart < LINE + 4
    marks = alt.Chart(data(above)).encode(x=x, y=y)
    return layered(
        walls.mark_rule(color=GREY, strokeDash=[3, 3]),
        walls.mark_text(align="left", dx=4, dy=8, color=MUTED, fontSize=11).encode(
            y=alt.Y("at:Q"), text=alt.Text("word:N")
        ),
        lines,
        marks.mark_point(
            size=110, filled=True, opacity=1, color=GREEN, shape="diamond"
        ),
        *(
            alt.Chart(data([row]))
            .mark_text(dy=-28 if near and row is above[0] else -12, color=INK)
            .encode(x=x, y=y, text=alt.Text("word:N"))
            for row in above
        ),
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
        "word": f"{dot.name} {amount(float(f'{dot.parameters:.1e}'), 'parameters')}",
    }
