"""The robust plan: the cheapest model that reaches its target with a probability.

Each draw of the law has a least number of tokens D_i(N) with which N parameters reach
the target; it is infinite where none do. N parameters therefore need the quantile of
the D_i(N) at the wanted probability, and what remains is a search in N alone. The
quantile of convex functions is not convex, so the search is global: a grid in ln N,
then golden sections around its best few.

Costs and limits are those of the expected demand, as for `solve`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.analysis.bills import bill
from optimizer.analysis.regret import cost_of
from optimizer.formulate import formulate
from optimizer.posynomial import Array, Integers
from optimizer.question import Question
from optimizer.scenario import Scenario
from optimizer.vary import Plan, groups
from optimizer.world.costs import value
from optimizer.world.laws import load_law
from optimizer.world.repetition import Repetition, saturation

NEAREST = -20.0  # ln(N/floor − 1) at which the grid starts
STEP = 0.05  # of the grid, in that
DECADES = (3, 6, 12, 24)  # above the floor, until more parameters cost more anyway
VALLEYS = 5  # of the grid that are searched further
SECTIONS = 40  # each shortens a valley to 0.618 of it
HALVINGS = 48
GOLDEN = (math.sqrt(5) - 1) / 2
TOUCHING = 1e-9  # of a target that counts as reached
KEPT = 1e-11  # ln(value/bound) up to which a limit counts as kept
BROKEN = 1e4  # above any ln of a cost: a plan that breaks a limit
BLOCK = 200_000  # numbers at once


@dataclass(frozen=True, eq=False)
class Drawn:
    """The draws of a law's surface and of the target under it, `(draws,)` each.

    Attributes:
        A: of the surface; so are B, alpha and beta.
        B: likewise.
        alpha: likewise.
        beta: likewise.
        s: the reducible loss to reach; at or below 0 no model does.
        repetition: how data repeat, or None.
    """

    A: Array
    B: Array
    alpha: Array
    beta: Array
    s: Array
    repetition: Repetition | None = None

    @property
    def count(self) -> int:
        """How many draws are a law."""
        return len(self.s)

    def floors(self) -> Array:
        """The size that must be exceeded in each draw, `(draws,)`."""
        return _root(self.A, self.s, self.alpha)

    def fewest(self) -> Array:
        """The tokens that no size makes unnecessary, `(draws,)`."""
        return _root(self.B, self.s, self.beta)

    def of(self, draws: Integers) -> Drawn:
        """Some of the draws, in any order."""
        parts = (self.A, self.B, self.alpha, self.beta, self.s)
        A, B, alpha, beta, s = (part[draws] for part in parts)
        return Drawn(A, B, alpha, beta, s, self.repetition)

    def tokens(self, N: Array) -> Array:
        """The least tokens with which each size reaches each target.

        Args:
            N: sizes, `(sizes,)`.

        Returns:
            `(sizes, draws)`; infinite where no number of tokens does.
        """
        sizes = N[:, None]
        if self.repetition is None:
            return self.fresh(sizes)
        return _repeated(self, self.repetition, sizes)

    def reached(self, N: float, D: float) -> float:
        """The part of the draws in which a model reaches the target."""
        with np.errstate(all="ignore"):
            least = self.tokens(np.array([N]))[0]
        return float((least <= D * (1 + TOUCHING)).mean())

    def fresh(self, sizes: Array) -> Array:
        """The same on data that never repeat, for sizes that broadcast to the draws."""
        rest = self.s - self.A * sizes**-self.alpha
        return _root(self.B, rest, self.beta)


@dataclass(frozen=True)
class RobustPlan:
    """The cheapest plan that reaches the target with a probability.

    Attributes:
        probability: that was asked for.
        parameters: N.
        tokens: D.
        cost_total: at the expected demand, in the objective's unit.
        reached: the part of the draws in which it reaches the target.
    """

    probability: float
    parameters: float
    tokens: float
    cost_total: float
    reached: float


def drawn(plan: Plan) -> Drawn:
    """Takes the surface and target of every draw from a plan of one axis of draws.

    Draws whose coefficients are no law are left out.
    """
    scenario = plan.scenario
    # The loss alone matters here: no demand, and data that repeat come later.
    data = scenario.spec.data.model_copy(update={"unique_tokens": None})
    bare = replace(scenario, spec=scenario.spec.model_copy(update={"data": data}))
    columns = plan.columns(0, plan.count)
    for index, number in enumerate(plan.numbers):
        if number.path[0] != "law":
            columns[:, index] = columns[0, index]
    found = np.full((5, plan.count), np.nan)
    for group in groups(Plan(bare, plan.axes), columns, lambda _, question: question):
        question = group.view
        if question is None or question.reducible is None:
            continue
        surface = question.surface
        symbols = (surface.A, surface.B, surface.alpha, surface.beta)
        for row, each in enumerate((*symbols, question.reducible)):
            found[row, group.rows] = np.asarray(each, dtype=float)
    known = found[:, np.isfinite(found).all(axis=0)]
    A, B, alpha, beta, s = known
    return Drawn(A, B, alpha, beta, s, _repetition(scenario))


def _repetition(scenario: Scenario) -> Repetition | None:
    """As `formulate` reads it."""
    unique = scenario.spec.data.unique_tokens
    if unique is None:
        return None
    stars = scenario.law.extras
    if "R_D_star" not in stars:
        stars = load_law("muennighoff-2023").extras
    return Repetition(unique, stars["R_D_star"], stars.get("R_N_star"))


def _root(factor: Array, rest: Array, power: Array) -> Array:
    """(factor/rest)^(1/power); infinite where nothing is left."""
    left = np.where(rest > 0, rest, np.nan)
    found = (factor / left) ** (1 / power)
    return np.where(np.isnan(found), np.inf, found)


def _repeated(law: Drawn, repetition: Repetition, sizes: Array) -> Array:
    """The least tokens where data repeat; either all unique ones are read, or few.

    With all of them D' = U·(1 + R·(1 − exp(−(D/U − 1)/R))) is solved for D. With
    D < U there is no repetition, but N' depends on D: a bisection in ln D.
    """
    unique, R = repetition.unique, repetition.R_D
    needed = _needed(law, repetition, sizes, np.log(unique))
    more = np.maximum(needed / unique - 1, 0.0)
    left = 1 - more / R
    many = unique * (1 - R * np.log(np.where(left > 0, left, np.nan)))
    many = np.where(left > 0, many, np.inf)
    if repetition.R_N is None:
        return np.where(needed < unique, needed, many)
    rows, draws = np.nonzero(needed < unique)
    few = law.of(draws)
    low, high = np.log(few.fresh(sizes[rows, 0])), np.full(len(rows), math.log(unique))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = _needed(few, repetition, sizes[rows, 0], middle) <= np.exp(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    many[rows, draws] = np.exp(high)
    return many


def _needed(
    law: Drawn, repetition: Repetition, sizes: Array, log_unique: Array
) -> Array:
    """The D' that N needs where so many unique tokens are read."""
    worth = sizes
    if repetition.R_N is not None:
        ratio = law.alpha * law.A / (law.beta * law.B)
        supported = (np.log(ratio) + law.beta * log_unique) / law.alpha
        gain, _, _ = saturation(np.log(sizes) - supported, repetition.R_N)
        worth = np.exp(supported + gain)
    return _root(law.B, law.s - law.A * worth**-law.alpha, law.beta)


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
        return _Search(formulate(scenario), law, probability).run()


