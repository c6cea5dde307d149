"""One frontier: programs after one another, each from its neighbour's optimum."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TypeAlias

from optimizer.algebra.posynomial import Term
from optimizer.algebra.program import Certificate, Solution, Status
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.bounded import Bounded, least_of_each
from optimizer.analysis.plan.lifetime import at_loss
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.settle import onto, placed
from optimizer.analysis.plan.students import Distilled
from optimizer.analysis.plan.together import Search, together
from optimizer.analysis.plan.whole import Solved, WholePlan, making_whole
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import refine
from optimizer.engine.solve import solve as solve_program
from optimizer.errors import Defect
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace

TOGETHER = 8  # points of a mixture that are searched hand in hand
# A scenario, its question, and the solution of it; None where none is certified.
Step: TypeAlias = "tuple[Scenario, Question, Solution | None]"


@dataclass(frozen=True)
class Point:
    """One plan of a frontier.

    Attributes:
        loss: that it reaches.
        cost_total: over the life, in the objective's unit.
        cost_training: its part for training.
        cost_inference: its part for serving.
        parameters: N.
        tokens: D.
        tokens_per_parameter: D/N.
        elasticity: d ln cost / d ln reducible loss, of what was minimised.
        weight: of serving in that; 1 along the frontier of loss.
        choice: of the scenario's lists.
        certificate: that nothing is cheaper.
        samples: a request, in fractions where they are open; None where the law asks
            for none.
        relaxed: its cost with machines in fractions, against which students are held.
        student: the cheapest student of a teacher at this loss; None along training
            against serving and where the scenario has none.
    """

    loss: float
    cost_total: float
    cost_training: float
    cost_inference: float
    parameters: float
    tokens: float
    tokens_per_parameter: float
    elasticity: float
    weight: float
    choice: Mapping[str, str]
    certificate: Certificate
    samples: float | None = None
    relaxed: float = math.nan
    student: Distilled | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """One combination of a scenario's lists.

    Attributes:
        scenario: with its values.
        choice: what it chose.
        question: with a target in place of a budget, none so far.
    """

    scenario: Scenario
    choice: Mapping[str, str]
    question: Question

    def aimed(self, s: float) -> Question:
        """At a reducible loss."""
        target = self.question.surface.loss_of(s)
        return replace(self.question, reducible=s, target=target)

    def weighted(self, s: float, weight: float) -> Question:
        """At a reducible loss, with serving weighted against all other costs."""
        unit = self.question.unit
        terms = [
            Term(
                term.label,
                term.coefficient
                * line.share
                * (weight if line.group == "inference" else 1.0),
                term.exponents,
            )
            for line in self.question.bill
            for term in line.terms[unit]
        ]
        return replace(self.aimed(s), cost=tuple(terms))


def sides(scenario: Scenario) -> Iterator[Side]:
    """The combinations of a scenario's lists, each with the rest of its limits."""
    singles = [v for v in scenario.variants if v.scenario is not None]
    chosen = [(v.scenario, v.choice) for v in singles if v.scenario is not None]
    for single, choice in chosen or [(scenario, {})]:
        question = formulate(single)
        kept = tuple(w for w in question.limits if not w.name.startswith("budget."))
        yield Side(single, choice, replace(question, limits=kept))


def machined(side: Side) -> bool:
    """Whether machines of it are made whole."""
    return bool(fractions(side.scenario))


def follow(
    side: Side,
    questions: Sequence[Question],
    advance: Callable[[int], object] = lambda _steps: None,
) -> list[Solved | None]:
    """Solves questions of which each is near the one before and no easier.

    Args:
        side: whose questions they are.
        questions: in their order.
        advance: is told how many are done; those out of reach are, all at once.
    """
    found: list[Solved | None] = []
    ways = _mixed if touching.machines(side.question) else _chained
    for count, (scenario, question, solution) in enumerate(ways(side, questions)):
        if count:
            advance(1)
        one = None if solution is None else Solved(scenario, question, solution)
        found.append(one)
    left = len(questions) - len(found)
    advance(left or 1)
    return found + [None] * left


