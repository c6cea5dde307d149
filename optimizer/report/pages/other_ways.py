"""Buying, or serving what exists, beside a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from optimizer.analysis.plan.answer import TOUCHING, Alternative, Answer
from optimizer.analysis.plan.wording import VERBS, amount, figure, lifetime
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import GAP, Block, Heading, Table, Text, named
from optimizer.world.costs import UNITS


def others(answer: Answer) -> Iterator[Block]:
    """Buying, or serving what exists, beside the plan."""
    cost, served = answer.cost, answer.demand.tokens
    if not answer.others:
        return
    unit = UNITS[answer.objective]
    million = [(o.name, o.total, o.per_token) for o in answer.others]
    price = answer.unit_cost
    today = unit == "USD" and price is not None and price.present_value
    if served and cost is not None:
        if today:  # tokens count as much as what is paid for them then does
            rates = [(o.total, o.per_token) for o in answer.others]
            served = next(
                (all_ / each for all_, each in rates if all_ and each), served
            )
        million.insert(0, ("this plan", cost.total, cost.total / served))
    passed = {o.name: overtaken(o) for o in able(answer)}
    losses = {o.name: o.loss for o in answer.others if o.loss is not None}
    if answer.plan is not None:
        losses["this plan"] = answer.plan.loss
    yield Heading("Other ways to serve this demand")
    million_of = "a million tokens" + (", at present value" if today else "")
    columns = named(lifetime(unit), million_of, "loss", "a new model wins")
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


def others_short(answer: Answer) -> Iterator[Block]:
    """What every other way costs or is ruled out by, in a line, where none is best."""
    aim = answer.target_loss if answer.plan is None else answer.plan.loss
    most = math.inf if answer.cost is None else answer.cost.total
    unit, told = UNITS[answer.objective], []
    for way in answer.others:
        name = called(way.name)
        if way.total is None:
            told.append(f"{name} is ruled out, as it {way.reason}")
            continue
        said = f"{name} {VERBS.get(unit, ('costs', ''))[0]} {amount(way.total, unit)}"
        if way.loss is not None and aim is not None and way.loss > aim * (1 + TOUCHING):
            but = "but" if way.total < most else "and"
            gap = significant(way.loss - aim, 2)
            said += f" {but} misses the target by {gap} nats"
        told.append(said)
    if told and not answer.cheaper:
        yield Text(f"{'; '.join(told)}.", label="other ways")


def called(name: str) -> str:
    """Another way to serve, in a sentence."""
    if name == "buy":
        return "buying"
    return name.removeprefix("existing").strip() or "the model that exists"


def subject(name: str) -> str:
    """The same at the head of a sentence on what it costs."""
    known = name.removeprefix("existing").strip()
    return f"{known}, which exists," if known not in {"", "buy"} else called(name)


def provided(name: str) -> str:
    """What must hold for a way of which the loss is not known."""
    return f"if {'what you buy' if name == 'buy' else 'it'} is good enough"


def able(answer: Answer) -> list[Alternative]:
    """The other ways that can serve the demand."""
    return [other for other in answer.others if other.total is not None]


def cannot(answer: Answer) -> Iterator[Block]:
    """Why some of the other ways cannot serve it."""
    for other in answer.others:
        if other.reason:
            yield Text(f"{other.name} cannot serve this: it {other.reason}.")


def overtaken(way: Alternative) -> str:
    """From which demand on a new model is cheaper than another way to serve it."""
    first, last = _first(way), way.overtaken_at
    if last == 0:
        return "always"
    if first is None:
        return "never"
    part = f"in part from {_digits(first, math.floor)}" if first else "in part"
    if last is None:
        return part
    if _one(first, last):
        return f"above {amount(last, 'tokens')}"
    return f"above {_digits(last, math.ceil)} ({part})"


def wins(ways: Sequence[Alternative]) -> str:
    """From which demand on a new model is cheaper than each of several ways.

    Replicas that stand come one by one, so that the order may turn many times.
    """
    firsts = [_first(way) for way in ways]
    if any(first is None for first in firsts):
        return "none wins at any demand"
    first = max(first for first in firsts if first is not None)
    none = f"below {_digits(first, math.floor)}" if first else ""
    if any(way.overtaken_at is None for way in ways):
        if not none:
            return "whole replicas decide at which demands one planned for more wins"
        return f"none wins {none} served tokens, and above it whole replicas decide"
    last = max(way.overtaken_at or 0.0 for way in ways)
    told = "one planned for more wins above"
    if _one(first, last):
        return f"{told} {amount(last, 'tokens')} served tokens"
    told = f"{told} {_digits(last, math.ceil)} served tokens"
    if not none:
        return f"{told}, and below it whole replicas decide"
    return f"{told}, none {none}, and in between whole replicas decide"


def _first(way: Alternative) -> float | None:
    """Below which demand no new model is cheaper; None: below any."""
    return way.overtaken_at if way.cheaper_below is None else way.cheaper_below


def _digits(tokens: float, side: Callable[[float], int]) -> str:
    """An end of what holds at every demand, in three digits for which it holds too."""
    unit = 10.0 ** (math.floor(math.log10(tokens)) - 2)
    return amount(side(tokens / unit) * unit, "tokens")


def _one(first: float, last: float) -> bool:
    """Whether two demands are one when they are printed."""
    return amount(first, "tokens") == amount(last, "tokens")
