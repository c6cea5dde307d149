"""Charts over sizes: the loss surface, and what a size costs in training."""

from __future__ import annotations

import itertools
import math
from typing import Any

from optimizer.analysis.plan.wording import amount
from optimizer.analysis.story.contour import Contour
from optimizer.analysis.story.curves import Dot, Line, Overhead
from optimizer.report.charts.theme import (
    BLUE,
    BOLD,
    DIAMOND,
    GREEN,
    GREY,
    HEIGHT,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    WIDTH,
    colour,
    dash,
    exactly,
    limited,
    log_axis,
    percents,
    short,
    told,
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

MOST = 1.5  # overheads above this are off the chart, unless the plan's own is higher
FARTHEST = 10.0
NEIGHBOUR = 110  # the words of points nearer than this may meet [px]
LINE = 12  # the height of a line of words [px]
Box = tuple[float, float, float]  # the left, the right and the middle of a word [px]
PATHS = ("lifetime-optimal", "training-optimal")


def contour(figure: Contour) -> Spec:
    """Loss over N and D, isoFLOP lines, both optimal paths, and models."""
    box = figure.box
    x = log_axis("N", "parameters", "parameters", box[:2])
    y = log_axis("D", "training tokens", "tokens", box[2:])
    taken = [_box(d.parameters, d.tokens, figure, (-8, 90)) for d in figure.dots]
    layers = [*_levels(figure, x, y, taken), *_flops(figure, x, y, taken)]
    layers += [_paths(figure, x, y), *_walls(figure, x, y, taken)]
    layers += _published(figure, x, y, taken)
    layers += _dots(figure.dots, x, y)
    return layered(*layers, width=WIDTH, height=HEIGHT + 60)


def _levels(figure: Contour, x: Spec, y: Spec, taken: list[Box]) -> list[Spec]:
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
    detail = field("loss:N")
    # On the right of the end of a line the loss is lower, too.
    corners = [
        {"N": short(figure.box[1]), "D": short(line[-1][1]), "loss": f"{loss:.2f}"}
        for loss, line in figure.levels
        if line[-1][1] < top
    ]
    # Without this, areas that share an x are piled on each other.
    above = {"y": {**y, "stack": None}, "y2": {"datum": top}}
    bands = over(rows + corners, x=x, detail=detail, **above)
    lines = over(rows, x=x, y=y, detail=detail, tooltip=tips("loss"))
    words = over(ends, x=x, y=y, text=field("loss:N"))
    beside = {"align": "right", "dx": -3, "dy": -6, "fontSize": 11}
    return [
        mark("area", bands, color=BLUE, opacity=0.07, clip=True),
        mark("line", lines, color=BLUE, strokeWidth=0.8, opacity=0.6, clip=True),
        mark("text", words, color=MUTED, **beside),
    ]


def _right_end(line: Line, box: tuple[float, ...]) -> list[tuple[float, float]]:
    inside = [(N, D) for N, D in line if box[2] * 1.15 < D < box[3] / 1.15]
    return inside[-1:]


def _flops(figure: Contour, x: Spec, y: Spec, taken: list[Box]) -> list[Spec]:
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
    told_of = field("flop:N", title="training FLOP")
    lines = over(rows, x=x, y=y, detail=field("flop:N"), tooltip=[told_of])
    words = over(starts, x=x, y=y, text=field("flop:N"))
    beside = {"align": "left", "dx": 4, "dy": 9, "fontSize": 10}
    return [
        mark("line", lines, color=GREY, strokeWidth=1, strokeDash=[2, 3]),
        mark("text", words, color=GREY, **beside),
    ]


def _paths(figure: Contour, x: Spec, y: Spec) -> Spec:
    rows = [
        {"N": short(N), "D": short(D), "path": name, "order": order}
        | {"size": exactly(N, "parameters"), "data": exactly(D, "tokens")}
        for name, line in zip(PATHS, (figure.lifetime, figure.training), strict=True)
        for order, (N, D) in enumerate(line)
    ]
    lines = over(
        rows,
        x=x,
        y=y,
        order=field("order:Q"),
        color=colour("path", PATHS, (BLUE, ORANGE)),
        strokeDash=dash("path", PATHS),
        tooltip=tips("path", "size", "data"),
    )
    return mark("line", lines, clip=True)


def _walls(figure: Contour, x: Spec, y: Spec, taken: list[Box]) -> list[Spec]:
    """Limits that hold the plan, each with its word where there is room."""
    if not figure.walls:
        return []
    rows = [
        {"N": short(N), "D": short(D), "limit": limited(wall.name)}
        for wall in figure.walls
        for N, D in wall.line
    ]
    ends: list[Spec] = []
    for wall in figure.walls:
        word = limited(wall.name)
        reach = (4, 6.2 * len(word) + 8)
        free = (
            {"N": short(N), "D": short(D), "limit": word}
            for N, D in wall.line[1:-1]
            if _free(_box(N, D, figure, reach, -8), taken)
        )
        ends += itertools.islice(free, 1)
    lines = over(rows, x=x, y=y, detail=field("limit:N"), tooltip=tips("limit"))
    words = over(ends, x=x, y=y, text=field("limit:N"))
    beside = {"align": "left", "dx": 5, "dy": -8, "fontSize": 11}
    return [
        mark("line", lines, color=PURPLE, strokeWidth=1.8, clip=True),
        mark("text", words, color=PURPLE, clip=True, **beside),
    ]


def _published(figure: Contour, x: Spec, y: Spec, taken: list[Box]) -> list[Spec]:
    rows = [
        {"N": short(d.parameters), "D": short(d.tokens), "model": d.name}
        | {"size": exactly(d.parameters, "parameters")}
        | {"data": exactly(d.tokens, "tokens")}
        for d in figure.published
    ]
    dots = over(rows, x=x, y=y, tooltip=tips("model", "size", "data"))
    kept = [
        row
        for row, d in zip(rows, figure.published, strict=True)
        if _free(
            _box(d.parameters, d.tokens, figure, (0, 6.2 * len(d.name) + 8)), taken
        )
    ]
    names = over(kept, x=x, y=y, text=field("model:N"))
    return [
        mark("circle", dots, size=26, color=INK, opacity=0.75),
        mark("text", names, align="left", dx=6, fontSize=10, color=INK, clip=True),
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


def _dots(dots: tuple[Dot, ...], x: Spec, y: Spec) -> list[Spec]:
    rows = [
        {"N": short(d.parameters), "D": short(d.tokens), "model": d.name}
        | {"size": exactly(d.parameters, "parameters")}
        | {"data": exactly(d.tokens, "tokens")}
        for d in dots
    ]
    plan, training = (over([row], x=x, y=y) for row in rows)
    told_of = tips("model", "size", "data")
    square = {**DIAMOND, "shape": "square"}
    return [
        mark("point", also(plan, tooltip=told_of), color=BLUE, **DIAMOND),
        mark("text", also(plan, text=field("model:N")), dx=10, dy=-2, **BOLD),
        mark("point", also(training, tooltip=told_of), color=ORANGE, **square),
    ]


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
    x = log_axis("N", "parameters", "parameters", (low, high))
    y = percents("over", "above the least", top)
    lines = over(
        rows,
        x=x,
        y=y,
        color=colour("curve", names, (ORANGE, BLUE)),
        strokeDash=dash("curve", names),
        tooltip=tips("curve", "size", "above"),
    )
    marked = ((figure.floor, "floor"), (figure.critical, "critical size"))
    walls = over(
        [{"N": short(N), "word": word, "at": top} for N, word in marked if N], x=x
    )
    wall_words = also(walls, y=field("at:Q"), text=field("word:N"))
    limits = ", ".join(limited(name) for name in figure.held)
    limit = over(
        [{"N": short(figure.dots[0].parameters), "word": limits, "at": top}], x=x
    )
    limit_words = also(limit, y=field("at:Q"), text=field("word:N"))
    above = [_above(figure, d) for d in figure.dots]
    far = abs(math.log(above[0]["N"] / above[1]["N"])) / math.log(high / low) * WIDTH
    high_apart = abs(above[0]["over"] - above[1]["over"]) / top * HEIGHT
    # Words of neighbours stand in two lines.
    near = far < NEIGHBOUR and high_apart < LINE + 4
    marks = over(above, x=x, y=y)
    dot = {"size": 110, "filled": True, "opacity": 1, "shape": "diamond"}
    return layered(
        mark("rule", walls, color=GREY, strokeDash=[3, 3]),
        mark("text", wall_words, align="left", dx=4, dy=8, color=MUTED, fontSize=11),
        *(
            # Below the words of the walls.
            mark("rule", limit, color=PURPLE, strokeWidth=1.8),
            mark("text", limit_words, align="left", dx=4, dy=22, color=PURPLE),
        )[: 2 if limits else 0],
        mark("line", lines, clip=True),
        mark("point", marks, color=GREEN, **dot),
        *(
            mark(
                "text",
                over([row], x=x, y=y, text=field("word:N")),
                dy=-28 if near and row is above[0] else -12,
                color=INK,
            )
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
