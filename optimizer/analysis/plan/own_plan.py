"""A plan of the user's own, priced: beside the optimum of the same loss.

Its N and D are decided, so that only machines are left to choose: of the scenario's
lists those that keep the limits at the least cost, in whole batches and replicas. What
it costs more than the optimum is proven by the certificate of that. A limit that it
does not keep is told, and hides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimizer.analysis.plan.bills import amounts, bill
from optimizer.analysis.plan.bindings import passed
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.implied import implied_demand
from optimizer.analysis.plan.overtrained import factor, left_out
from optimizer.analysis.plan.priced import Broken, Cost, Own, Pair
from optimizer.analysis.plan.ranges import beyond
from optimizer.analysis.plan.rounded import whole_at
from optimizer.analysis.plan.wording import amount, either
from optimizer.question.asked import Question
from optimizer.question.at_size import held_at
from optimizer.question.formulate import formulate
from optimizer.question.sampling import settled
from optimizer.question.scenario import OwnPlan, Scenario
from optimizer.records import dataclass
from optimizer.world.limits import Limit

MISSED = 1e-9  # of the reducible loss, above which a target counts as missed


@dataclass(frozen=True)
class Held:
    """A model as one combination of a scenario's lists serves it.

    Attributes:
        question: of that combination, its machines in whole numbers.
        point: the model with all that follows from it.
        cost: its lifetime cost.
        breaks: the limits that it does not keep, each with what it takes.
        place: of the combination among those that were tried.
    """

    question: Question
    point: Mapping[str, float]
    cost: Cost
    breaks: tuple[tuple[Limit, float], ...]
    place: int

    @property
    def misses(self) -> bool:
        """Whether its loss is above the target."""
        s = self.question.reducible
        return s is not None and self.question.reducible_at(self.point) > s * (
            1 + MISSED
        )


def cheapest(
    scenarios: Sequence[Scenario],
    size: Mapping[str, float],
    aimed: bool = False,
    whole: bool = True,
) -> Held:
    """The cheapest combination of lists for a model; of those that keep the limits.

    Of equals it is the one that gives it the lowest loss.

    Args:
        scenarios: without lists, at least one.
        size: N and D.
        aimed: whether those come first in which it reaches the target.
        whole: whether batches and replicas are whole; else they are in fractions.
    """
    found = []
    for place, scenario in enumerate(scenarios):
        question = formulate(scenario)
        if whole:
            _, question = whole_at(scenario, question, size)
        point = question.complete(size)
        breaks = passed(question.limits, point)
        found.append(Held(question, point, bill(question, point), breaks, place))
    return min(
        found,
        key=lambda held: (
            bool(held.breaks),
            aimed and held.misses,
            held.cost.total,
            held.question.reducible_at(held.point),
        ),
    )


def own_plan(scenario: Scenario, own: OwnPlan, best: float | None) -> Own:
    """Prices a plan of the user's own.

    Args:
        scenario: with all its lists.
        own: the plan.
        best: lifetime cost of the optimum, or None where there is none.
    """
    N, D = own.parameters, own.tokens
    size = {"N": N, "D": D}
    ways = [
        (variant.choice, variant.scenario)
        for variant in scenario.variants
        if variant.scenario is not None
    ] or [({}, scenario)]
    singles = [settled(held_at(one, N, fix=None)[0]) for _, one in ways]
    held = cheapest(singles, size, aimed=True)
    question, point = held.question, held.point
    s = question.reducible_at(point)
    extra = None if best is None else held.cost.total - best
    suits = implied_demand(singles, size, s)
    return Own(
        plan=Pair(N, D, D / N, question.surface.loss_of(s), question.samples),
        cost=held.cost,
        amounts=amounts(question, point),
        choice=dict(ways[held.place][0]),
        breaks=tuple(
            Broken(
                limit.name,
                limit.bound,
                used,
                limit.unit,
                scenario.place(limit.name).line or None,
            )
            for limit, used in held.breaks
        ),
        misses=held.misses,
        overtraining=factor(question, N, D),
        attention=question.attention > 0,
        left_out=left_out(question, D),
        extrapolation=beyond(scenario.law, N, D),
        extra=extra,
        fraction=None if extra is None or best is None else extra / best,
        implied_demand=suits.tokens,
        implied_within=suits.within,
        implied_reason=suits.reason or None,
        implied_replicas=suits.filled,
    )


def own_warnings(own: Own) -> tuple[Warning, ...]:
    """What a plan of the user's own fails: limits, or the target."""
    fails = [
        f"takes {amount(wall.value, wall.unit)} where {wall.name} allows "
        f"{amount(wall.bound, wall.unit)}"
        for wall in own.breaks
    ]
    if own.misses:
        fails.append(f"misses the target with a loss of {own.plan.loss:.4f}")
    if not fails:
        return ()
    return (Warning("own-plan", f"your plan {either(fails, 'and')}"),)
