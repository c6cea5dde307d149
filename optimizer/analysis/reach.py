"""Targets that no model reaches, told before any solver runs, by arithmetic alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optimizer.analysis.answer import Infeasibility, Relaxation
from optimizer.analysis.wording import KINDS, amount, either, nats
from optimizer.formulate import Question
from optimizer.quantity import read
from optimizer.scenario import Scenario

PRECISION = 1e-7  # s/L below which double precision cannot certify a plan
LARGEST = 1e60


def unreachable(scenario: Scenario, question: Question) -> Infeasibility | None:
    """Explains a target that the law alone puts out of reach."""
    s, loss = question.reducible, question.target
    if s is None or loss is None:
        return None
    surface = question.surface
    least = surface.loss_of(0.0)
    N, D = surface.training_optimal(s) if s > 0 else (1.0, 1.0)
    if s <= 0:
        reason = (
            f"the target of {nats(loss)} is at or below the irreducible loss of "
            f"{scenario.law.name}, {nats(least)}: no model reaches it, however large. "
            "Choose a higher loss, or name a model to match: "
            "target: {match: {parameters: 13B}}"
        )
        return _without_relaxation(scenario, reason, loss, least)
    if s < PRECISION * abs(surface.E + s):
        enough = surface.loss_of(2 * PRECISION * abs(surface.E + s))
        reason = (
            f"the target of {nats(loss)} is so close to the irreducible loss of "
            f"{scenario.law.name}, {nats(least)}, that double precision cannot "
            f"certify a plan. Choose at least {enough:.10g} nats"
        )
        return _without_relaxation(scenario, reason, loss, least)
    if not (N < LARGEST and D < LARGEST):
        reason = (
            f"under {scenario.law.name} the target of {nats(loss)} needs more than "
            f"{LARGEST:.0e} parameters or tokens. Choose a higher loss"
        )
        return _without_relaxation(scenario, reason, loss, least)
    return None


def cure(relaxations: Sequence[Relaxation]) -> str:
    """Says in words which single changes restore a plan.

    Args:
        relaxations: the smallest change first.
    """
    ways = [f"{r.name} to {_typed(r)}" for r in relaxations if r.after is not None]
    if not ways:
        return "No single change restores a plan; relax several of them together"
    least = f"The smallest change that restores a plan is {ways[0]}"
    return f"{least}; {either(ways[1:])} would do too" if ways[1:] else least


def _typed(way: Relaxation) -> str:
    """Writes where a bound must go, rounded so that this number will do."""
    after = way.before if way.after is None else way.after
    if way.unit == "nats":
        return nats(math.ceil(after * 1e4) / 1e4)
    value, up = after, after > way.before
    text = amount(value, way.unit)
    while (read(text, KINDS[way.unit]) < after) == up:
        value *= 1.001 if up else 0.999
        text = amount(value, way.unit)
    return text


def _without_relaxation(
    scenario: Scenario, reason: str, loss: float, least: float
) -> Infeasibility:
    line = scenario.place("target").line
    entry = Relaxation("target", loss, None, line)
    return Infeasibility(reason, ("target",), (entry,), least, None, None)
