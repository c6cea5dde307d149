"""A plan beside the training-optimal model of its loss."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.algebra.program import Solution
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.bindings import as_fixed, passed
from optimizer.analysis.plan.extremes import training_optimal
from optimizer.analysis.plan.priced import Cost, Pair
from optimizer.analysis.plan.rounded import whole_at
from optimizer.analysis.plan.saturation import cheapest
from optimizer.analysis.plan.search import pair_of
from optimizer.analysis.plan.settle import placed
from optimizer.analysis.plan.whole import WholePlan
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass, replace


@dataclass(frozen=True, eq=False)
class Against:
    """A plan and the model of its loss of least training compute.

    Attributes:
        point: of the plan, all its variables.
        plan: as a pair.
        equal: the cheapest of models that a budget makes equally good, if it is one.
        s: the reducible loss of both.
        cost: of the plan.
        best: the point of the training-optimal model.
        base: its cost, with its best whole batches and the replicas that it needs.
        breaks: the limits that it breaks.
        fits: whether it is as what is decided asks, breaking none.
    """

    point: Mapping[str, float]
    plan: Pair
    equal: Solution | None
    s: float
    cost: Cost
    best: Mapping[str, float]
    base: Cost
    breaks: tuple[str, ...]
    fits: bool

    @property
    def saved(self) -> float:
        """What the plan saves."""
        return self.base.total - self.cost.total


def against(scenario: Scenario, relaxed: Question, made: WholePlan) -> Against:
    """Puts a plan beside the training-optimal model of its loss.

    Args:
        scenario: with nothing made whole.
        relaxed: the same as mathematics.
        made: its plan.
    """
    if (number := made.plan.scenario.samples) is not None:
        scenario = replace(scenario, samples=number)
    question, solution = made.plan.question, made.plan.solution
    equal = cheapest(question, solution)
    found = {**question.fixed, **(equal or solution).point}
    point = placed(question, {"N": found["N"], "D": found["D"]})
    point = question.complete(point)
    # Of the target through s, which keeps the digits that L − E loses.
    s = question.reducible or question.reducible_at(point)
    best = placed(relaxed, training_optimal(relaxed, s, point))
    _, its = whole_at(scenario, relaxed, best)
    breaks = tuple(limit.name for limit, _ in passed(relaxed.breakable, best))
    return Against(
        point=point,
        plan=pair_of(question, point),
        equal=equal,
        s=s,
        cost=bill(question, point),
        best=best,
        base=bill(its, its.complete(best)),
        breaks=breaks,
        fits=not breaks and as_fixed(question, best),
    )
