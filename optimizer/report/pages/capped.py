"""Loss against lifetime cost under a budget for training, the choice marked."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    either,
    extra,
    figure,
    lifetime,
    share,
)
from optimizer.report.formats.blocks import Block, Column, Heading, Table, Text, named

NOTHING = 5e-5  # of a cost, which no page can show


def capped_blocks(answer: Answer) -> Iterator[Block]:
    """A row for each loss, from the lowest that the budget reaches up."""
    capped, cost = answer.capped, answer.cost
    if capped is None or cost is None:
        return
    rows = [
        (
            f"{step.loss:.4f}",
            figure(step.parameters, "parameters"),
            figure(step.tokens, "tokens"),
            figure(step.total, cost.unit),
            extra(step.extra) if step.extra > NOTHING else "0 %",
            share(min(step.used, 1.0)),
            "the plan" if place == capped.chosen else "",
        )
        for place, step in enumerate(capped.steps)
    ]
    yield Heading(f"Loss against {lifetime(cost.unit)} under the budget")
    titles = ("parameters", "tokens", "lifetime", "price of the budget", "used", "")
    yield Table((Column("loss"), *named(*titles)[1:]), tuple(rows))
    below = "" if capped.lowest else ", more and more below it"
    told = (
        "The price of the budget is by how much it raises the lifetime cost of a "
        f"loss: not at all from the plan on{below}. Every row is certified."
    )
    if capped.caps:
        names, one = either(list(capped.caps), "and"), len(capped.caps) == 1
        told += (
            f" {names} {'holds' if one else 'hold'} training back as the budget does "
            f"and {'counts' if one else 'count'} with it; used is of the one that is "
            "used most."
        )
    yield Text(told)
