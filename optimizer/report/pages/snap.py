"""A plan rounded to sizes that exist, as blocks and in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    above,
    extra,
    figure,
    lifetime,
    percent,
    several,
)
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Size, Snap

NOTHING = 5e-5  # of a cost above the optimum that no page can show


def snap_blocks(answer: Answer, snapped: Snap) -> Iterator[Block]:
    """The sizes that exist, beside the optimum."""
    unit = "nats"
    if answer.question != "budget" and answer.cost is not None:
        unit = answer.cost.unit
    yield Heading("Sizes that exist")
    yield Text(snap_sentence(answer, snapped))
    title = "loss" if unit == "nats" else lifetime(unit)
    columns = named("parameters", "tokens", title, "above the optimum")
    rows = tuple(_row(size, unit) for size in snapped.sizes)
    yield Table((*columns, Column("", "left")), rows)
    for reason in dict.fromkeys(size.reason for size in snapped.sizes if size.reason):
        names = [size.name for size in snapped.sizes if size.reason == reason]
        yield Text(f"{several(names)} {reason}.")
    yield from (Text(f"{note}.") for note in snapped.notes)


def _row(size: Size, unit: str) -> tuple[str, ...]:
    shown = figure(size.parameters, "parameters")
    if size.tokens is None or size.total is None:
        return size.name, shown, "cannot", GAP, GAP, GAP
    total = f"{size.total:.4f}" if unit == "nats" else figure(size.total, unit)
    above = GAP if size.fraction is None else _above(size.fraction)
    equal = "equal" if size.equal else GAP
    return size.name, shown, figure(size.tokens, "tokens"), total, above, equal


def _above(fraction: float) -> str:
    if abs(fraction) < NOTHING:
        return "0 %"
    return extra(fraction)


def snap_sentence(answer: Answer, snapped: Snap) -> str:
    """Which of the sizes that exist to take, and what that costs."""
    best = snapped.best
    if best is None:
        within = " within the limits" if answer.limits else ""
        return f"None of these sizes reaches the target{within}."
    told = f"Of the sizes that exist take {best.name}: {_cost(answer, best)}."
    equal = [size.name for size in snapped.sizes if size.equal and size != best]
    if equal:
        verb = "is" if len(equal) == 1 else "are"
        told += f" {several(equal)} {verb} within 1 % too: equal, by all we know."
    return told


def _cost(answer: Answer, best: Size) -> str:
    fraction, own = best.fraction, "with its own architecture"
    if fraction is None:
        return f"{own} it has a plan, and with that of the scenario there is none"
    what = "the optimum"
    if answer.question == "budget":
        if abs(fraction) < NOTHING:
            return "no worse than the optimum"
        side = "below" if fraction < 0 else "above"
        return f"its reducible loss is {percent(abs(fraction))} {side} it"
    if fraction < -NOTHING:
        return f"{percent(-fraction)} below {what}, {own} in place of the scenario's"
    return (
        f"{above(fraction)} {what}" if fraction > NOTHING else f"no dearer than {what}"
    )
