"""Targets that no model reaches, told before any solver runs, by arithmetic alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from optimizer.analysis.answer import Infeasibility, Relaxation
from optimizer.analysis.wording import KINDS, amount, either, nats
from optimizer.engine.diagnose import FAR, ROOM
from optimizer.quantity import read
from optimizer.question import Question
from optimizer.scenario import Scenario
from optimizer.world.limits import Limit
from optimizer.world.surface import power

PRECISION = 1e-7  # s/L below which double precision cannot certify a plan
LARGEST = 1e60
TOUCHING = 1e-12  # bounds that meet the target exactly are met
# What each bound of a size leaves of the loss: the factor and the exponent.
_POWERS = {"limits.parameters": ("A", "alpha"), "limits.tokens": ("B", "beta")}


def unreachable(scenario: Scenario, question: Question) -> Infeasibility | None:
    """Explains a target that the law, or limits on N and D alone, put out of reach."""
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
    return _beyond_limits(scenario, question, s, loss)


def _beyond_limits(
    scenario: Scenario, question: Question, s: float, loss: float
) -> Infeasibility | None:
    """A target below what the greatest model on the most tokens reaches.

    Only where nothing else is limited or fixed, so that this arithmetic is all.
    """
    caps = question.limits
    simple = question.plain and {cap.name for cap in caps} <= set(_POWERS)
    if not (simple and caps) or question.fixed or question.physics:
        return None
    left = {cap.name: _left(question, cap, cap.bound) for cap in caps}
    short = sum(left.values())
    if short <= s * (1 + TOUCHING):
        return None
    alone = [cap for cap in caps if left[cap.name] >= s]
    conflict = alone[:1] or list(caps)
    named = [f"{cap.name} of {amount(cap.bound, cap.unit)}" for cap in conflict]
    nearest = question.surface.loss_of(short)
    changes = [
        (
            math.log(short / s),
            Relaxation(
                "target",
                loss,
                question.surface.loss_of(
                    short * (1 + (FAR if len(caps) == 1 else ROOM))
                ),
                scenario.place("target").line or None,
            ),
        )
    ]
    for cap in caps:
        rest = s - (short - left[cap.name])
        after = None
        if rest > 0:
            least = cap.bound * (left[cap.name] / rest) ** (1 / _power(question, cap))
            # With one limit the other variable would go to infinity at the least.
            after = least * (1 + (FAR if len(caps) == 1 else ROOM))
        line = scenario.place(cap.name).line or None
        change = 0.0 if after is None else math.log(after / cap.bound)
        changes.append((change, Relaxation(cap.name, cap.bound, after, line, cap.unit)))
    nearest_first = [way for _, way in sorted(changes, key=lambda pair: pair[0])]
    return Infeasibility(
        reason=(
            f"no model meets the target of {nats(loss)} and {either(named, 'and')} "
            f"together; within the limits the lowest loss is {nats(nearest)}. "
            f"{cure(nearest_first)}"
        ),
        conflict=("target", *(cap.name for cap in conflict)),
        relaxations=tuple(way for _, way in changes),
        nearest_loss=nearest,
        uniform=_uniform(question, caps, s),
        certificate=None,
    )


def _power(question: Question, cap: Limit) -> float:
    return float(getattr(question.surface, _POWERS[cap.name][1]))


def _left(question: Question, cap: Limit, bound: float) -> float:
    """The reducible loss that a bound alone leaves."""
    factor = float(getattr(question.surface, _POWERS[cap.name][0]))
    return factor / power(bound, _power(question, cap))


def _uniform(question: Question, caps: Sequence[Limit], s: float) -> float:
    """The factor by which all bounds and s must grow together, by bisection."""
    low, high = 0.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        u = math.exp(middle)
        short = sum(_left(question, cap, u * cap.bound) for cap in caps)
        low, high = (middle, high) if short > u * s else (low, middle)
    return math.exp(high)


def cure(relaxations: Sequence[Relaxation]) -> str:
    """Says in words which single changes restore a plan.

    Args:
        relaxations: the smallest change first.
    """
    given = [r for r in relaxations if r.after is not None]
    ways = [f"{called(r.name)} to {_typed(r)}" for r in given]
    if not ways:
        return "No single change restores a plan; relax several of them together"
    least = f"The smallest change that restores a plan is {ways[0]}"
    return f"{least}; {either(ways[1:])} would do too" if ways[1:] else least


def called(name: str) -> str:
    """A bound by the user's word; the memory of a replica is no word of the file."""
    return name.replace("serving.memory", "the memory of a serving replica")


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
