"""The Pareto frontiers: of loss against lifetime cost, of training against serving.

The least cost of every loss is one geometric program after another, each started from
its neighbour's optimum. At the scenario's own loss, minimising

    training and the rest + weight · serving

over weights above 0 gives every model for which training and serving cannot both be
cheaper. A weight is also what planning for that many times the demand would choose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from optimizer.algebra.posynomial import Term
from optimizer.algebra.program import Certificate, Solution, Status
from optimizer.analysis.frontier.students import student_at
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.lifetime import at_loss
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.ranges import RANGE, reaching
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.settle import onto, placed
from optimizer.analysis.plan.students import Distilled
from optimizer.analysis.plan.whole import Solved, fractions, make_whole
from optimizer.analysis.plan.wording import nats
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import refine
from optimizer.engine.solve import solve as solve_program
from optimizer.errors import Defect
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.formulate import formulate
from optimizer.question.one_loss import refuse_chosen_loss
from optimizer.question.scenario import Scenario
from optimizer.reading.loss_words import NATS, said_in
from optimizer.records import dataclass
from optimizer.world.costs import UNITS

NEAR = 1e-9  # of the reducible loss: how far above that of a budget its plan stands
WEIGHTS = 100.0  # the greatest weight of serving, and one over the least
APART = (
    "Along training against serving, batches and replicas that stand are amounts, in "
    "fractions; along the loss they are whole"
)


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


@dataclass(frozen=True)
class Frontier:
    """The frontiers of a scenario.

    Attributes:
        scenario: its name.
        file: where it was read.
        unit: of costs.
        points: of loss against lifetime cost, from the highest loss to the lowest.
        tradeoff: of training against serving at the scenario's loss, from the least
            weight of serving to the greatest; empty where nothing is served.
        own: the scenario's own point in `points`, or None.
        reason: why points are missing, or empty.
        notes: how machines are counted, in sentences.
        warnings: of the scenario's own plan, and of how far the points reach.
        served: whether tokens are served at all, counted or not.
        loss_unit: of its losses.
    """

    scenario: str
    file: str
    unit: str
    points: tuple[Point, ...]
    tradeoff: tuple[Point, ...]
    own: int | None
    reason: str
    notes: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()
    served: bool = True
    loss_unit: str = NATS

    @property
    def plan(self) -> Point | None:
        """The scenario's own plan."""
        return None if self.own is None else self.points[self.own]


@dataclass(frozen=True, eq=False)
class _Side:
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


def frontier(scenario: Scenario, points: int = 41, span: float = 2.0) -> Frontier:
    """Follows both frontiers around a scenario's own plan.

    Args:
        scenario: from `load_scenario`; under a budget, around the loss that it buys.
        points: along each frontier, at least 3.
        span: the greatest reducible loss over the plan's own, and that over the
            least; above 1.

    Raises:
        InputError: its budget chooses the loss.
    """
    refuse_chosen_loss([scenario], "frontier")
    answer = solve(scenario, whole=False)
    unit, losses = UNITS[scenario.spec.objective], scenario.law.loss_unit
    s = _own(scenario, answer)
    reason = "" if answer.infeasibility is None else answer.infeasibility.reason
    if s is None:
        return Frontier(
            scenario.name, scenario.file, unit, (), (), None, reason, loss_unit=losses
        )
    sides = list(_sides(scenario))
    factors = [1 / factor for factor in _around(points, span)]
    found = _best(
        [_path(side, [side.aimed(s * f) for f in factors], True) for side in sides],
        [1.0] * points,
    )
    found = [p and replace(p, student=student_at(scenario, p)) for p in found]
    solved = answer.plan is not None
    if not reason and None in found:
        reason = _ended(sides, found, [s * f for f in factors])
    tradeoff: list[Point | None] = []
    if solved and _serves(sides[0].question):
        weights = _around(points, WEIGHTS)
        tradeoff = _best(
            [_path(side, [side.weighted(s, w) for w in weights]) for side in sides],
            weights,
        )
    told = tuple(point for point in (*found, *tradeoff) if point is not None)
    return Frontier(
        scenario=scenario.name,
        file=scenario.file,
        unit=unit,
        points=tuple(point for point in found if point is not None),
        tradeoff=tuple(point for point in tradeoff if point is not None),
        own=_index(found, factors.index(1.0)) if solved else None,
        reason=said_in(reason, losses),
        notes=(f"{APART}.",) if tradeoff and any(map(_machined, sides)) else (),
        warnings=(
            *(_reaching(scenario, told) if told else ()),
            *(one for one in answer.warnings if one.code not in RANGE),
        ),
        served=answer.demand.tokens > 0,
        loss_unit=losses,
    )


def _reaching(scenario: Scenario, points: Sequence[Point]) -> tuple[Warning, ...]:
    sizes = {
        word: [getattr(point, word) for point in points]
        for word in ("parameters", "tokens", "tokens_per_parameter")
    }
    low = {word: min(values) for word, values in sizes.items()}
    high = {word: max(values) for word, values in sizes.items()}
    return reaching(scenario.law, low, high, "points")


