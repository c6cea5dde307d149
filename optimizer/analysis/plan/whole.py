"""Machines in whole numbers: batches of whole sequences, replicas that stand.

The relaxed program has both as amounts. Its cost is log-convex in each, so that beside
its optimum the best whole number is the next one up or down: each is a program of its
own, solved and certified, and the cheapest is the plan. With several machines all their
pairs are tried, as far as they are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan.practice import Relaxed
from optimizer.analysis.plan.rounded import (
    needs,
    replicated,
    whole_batches,
    whole_samples,
)
from optimizer.analysis.plan.steps import EQUAL, ROUNDS, around
from optimizer.analysis.plan.together import Search, together
from optimizer.engine.diagnose import least_relaxation
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace

SEVERAL = 2  # machines, which may settle further off together
MANY = 100  # replicas, of which a whole batch may ask for several more


@dataclass(frozen=True, eq=False)
class Solved:
    """A scenario with its question and the solution of it."""

    scenario: Scenario
    question: Question
    solution: Solution

    @property
    def size(self) -> dict[str, float]:
        """N and D of the plan."""
        return self.question.size(self.solution.point)

    @property
    def total(self) -> float:
        """The lifetime cost, or the loss under a budget."""
        value = self.solution.value
        if self.question.reducible is not None:
            return value
        return self.question.surface.loss_of(value)


@dataclass(frozen=True, eq=False)
class WholePlan:
    """A plan in whole numbers.

    Attributes:
        plan: with whole batches and whole standing replicas.
        standing: with whole replicas and batches in fractions: its derivatives are
            those of the answer, since in whole batches the cost moves in steps.
        relaxed: with both in fractions; None where nothing had to be made whole.
        fractions: the same as it was solved.
    """

    plan: Solved
    standing: Solved
    relaxed: Relaxed | None
    fractions: Solved | None = None

    @property
    def replicas(self) -> float:
        """The most that stand of one machine; 0 where none have to."""
        stand = [whole.replicas or 0.0 for whole in self.plan.scenario.whole.values()]
        return max(stand, default=0.0)


def make_whole(found: Solved) -> WholePlan | None:
    """Makes batches and standing replicas whole; None where no number has a plan."""
    made = together([making_whole(found)])[0]
    return made if isinstance(made, WholePlan) else None


def making_whole(found: Solved) -> Search[WholePlan | list[Solved]]:
    """The same as a search, beside which others may go.

    Returns:
        The plan; or what was tried in whole numbers, none of which has one.
    """
    if found.question.between is not None:
        return (yield from _drawn(found))
    point = found.question.complete(found.size)
    need = needs(found.scenario, found.question, point)
    ways: list[WholePlan] = []
    tried = [found]
    if need:
        stand = partial(replicated, found.scenario, found.question, need, point)
        tried = yield from _solved(stand(more=0))
        ways = yield from _batched(tried)
        if not ways:
            # One more, where whole batches leave what is needed too little room.
            more = yield from _solved(stand(more=1))
            ways = yield from _batched(more)
            tried = [*tried, *more]
        if not ways or max(need.values()) > MANY:
            ways += yield from _batches_first(found)
    else:
        # A batch that cannot be certified when whole stays as it is.
        ways = (yield from _batched([found])) or [WholePlan(found, found, None)]
    if not ways:
        return (yield from _without_plan(tried))
    best = min(ways, key=lambda way: way.plan.solution.value)
    if best.plan is found:
        return best
    best = yield from _further(best)
    relaxed = Relaxed(
        parameters=point["N"],
        tokens=point["D"],
        total=found.total,
        batches=tuple(r.best(point["N"])[0] for r in found.question.replicas),
        replicas=tuple(need.values()),
        certificate=found.solution.certificate,
        base=best.standing.total,
    )
    return replace(best, relaxed=relaxed, fractions=found)


def _without_plan(tried: Sequence[Solved]) -> Search[list[Solved]]:
    """Those in whole numbers, none of which has a plan."""
    failed = [one for one in tried if one.solution.status is not Status.OPTIMAL]
    # Where only batches are in fractions yet there is one.
    wholes = [
        scenario
        for one in tried
        if one.solution.status is Status.OPTIMAL
        for scenario in whole_batches(one.scenario, one.question, one.size["N"])
    ]
    return failed + (yield from _solved(wholes))


def nearest(failed: Sequence[Solved]) -> Solved:
    """Of those without a plan the one whose bounds must give way least."""
    return min(failed, key=_short)


def _short(one: Solved) -> float:
    """The factor by which all bounds together must give way for a plan."""
    given = one.question.given
    program = one.question.program
    moved = [c.name for c in program.constraints if c.name not in given]
    return least_relaxation(program, moved).value


def _further(best: WholePlan) -> Search[WholePlan]:
    """The cheapest that is found by steps of one, where several machines decode.

    The cost in fractions is log-convex, so that of one batch the best whole number is
    beside the best in fractions; several may settle further off together.
    """
    for _ in range(ROUNDS):
        tried = yield from _solved(around(best.plan.scenario, SEVERAL))
        solved = [one for one in tried if one.solution.status is Status.OPTIMAL]
        least = min(solved, key=lambda one: one.solution.value, default=best.plan)
        if least.solution.value >= best.plan.solution.value * (1 - EQUAL):
            break
        best = replace(best, plan=least)
    return best


def _batches_first(found: Solved) -> Search[list[WholePlan]]:
    """The plans with whole batches first, and with the replicas that those need."""
    plans = []
    for way in (yield from _batched([found])):
        one = way.plan
        point = one.question.complete(one.size)
        need = needs(one.scenario, one.question, point)
        for more in (0, 1):
            tried = yield from _solved(
                replicated(one.scenario, one.question, need, point, more)
            )
            done = [
                WholePlan(each, each, None)
                for each in tried
                if each.solution.status is Status.OPTIMAL
            ]
            plans += done
            if done:
                break
    return plans


def _drawn(found: Solved) -> Search[WholePlan | list[Solved]]:
    """Makes the number of samples whole, and then the machines.

    The least cost is log-convex in ln k, so that the best whole number is beside the
    optimum in fractions.
    """
    at, point = found.size[SAMPLES], found.question.complete(found.size)
    beside = [(one, formulate(one)) for one in whole_samples(found.scenario, at)]
    # Fewer samples may be unable to reach a target, however large the model.
    tried = yield from _ends([b for b in beside if (b[1].reducible or 1.0) > 0])
    ways: list[WholePlan] = []
    failed: list[Solved] = []
    for one in tried:
        way: WholePlan | list[Solved] = [one]
        if one.solution.status is Status.OPTIMAL:
            way = yield from making_whole(one)
        if isinstance(way, WholePlan):
            ways.append(way)
        else:
            failed += way
    if not ways:
        return failed
    best = min(ways, key=lambda way: way.plan.total)
    relaxed = Relaxed(
        parameters=point["N"],
        tokens=point["D"],
        total=found.total,
        batches=tuple(r.best(point["N"])[0] for r in found.question.replicas),
        replicas=(),
        certificate=found.solution.certificate,
        samples=at,
        base=found.total,
    )
    return WholePlan(best.plan, found, relaxed)


def _batched(ones: Iterable[Solved]) -> Search[list[WholePlan]]:
    """The plans with the whole batches beside the best ones of each."""
    plans, open_ones = [], []
    for one in ones:
        if one.solution.status is not Status.OPTIMAL:
            continue
        wholes = whole_batches(one.scenario, one.question, one.size["N"])
        plans += [] if wholes else [WholePlan(one, one, None)]
        open_ones += [(one, scenario) for scenario in wholes]
    solved = yield from _solved(scenario for _, scenario in open_ones)
    plans += [
        WholePlan(done, one, None)
        for (one, _), done in zip(open_ones, solved, strict=True)
        if done.solution.status is Status.OPTIMAL
    ]
    return plans


def _solved(scenarios: Iterable[Scenario]) -> Search[list[Solved]]:
    return (yield from _ends([(one, formulate(one)) for one in scenarios]))


def _ends(asked: Sequence[tuple[Scenario, Question]]) -> Search[list[Solved]]:
    found = yield [question for _, question in asked]
    return [Solved(*each, end) for each, end in zip(asked, found, strict=True)]
