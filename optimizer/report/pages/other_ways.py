"""Buying, or serving what exists, beside a plan."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.answer import Alternative, Answer
from optimizer.analysis.plan.wording import amount, figure, lifetime
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.world.costs import UNITS


def others(answer: Answer) -> Iterator[Block]:
    """Buying, or serving what exists, beside the plan."""
    cost, served = answer.cost, answer.demand.tokens
    if not answer.others:
        return
    unit = UNITS[answer.objective]
    million = [(o.name, o.total, o.per_token) for o in answer.others]
    if served and cost is not None:
        million.insert(0, ("this plan", cost.total, cost.total / served))
    passed = {o.name: overtaken(o.overtaken_at) for o in able(answer)}
    losses = {o.name: o.loss for o in answer.others if o.loss is not None}
    if answer.plan is not None:
        losses["this plan"] = answer.plan.loss
    yield Heading("Other ways to serve this demand")
    columns = named(lifetime(unit), "a million tokens", "loss", "a new model wins")
    rows = (
        (
            name,
            GAP if total is None else figure(total, unit),
            GAP if each is None else figure(each * 1e6, unit),
            f"{losses[name]:.4f}" if name in losses else GAP,
            passed.get(name, GAP),
        )
        for name, total, each in million
    )
    some = len(columns) if cost is not None else -1  # without a plan no model wins
    yield Table(columns[:some], tuple(row[:some] for row in rows))
    yield from cannot(answer)
    for name, loss in losses.items():
        if answer.target_loss is not None and loss > answer.target_loss * (1 + 1e-9):
            yield Text(f"{name} misses the target loss of {answer.target_loss:.4f}.")


def able(answer: Answer) -> list[Alternative]:
    """The other ways that can serve the demand."""
    return [other for other in answer.others if other.total is not None]


def cannot(answer: Answer) -> Iterator[Block]:
    """Why some of the other ways cannot serve it."""
    for other in answer.others:
        if other.reason:
            yield Text(f"{other.name} cannot serve this: it {other.reason}.")


def overtaken(tokens: float | None) -> str:
    """From which demand on a new model is cheaper than another way to serve it."""
    if tokens is None:
        return "never"
    return "always" if tokens == 0 else f"above {amount(tokens, 'tokens')}"
