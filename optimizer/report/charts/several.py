"""Charts of many answers: what moves one, regret among several, laws side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from optimizer.analysis.comparison.regret import Regret
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.story.timeline import Tornado
from optimizer.reading.quantity import significant
from optimizer.report.charts.theme import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    SPACED,
    WIDTH,
    Spec,
    colours,
    data,
    exactly,
    layered,
    log_axis,
    names_axis,
    short,
    span,
    stacked,
)

ROW = 26  # the height of a row


def tornado(figure: Tornado) -> Spec:
    """Bars from the optimum at a low value to that at a high one."""
    rows: list[dict[str, Any]] = []
    order: list[str] = []
    for swing in figure.swings:
        name = swing.input if not swing.stated else f"{swing.input} (stated range)"
        order.append(name)
        for side, result in zip(("lower", "higher"), swing.results, strict=True):
            if result is None:
                continue
            change = round(result / figure.base - 1, 9) + 0.0  # no −5e−13 %
            rows.append(
                {"input": name, "side": side, "change": short(change)}
                | {"to": exactly(change, "percent"), "zero": 0}
            )
    missing = [
        # Beside the axis, where the other side has no bar.
        {"input": name, "word": f"{side}: no plan", "change": 0}
        | {"left": side == "lower" if other is None else other >= figure.base}
        for name, swing in zip(order, figure.swings, strict=True)
        for side, result, other in zip(
            ("lower", "higher"), swing.results, swing.results[::-1], strict=True
        )
        if result is None
    ]
    y = alt.Y(
        "input:N",
        title=None,
        sort=order,
        axis=names_axis(order, 210, grid=False),
    )
    what = (
        "change of the loss" if figure.unit == "nats" else "change of the lifetime cost"
    )
    reach = max((abs(row["change"]) for row in rows), default=0.1) * 1.25
    x = alt.X(
        "change:Q",
        title=what,
        axis=alt.Axis(format="+%", tickCount=6, labelExpr=SPACED),
        scale=alt.Scale(domain=[-reach, reach], nice=False),
    )
    sides = ("lower", "higher")
    bars = alt.Chart(data(rows)).encode(x=x, y=y)
    left = bars.transform_filter("datum.change < 0")
    right = bars.transform_filter("datum.change >= 0")
    texts = {"fontSize": 11, "color": MUTED}
    return layered(
        bars.mark_bar(height=ROW * 0.62).encode(
            x2=alt.X2("zero:Q"),
            color=alt.Color(
                "side:N", scale=colours(sides, (BLUE, ORANGE)), title="the number is"
            ),
            tooltip=[alt.Tooltip(f"{w}:N") for w in ("input", "side", "to")],
        ),
        left.mark_text(align="right", dx=-4, **texts).encode(text=alt.Text("to:N")),
        right.mark_text(align="left", dx=4, **texts).encode(text=alt.Text("to:N")),
        *(
            alt.Chart(data([row for row in missing if row["left"] is left]))
            .mark_text(align=side, dx=dx, fontStyle="italic", **texts)
            .encode(x=x, y=y, text=alt.Text("word:N"))
            for left, side, dx in ((True, "right", -6), (False, "left", 6))
        ),
        width=WIDTH - 130,
        height=ROW * len(order),
    )


def regret(figure: Regret) -> Spec:
    """The regret table with deeper colour for what hurts."""
    rows = []
    for name, line in zip(figure.scenarios, figure.table, strict=True):
        for other, ratio in zip(figure.scenarios, line, strict=True):
            rows.append(
                {"plan": name, "comes": other}
                | {"ratio": None if ratio is None else short(ratio)}
                | {"word": "—" if ratio is None else f"{significant(ratio)} ×"}
                | {"depth": 0 if ratio is None else min(max(ratio - 1, 0) ** 0.5, 1)}
            )
    names = list(figure.scenarios)
    plain = {"grid": False, "domain": False, "ticks": False}
    base = alt.Chart(data(rows)).encode(
        x=alt.X(
            "comes:N",
            title="if this scenario comes",
            sort=names,
            axis=names_axis(names, 190, orient="top", labelAngle=-25, **plain),
        ),
        y=alt.Y(
            "plan:N", title="plan for", sort=names, axis=names_axis(names, 190, **plain)
        ),
        tooltip=[alt.Tooltip(f"{w}:N") for w in ("plan", "comes", "word")],
    )
    return layered(
        base.mark_rect(color=ORANGE, stroke=GREY, strokeWidth=0.5).encode(
            opacity=alt.Opacity(
                "depth:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.55]), legend=None
            )
        ),
        base.mark_text(color=INK, fontSize=12).encode(text=alt.Text("word:N")),
        width=min(84 * len(names), WIDTH - 60),
        height=42 * len(names),
    )


def laws(answers: Sequence[Answer]) -> Spec:
    """Size and tokens under each law, with what is within 1 % and 5 %."""
    panels = []
    for word, title in (("parameters", "parameters"), ("tokens", "training tokens")):
        rows: list[dict[str, Any]] = []
        bars: list[dict[str, Any]] = []
        for answer in answers:
            if answer.plan is None:
                continue
            value = getattr(answer.plan, word)
            rows.append(
                {"law": answer.law.name, "v": short(value), "is": exactly(value, word)}
            )
            for near in answer.near_optimal:
                low, high = sorted(getattr(near, word))
                bars.append(
                    {"law": answer.law.name, "v": short(low), "v2": short(high)}
                    | {"range": f"{exactly(low, word)} to {exactly(high, word)}"}
                    | {"within": f"within {100 * near.within:.0f} %"}
                )
        ends = [b[w] for b in bars for w in ("v", "v2")] + [r["v"] for r in rows]
        x = alt.X(**log_axis("v", title, word, span(ends, 1.25), 5))
        order = [row["law"] for row in rows]
        axis = names_axis(order, 160, grid=False)
        y = alt.Y("law:N", title=None, sort=order, axis=axis)
        names = ("within 5 %", "within 1 %")
        ranges = (
            alt.Chart(data(bars))
            .mark_bar(height=9)
            .encode(
                x=x,
                x2=alt.X2("v2:Q"),
                y=y,
                color=alt.Color(
                    "within:N", scale=colours(names, ("#9ec3dd", BLUE)), title=None
                ),
                order=alt.Order("within:N", sort="descending"),
                tooltip=[alt.Tooltip(f"{w}:N") for w in ("law", "within", "range")],
            )
        )
        dot = alt.Chart(data(rows)).encode(x=x, y=y)
        panels.append(
            layered(
                ranges.transform_filter("datum.within == 'within 5 %'"),
                ranges.transform_filter("datum.within == 'within 1 %'"),
                dot.mark_point(
                    size=70, filled=True, color=INK, opacity=1, shape="diamond"
                ),
                dot.mark_text(dy=-13, color=INK, fontSize=11).encode(
                    text=alt.Text("is:N")
                ),
                width=WIDTH - 120,
                height=40 * len(rows),
            )
        )
    return stacked(*panels)
