"""Charts of the bill: line by line, and month by month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import line_name
from optimizer.analysis.story.timeline import Cashflow
from optimizer.report.charts.theme import (
    GREEN,
    GREY,
    PANEL,
    WIDTH,
    colour,
    cost_title,
    dash,
    exactly,
    linear,
    names_axis,
    short,
    told,
)
from optimizer.report.charts.vegalite import Spec, field, mark, over, stacked, tips


def split(answers: Sequence[Answer]) -> Spec:
    """Cost by line of the bill: of each plan and its training-optimal model."""
    rows: list[dict[str, Any]] = []
    order: list[str] = []
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
    x = field(
        "from:Q",
        title=cost_title(unit),
        scale=linear(0, top * 1.02),
        axis=_amounts(top, unit),
    )
    bars = over(
        [{**r, "from": short(r["from"]), "to": short(r["to"])} for r in rows],
        x=x,
        x2={"field": "to"},
        y=field("bar:N", title=None, sort=order, axis=names_axis(order, 150)),
        color=colour("line", names),
        tooltip=tips("bar", "line", "cost"),
    )
    size = {"width": WIDTH - 60, "height": 46 * len(set(order)) + 10}
    return {**mark("bar", bars, stroke="#ffffff", strokeWidth=1), **size}


def _line(name: str, alone: bool) -> str:
    if name == "training":
        return name
    if not alone:
        return "other" if name in ("data", "fixed") else "serving"
    return line_name(name)


def _amounts(top: float, unit: str) -> Spec:
    """A linear axis of amounts from nothing up."""
    power = 10.0 ** len(str(int(top))) if top >= 1 else 1.0
    while power > top:
        power /= 10
    step = next(s * power for s in (0.2, 0.25, 0.5, 1, 2) if top / (s * power) <= 6.5)
    values = [step * k for k in range(int(top / step + 1e-9) + 1)]
    words = [f"'{_linear(v, unit)}'" for v in values]
    return {
        "values": values,
        "labelExpr": f"[{', '.join(words)}][round(datum.value / {step})]",
    }


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
    x = field(
        "month:Q",
        title="months after training ends",
        scale=linear(figure.first - 1, last + 1),
        axis={"tickMinStep": 1, "tickCount": 8, "format": "d"},
    )
    by_month: dict[int, float] = {}
    for e in figure.months:
        by_month[e.month] = by_month.get(e.month, 0.0) + e.amount
    peak = max(by_month.values())
    shown = [_line(name, True) for name in names]
    axis = _amounts(peak, figure.unit)
    months = over(
        rows,
        x=x,
        y=field("cost:Q", title="a month", stack="zero", axis=axis),
        color=colour("line", shown),
        tooltip=tips("month", "line", "bill"),
    )
    wide = max(2.0, 0.8 * WIDTH / (last - figure.first + 2))
    models = [name for name, _ in figure.totals]
    sums = [
        {"month": figure.first + i, "sum": short(v), "model": name}
        | {"bill": exactly(v, figure.unit)}
        for name, totals in figure.totals
        for i, v in enumerate(totals)
    ]
    most = max(max(totals) for _, totals in figure.totals)
    lines = over(
        sums,
        x=x,
        y=field(
            "sum:Q",
            title="so far",
            axis=_amounts(most, figure.unit),
            scale=linear(0, most * 1.02),
        ),
        color=colour("model", models, (GREEN, GREY)),
        strokeDash=dash("model", models),
        tooltip=tips("month", "model", "bill"),
    )
    size = {"width": WIDTH, "height": PANEL}
    return stacked(
        {**mark("bar", months, size=wide), **size},
        {**mark("line", lines), **size},
        resolve={"scale": {"color": "independent", "strokeDash": "independent"}},
    )
