"""Two forms of law, fitted to the same runs: what building by the wrong one costs.

A size is decided before training and cannot be changed; the tokens can, for the loss is
watched, and training goes on until the target is met. So the regret of a form is that
of its size, with the tokens that the other form asks for. Under a budget training goes
on until it is spent, and the regret is in loss, which means the same under both forms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from optimizer.algebra.program import Solution
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import for_lifetime
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.search import search
from optimizer.question.scenario import Fix, Scenario
from optimizer.records import dataclass, replace

CLOSE = 1e-9  # of ln N, to which the safe size is found


@dataclass(frozen=True)
class SizeRegret:
    """The size of one form's plan, built where the other form is true.

    Attributes:
        built: the law whose size is built.
        true: the law that is true.
        parameters: the size.
        tokens: until the target is met or the budget spent; None where there are none.
        ratio: lifetime cost over that of the best plan under `true`, or None.
        excess: of a budget, the loss above that of the best plan [loss], or None.
    """

    built: str
    true: str
    parameters: float
    tokens: float | None
    ratio: float | None
    excess: float | None = None


@dataclass(frozen=True)
class Forms:
    """Two forms of law against each other.

    Attributes:
        regrets: each size under the other law.
        safe: the size of least regret, whichever form is true; None where there is
            none between the two plans.
        worst: its regret, the same under both forms; None of a budget.
        tokens: until the safe size meets the target, or has spent the budget, in the
            order of the laws.
        excess: of a budget, the regret of the safe size in loss; else None.
        fractions: whether the regrets are of machines in fractions, which a plan has
            whole.
    """

    regrets: tuple[SizeRegret, SizeRegret]
    safe: float | None
    worst: float | None
    tokens: tuple[float, float] | None
    excess: float | None = None
    fractions: bool = False


def forms(scenarios: Sequence[Scenario], answers: Sequence[Answer]) -> Forms | None:
    """Sets two forms against each other; None where it is not that question.

    Args:
        scenarios: one scenario under a law and under its pair.
        answers: to them.
    """
    if len(scenarios) != 2 or not _paired(*scenarios):
        return None
    plans = [answer.plan for answer in answers if answer.plan is not None]
    costs = [answer.cost for answer in answers if answer.cost is not None]
    if len(plans) != len(answers) or len(costs) != len(answers):
        return None
    if any(one.spec.fix is not None or for_lifetime(one) for one in scenarios):
        return None
    seeks = [one.spec.seeks for one in scenarios]
    if not all(seeks) and (any(seeks) or None in [x.spec.budget for x in scenarios]):
        return None
    best = [_best(one, plan) for one, plan in zip(scenarios, plans, strict=True)]
    sizes = [plan.parameters for plan in plans]
    names = [one.law.name for one in scenarios]
    regrets = []
    for built, true in ((0, 1), (1, 0)):
        tokens, regret = _built(scenarios[true], sizes[built], best[true])
        row = (names[built], names[true], sizes[built], tokens)
        told = None if math.isinf(regret) else regret
        regrets.append(SizeRegret(*row, *((told, None) if seeks[0] else (None, told))))
    safe = _safe(scenarios, plans, best, (regrets[0], regrets[1]))
    return replace(safe, fractions=any(map(fractions, scenarios)))


def _paired(one: Scenario, other: Scenario) -> bool:
    same = replace(one, law=other.law).spec.model_copy(
        update={"law": other.spec.law}
    ) == (other.spec)
    return same and other.law.name in (one.law.pair, _stem(one.law.pair))


def _stem(pair: str | None) -> str | None:
    return None if pair is None else pair.rsplit("/", 1)[-1].removesuffix(".yaml")


def _safe(
    scenarios: Sequence[Scenario],
    plans: Sequence[Pair],
    best: Sequence[float],
    regrets: tuple[SizeRegret, SizeRegret],
) -> Forms:
    """Where the two regrets meet: each rises away from its own plan.

    In ln N the least cost of a size is convex, as the value of a geometric program
    is, so that on the way from one plan to the other one regret rises and one falls.
    """
    low, high = (math.log(plan.parameters) for plan in plans)
    found: list[tuple[float | None, float]] = []
    while abs(high - low) > CLOSE:
        middle = (low + high) / 2
        found = [
            _built(one, math.exp(middle), total)
            for one, total in zip(scenarios, best, strict=True)
        ]
        if found[0][1] > found[1][1]:
            high = middle
        else:
            low = middle
    if not found or any(math.isinf(regret) for _, regret in found):
        return _one_of_both(regrets, plans)
    tokens = found[0][0] or 0.0, found[1][0] or 0.0
    worst = max(regret for _, regret in found)
    safe = math.exp((low + high) / 2)
    if scenarios[0].spec.seeks:
        return Forms(regrets, safe, worst, tokens)
    return Forms(regrets, safe, None, tokens, worst)


def _best(scenario: Scenario, plan: Pair) -> float:
    """The least cost or loss in fractions of machines, as that of any size is."""
    found = [search(one)[1] for one in scenario.singles] if scenario.spec.seeks else []
    values = [one.value for one in found if isinstance(one, Solution)]
    return min(values, default=plan.loss)


def _one_of_both(
    regrets: tuple[SizeRegret, SizeRegret], plans: Sequence[Pair]
) -> Forms:
    """The size of the plan that is one under the other form, too, if either is.

    A limit that holds both leaves none of the sizes between them.
    """

    def lost(row: SizeRegret) -> float:
        told = row.ratio if row.excess is None else row.excess
        return math.inf if told is None else told

    place = min((0, 1), key=lambda place: lost(regrets[place]))
    row, own = regrets[place], plans[place].tokens
    if row.tokens is None or math.isinf(lost(row)):
        return Forms(regrets, None, None, None)
    tokens = (own, row.tokens) if place == 0 else (row.tokens, own)
    return Forms(regrets, row.parameters, row.ratio, tokens, row.excess)


def _built(scenario: Scenario, N: float, best: float) -> tuple[float | None, float]:
    """The tokens of a size, and its regret; inf where there are none.

    That is its least cost over the optimum, or its least loss above it.
    """
    least: tuple[float | None, float] = (None, math.inf)
    for one in scenario.singles:
        spec = one.spec.model_copy(update={"fix": Fix(parameters=N)})
        question, found = search(replace(one, spec=spec))
        if not isinstance(found, Solution):
            continue
        size = {**question.fixed, **found.point}
        if scenario.spec.seeks:
            regret = found.value / best
        else:
            regret = question.loss_at(size) - best
        if regret < least[1]:
            least = size["D"], regret
    return least