def cheapest(
    sides: Sequence[Side], paths: Sequence[Sequence[Solved | None]]
) -> list[Point | None]:
    """The cheapest of all sides at each place, in whole batches and replicas.

    Args:
        sides: the choices; their costs must be those of the scenario.
        paths: of each, in fractions.
    """
    ones = [
        (place, side, one)
        for side, path in zip(sides, paths, strict=True)
        for place, one in enumerate(path)
        if one is not None
    ]
    return least_of_each(
        len(paths[0]),
        [Bounded(place, one.total, i) for i, (place, _, one) in enumerate(ones)],
        lambda some: _whole([ones[i][1:] for i in some]),
        lambda point: point.cost_total,
    )


def _chained(side: Side, questions: Sequence[Question]) -> Iterator[Step]:
    """Each from the optimum before it, until one is out of reach."""
    last: Solution | None = None
    for question in questions:
        if unreachable(side.scenario, question) is not None:
            return
        program = question.program
        start = question.start(program)
        try:
            if last is None:
                solution = solve_program(program, start)
            else:
                solution = refine(program, *last.optimum, start=start)
        except UncertifiedError:
            # Bounds that leave next to no room have no multipliers to certify with.
            yield side.scenario, question, None
            continue
        if solution.status is not Status.OPTIMAL:
            return
        last = solution
        yield side.scenario, question, solution


def _mixed(side: Side, questions: Sequence[Question]) -> Iterator[Step]:
    """Those of a mixture, each with the monomials of its own plan; some at a time."""
    for first in range(0, len(questions), TOGETHER):
        some = list(
            takewhile(
                lambda one: unreachable(side.scenario, one) is None,
                questions[first : first + TOGETHER],
            )
        )
        ways = together([touching.best(side.scenario, question) for question in some])
        for scenario, question, solution in ways:
            solved = solution.status is Status.OPTIMAL
            if not solved and touching.is_below(question):
                return
            yield scenario, question, solution if solved else None
        if len(some) < TOGETHER:
            return


def _whole(ones: Sequence[tuple[Side, Solved]]) -> list[Point | None]:
    """Points with whole batches and replicas; None where no whole number has one.

    They are made whole hand in hand, since their programs are alike.
    """
    made = iter(together([_making(one) for side, one in ones if machined(side)]))
    return [
        _of_whole(side, one, next(made)) if machined(side) else _point(side, one)
        for side, one in ones
    ]


def _making(one: Solved) -> Search[WholePlan | list[Solved]]:
    s = one.question.reducible or 0.0
    aimed = at_loss(one.scenario, one.question, s, None)
    return making_whole(replace(one, scenario=aimed))


def _of_whole(side: Side, one: Solved, made: WholePlan | list[Solved]) -> Point | None:
    if not isinstance(made, WholePlan):
        return None
    found = _point(side, made.plan, made.standing.solution)
    return replace(found, relaxed=one.solution.value)


def _point(side: Side, one: Solved, sloped: Solution | None = None) -> Point:
    """A plan as a point, with the slope of another solution of its question."""
    question, solution = one.question, one.solution
    sloped = sloped or solution
    point = question.complete(placed(question, question.size(solution.point)))
    N, D = point["N"], point["D"]
    cost = bill(question, point)
    put = onto([w.bound for w in question.limits if w.unit == question.unit])
    names = [constraint.name for constraint in sloped.program.constraints]
    certificate = solution.certificate
    if certificate is None:
        raise Defect("an optimal plan without a certificate")
    return Point(
        loss=question.surface.loss_of(question.reducible_at(point)),
        cost_total=put(cost.total),
        cost_training=put(cost.training),
        cost_inference=put(cost.inference),
        parameters=N,
        tokens=D,
        tokens_per_parameter=D / N,
        elasticity=-float(sloped.optimum[1][names.index("target")])
        / question.surface.outer,  # of L − E, a power of what the target bounds
        weight=1.0,
        choice=side.choice,
        certificate=certificate,
        samples=point.get(SAMPLES, question.samples),
        relaxed=solution.value,
    )


def weighted(
    sides: Sequence[Side], paths: Sequence[Sequence[Solved | None]], by: Sequence[float]
) -> list[Point | None]:
    """The best of all sides at each place, in fractions.

    Args:
        sides: the choices.
        paths: of each, its costs with serving weighted.
        by: that weight, of each place.
    """
    found: list[Point | None] = []
    for weight, *rivals in zip(by, *paths, strict=True):
        known = [(s, one) for s, one in zip(sides, rivals, strict=True) if one]
        best = min(known, key=lambda rival: rival[1].total, default=None)
        found.append(best and replace(_point(*best), weight=weight))
    return found
