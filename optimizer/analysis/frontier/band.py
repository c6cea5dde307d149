"""How sure a frontier is: the least cost of each of its losses in draws of the law.

A draw that cannot reach a loss counts as one that is infinitely dear, so the upper end
of the band is open where more than 5 % of the draws cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.frontier.frontier import Frontier, frontier, steps
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, sweep
from optimizer.analysis.uncertainty.beside import PERCENTS
from optimizer.analysis.uncertainty.uncertainty import (
    Uncertainty,
    uncertainty,
)
from optimizer.errors import InputError
from optimizer.question.load import read_document
from optimizer.question.scenario import Scenario
from optimizer.question.vary import Plan, of_law
from optimizer.question.vary import plan as varied
from optimizer.records import dataclass, replace

POINTS = 41
DRAWS = 200
REPORTED = 400  # draws of the distribution in a report


@dataclass(frozen=True)
class Band:
    """Percentiles of the least cost at each point of a frontier, in its order.

    Attributes:
        draws: of the law, that are a law.
        low: the 5th; None where fewer draws than that reach the loss.
        middle: the 50th.
        high: the 95th.
    """

    draws: int
    low: tuple[float | None, ...]
    middle: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class Banded:
    """A frontier and its band; None where the law states no uncertainty."""

    frontier: Frontier
    law: str
    band: Band | None


def band_steps(scenario: Scenario, points: int = POINTS) -> int:
    """Of how many steps `banded` tells, about: the band is half of them."""
    return 2 * steps(scenario, points)


def banded(
    scenario: Scenario,
    points: int = POINTS,
    count: int = DRAWS,
    advance: Callable[[int], object] = lambda _steps: None,
) -> Banded | None:
    """The frontier of loss against lifetime cost, with its band.

    Args:
        scenario: from `load_scenario`.
        points: along the frontier.
        count: draws of the law.
        advance: is told of steps that are done.

    Returns:
        None where fewer than two losses have a plan.
    """
    found = frontier(scenario, points, advance=advance)
    if len(found.points) < 2:
        return None
    part = steps(scenario, points) / (len(found.points) * count)

    def drawn(rows: int) -> None:
        advance(round(part * rows))

    return Banded(found, scenario.law.name, _band(scenario, found, count, drawn))


def _band(
    scenario: Scenario, found: Frontier, count: int, advance: Callable[[int], object]
) -> Band | None:
    law = scenario.law
    if law.covariance is None and law.draws is None:
        return None
    if not scenario.streams:
        # A budget may stand without a demand; the targets of the band may not.
        nothing = ["demand.tokens=0"]
        scenario = read_document(scenario.document, scenario.base, nothing)
    losses = ",".join(repr(point.loss) for point in found.points)
    base = varied(scenario, [f"target.loss={losses}"])
    # The frontier is that of the expected numbers.
    alone = of_law(base.scenario, count, 0)
    plan = Plan(base.scenario, (*base.axes, *alone.axes))
    cost = list(RESULTS).index("cost_total")
    parts = []
    for rows in sweep(plan, lambda: False):
        costs = rows.results[:, cost].copy()
        costs[rows.status == STATUSES.index("infeasible")] = math.inf
        parts.append(costs)
        advance(len(costs))
    costs = np.concatenate(parts).reshape(len(found.points), count)
    costs = costs[:, ~np.isnan(costs).any(axis=0)]
    if not costs.size:
        return None
    low, middle, high = _percentiles(costs)
    return Band(costs.shape[1], low, middle, high)


def _percentiles(costs: Array) -> list[tuple[float | None, ...]]:
    """Of each row; of single draws, for there is no mean with an infinite one."""
    ends = np.percentile(costs, PERCENTS, axis=1, method="inverted_cdf").tolist()
    return [tuple(v if math.isfinite(v) else None for v in row) for row in ends]


def distribution(
    scenario: Scenario,
    count: int = REPORTED,
    advance: Callable[[int], object] = lambda _draws: None,
) -> Uncertainty | None:
    """The draws of a scenario; None where nothing moves its size.

    Args:
        scenario: from `load_scenario`.
        count: draws of all that it states as uncertain.
        advance: is told of draws that are done.
    """
    try:
        found = uncertainty(scenario, count, advance=advance)
    except InputError:
        return None  # nothing is uncertain
    size = found.intervals.get("parameters")
    if size is None or size.p95 < size.p5 * 1.001:
        return None
    return replace(found, sizes=tuple(N for N in found.sizes if math.isfinite(N)))
