"""Charts of many answers: what moves one, regret among several, laws side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    PALE,
    SPACED,
    WIDTH,
    colour,
    exactly,
    linear,
    log_axis,
    names_axis,
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
    stacked,
    tips,
    where,
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
    axis = names_axis(order, 210, grid=False)
    y = field("input:N", title=None, sort=order, axis=axis)
    what = (
        "change of the loss" if figure.unit == "nats" else "change of the lifetime cost"
    )
    reach = max((abs(row["change"]) for row in rows), default=0.1) * 1.25
    x = field(
        "change:Q",
        title=what,
        axis={"format": "+%", "tickCount": 6, "labelExpr": SPACED},
        scale=linear(-reach, reach),
    )
    hue = colour("side", ("lower", "higher"), (BLUE, ORANGE))
    base = over(rows, x=x, y=y)
    bars = also(
        base,
        x2={"field": "zero"},
        color={**hue, "title": "the number is"},
        tooltip=tips("input", "side", "to"),
    )
    words = also(base, text=field("to:N"))
    texts = {"fontSize": 11, "color": MUTED}
    return layered(
        mark("bar", bars, height=ROW * 0.62),
        mark("text", where(words, "datum.change < 0"), align="right", dx=-4, **texts),
        mark("text", where(words, "datum.change >= 0"), align="left", dx=4, **texts),
        *(
            mark(
                "text",
                over(
                    [row for row in missing if row["left"] is left],
                    x=x,
                    y=y,
                    text=field("word:N"),
                ),
                align=side,
                dx=dx,
                fontStyle="italic",
                **texts,
            )
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
    above = names_axis(names, 190, orient="top", labelAngle=-25, **plain)
    beside = names_axis(names, 190, **plain)
    cells = over(
        rows,
        x=field("comes:N", title="if this scenario comes", sort=names, axis=above),
        y=field("plan:N", title="plan for", sort=names, axis=beside),
        tooltip=tips("plan", "comes", "word"),
    )
    depth = {"domain": [0, 1], "range": [0, 0.55]}
    shaded = also(cells, opacity=field("depth:Q", scale=depth, legend=None))
    words = also(cells, text=field("word:N"))
    return layered(
        mark("rect", shaded, color=ORANGE, stroke=GREY, strokeWidth=0.5),
        mark("text", words, color=INK, fontSize=12),
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
        x = log_axis("v", title, word, span(ends, 1.25), 5)
        order = [row["law"] for row in rows]
        axis = names_axis(order, 160, grid=False)
        y = field("law:N", title=None, sort=order, axis=axis)
        names = ("within 5 %", "within 1 %")
        base = over(
            bars,
            x=x,
            x2={"field": "v2"},
            y=y,
            color=colour("within", names, (PALE, BLUE)),
            order=field("within:N", sort="descending"),
            tooltip=tips("law", "within", "range"),
        )
        ranges = mark("bar", base, height=9)
        dots = over(rows, x=x, y=y)
        dot = {"size": 70, "filled": True, "opacity": 1, "shape": "diamond"}
        words = also(dots, text=field("is:N"))
        panels.append(
            layered(
                where(ranges, "datum.within == 'within 5 %'"),
                where(ranges, "datum.within == 'within 1 %'"),
                mark("point", dots, color=INK, **dot),
                mark("text", words, dy=-13, color=INK, fontSize=11),
                width=WIDTH - 120,
                height=40 * len(rows),
            )
        )
    return stacked(*panels)
