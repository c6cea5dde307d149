"""The robust plan: the cheapest model that reaches its target with a probability.

Each draw of the law has a least number of tokens D_i(N) with which N parameters reach
the target; it is infinite where none do. N parameters therefore need the quantile of
the D_i(N) at the wanted probability, and what remains is a search in N alone. The
quantile of convex functions is not convex, so the search is global: a grid in ln N,
then golden sections around its best few.

Costs and limits are those of the expected numbers, as for `solve`, with whole batches
and replicas. In those the cost jumps with N, where sections would be lost: finer grids
take their place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.comparison.regret import cost_of
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.rounded import fractions, whole_at
from optimizer.analysis.plan.settle import placed
from optimizer.analysis.uncertainty.machines import Decided, priced
from optimizer.question.formulate import formulate
from optimizer.question.law_draws import Drawn
from optimizer.question.scenario import Scenario
from optimizer.question.vary import Plan
from optimizer.records import dataclass
from optimizer.world.costs import value

NEAREST = -20.0  # ln(N/floor − 1) at which the grid starts
STEP = 0.05  # of the grid, in that
DECADES = (3, 6, 12, 24)  # above the floor, until more parameters cost more anyway
VALLEYS = 5  # of the grid that are searched further
SECTIONS = 40  # each shortens a valley to 0.618 of it
FINER = 32  # parts of a grid's step, and of theirs in turn
GRIDS = 4
GOLDEN = (math.sqrt(5) - 1) / 2
KEPT = 1e-11  # ln(value/bound) up to which a limit counts as kept
BROKEN = 1e4  # above any ln of a cost: a plan that breaks a limit
BLOCK = 200_000  # numbers at once


@dataclass(frozen=True)
class RobustPlan:
    """The cheapest plan that reaches the target with a probability.

    Attributes:
        probability: that was asked for.
        parameters: N.
        tokens: D.
        cost_total: at the expected numbers, in the objective's unit.
        reached: the part of the draws in which it reaches the target.
    """

    probability: float
    parameters: float
    tokens: float
    cost_total: float
    reached: float


def robust_plan(
    scenario: Scenario, law: Drawn, probability: float
) -> RobustPlan | None:
    """Finds the cheapest model that reaches the target with a probability.

    Args:
        scenario: with a target, no lists, and no quantization penalty.
        law: the draws.
        probability: above 0 and below 1.

    Returns:
        None where no model within the limits does.
    """
    if not law.count:
        return None
    with np.errstate(all="ignore"):
        return _Search(scenario, law, probability).run()


class _Search:
    """The search in N for one probability."""

    def __init__(self, scenario: Scenario, law: Drawn, probability: float) -> None:
        self.scenario = scenario
        self.question = formulate(scenario)
        self.law = law
        self.probability = probability
        # Rounding must not ask for one draw more: 0.55·100 is above 55.
        self.rank = max(math.ceil(probability * law.count - 1e-9), 1) - 1
        self.floor = float(np.sort(law.floors())[self.rank])
        self.whole = bool(fractions(scenario))

    def run(self) -> RobustPlan | None:
        if not math.isfinite(self.floor):
            return None
        if "N" in self.question.fixed:
            return self._plan(self.question.fixed["N"])
        fewest = float(np.sort(self.law.fewest())[self.rank])
        for decades in DECADES:
            top = decades * math.log(10)
            grid = np.arange(NEAREST, top, STEP)
            values = self._values(grid)
            # Beyond the grid nothing is cheaper: fewer tokens than these never do, and
            # machines in fractions cost no more than whole ones.
            beyond = self._cost(float(self._sizes(grid[-1:])[0]), fewest)
            if values.min() < min(beyond, BROKEN):
                break
        places = self._refined(grid, values)
        values = self._values(places)
        if not values.min() < BROKEN:
            return None
        best = places[int(np.argmin(values))]
        return self._plan(float(self._sizes(np.array([best]))[0]))

    def _refined(self, grid: Array, values: Array) -> Array:
        """The grid's best place and the ends of golden sections around its valleys."""
        padded = np.concatenate([[np.inf], values, [np.inf]])
        valleys = np.flatnonzero(
            (values <= padded[:-2]) & (values <= padded[2:]) & np.isfinite(values)
        )
        valleys = valleys[np.argsort(values[valleys], kind="stable")[:VALLEYS]]
        if not valleys.size:
            return grid[:1]
        low = grid[np.maximum(valleys - 1, 0)]
        high = grid[np.minimum(valleys + 1, len(grid) - 1)]
        if self.whole:
            return self._finer(grid[valleys], low, high)
        for _ in range(SECTIONS):
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            lower = self._values(left) <= self._values(right)
            low, high = np.where(lower, low, left), np.where(lower, right, high)
        return np.concatenate([grid[valleys], low, (low + high) / 2, high])

    def _finer(self, best: Array, low: Array, high: Array) -> Array:
        """The best place of each valley, by grids that are finer in turn."""
        each = np.arange(len(best))
        for _ in range(GRIDS):
            parts = np.linspace(low, high, 2 * FINER + 1)
            places = np.vstack([parts, best])
            values = self._values(places.ravel()).reshape(places.shape)
            best = places[np.argmin(values, axis=0), each]
            step = (high - low) / (2 * FINER)
            low, high = best - step, best + step
        return best

    def _sizes(self, places: Array) -> Array:
        """N at ln(N/floor − 1): even in ln N far from the floor, finer near it."""
        return self.floor * (1 + np.exp(places))

    def _values(self, places: Array) -> Array:
        """Ln of the cost; of a plan that breaks a limit by how far, above any cost."""
        sizes = self._sizes(places)
        tokens = self._tokens(sizes)
        if self.whole:
            return self._whole(sizes, tokens)
        return np.array(
            [self._cost(N, D) for N, D in zip(sizes, tokens, strict=True)], dtype=float
        )

    def _tokens(self, sizes: Array) -> Array:
        step = max(BLOCK // self.law.count, 1)
        found = np.empty(len(sizes))
        for i in range(0, len(sizes), step):
            here = slice(i, i + step)
            tokens = np.partition(self.law.tokens(sizes[here]), self.rank, axis=1)
            found[here] = tokens[:, self.rank]  # no view, which would keep all
        return found

    def _whole(self, sizes: Array, tokens: Array) -> Array:
        """The same with whole batches, and the fewest replicas that carry them."""
        fixed = self.question.fixed.get("D")
        over = np.full(len(sizes), -np.inf)
        if fixed is not None:
            over, tokens = np.log(tokens / fixed), np.maximum(tokens, fixed)
        reached = np.flatnonzero(np.isfinite(tokens))
        values = np.full(len(sizes), np.inf)
        plan, inputs = Plan(self.scenario, ()), np.zeros((len(reached), 0))
        N, D = sizes[reached], tokens[reached]
        costs, broken = priced(plan, inputs, Decided(), N, D)
        most = np.maximum(broken, over[reached])
        found = np.where(most > KEPT, BROKEN + most, np.log(costs))
        values[reached] = np.where(np.isnan(found), np.inf, found)
        return values

    def _cost(self, N: float, D: float) -> float:
        if not math.isfinite(D):
            return math.inf
        fixed = self.question.fixed.get("D")
        over = -math.inf if fixed is None else math.log(D / fixed)
        if fixed is not None:
            D = max(D, fixed)
        point = self.question.complete({"N": float(N), "D": float(D)})
        for limit in self.question.breakable:
            used = sum(value(term, point) for term in limit.terms)
            if used > 0:
                over = max(over, math.log(used / limit.bound))
        if over > KEPT:
            return BROKEN + over
        return math.log(cost_of(self.question, point))

    def _plan(self, N: float) -> RobustPlan | None:
        D = float(self._tokens(np.array([N]))[0])
        if not self._cost(N, D) < BROKEN:
            return None
        D = max(D, self.question.fixed.get("D", D))
        size = placed(self.question, {"N": N, "D": D})
        _, question = whole_at(self.scenario, self.question, size)
        return RobustPlan(
            self.probability,
            size["N"],
            size["D"],
            bill(question, question.complete(size)).total,
            self.law.reached(N, D),
        )


def cheapest(plans: Sequence[RobustPlan | None]) -> RobustPlan | None:
    """The cheapest of several; None where there is none."""
    known = [plan for plan in plans if plan is not None]
    return min(known, key=lambda plan: plan.cost_total) if known else None
