"""Charts of cost: over the demand, by line and party, and month by month."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import altair as alt

from optimizer.analysis.answer import Answer
from optimizer.analysis.curves import OverDemand
from optimizer.analysis.timeline import Cashflow
from optimizer.report.charts.theme import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    HEIGHT,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
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
    span,
    stacked,
    told,
)
from optimizer.report.headline import lifetime

SERVED = "served tokens"
MOST = 0.6  # regrets above this are off the chart
CLEAR = 2.2  # demands nearer than this factor share a label
LOW = 130  # the height of the second panel
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
    y = alt.Y(**log_axis("cost", lifetime(figure.unit), figure.unit, span(every), 5))
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
            y=above, text="word:N"
        ),
        width=WIDTH,
        height=LOW + 30,
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


def _now(figure: OverDemand, x: alt.X, word: str = "") -> Spec:
    rule = alt.Chart(data([{"T": short(figure.now), "word": word, "top": 1}]))
    line = rule.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=x)
    if not word:
        return line
    text = rule.mark_text(align="left", dx=4, dy=8, color=MUTED, fontSize=11)
    return layered(line, text.encode(x=x, y=alt.value(0), text="word:N"))


def plan(figure: OverDemand, ranges: Sequence[tuple[float, float]]) -> Spec:
    """N and D of the best plan over the demand; the range within 1 % at this demand.

    Args:
        figure: the curve.
        ranges: of N and of D within 1 % of the optimum; may be empty.
    """
    x = _over(figure)
    panels = []
    rows = list(zip(("parameters", "tokens"), (BLUE, ORANGE), strict=True))
    for index, (word, colour) in enumerate(rows):
        values = getattr(figure, word)
        points = [
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
            base = alt.Chart(data(bar)).encode(x=x, y=y, y2="v2:Q")
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
            ).encode(text=f"{word}:N")
        )
        panels.append(layered(*layers, width=WIDTH, height=LOW + 30))
    return stacked(*panels)


def split(answers: Sequence[Answer]) -> Spec:
    """Cost by line of the bill: of each plan and its training-optimal model."""
    rows, order = [], []
    for answer in answers:
        cost, best = answer.cost, answer.training_optimal
        if cost is None or best is None:
            continue
        alone = len(answers) == 1
        for word, bill in (("plan", cost), ("training-optimal", best.cost)):
            if not alone and word != "plan":
                continue
            bar = word if alone else answer.scenario
            order.append(bar)
            start = 0.0
            for line in bill.lines:
                rows.append(
                    {"bar": bar, "line": _line(line.name, alone), "from": start}
                    | {
                        "to": start + line.amount,
                        "cost": exactly(line.amount, bill.unit),
                    }
                )
                start += line.amount
    unit = next(a.cost.unit for a in answers if a.cost is not None)
    names = list(dict.fromkeys(row["line"] for row in rows))
    top = max(row["to"] for row in rows)
    x = alt.X(
        "from:Q",
        title=lifetime(unit),
        scale=alt.Scale(domain=[0, top * 1.02], nice=False),
        axis=_amounts(top, unit),
    )
    y = alt.Y(
        "bar:N", title=None, sort=order, axis=alt.Axis(labelLimit=150, labelColor=INK)
    )
    chart = (
        alt.Chart(
            data([{**r, "from": short(r["from"]), "to": short(r["to"])} for r in rows])
        )
        .mark_bar(stroke="#ffffff", strokeWidth=1)
        .encode(
            x=x,
            x2="to:Q",
            y=y,
            color=alt.Color("line:N", scale=colours(names), title=None),
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("bar", "line", "cost")],
        )
    )
    return chart.properties(width=WIDTH - 60, height=46 * len(set(order)) + 10)


def _line(name: str, alone: bool) -> str:
    if name == "training":
        return name
    if not alone:
        return "other" if name in ("data", "fixed") else "serving"
    return "serving" if name == "demand" else name


def _amounts(top: float, unit: str) -> alt.Axis:
    """A linear axis of amounts from nothing up."""
    power = 10.0 ** len(str(int(top))) if top >= 1 else 1.0
    while power > top:
        power /= 10
    step = next(s * power for s in (0.2, 0.25, 0.5, 1, 2) if top / (s * power) <= 6.5)
    values = [step * k for k in range(int(top / step + 1e-9) + 1)]
    words = [f"'{_linear(v, unit)}'" for v in values]
    return alt.Axis(
        values=values,
        labelExpr=f"[{', '.join(words)}][round(datum.value / {step})]",
    )


def _linear(value: float, unit: str) -> str:
    if value == 0:
        return "0"
    if unit == "FLOP":
        return exactly(value, unit).removesuffix(" FLOP")
    return told(value, unit)


def cashflow(figure: Cashflow) -> Spec:
    """Cost by month and line; below, what has been spent so far."""
    names = list(dict.fromkeys(entry.line for entry in figure.months))
    rows = [
        {"month": e.month, "cost": short(e.amount), "line": _line(e.line, True)}
        | {"bill": exactly(e.amount, figure.unit)}
        for e in figure.months
        if e.amount > 0
    ]
    last = max(entry.month for entry in figure.months)
    x_scale = alt.Scale(domain=[figure.first - 1, last + 1], nice=False)
    x = alt.X(
        "month:Q",
        title="months after training ends",
        scale=x_scale,
        axis=alt.Axis(tickMinStep=1, tickCount=8, format="d"),
    )
    by_month: dict[int, float] = {}
    for e in figure.months:
        by_month[e.month] = by_month.get(e.month, 0.0) + e.amount
    peak = max(by_month.values())
    shown = [_line(name, True) for name in names]
    upper = (
        alt.Chart(data(rows))
        .mark_bar(size=max(2.0, 0.8 * WIDTH / (last - figure.first + 2)))
        .encode(
            x=x,
            y=alt.Y(
                "cost:Q",
                title="a month",
                stack="zero",
                axis=_amounts(peak, figure.unit),
            ),
            color=alt.Color("line:N", scale=colours(shown), title=None),
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("month", "line", "bill")],
        )
        .properties(width=WIDTH, height=LOW + 30)
    )
    models = [name for name, _ in figure.totals]
    sums = [
        {"month": figure.first + i, "sum": short(v), "model": name}
        | {"bill": exactly(v, figure.unit)}
        for name, totals in figure.totals
        for i, v in enumerate(totals)
    ]
    most = max(max(totals) for _, totals in figure.totals)
    lower = (
        alt.Chart(data(sums))
        .mark_line()
        .encode(
            x=x,
            y=alt.Y(
                "sum:Q",
                title="so far",
                axis=_amounts(most, figure.unit),
                scale=alt.Scale(domain=[0, most * 1.02]),
            ),
            color=alt.Color(
                "model:N", scale=colours(models, (GREEN, GREY)), title=None
            ),
            strokeDash=alt.StrokeDash("model:N", scale=dashes(models), title=None),
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("month", "model", "bill")],
        )
        .properties(width=WIDTH, height=LOW + 30)
    )
    return stacked(
        upper,
        lower,
        resolve={"scale": {"color": "independent", "strokeDash": "independent"}},
    )
