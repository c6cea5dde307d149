"""Loss against lifetime cost under a budget for training, the choice marked."""

from __future__ import annotations

from typing import Any

import altair as alt

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.capped import Capped, Step
from optimizer.analysis.plan.wording import amount
from optimizer.errors import Defect
from optimizer.report.charts.theme import (
    BLUE,
    GREY,
    HEIGHT,
    INK,
    WIDTH,
    Spec,
    cost_title,
    data,
    exactly,
    layered,
    log_axis,
    short,
    span,
)

UNDER, FREE = "least cost under the budget", "without the budget"


def capped(answer: Answer) -> Spec:
    """The least cost of each loss that the budget reaches, and with no budget."""
    found, cost = answer.capped, answer.cost
    if found is None or cost is None:
        raise Defect("a plan without a curve under its budget has no such chart")
    unit, steps = cost.unit, found.steps
    low, high = span([s.total for s in steps] + [_free(s) for s in steps])
    room = (high / low) ** 0.06
    x = alt.X(**log_axis("cost", cost_title(unit), unit, (low / room, high * room), 6))
    losses = [step.loss for step in steps]
    edge = 0.08 * (max(losses) - min(losses))
    y = alt.Y(
        "loss:Q",
        title="loss, nats per token",
        scale=alt.Scale(
            domain=[min(losses) - edge, max(losses) + edge], nice=False, zero=False
        ),
        axis=alt.Axis(format=".3f", tickCount=7),
    )
    colour = alt.Color(
        "what:N", scale=alt.Scale(domain=[UNDER, FREE], range=[BLUE, GREY]), title=None
    )
    dash = alt.StrokeDash(
        "what:N", scale=alt.Scale(domain=[UNDER, FREE], range=[[1, 0], [6, 3]])
    )
    tips = [alt.Tooltip(f"{w}:N") for w in ("its loss", "bill", "size", "trained on")]
    lines = (
        alt.Chart(data(_rows(found, unit)))
        .mark_line(point=True, clip=True)
        .encode(
            x=x,
            y=y,
            color=colour,
            strokeDash=dash,
            order=alt.Order("order:Q"),
            tooltip=tips,
        )
    )
    return layered(lines, *_plan(found, unit, x, y), width=WIDTH, height=HEIGHT)


def _free(step: Step) -> float:
    """The least cost of its loss without the budget."""
    return step.total / (1 + step.extra)


def _rows(found: Capped, unit: str) -> list[dict[str, Any]]:
    return [
        {
            "cost": short(cost),
            "loss": short(step.loss),
            "order": -short(step.loss),
            "its loss": exactly(step.loss, "nats"),
            "bill": exactly(cost, unit),
            "what": what,
            **size,
        }
        for step in found.steps
        for what, cost, size in (
            (
                UNDER,
                step.total,
                {
                    "size": exactly(step.parameters, "parameters"),
                    "trained on": exactly(step.tokens, "tokens"),
                },
            ),
            (FREE, _free(step), {"size": "", "trained on": ""}),
        )
    ]


def _plan(found: Capped, unit: str, x: alt.X, y: alt.Y) -> list[Any]:
    step = found.steps[found.chosen]
    word = f"the plan, {amount(float(f'{step.parameters:.1e}'), 'parameters')}"
    row = {"cost": short(step.total), "loss": short(step.loss), "word": word}
    base = alt.Chart(data([row])).encode(x=x, y=y)
    mark = {"shape": "diamond", "filled": True, "color": BLUE, "opacity": 1}
    return [
        base.mark_point(size=150, stroke="#ffffff", strokeWidth=1.2, **mark),
        base.mark_text(align="left", dx=10, dy=-8, fontWeight="bold", color=INK).encode(
            text=alt.Text("word:N")
        ),
    ]
