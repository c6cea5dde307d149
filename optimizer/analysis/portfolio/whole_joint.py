"""A portfolio with its machines in whole numbers.

The joint program has batches and standing replicas as amounts. Beside its optimum each
model has a few scenarios in whole numbers; the joint program of each combination is
solved and certified, and the cheapest is the plan. It keeps what is shared as it is
paid, which the optimum in fractions may not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.rounded import beside
from optimizer.analysis.plan.search import search_whole
from optimizer.analysis.plan.steps import EQUAL, MOST, ROUNDS, around
from optimizer.analysis.plan.together import together
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve
from optimizer.question.formulate import formulate
from optimizer.question.portfolio import (
    JointQuestion,
    Portfolio,
    formulate_portfolio,
    variable,
)
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace


@dataclass(frozen=True, eq=False)
class JointlySolved:
    """A portfolio, the same as mathematics, and the solution of that."""

    portfolio: Portfolio
    question: JointQuestion
    solution: Solution

    @property
    def point(self) -> dict[str, float]:
        """Every variable of every model."""
        return {**self.question.fixed, **self.solution.point}


def jointly(portfolio: Portfolio) -> JointlySolved:
    """Solves the joint program, without a plan where bounds leave next to no room.

    Experts of mixtures are told where the joint plan reads them.
    """
    question = formulate_portfolio(portfolio)
    if touching.machines(question):
        return _mixed(portfolio)
    try:
        found = solve(question.program)
    except UncertifiedError:
        found = Solution(question.program, Status.INFEASIBLE)
    return JointlySolved(portfolio, question, found)


def _mixed(portfolio: Portfolio) -> JointlySolved:
    """The same of models with mixtures among them, from where each alone would be."""
    alone = together([touching.best(one, formulate(one)) for one in portfolio.members])
    begun = replace(portfolio, members=tuple(scenario for scenario, _, _ in alone))
    if any(one.status is not Status.OPTIMAL for _, _, one in alone):
        begun = portfolio
    return JointlySolved(*touching.ended(begun, formulate_portfolio(begun)))


def in_whole_numbers(found: JointlySolved) -> JointlySolved:
    """The cheapest joint plan in whole numbers beside one in fractions.

    Returns:
        The same where nothing is to be made whole, or it has no plan; without a plan
        where no combination keeps what is shared.
    """
    if found.solution.status is not Status.OPTIMAL:
        return found
    given = found.portfolio.members
    options = [
        beside(
            member,
            question,
            {v: found.point[variable(v, member.name)] for v in ("N", "D")},
        )
        for member, question in zip(given, found.question.questions, strict=True)
    ]
    if all([one] == ways for one, ways in zip(given, options, strict=True)):
        return found
    pairs = zip(given, options, strict=True)
    best = _best(found, [[*_alone(member), *_possible(ways)] for member, ways in pairs])
    for _ in range(ROUNDS):
        if best.solution.status is not Status.OPTIMAL:
            break
        # Together they may settle further off than beside what fractions chose.
        near = [[one, *around(one)] for one in best.portfolio.members]
        other = _best(found, near)
        if other.solution.value >= best.solution.value * (1 - EQUAL):
            break
        best = other
    return best


def _alone(member: Scenario) -> list[Scenario]:
    """A model in the whole numbers of a plan of its own, which sharing may leave it."""
    _, own = search_whole(member)
    return [] if isinstance(own, Infeasibility) else [own.plan.scenario]


def _possible(ways: Sequence[Scenario]) -> list[Scenario]:
    """Those in which a model has a plan, without which there is no joint one."""
    return [way for way in ways if _has_plan(way)] or [ways[0]]


def _has_plan(way: Scenario) -> bool:
    question = formulate(way)
    if touching.machines(question):
        _, _, end = touching.ended(way, question)
        return end.status is Status.OPTIMAL
    try:
        return solve(question.program).status is Status.OPTIMAL
    except UncertifiedError:
        return False


def _best(found: JointlySolved, options: Sequence[Sequence[Scenario]]) -> JointlySolved:
    """The cheapest of all combinations; of too many, one model after another."""
    if math.prod(map(len, options)) <= MOST:
        return cheapest(
            [_with(found, picked) for picked in itertools.product(*options)]
        )
    # One after another is no way out of having no plan: what is shared may ask that
    # several models take more machines at once.
    most = max(map(len, options))
    together = [[ways[min(k, len(ways) - 1)] for ways in options] for k in range(most)]
    best = cheapest([_with(found, picked) for picked in together])
    for index, ways in enumerate(options):
        tried = [best]
        for way in ways[1:]:
            members = list(best.portfolio.members)
            members[index] = way
            tried.append(_with(found, members))
        best = cheapest(tried)
    return best


def _with(found: JointlySolved, members: Sequence[Scenario]) -> JointlySolved:
    return jointly(replace(found.portfolio, members=tuple(members)))


def cheapest(tried: Sequence[JointlySolved]) -> JointlySolved:
    """The cheapest that has a plan, or the first."""
    solved = [one for one in tried if one.solution.status is Status.OPTIMAL]
    return min(solved, key=lambda one: one.solution.value, default=tried[0])
