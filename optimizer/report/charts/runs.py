"""Pictures of a fit: loss over size at each compute, and the hold-out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

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
    PURPLE,
    SPACED,
    WIDTH,
    Spec,
    colours,
    data,
    exactly,
    layered,
    log_axis,
    short,
    span,
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
    x = alt.X(**log_axis("N", "parameters", "parameters", span(sizes, 1.2)))
    y = alt.Y(
        "loss:Q",
        title=f"loss, {shown[0].unit}",
        scale=alt.Scale(
            domain=[min(losses) - room, max(losses) + room], nice=False, zero=False
        ),
    )
    colour = alt.Color(
        "compute:N",
        scale=colours(names, GROUPS),
        sort=names,
        title=None,
        legend=alt.Legend(columns=3, symbolType="circle"),
    )
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
    dash = alt.StrokeDash(
        "curve:N",
        scale=alt.Scale(domain=list(kinds), range=[[1, 0], [4, 3]]),
        legend=None,
    )
    shape = alt.Shape(
        "best:N",
        scale=alt.Scale(domain=list(kinds), range=["diamond", "triangle-up"]),
        legend=None,
    )
    drawn = layered(
        alt.Chart(data(lines))
        .mark_line(strokeWidth=1.8)
        .encode(x=x, y=y, color=colour, strokeDash=dash),
        alt.Chart(data(runs))
        .mark_circle(size=34, opacity=0.8)
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("compute", "size", "measured")],
        ),
        alt.Chart(data(least))
        .mark_point(size=120, filled=True, opacity=1, stroke="#ffffff", strokeWidth=1.2)
        .encode(x=x, y=y, color=colour, shape=shape),
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
    x = alt.X(**log_axis("v", *title, box))
    y = alt.Y(
        "off:Q",
        title="measured over predicted loss",
        scale=alt.Scale(domain=[-reach, reach], nice=False),
        axis=alt.Axis(format="+.2~%", tickCount=6, labelExpr=SPACED),
    )
    names = ("inside its interval", "outside it")
    colour = alt.Color("what:N", scale=colours(names, (BLUE, ORANGE)), title=None)
    shape = alt.Shape(
        "what:N",
        scale=alt.Scale(domain=list(names), range=["circle", "diamond"]),
        title=None,
    )
    base = alt.Chart(data(rows)).encode(x=x)
    zero = alt.Chart(data([{"off": 0}])).mark_rule(color=MUTED)
    return layered(
        zero.encode(y=y),
        base.mark_rule(strokeWidth=5, opacity=0.3, color=GREY).encode(
            y=alt.Y("low:Q"), y2=alt.Y2("high:Q")
        ),
        base.mark_point(
            size=80, filled=True, opacity=1, stroke="#ffffff", strokeWidth=0.8
        ).encode(
            y=y,
            color=colour,
            shape=shape,
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("line", "measured", "predicted")],
        ),
        width=WIDTH,
        height=HEIGHT - 20,
    )
