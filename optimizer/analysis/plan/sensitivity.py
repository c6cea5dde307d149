"""What moves the answer: d ln optimum / d ln input for every number.

By the envelope theorem only the direct dependence counts: with shares σ of the terms
and multipliers λ,

    d ln f0* / dθ = Σ_t σ_t (d ln c_t/dθ + z·da_t/dθ) + Σ_i λ_i Σ_t σ_it (…).

*Source*: Boyd, Kim, Vandenberghe & Hassibi 2007, section 3.3, for the multipliers;
the derivatives of the coefficients come by a complex step through `formulate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from optimizer.algebra.composite import Composite
from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Function, GeometricProgram, Solution
from optimizer.engine.arrays import arrays, at
from optimizer.engine.cone import extent
from optimizer.errors import Mark
from optimizer.question.asked import Question
from optimizer.question.inputs import STEP, each_stepped, inputs, stepped
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.records import dataclass, replace

SAME = 1e-9  # two sides that differ by less are one
# Inputs that decide where something else takes over: a lifetime of whole months ends
# before a month of another rate, and the longest of several streams sizes the cache.
KINKED = frozenset({"lifetime", "input_tokens", "output_tokens"})
SINGULAR = 1e-7  # of a gradient: below it there is none
BINDING = 1e-8  # |ln g| below which a constraint counts as met with equality


@dataclass(frozen=True)
class Sensitivity:
    """The elasticity of the optimum to one input.

    Attributes:
        input: its dotted path.
        value: its value, in the base unit of its kind.
        elasticity: d ln optimum / d ln input; None for an input at zero, and where
            the two sides differ.
        left: the elasticity towards smaller values, where the sides differ.
        right: towards larger values, likewise; None there means that the scenario
            becomes infeasible on that side.
        line: the line of the file, or None for a law's coefficient.
        source: `--set …` where that gave it, `law`, or the place in the file.
    """

    input: str
    value: float
    elasticity: float | None
    left: float | None
    right: float | None
    line: int | None
    source: str = ""


def sensitivities(
    scenario: Scenario,
    solution: Solution,
    asked: Callable[[Scenario], GeometricProgram],
) -> tuple[Sensitivity, ...]:
    """Returns the total derivative of the optimum to every input, to both sides.

    Args:
        scenario: whose inputs move.
        solution: the optimum.
        asked: from the scenario with inputs moved, one for each of many members, to
            the program that it asks.
    """
    choices = _Multipliers(solution)
    items = [item for item in inputs(scenario) if _moves(item.path)]
    kinked = {item.path for item in items if KINKED.intersection(item.path)}
    moves = [
        (item.path, side)
        for item in items
        if item.value != 0
        for side in ((1, -1) if item.path in kinked else (1,))
    ]
    slopes: dict[tuple[Steps, int], tuple[float | None, float | None]] = {}
    for rows, moved in each_stepped(scenario, moves, asked):
        mine = [moves[row] for row in rows.tolist()]
        slopes.update(zip(mine, choices.sides(moved, mine), strict=True))
    found = []
    for item in items:
        line, where = place(scenario, item.path)
        if item.value == 0:
            found.append(Sensitivity(item.name, 0.0, None, None, None, line, where))
            continue
        left, right = slopes[item.path, 1]
        if item.path in kinked:
            left, _ = slopes[item.path, -1]
        same = left is not None and right is not None and abs(left - right) < SAME
        whole, left, right = (right, None, None) if same else (None, left, right)
        found.append(
            Sensitivity(item.name, item.value, whole, left, right, line, where)
        )
    return tuple(found)


def _moves(path: Steps) -> bool:
    """Whether a plan is a smooth function of a number, if of it at all.

    The accelerators of a replica are few and whole, so that there is no per cent of
    them. A plan is one without a teacher; `student_moves` is of the student.
    """
    return path[0] != "distillation" and (
        path[-1] != "accelerators" or "serving" not in path
    )


def of_loss(
    scenario: Scenario,
    question: Question,
    value: float,
    moves: Sequence[Sensitivity],
) -> tuple[Sensitivity, ...]:
    """The same of L − E under a budget, where that is a power k of what is minimised.

    With u the least sum of powers of N and D, ln(L − E) = k·ln u, and a law's own k
    moves it too.

    Args:
        scenario: whose inputs moved.
        question: the same as mathematics.
        value: u.
        moves: the elasticities of u; left as they are where k is 1.
    """
    k = question.measured
    if k == 1:
        return tuple(moves)

    def moved(name: str, slope: float | None) -> float | None:
        if slope is None:
            return None
        of_k = _outer_slope(scenario, name) if name.startswith("law.") else 0.0
        return k * slope + of_k * math.log(value)

    return tuple(
        replace(
            move,
            elasticity=moved(move.input, move.elasticity),
            left=moved(move.input, move.left),
            right=moved(move.input, move.right),
        )
        for move in moves
    )


def _outer_slope(scenario: Scenario, name: str) -> float:
    """The derivative of a law's outer exponent to ln of a coefficient."""
    moved = stepped(scenario, tuple(name.split("."))).law
    return complex(moved.surface(scenario.spec.mixture).outer).imag / STEP


