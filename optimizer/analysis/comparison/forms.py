"""Two forms of law, fitted to the same runs: what building by the wrong one costs.

A size is decided before training and cannot be changed; the tokens can, for the loss is
watched, and training goes on until the target is met. So the regret of a form is that
of its size, with the tokens that the other form asks for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from optimizer.algebra.program import Solution
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.search import search
from optimizer.question.scenario import Fix, Scenario
from optimizer.records import dataclass

CLOSE = 1e-9  # of ln N, to which the safe size is found


@dataclass(frozen=True)
class SizeRegret:
    """The size of one form's plan, built where the other form is true.

    Attributes:
        built: the law whose size is built.
        true: the law that is true.
        parameters: the size.
        tokens: until the target is met; None where no tokens do.
        ratio: lifetime cost over that of the best plan under `true`, or None.
    """

    built: str
    true: str
    parameters: float
    tokens: float | None
    ratio: float | None


@dataclass(frozen=True)
class Forms:
    """Two forms of law against each other.

    Attributes:
        regrets: each size under the other law.
        safe: the size of least regret, whichever form is true; None where there is
            none between the two plans.
        worst: its regret, the same under both forms.
        tokens: until the safe size meets the target, in the order of the laws.
    """

    regrets: tuple[SizeRegret, SizeRegret]
    safe: float | None
    worst: float | None
    tokens: tuple[float, float] | None


def forms(scenarios: Sequence[Scenario], answers: Sequence[Answer]) -> Forms | None:
    """Sets two forms against each other; None where it is not that question.

    Args:
        scenarios: one scenario under a law and under its pair.
        answers: to them.
    """
    if len(scenarios) != 2 or not _paired(*scenarios):
        return None
    plans = [answer.plan for answer in answers]
    costs = [answer.cost for answer in answers]
    if None in plans or None in costs:
        return None
    if any(not one.spec.seeks or one.spec.fix is not None for one in scenarios):
        return None
    best = [cost.total for cost in costs if cost is not None]
    sizes = [plan.parameters for plan in plans if plan is not None]
    names = [one.law.name for one in scenarios]
    regrets = []
    for built, true in ((0, 1), (1, 0)):
        tokens, ratio = _built(scenarios[true], sizes[built], best[true])
        row = (names[built], names[true], sizes[built], tokens)
        regrets.append(SizeRegret(*row, None if math.isinf(ratio) else ratio))
    return _safe(scenarios, sizes, best, (regrets[0], regrets[1]))


def _paired(one: Scenario, other: Scenario) -> bool:
    same = replace(one, law=other.law).spec.model_copy(
        update={"law": other.spec.law}
    ) == (other.spec)
    return same and other.law.name in (one.law.pair, _stem(one.law.pair))


def _stem(pair: str | None) -> str | None:
    return None if pair is None else pair.rsplit("/", 1)[-1].removesuffix(".yaml")


def _safe(
    scenarios: Sequence[Scenario],
    sizes: Sequence[float],
    best: Sequence[float],
    regrets: tuple[SizeRegret, SizeRegret],
) -> Forms:
    """Where the two regrets meet: each rises away from its own plan.

    In ln N the least cost of a size is convex, as the value of a geometric program
    is, so that on the way from one plan to the other one regret rises and one falls.
    """
    low, high = math.log(sizes[0]), math.log(sizes[1])
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
    if not found or any(math.isinf(ratio) for _, ratio in found):
        return Forms(regrets, None, None, None)
    tokens = found[0][0] or 0.0, found[1][0] or 0.0
    worst = max(ratio for _, ratio in found)
    return Forms(regrets, math.exp((low + high) / 2), worst, tokens)


def _built(scenario: Scenario, N: float, best: float) -> tuple[float | None, float]:
    """The tokens of a size, and its least cost over the optimum; inf where none."""
    least: tuple[float | None, float] = (None, math.inf)
    for one in scenario.singles:
        spec = one.spec.model_copy(update={"fix": Fix(parameters=N)})
        question, found = search(replace(one, spec=spec))
        if isinstance(found, Solution) and found.value / best < least[1]:
            tokens = {**question.fixed, **found.point}["D"]
            least = tokens, found.value / best
    return least
