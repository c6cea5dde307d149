"""One scenario under several laws: the spread is the message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer, Pair
from optimizer.analysis.plan.wording import amount, rounded
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import GAP, Block, Column, Heading, Table, Text
from optimizer.report.pages.cautions import all_warned
from optimizer.report.pages.plan import figure
from optimizer.report.pages.snap import snap_sentence

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Snap

TELLING = 1.05  # laws that differ by less than this factor agree


def laws_side_blocks(
    name: str, answers: Sequence[Answer], snaps: Sequence[Snap | None] = ()
) -> Iterator[Block]:
    """Law against law.

    Args:
        name: of the scenario.
        answers: the same scenario under each law.
        snaps: the rounding of each to sizes that exist, where it was asked for.
    """
    plans = [answer.plan for answer in answers if answer.plan is not None]
    yield Heading(f"{name}: law against law", 1)
    yield Text(_spread(plans), lead=True)
    yield from all_warned(answers, lambda answer: answer.law.name)
    yield Heading("Plans")
    columns = (
        Column("law", "left"),
        *(Column(t) for t in ("size", "tokens", "tokens per parameter")),
        Column("lifetime cost"),
        Column("over-training factor"),
    )
    yield Table(columns, tuple(_row(answer) for answer in answers))
    for answer in answers:
        if answer.infeasibility is not None:
            yield Text(f"{answer.infeasibility.reason}.", label=answer.law.name)
    if any(snaps):
        yield Heading("Sizes that exist")
    for answer, snapped in zip(answers, snaps, strict=False):
        if snapped is not None:
            yield Text(snap_sentence(answer, snapped), label=answer.law.name)
    yield Text(
        "Losses of different laws do not compare; each law says itself what loss the "
        "target has. One law in full: --set law=NAME"
    )


def _row(answer: Answer) -> tuple[str, ...]:
    plan, cost, over = answer.plan, answer.cost, answer.overtraining
    if plan is None or cost is None or over is None:
        return answer.law.name, "no plan", GAP, GAP, GAP, GAP
    return (
        answer.law.name,
        amount(plan.parameters, "parameters"),
        amount(plan.tokens, "tokens"),
        significant(plan.tokens_per_parameter),
        figure(cost.total, cost.unit),
        significant(over.factor),
    )


def _spread(plans: Sequence[Pair]) -> str:
    if not plans:
        return "Under none of these laws is there a plan."
    low, high = (f(p.parameters for p in plans) for f in (min, max))
    few, many = (f(p.tokens for p in plans) for f in (min, max))
    if len(plans) == 1:
        return f"Only one law gives a plan: {rounded(low)} on {amount(few, 'tokens')}."
    if high / low < TELLING and many / few < TELLING:
        return f"The laws agree: train {rounded(low)} on {amount(few, 'tokens')}."
    data = f"{amount(few, 'tokens')} to {amount(many, 'tokens')}"
    return (
        f"By these laws the right size is anywhere from {rounded(low)} to "
        f"{rounded(high)}, on {data} tokens: they differ by a factor of "
        f"{significant(high / low, 2)} in size and {significant(many / few, 2)} in "
        "tokens."
    )