def looser(moves: Sequence[Sensitivity]) -> dict[str, float]:
    """The elasticities to larger values of the inputs whose two sides differ."""
    return {
        move.input: move.right
        for move in moves
        if move.elasticity is None and move.right is not None
    }


def place(scenario: Scenario, path: Steps) -> tuple[int | None, str]:
    """The line of a number, and where it came from in words.

    That is the file, the command line, or the law.
    """
    mark = _mark(scenario, path)
    line = None if mark is None else mark.line or None
    if path[0] != "law":
        return line, str(scenario.document.mark(path))
    return line, "law" if mark is None else str(mark)


def _mark(scenario: Scenario, path: Steps) -> Mark | None:
    """Where a number stands in the file, or in a `--set` on top of a law's own file."""
    document = scenario.document
    full = ("law", "coefficients", *path[1:]) if path[0] == "law" else path
    for inner, _, mark in reversed(document.deferred):
        if inner in (path, full):
            return mark
    known = (document.marks.get(place) for place in (path, full))
    return next((mark for mark in known if mark is not None), None)


def _partial(moved: Function, shares: Array, z: Array) -> Array:
    """The derivatives d ln f / d ln θ at a fixed point, from the complex terms."""
    if isinstance(moved, Composite):
        return np.asarray(moved.log_terms(z[None]).imag @ shares / STEP)
    # Of so small a step the logarithm's imaginary part is the relative one.
    logs = moved.coefficients.imag / moved.coefficients.real
    return np.asarray((logs + moved.exponents.imag @ z) @ shares / STEP)


def _independent(rows: Array) -> bool:
    """Whether no row is nearly a sum of the others."""
    if len(rows) <= 1:  # the rule
        return not len(rows) or bool(np.abs(rows).max() > SINGULAR)
    return bool(np.linalg.matrix_rank(rows, tol=SINGULAR) == len(rows))


class _Multipliers:
    """All the multipliers that satisfy the optimality conditions at a point.

    Where more bounds meet in a point than its gradients are independent, the
    multipliers are not unique, and the optimum has one derivative to each side:
    the least and the greatest over the set. *Source*: Bonnans & Shapiro,
    Perturbation Analysis of Optimization Problems (2000), theorem 4.24.
    """

    def __init__(self, solution: Solution) -> None:
        self.z, self.prices = solution.optimum
        here = at(solution)
        self.shares = np.split(here.share[0], arrays(solution.program).starts[1:])
        self.active = np.flatnonzero(np.abs(here.value[0, 1:]) <= BINDING)
        self.jacobian = here.gradient[0, 1 + self.active]
        self.gradient = here.gradient[0, 0]
        self.unique = _independent(self.jacobian)

    def sides(
        self, moved: GeometricProgram, moves: Sequence[tuple[Steps, int]]
    ) -> list[tuple[float | None, float | None]]:
        """The derivatives to smaller and to larger values of each of some inputs.

        Args:
            moved: the programs with the inputs stepped, one member each.
            moves: of each member what was stepped, and 1 if up, −1 if down; the side
                matters at a kink only.
        """
        sides = np.array([side for _, side in moves])
        rows = [
            np.broadcast_to(_partial(function, parts, self.z), sides.shape) * sides
            for function, parts in zip(moved.functions, self.shares, strict=True)
        ]
        direct, weights = rows[0], np.array(rows[1:]).reshape(-1, len(moves)).T
        if self.unique:
            totals = (direct + weights @ self.prices).tolist()
            return [(total, total) for total in totals]
        ends = [self.extremes(each) for each in weights]
        return [
            (None if low is None else own + low, None if high is None else own + high)
            for own, (low, high) in zip(direct.tolist(), ends, strict=True)
        ]

    def extremes(self, weights: Array) -> tuple[float | None, float | None]:
        """The least and the greatest Σ λ_i · weight_i; None where unbounded."""
        return extent(self.jacobian, -self.gradient, weights[self.active])
