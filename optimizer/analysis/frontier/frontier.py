"""The Pareto frontiers: of loss against lifetime cost, of training against serving.

The least cost of every loss is one geometric program after another, each started from
its neighbour's optimum. At the scenario's own loss, minimising

    training and the rest + weight · serving

over weights above 0 gives every model for which training and serving cannot both be
cheaper. A weight is also what planning for that many times the demand would choose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optimizer.algebra.program import Status
from optimizer.analysis.frontier.path import (
    Point,
    Side,
    cheapest,
    follow,
    machined,
    sides,
    weighted,
)
from optimizer.analysis.frontier.students import student_at
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.ranges import RANGE, reaching
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.wording import nats
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve as solve_program
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.formulate import formulate
from optimizer.question.one_loss import refuse_chosen_loss
from optimizer.question.scenario import Scenario
from optimizer.reading.loss_words import NATS, said_in
from optimizer.records import dataclass, replace
from optimizer.world.costs import UNITS

NEAR = 1e-9  # of the reducible loss: how far above that of a budget its plan stands
FURTHER = 0.99  # times the plan's reducible loss: what the next per cent costs
WEIGHTS = 100.0  # the greatest weight of serving, and one over the least
APART = (
    "Along training against serving, batches and replicas that stand are amounts, in "
    "fractions; along the loss they are whole"
)


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
        own: the scenario's own point in `points`, or None; of a budget the cheapest
            plan of the loss that it buys, which is not the budget's own.
        reason: why points are missing, or empty.
        notes: how machines are counted, in sentences.
        warnings: of the scenario's own plan, and of how far the points reach.
        served: whether tokens are served at all, counted or not.
        loss_unit: of its losses.
        bought: whether the scenario's own loss is what a budget buys.
        further: least cost at 1 % less reducible loss than the plan's; None where no
            plan within the limits has that.
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
    bought: bool = False
    further: float | None = None

    @property
    def plan(self) -> Point | None:
        """The scenario's own plan."""
        return None if self.own is None else self.points[self.own]


def steps(scenario: Scenario, points: int) -> int:
    """Of how many steps `frontier` tells, about."""
    return 2 * points * len(scenario.singles)


def frontier(
    scenario: Scenario,
    points: int = 41,
    span: float = 2.0,
    advance: Callable[[int], object] = lambda _steps: None,
) -> Frontier:
    """Follows both frontiers around a scenario's own plan.

    Args:
        scenario: from `load_scenario`; under a budget, around the loss that it buys.
        points: along each frontier, at least 3.
        span: the greatest reducible loss over the plan's own, and that over the
            least; above 1.
        advance: is told of steps that are done.

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
    each = list(sides(scenario))
    outer = each[0].question.surface.outer
    factors = [1 / factor for factor in _around(points, span ** (1 / outer))]
    found = cheapest(
        each,
        [follow(side, [side.aimed(s * f) for f in factors], advance) for side in each],
    )
    found = [p and replace(p, student=student_at(scenario, p)) for p in found]
    solved = answer.plan is not None
    if not reason and None in found:
        reason = _ended(each, found, [s * f for f in factors])
    tradeoff: list[Point | None] = []
    if solved and _serves(each[0].question):
        weights = _around(points, WEIGHTS)
        tradeoff = weighted(
            each,
            [
                follow(side, [side.weighted(s, w) for w in weights], advance)
                for side in each
            ],
            weights,
        )
    further = None
    if solved:
        next_ones = [follow(side, [side.aimed(FURTHER * s)]) for side in each]
        (further,) = cheapest(each, next_ones)
    told = tuple(point for point in (*found, *tradeoff) if point is not None)
    return Frontier(
        scenario=scenario.name,
        file=scenario.file,
        unit=unit,
        points=tuple(point for point in found if point is not None),
        tradeoff=tuple(point for point in tradeoff if point is not None),
        own=_index(found, factors.index(1.0)) if solved else None,
        reason=said_in(reason, losses),
        notes=(f"{APART}.",) if tradeoff and any(map(machined, each)) else (),
        warnings=(
            *(_reaching(scenario, told) if told else ()),
            *(one for one in answer.warnings if one.code not in RANGE),
        ),
        served=answer.demand.tokens > 0,
        loss_unit=losses,
        bought=answer.question == "budget",
        further=None if further is None else further.cost_total,
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
    rivals: Sequence[Side], found: Sequence[Point | None], losses: Sequence[float]
) -> str:
    """Why points are missing: the next loss after the last is out of reach, or not."""
    last = max((i for i, point in enumerate(found) if point is not None), default=-1)
    if last + 1 == len(found):
        return "points are missing for which no plan could be certified"
    s = losses[last + 1]
    loss = nats(rivals[0].question.surface.loss_of(s))
    if any(_reached(side, s) for side in rivals):
        return f"no plan could be certified at {loss}, the next point"
    return f"no plan within the limits reaches {loss}, the next point"


def _reached(side: Side, s: float) -> bool:
    """Whether a reducible loss may be within reach, machines in fractions."""
    question = side.aimed(s)
    if unreachable(side.scenario, question) is not None:
        return False
    if touching.machines(question):
        _, _, way = touching.ended(side.scenario, question)
        return way.status is Status.OPTIMAL
    try:
        program = question.program
        found = solve_program(program, question.start(program))
    except UncertifiedError:
        return True
    return found.status is Status.OPTIMAL


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


def _index(found: Sequence[Point | None], place: int) -> int | None:
    if found[place] is None:
        return None
    return sum(point is not None for point in found[:place])
