"""A plan rounded to sizes that exist, as blocks and in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.analysis.answer import Answer
from optimizer.analysis.wording import amount, either, percent
from optimizer.report.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.report.headline import lifetime
from optimizer.report.plan import figure

if TYPE_CHECKING:
    from optimizer.analysis.snap import Size, Snap

NOTHING = 5e-5  # of a cost above the optimum that no page can show


def snap_blocks(answer: Answer, snapped: Snap) -> Iterator[Block]:
    """The sizes that exist, beside the optimum."""
    unit = "nats"
    if answer.question == "target" and answer.cost is not None:
        unit = answer.cost.unit
    yield Heading("Sizes that exist")
    yield Text(snap_sentence(answer, snapped))
    title = "loss" if unit == "nats" else lifetime(unit)
    columns = named("parameters", "tokens", title, "above the optimum", "")
    yield Table(columns, tuple(_row(size, unit) for size in snapped.sizes))


def _row(size: Size, unit: str) -> tuple[str, ...]:
    shown = amount(size.parameters, "parameters")
    if size.tokens is None or size.total is None or size.fraction is None:
        return size.name, shown, "cannot", GAP, GAP, GAP
    total = f"{size.total:.4f}" if unit == "nats" else figure(size.total, unit)
    above = percent(size.fraction if size.fraction > NOTHING else 0.0)
    equal = "equal" if size.equal else GAP
    return size.name, shown, amount(size.tokens, "tokens"), total, above, equal


def snap_sentence(answer: Answer, snapped: Snap) -> str:
    """Which of the sizes that exist to take, and what that costs."""
    best = snapped.best
    if best is None or best.fraction is None:
        within = " within the limits" if answer.limits else ""
        return f"None of these sizes reaches the target{within}."
    above = "no dearer than the optimum"
    if best.fraction > NOTHING:
        above = f"{percent(best.fraction)} above the optimum"
    if answer.question == "budget":
        above = f"its reducible loss is {percent(max(best.fraction, 0.0))} above it"
    told = f"Of the sizes that exist take {best.name}: {above}."
    equal = [size.name for size in snapped.sizes if size.equal and size != best]
    if equal:
        verb = "is" if len(equal) == 1 else "are"
        told += f" {either(equal, 'and')} {verb} within 1 % too: equal, by all we know."
    return told