class _Search:
    """The search in N for one probability."""

    def __init__(self, question: Question, law: Drawn, probability: float) -> None:
        self.question = question
        self.law = law
        self.probability = probability
        # Rounding must not ask for one draw more: 0.55·100 is above 55.
        self.rank = max(math.ceil(probability * law.count - 1e-9), 1) - 1
        self.floor = float(np.sort(law.floors())[self.rank])

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
            # Beyond the grid nothing is cheaper: fewer tokens than these never do.
            beyond = self._cost(float(self._sizes(grid[-1:])[0]), fewest)
            if values.min() < min(beyond, BROKEN):
                break
        places = self._refined(grid, values)
        best = places[int(np.argmin(self._values(places)))]
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
        for _ in range(SECTIONS):
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            lower = self._values(left) <= self._values(right)
            low, high = np.where(lower, low, left), np.where(lower, right, high)
        return np.concatenate([grid[valleys], low, (low + high) / 2, high])

    def _sizes(self, places: Array) -> Array:
        """N at ln(N/floor − 1): even in ln N far from the floor, finer near it."""
        return self.floor * (1 + np.exp(places))

    def _values(self, places: Array) -> Array:
        """Ln of the cost; of a plan that breaks a limit by how far, above any cost."""
        sizes = self._sizes(places)
        tokens = self._tokens(sizes)
        return np.array(
            [self._cost(N, D) for N, D in zip(sizes, tokens, strict=True)], dtype=float
        )

    def _tokens(self, sizes: Array) -> Array:
        step = max(BLOCK // self.law.count, 1)
        parts = [
            np.partition(self.law.tokens(sizes[i : i + step]), self.rank, axis=1)
            for i in range(0, len(sizes), step)
        ]
        return np.concatenate([part[:, self.rank] for part in parts])

    def _cost(self, N: float, D: float) -> float:
        if not math.isfinite(D):
            return math.inf
        fixed = self.question.fixed.get("D")
        over = -math.inf if fixed is None else math.log(D / fixed)
        if fixed is not None:
            D = max(D, fixed)
        point = self.question.complete({"N": float(N), "D": float(D)})
        for limit in (*self.question.limits, *self.question.physics):
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
        point = self.question.complete({"N": N, "D": D})
        return RobustPlan(
            self.probability,
            N,
            D,
            bill(self.question, point).total,
            self.law.reached(N, D),
        )


def cheapest(plans: Sequence[RobustPlan | None]) -> RobustPlan | None:
    """The cheapest of several; None where there is none."""
    known = [plan for plan in plans if plan is not None]
    return min(known, key=lambda plan: plan.cost_total) if known else None
