"""Rounding a plan to sizes that exist, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optimizer.analysis.optimum import solve
from optimizer.program import Status
from optimizer.scenario import Fix, Scenario

EQUAL = 0.01  # plans within this of the optimum are equal for all that is known


@dataclass(frozen=True)
class Size:
    """One size that exists.

    Attributes:
        name: as it was given.
        parameters: N.
        tokens: D that the target or the budget gives it; None if it cannot.
        total: the lifetime cost, or the loss under a budget; None likewise.
        fraction: above the optimum, as a fraction of it.
        equal: whether that is within 1 %, where plans count as equal.
    """

    name: str
    parameters: float
    tokens: float | None
    total: float | None
    fraction: float | None
    equal: bool


@dataclass(frozen=True)
class Snap:
    """The sizes that exist, and the best of them; None if none reaches the target."""

    sizes: tuple[Size, ...]
    best: Size | None


def snap(scenario: Scenario, sizes: Sequence[tuple[str, float]]) -> Snap:
    """Solves the scenario with each size fixed in turn.

    Args:
        scenario: its own `fix`, if any, is set aside.
        sizes: name and parameters of each.
    """
    rows = tuple(_size(scenario, name, N) for name, N in sizes)
    reached = [row for row in rows if row.fraction is not None]
    best = min(reached, key=lambda row: row.fraction or 0.0) if reached else None
    return Snap(rows, best)


def _held(scenario: Scenario, N: float) -> Scenario:
    spec = scenario.spec.model_copy(update={"fix": Fix(parameters=N)})
    return replace(scenario, spec=spec)


def _size(scenario: Scenario, name: str, N: float) -> Size:
    answer = solve(scenario.every(lambda one: _held(one, N)))
    if answer.status is not Status.OPTIMAL or answer.plan is None or not answer.fixed:
        return Size(name, N, None, None, None, False)
    total = answer.plan.loss
    if answer.target_loss is not None and answer.cost is not None:
        total = answer.cost.total
    fraction = answer.fixed.fraction
    return Size(name, N, answer.plan.tokens, total, fraction, fraction <= EQUAL)
