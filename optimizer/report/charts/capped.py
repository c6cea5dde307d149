"""Loss against lifetime cost under a budget for training, the choice marked."""

from __future__ import annotations

from typing import Any

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.capped import Capped, Step
from optimizer.analysis.plan.wording import amount
from optimizer.errors import Defect
from optimizer.report.charts.theme import (
    BLUE,
    BOLD,
    DIAMOND,
    GREY,
    HEIGHT,
    WIDTH,
    colour,
    cost_title,
    dash,
    exactly,
    linear,
    log_axis,
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

UNDER, FREE = "least cost under the budget", "without the budget"


def capped(answer: Answer) -> Spec:
    """The least cost of each loss that the budget reaches, and with no budget."""
    found, cost = answer.capped, answer.cost
    if found is None or cost is None:
        raise Defect("a plan without a curve under its budget has no such chart")
    unit, steps = cost.unit, found.steps
    low, high = span([s.total for s in steps] + [_free(s) for s in steps])
    room = (high / low) ** 0.06
    x = log_axis("cost", cost_title(unit), unit, (low / room, high * room), 6)
    losses = [step.loss for step in steps]
    edge = 0.08 * (max(losses) - min(losses))
    y = field(
        "loss:Q",
        title="loss, nats per token",
        scale=linear(min(losses) - edge, max(losses) + edge),
        axis={"format": ".3f", "tickCount": 7},
    )
    lines = over(
        _rows(found, unit),
        x=x,
        y=y,
        color=colour("what", (UNDER, FREE), (BLUE, GREY)),
        strokeDash=dash("what", (UNDER, FREE)),
        order=field("order:Q"),
        tooltip=tips("its loss", "bill", "size", "trained on"),
    )
    return layered(
        mark("line", lines, point=True, clip=True),
        *_plan(found, unit, x, y),
        width=WIDTH,
        height=HEIGHT,
    )


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


def _plan(found: Capped, unit: str, x: Spec, y: Spec) -> list[Spec]:
    step = found.steps[found.chosen]
    word = f"the plan, {amount(float(f'{step.parameters:.1e}'), 'parameters')}"
    row = {"cost": short(step.total), "loss": short(step.loss), "word": word}
    here = over([row], x=x, y=y)
    return [
        mark("point", here, color=BLUE, **DIAMOND),
        mark("text", also(here, text=field("word:N")), dx=10, dy=-8, **BOLD),
    ]