def _ended(
    sides: Sequence[_Side], found: Sequence[Point | None], losses: Sequence[float]
) -> str:
    """Why points are missing: the next loss after the last is out of reach, or not."""
    last = max((i for i, point in enumerate(found) if point is not None), default=-1)
    if last + 1 == len(found):
        return "points are missing for which no plan could be certified"
    s = losses[last + 1]
    loss = nats(sides[0].question.surface.loss_of(s))
    if any(_reached(side, s) for side in sides):
        return f"no plan could be certified at {loss}, the next point"
    return f"no plan within the limits reaches {loss}, the next point"


def _reached(side: _Side, s: float) -> bool:
    """Whether a reducible loss may be within reach, machines in fractions."""
    question = side.aimed(s)
    if unreachable(side.scenario, question) is not None:
        return False
    try:
        program = question.program
        found = solve_program(program, question.start(program))
    except UncertifiedError:
        return True
    return found.status is Status.OPTIMAL


def _sides(scenario: Scenario) -> Iterator[_Side]:
    singles = [v for v in scenario.variants if v.scenario is not None]
    chosen = [(v.scenario, v.choice) for v in singles if v.scenario is not None]
    for single, choice in chosen or [(scenario, {})]:
        question = formulate(single)
        kept = tuple(w for w in question.limits if not w.name.startswith("budget."))
        yield _Side(single, choice, replace(question, limits=kept))


def _own(scenario: Scenario, answer: Answer) -> float | None:
    """The reducible loss in the middle; None where the law has no model of it."""
    question = formulate(scenario.chosen(answer.choice))
    plan = answer.plan
    if question.reducible is not None:
        return question.reducible if question.reducible > 0 else None
    if plan is None:
        return None
    size = {"N": plan.parameters, "D": plan.tokens}
    if plan.samples is not None:
        size[SAMPLES] = plan.samples
    return question.reducible_at(size) * (1 + NEAR)


def _serves(question: Question) -> bool:
    return any(
        line.share * term.coefficient > 0
        for line in question.bill
        if line.group == "inference"
        for term in line.terms[question.unit]
    )


def _around(points: int, span: float) -> list[float]:
    """Rising factors from 1/span to span, evenly apart in logarithms, with 1."""
    below = points // 2
    above = points - 1 - below
    low = [span ** ((i - below) / below) for i in range(below)]
    return [*low, 1.0, *(span ** ((i + 1) / above) for i in range(above))]


def _machined(side: _Side) -> bool:
    return bool(fractions(side.scenario))


def _path(
    side: _Side, questions: Sequence[Question], whole: bool = False
) -> list[Point | None]:
    """Solves questions of which each is near the one before and no easier.

    Args:
        side: whose questions they are.
        questions: in their order.
        whole: whether machines are made whole; their costs must be the scenario's.
    """
    found: list[Point | None] = []
    last: Solution | None = None
    for question in questions:
        if unreachable(side.scenario, question) is not None:
            break
        program = question.program
        try:
            if last is None:
                solution = solve_program(program, question.start(program))
            else:
                start = question.start(program)
                solution = refine(program, *last.optimum, start=start)
        except UncertifiedError:
            # Bounds that leave next to no room have no multipliers to certify with.
            found.append(None)
            continue
        if solution.status is not Status.OPTIMAL:
            break
        last = solution
        if whole and _machined(side):
            found.append(_made_whole(side, question, solution))
        else:
            found.append(_point(side, question, solution, solution))
    return found + [None] * (len(questions) - len(found))


def _made_whole(side: _Side, question: Question, solution: Solution) -> Point | None:
    """The point with whole batches and replicas; None where no whole number has one."""
    s = question.reducible or 0.0
    aimed = at_loss(side.scenario, question, s, None)
    made = make_whole(Solved(aimed, question, solution))
    if isinstance(made, Solved):
        return None
    plan, standing = made.plan, made.standing.solution
    found = _point(side, plan.question, plan.solution, standing)
    return replace(found, relaxed=solution.value)


def _point(
    side: _Side, question: Question, solution: Solution, sloped: Solution
) -> Point:
    """A plan as a point, with the slope of another solution of its question."""
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
        elasticity=-float(sloped.optimum[1][names.index("target")]),
        weight=1.0,
        choice=side.choice,
        certificate=certificate,
        samples=point.get(SAMPLES, question.samples),
        relaxed=solution.value,
    )


def _best(
    paths: Sequence[Sequence[Point | None]], weights: Sequence[float]
) -> list[Point | None]:
    """The best choice at each place of several paths."""
    found: list[Point | None] = []
    for weight, *rivals in zip(weights, *paths, strict=True):
        known = [replace(p, weight=weight) for p in rivals if p is not None]
        best = min(known, key=_weighted, default=None)
        found.append(best)
    return found


def _weighted(point: Point) -> float:
    return point.cost_total + (point.weight - 1) * point.cost_inference


def _index(found: Sequence[Point | None], place: int) -> int | None:
    if found[place] is None:
        return None
    return sum(point is not None for point in found[:place])
