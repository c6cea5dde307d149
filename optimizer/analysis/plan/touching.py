"""Mixtures whose batch is to choose: the experts that it reads, told by monomials.

The share of the experts that a batch reads lies below each monomial that touches it
(`world/summed`). One program for each of a few such batches, the best of them, and then
the monomial that touches at that plan's own batch, until nothing is gained: the program
that ends this is exact where its plan stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan.together import Search, certified
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario, Whole
from optimizer.records import replace
from optimizer.world.summed import Routed

SPREAD = (0.12, 0.8, 2.0)  # of E/k: with all of them at most 6.4 % too many are read
ALONE = 1.0  # decides whether a time per token can be kept: none reads fewer experts
ROUNDS = 8
SETTLED = 1e-9  # relative gain of a round that is none
Way = tuple[Scenario, Question, Solution]


def machines(question: Question) -> dict[str, Routed]:
    """The experts of each machine whose batch is left to choose."""
    return {
        r.suffix: r.sum.routed
        for r in question.replicas
        if r.batch is None and r.sum is not None and r.sum.routed is not None
    }


def touched(scenario: Scenario, at: Mapping[str, float]) -> Scenario:
    """The scenario with the batches at which monomials touch, by machine."""
    whole = dict(scenario.whole)
    for suffix, batch in at.items():
        whole[suffix] = replace(whole.get(suffix, Whole()), touched=batch)
    return replace(scenario, whole=whole)


def _asked(question: Question, at: Mapping[str, float]) -> Question:
    """The question of a scenario that is `touched`, without formulating it anew.

    A monomial is in the step of its machine and nowhere else.
    """
    replicas = tuple(
        r.touching(at[r.suffix]) if r.suffix in at else r for r in question.replicas
    )
    walls = {wall.name: wall for r in replicas for wall in r.physics()}
    physics = tuple(walls.get(wall.name, wall) for wall in question.physics)
    return replace(question, replicas=replicas, physics=physics)


def ways(scenario: Scenario, question: Question) -> Iterator[tuple[Scenario, Question]]:
    """The scenario with each of a few monomials; the one for small batches first."""
    found = machines(question)
    for spread in (0.0, *SPREAD, math.inf):
        at = {name: max(spread / (1.0 - r.missed), ALONE) for name, r in found.items()}
        yield touched(scenario, at), _asked(question, at)


def settled(first: Way) -> Search[Way]:
    """The plan whose monomials touch at its own batches.

    Args:
        first: the best so far.
    """
    best = first
    for _ in range(ROUNDS):
        scenario, question, solution = best
        point = {**question.fixed, **solution.point}
        at = {name: point[f"batch{name}"] for name in machines(question)}
        told, asked = touched(scenario, at), _asked(question, at)
        (found,) = yield from certified([asked])
        again = told, asked, found
        if again[2].status is not Status.OPTIMAL:
            break
        gain = 1.0 - again[2].value / solution.value
        if gain >= 0.0:
            best = again
        if gain < SETTLED:
            break
    return best
