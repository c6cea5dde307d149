"""Mixtures whose batch is to choose: the experts that it reads, told by monomials.

The share of the experts that a batch reads lies below each monomial that touches it
(`world/summed`). A program with the one that touches near the plan's batch comes first,
then those that touch where the last ones point, until no monomial can gain anything:
the program that ends this is exact where its plan stands. Where the first has no plan,
one that reads less than any batch does may prove that there is none. If it does not,
one for each of a few batches is tried, and the best of them goes on; where none has a
plan, those that touch where bounds that give way together would have the batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeVar

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan.together import Search, certified, together
from optimizer.engine.diagnose import ROOM, least_relaxation
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.portfolio import JointQuestion, Portfolio, own, variable
from optimizer.question.scenario import Scenario, Whole
from optimizer.records import replace
from optimizer.world.summed import Routed

SPREAD = (0.12, 0.8, 2.0)  # of E/k: with all of them at most 6.4 % too many are read
ALONE = 1.0  # decides whether a time per token can be kept: none reads fewer experts
ROUNDS = 8
SETTLED = 1e-11  # gain of a round that is none, in ln of the cost
STEEP = 0.9  # slope of a secant that is followed at most
CLOSE = 1e-3  # in the logarithm of a batch, which then gains next to nothing
S = TypeVar("S", Scenario, Portfolio)
Q = TypeVar("Q", Question, JointQuestion)
Way: TypeAlias = "tuple[S, Q, Solution]"
Mark = tuple[float, float]  # the batch where a monomial touches, and the plan's
Marks = dict[str, Mark]


def machines(question: Question | JointQuestion) -> dict[str, Routed]:
    """The experts of each machine whose batch is left to choose.

    By the suffix of their variables, which of several models names the model too.
    """
    if isinstance(question, JointQuestion):
        return {
            variable(suffix, name): routed
            for name, one in question.models
            for suffix, routed in machines(one).items()
        }
    return {
        r.suffix: r.sum.routed
        for r in question.replicas
        if r.batch is None and r.sum is not None and r.sum.routed is not None
    }


def _steps(question: Question | JointQuestion) -> dict[str, str]:
    """The constraint that tells the step of each of those machines."""
    if isinstance(question, JointQuestion):
        return {
            variable(suffix, name): own(name, step)
            for name, one in question.models
            for suffix, step in _steps(one).items()
        }
    return {suffix: f"serving.step{suffix}" for suffix in machines(question)}


def touched(scenario: S, at: Mapping[str, float]) -> S:
    """The scenario with the batches at which monomials touch, by machine."""
    if isinstance(scenario, Portfolio):
        return _all_touched(scenario, at)  # type: ignore[return-value]
    whole = dict(scenario.whole)
    for suffix, batch in at.items():
        whole[suffix] = replace(whole.get(suffix, Whole()), touched=batch)
    return replace(scenario, whole=whole)


def _all_touched(portfolio: Portfolio, at: Mapping[str, float]) -> Portfolio:
    members = tuple(
        touched(one, _of(one.name, at, formulate(one))) for one in portfolio.members
    )
    return replace(portfolio, members=members)


def asked(question: Q, at: Mapping[str, float]) -> Q:
    """The question of a scenario that is `touched`, without formulating it anew.

    A monomial is in the step of its machine and nowhere else.
    """
    if isinstance(question, JointQuestion):
        each = tuple(asked(one, _of(n, at, one)) for n, one in question.models)
        return replace(question, questions=each)
    replicas = tuple(
        r.touching(at[r.suffix]) if r.suffix in at else r for r in question.replicas
    )
    walls = {wall.name: wall for r in replicas for wall in r.physics()}
    physics = tuple(walls.get(wall.name, wall) for wall in question.physics)
    return replace(question, replicas=replicas, physics=physics)


def _of(name: str, at: Mapping[str, float], question: Question) -> dict[str, float]:
    """The batches of one of several models, by its own suffixes."""
    return {suffix: at[variable(suffix, name)] for suffix in machines(question)}


def ways(scenario: S, question: Q) -> Iterator[tuple[S, Q]]:
    """The scenario with each of a few monomials; the one for small batches first."""
    found = machines(question)
    for spread in (0.0, *SPREAD, math.inf):
        at = {name: max(spread / (1.0 - r.missed), ALONE) for name, r in found.items()}
        yield touched(scenario, at), asked(question, at)


def near(scenario: S, question: Q) -> tuple[S, Q]:
    """The scenario with the monomials of its question, at batches near the plan's."""
    at = {name: routed.at for name, routed in machines(question).items()}
    return touched(scenario, at), question


