"""Pictures of a fit: loss over size at each compute, and the hold-out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optimizer.analysis.law.diagnostics import HoldOut
from optimizer.analysis.law.isocurves import IsoCurve
from optimizer.analysis.law.judgement import Judged
from optimizer.report.charts.theme import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    HEIGHT,
    MUTED,
    ORANGE,
    PERCENTS_OFF,
    PURPLE,
    RINGED,
    WIDTH,
    colour,
    exactly,
    linear,
    log_axis,
    matched,
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

GROUPS = (BLUE, ORANGE, GREEN, PURPLE, BROWN, GREY)
MOST = 6  # computes that are told apart by colour
APART = 2.0  # a factor of computes below which runs are set apart by size


def isoflop(figure: Sequence[IsoCurve]) -> Spec:
    """Loss over size at each compute: runs, their parabola, and the law."""
    every = max(math.ceil(len(figure) / MOST), 1)
    shown = figure[::every]
    names = [f"{c.compute:.1e} FLOP".replace("e+", "e") for c in shown]
    sizes = [N for c in shown for N, _ in (*c.runs, c.best)]
    losses = [loss for c in shown for _, loss in (*c.runs, *c.law)]
    room = 0.06 * (max(losses) - min(losses))
    x = log_axis("N", "parameters", "parameters", span(sizes, 1.2))
    y = field(
        "loss:Q",
        title=f"loss, {shown[0].unit}",
        scale=linear(min(losses) - room, max(losses) + room),
    )
    hue = {
        **colour("compute", names, GROUPS),
        "sort": names,
        "legend": {"columns": 3, "symbolType": "circle"},
    }
    kinds = ("by the law", "through the runs")
    lines = [
        {"N": short(N), "loss": short(loss), "compute": name, "curve": kind}
        for name, c in zip(names, shown, strict=True)
        for kind, line in zip(kinds, (c.law, c.parabola), strict=True)
        for N, loss in line
    ]
    runs = [
        {"N": short(N), "loss": short(loss), "compute": name}
        | {"size": exactly(N, "parameters"), "measured": f"{loss:.4f}"}
        for name, c in zip(names, shown, strict=True)
        for N, loss in c.runs
    ]
    least = [
        {"N": short(N), "loss": short(loss), "compute": name, "best": kind}
        for name, c in zip(names, shown, strict=True)
        for kind, place in zip(kinds, (c.best, c.bottom), strict=True)
        if place is not None
        for N, loss in (place,)
    ]
    broken = field("curve:N", scale=matched(kinds, ([1, 0], [4, 3])), legend=None)
    shapes = matched(kinds, ("diamond", "triangle-up"))
    shape = field("best:N", scale=shapes, legend=None)
    told_of = tips("compute", "size", "measured")
    curves = over(lines, x=x, y=y, color=hue, strokeDash=broken)
    dots = over(runs, x=x, y=y, color=hue, tooltip=told_of)
    bottoms = over(least, x=x, y=y, color=hue, shape=shape)
    drawn = layered(
        mark("line", curves, strokeWidth=1.8),
        mark("circle", dots, size=34, opacity=0.8),
        mark("point", bottoms, size=120, **RINGED),
        width=WIDTH,
        height=HEIGHT + 40,
    )
    title = "lines, diamonds: the law; dashes, triangles: a parabola of the runs"
    return {**drawn, "title": title}


def holdout(figure: tuple[HoldOut, Judged]) -> Spec:
    """The largest runs: measured over predicted loss, and the interval."""
    held, judged = figure
    runs = judged.fit.runs
    where = {line: i for i, line in enumerate(runs.line)}
    held_at = [where[line] for line in held.lines]
    computes, sizes = runs.compute.tolist(), runs.parameters.tolist()
    # Runs of one compute would stand on each other.
    low, high = span([computes[at] for at in held_at])
    along, title = computes, ("training compute in FLOP", "FLOP")
    if high / low < APART:
        along, title = sizes, ("parameters", "parameters")
    rows: list[dict[str, Any]] = []
    for line, said, low, high in zip(
        held.lines, held.predicted, held.low, held.high, strict=True
    ):
        at = where[line]
        loss = float(runs.loss[at])
        inside = low <= loss <= high
        rows.append(
            {"v": short(along[at]), "off": short(loss / said - 1), "line": line}
            | {"low": short(low / said - 1), "high": short(high / said - 1)}
            | {"what": "inside its interval" if inside else "outside it"}
            | {"measured": f"{loss:.4f}", "predicted": f"{said:.4f}"}
        )
    reach = max(abs(row[w]) for row in rows for w in ("off", "low", "high")) * 1.15
    box = span([row["v"] for row in rows], 1.2)
    x = log_axis("v", *title, box)
    y = field(
        "off:Q",
        title="measured over predicted loss",
        scale=linear(-reach, reach),
        axis=PERCENTS_OFF,
    )
    names = ("inside its interval", "outside it")
    shapes = matched(names, ("circle", "diamond"))
    base = over(rows, x=x)
    dots = also(
        base,
        y=y,
        color=colour("what", names, (BLUE, ORANGE)),
        shape=field("what:N", scale=shapes, title=None),
        tooltip=tips("line", "measured", "predicted"),
    )
    intervals = also(base, y=field("low:Q"), y2={"field": "high"})
    return layered(
        mark("rule", over([{"off": 0}], y=y), color=MUTED),
        mark("rule", intervals, strokeWidth=5, opacity=0.3, color=GREY),
        mark("point", dots, **{**RINGED, "size": 80, "strokeWidth": 0.8}),
        width=WIDTH,
        height=HEIGHT - 20,
    )
