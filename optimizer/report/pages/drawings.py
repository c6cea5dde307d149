"""Samples a request: the plans of fewer and of more, and the best in fractions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.drawings import Drawing
from optimizer.analysis.plan.wording import amount, lifetime, percent, samples
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import (
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)


def drawn_blocks(answer: Answer) -> Iterator[Block]:
    """What each number of samples would cost, where that is left open."""
    found, cost = answer.samples, answer.cost
    if found is None or cost is None:
        return
    yield Heading("Samples")
    yield drawings_table(found.steps, cost.unit, answer.question == "budget")
    yield Text(
        f"The plan draws {samples(found.number)} a request, of {found.at_least:.0f} to "
        f"{found.at_most:.0f}. In fractions {significant(found.relaxed)} would be best; "
        "limits, ranges and sensitivities are those of samples in fractions, since "
        "whole ones move in steps."
    )


def drawings_table(steps: Sequence[Drawing], unit: str, budget: bool = False) -> Table:
    """Plan and cost for each number of samples."""
    least = min((s.loss if budget else s.total for s in steps), default=1.0)
    last = "loss" if budget else lifetime(unit)
    rows = tuple(
        (
            significant(step.samples),
            amount(step.parameters, "parameters"),
            amount(step.tokens, "tokens"),
            significant(step.overtraining),
            f"{step.loss:.4f}" if budget else amount(step.total, unit),
            _more(step.loss if budget else step.total, least),
        )
        for step in steps
    )
    columns = ("parameters", "tokens", "overtraining factor", last, "above the least")
    return Table((Column("samples"), *named(*columns)[1:]), rows)


def _more(value: float, least: float) -> str:
    return "least" if value <= least * (1 + 1e-12) else f"+{percent(value / least - 1)}"