def below(scenario: S, question: Q) -> tuple[S, Q]:
    """The scenario with less read than at any batch: what it excludes has no plan."""
    at = dict.fromkeys(machines(question), 0.0)
    return touched(scenario, at), asked(question, at)


def is_below(question: Question | JointQuestion) -> bool:
    """Whether a question is one of those."""
    return any(routed.at == 0.0 for routed in machines(question).values())


def best(scenario: S, question: Q) -> Search[Way[S, Q]]:
    """The best way to tell the experts that a batch reads.

    One without a point where there is no plan; see `is_below` for whether that is
    proven for every batch.
    """
    begun, _ = near(scenario, question)
    told: list[tuple[S, Q]] = [(begun, question)]
    found = yield from certified([question])
    first = begun, question, found[0]
    if found[0].status is not Status.OPTIMAL:
        under, least = below(scenario, question)
        (proof,) = yield from certified([least])
        if proof.status is not Status.OPTIMAL:
            return under, least, proof
        told = list(ways(scenario, question))
        found = yield from certified([one for _, one in told])
    good: list[Way[S, Q]] = [
        (text, one, end)
        for (text, one), end in zip(told, found, strict=True)
        if end.status is Status.OPTIMAL
    ]
    if not good:
        last: Way[S, Q] = yield from restored(first)
        if last[2].status is not Status.OPTIMAL:
            return last
        good = [last]
    return (yield from settled(min(good, key=lambda way: way[2].value)))


def ended(scenario: S, question: Q) -> Way[S, Q]:
    """The same by itself."""
    return together([best(scenario, question)])[0]


def restored(first: Way[S, Q]) -> Search[Way[S, Q]]:
    """One with a plan, from where the least that all bounds give way leads; or itself.

    Args:
        first: without a plan.
    """
    scenario, question, _ = first
    for _ in range(ROUNDS):
        given = question.given
        bounds = [c.name for c in question.program.constraints if c.name not in given]
        given_way = least_relaxation(question.program, bounds, gap=ROOM).solution
        if given_way is None:
            break
        marks = _marks(question, given_way)
        if all(abs(math.log(batch / at)) < CLOSE for at, batch in marks.values()):
            break
        at = {name: max(batch, ALONE) for name, (_, batch) in marks.items()}
        scenario, question = touched(scenario, at), asked(question, at)
        (solution,) = yield from certified([question])
        if solution.status is Status.OPTIMAL:
            return scenario, question, solution
    return first


def settled(first: Way[S, Q]) -> Search[Way[S, Q]]:
    """The plan whose monomials touch at its own batches.

    Args:
        first: the best so far.
    """
    best: Way[S, Q] = first
    scenario, question, solution = first
    before: Marks = {}
    for _ in range(ROUNDS):
        marks = _marks(question, solution)
        if _gain(question, solution, marks) < SETTLED:
            break
        at = {name: _ahead(mark, before.get(name)) for name, mark in marks.items()}
        scenario, question, before = touched(scenario, at), asked(question, at), marks
        (solution,) = yield from certified([question])
        if solution.status is not Status.OPTIMAL:
            break
        if solution.value <= best[2].value:
            best = scenario, question, solution
    return best


def _marks(question: Question | JointQuestion, solution: Solution) -> Marks:
    """Where each monomial touches, and the batch of the plan that it leads to."""
    point = {**question.fixed, **solution.point}
    return {
        name: (routed.at, point[f"batch{name}"])
        for name, routed in machines(question).items()
    }


def _gain(
    question: Question | JointQuestion, solution: Solution, marks: Marks
) -> float:
    """How much lower ln of the cost may be with monomials that touch at the plan.

    To first order: what they tell too much there, at the prices λ of the steps.
    """
    names = [constraint.name for constraint in solution.program.constraints]
    prices = dict(zip(names, solution.optimum[1].tolist(), strict=True))
    gain = 0.0
    steps = _steps(question)
    for name, routed in machines(question).items():
        gain += prices[steps[name]] * routed.excess(marks[name][1])
    return gain


def _ahead(mark: Mark, before: Mark | None) -> float:
    """The batch at which to touch next, by the secant of the last two.

    *Source*: Aitken's extrapolation of a fixed point, as in Dennis & Schnabel,
    Numerical Methods for Unconstrained Optimization (1996), section 2.
    """
    at, batch = mark
    if before is None or math.inf in (at, before[0]) or at == before[0]:
        return batch
    slope = math.log(batch / before[1]) / math.log(at / before[0])
    if abs(slope) > STEEP:
        return batch
    return max(batch * math.pow(batch / at, slope / (1.0 - slope)), ALONE)
