"""What each cure of an infeasible scenario leads to, and the one that is sensible.

The least change of a bound leaves a single model, often one trained on absurdly many
tokens. Beside it stands the change from which on training takes at most twice the least
compute for its loss: de Vries' critical size, for any bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from optimizer.algebra.program import Status
from optimizer.analysis.plan.answer import Answer, Infeasibility, Relaxation
from optimizer.analysis.plan.reach import called, needed
from optimizer.analysis.plan.wording import either, safely, unbounded
from optimizer.engine.certify import UncertifiedError
from optimizer.errors import Defect, InputError
from optimizer.question.asked import Question
from optimizer.question.inputs import changed
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import read

Ask = Callable[[Scenario], Answer]
TWICE = 1.0  # training overhead of a sensible plan, at most
FARTHEST = 2.0**40  # how far a bound is moved to find one
CLOSE = 1e-5  # in the logarithm of a bound
MACHINES = "accelerators"


def cured(
    scenario: Scenario, question: Question, why: Infeasibility, ask: Ask
) -> Infeasibility:
    """Adds to each relaxation what it costs, and the sensible one.

    Args:
        scenario: without lists and without a plan.
        question: the same as mathematics.
        why: there is none.
        ask: solves a scenario.
    """
    ways = [_priced(scenario, question, way, ask) for way in why.relaxations]
    machines = _machines(scenario, ways)
    reason = why.reason
    if machines is not None:
        reason += f", and so would {safely(machines, MACHINES, up=True)} accelerators"
    sensible = [
        f"{'a target' if way.name == 'target' else called(way.name)} of "
        f"{needed(replace(way, after=way.sensible))}"
        for way in ways
        if way.sensible is not None
    ]
    if sensible:
        reason += (
            ". A plan whose training takes at most twice the least compute for its "
            f"loss needs {either(sensible)}"
        )
    return replace(why, reason=reason, relaxations=tuple(ways), accelerators=machines)


def _priced(
    scenario: Scenario, question: Question, way: Relaxation, ask: Ask
) -> Relaxation:
    if way.after is None:
        return way
    up = way.after > way.before
    # As it is printed, for that is what will be typed.
    least = _printed(way, way.after)
    first = _moved(scenario, way.name, least, ask)
    if first is None or first.critical is None or first.cost is None:
        return way
    way = replace(way, cost=first.cost.total, overhead=first.critical.training_overhead)
    if first.critical.training_overhead <= TWICE:
        return way
    found = _sensible(scenario, question, way, least, ask)
    if found is None:
        return way
    value = read(safely(found, way.unit, up), unbounded(way.unit))
    then = _moved(scenario, way.name, value, ask)
    if then is None or then.cost is None:
        return way
    return replace(way, sensible=found, sensible_cost=then.cost.total)


def _printed(way: Relaxation, value: float) -> float:
    text = needed(replace(way, after=value))
    return read(text.removesuffix(" nats"), unbounded(way.unit))


def _sensible(
    scenario: Scenario, question: Question, way: Relaxation, least: float, ask: Ask
) -> float | None:
    """The bound, beyond the least, at which training takes twice the least compute."""
    from scipy.optimize import brentq  # noqa: PLC0415 - only where there is no plan

    up = least > way.before
    surface, base = question.surface, least
    if way.name == "target":
        base = surface.reducible(least)

    def bound(log: float) -> float:
        if way.name == "target":
            return surface.loss_of(base * math.exp(log))
        return base * math.exp(log if up else -log)

    def excess(log: float) -> float:
        answer = _moved(scenario, way.name, bound(log), ask)
        if answer is None or answer.critical is None:
            return math.inf
        overhead = answer.critical.training_overhead
        return math.log(max(overhead, 1e-9) / TWICE)

    low, high = 0.0, 0.02
    while not excess(high) <= 0:
        low, high = high, 2 * high
        if high > math.log(FARTHEST):
            return None
    start = excess(low)
    if not math.isfinite(start):
        return None
    return bound(float(brentq(excess, low, high, xtol=CLOSE)) + 2 * CLOSE)


def _moved(scenario: Scenario, name: str, value: float, ask: Ask) -> Answer | None:
    """The answer with one bound moved; None where there is none, or no such word."""
    path = tuple(name.split("."))
    if name == "target":
        target = scenario.spec.target
        if target is None:
            return None
        loss = target.model_copy(update={"loss": value, "match": None, "error": None})
        spec = scenario.spec.model_copy(update={"target": loss})
        other = replace(scenario, spec=spec)
    elif path[0] in ("limits", "fix", "budget"):
        other = changed(scenario, path, lambda _: value)
    else:
        return None
    try:
        answer = ask(other)
    except (InputError, Defect, UncertifiedError):
        return None
    return answer if answer.status is Status.OPTIMAL else None


def _machines(scenario: Scenario, ways: Sequence[Relaxation]) -> int | None:
    """How many accelerators would do where time is short: as many times more."""
    count = scenario.spec.training.accelerators
    for way in ways:
        if way.name == "limits.training_time" and count and way.after is not None:
            return math.ceil(count * way.after / way.before)
    return None
