"""The near-optimal range: the optimum is flat in N, and this says how flat.

The smallest and the largest N whose best plan costs at most (1 + ε) times the
optimum are geometric programs too: minimise N or 1/N under cost ≤ (1 + ε)·optimum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from optimizer.algebra.posynomial import Array, Integers, Posynomial
from optimizer.algebra.program import (
    Constraint,
    GeometricProgram,
    Solution,
    Status,
    members,
)
from optimizer.analysis.plan.answer import NearOptimal
from optimizer.engine.arrays import arrays, at, bend
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.cone import spans
from optimizer.engine.solve import attempt_each, attempt_members, solve
from optimizer.question.asked import SIZE, Question
from optimizer.records import dataclass

WITHIN = (0.01, 0.05)
DIGITS = 1e-5  # an end of the range is told to five digits
BINDING = 1e-9  # |ln g| below which a constraint counts as met with equality
HOLDS = 1e-12  # a multiplier above which a constraint holds the end of a range
WORDS = ("limits.", "budget.", "data.unique_tokens", "serving.m", "demand.")
POWERS = (1.0, -1.0)  # of N, least at the lower end of a range, and at the upper


def near_to(question: Question, solution: Solution) -> tuple[NearOptimal, ...]:
    """The sizes near the optimum of a question, whatever has been decided."""
    if question.fixed:
        solution = solve(question.free, question.start(question.free))
    return near_optimal(solution, measured=question.measured)


def near_optimal(
    solution: Solution, value: float | None = None, measured: float = 1.0
) -> tuple[NearOptimal, ...]:
    """Finds the range of sizes within 1 % and 5 % of a program's optimum.

    A range whose ends cannot be certified, as where bounds leave next to no room, is
    left out rather than guessed.

    Args:
        solution: the optimum.
        value: what the ranges are within 1 % and 5 % of; the optimum if None.
        measured: the power of the value that they are of, as `Question.measured`.
    """
    return ranged(pairs(solution, value, measured))


@dataclass(frozen=True, eq=False)
class End:
    """An end of a range.

    Attributes:
        found: of its `end_program`.
        program: whose range it ends; None where its size leaves no tokens to choose.
        guess: of the λ of that, `(constraints,)`.
    """

    found: Solution
    program: GeometricProgram | None
    guess: Array

    @property
    def size(self) -> float:
        """The size."""
        return self.found.point["N"]

    @property
    def open(self) -> bool:
        """Whether a limit ends the range before the cost does, so that D is open."""
        return self.program is not None and not (
            self.found.optimum[1][-1] > 0 or _settled(self.found)
        )

    @property
    def held_by(self) -> str | None:
        """The word of the scenario that ends the range; None where its cost does."""
        if self.program is None:
            held = _binding(self.found)
        else:
            weights = self.found.optimum[1]
            if weights[-1] > 0:
                return None
            pairs = zip(self.found.program.constraints, weights, strict=True)
            held = [c for c, weight in pairs if weight > HOLDS]
        words = (c.name for c in held)
        return next((word for word in words if word.startswith(WORDS)), None)


Pairs = Mapping[float, Sequence[End]]
Outer = Mapping[float, Sequence[End | None]]


def pairs(
    solution: Solution, value: float | None = None, measured: float = 1.0
) -> Pairs:
    """Both ends of each range, by what it is within; arguments as `near_optimal`."""
    if _pinned(solution):
        return dict.fromkeys(WITHIN, [End(solution, None, solution.optimum[1])] * 2)
    found: dict[float, Sequence[End]] = {}
    value = value or solution.value
    room = measured * math.log(solution.value / value)
    ranges = [within for within in WITHIN if math.log1p(within) > room]
    sought = _ends(solution, value, measured, ranges) if ranges else []
    for row, within in enumerate(ranges):
        try:
            ends = [_end(solution, *sought[2 * row + side]) for side in (0, 1)]
        except UncertifiedError:
            continue
        found[within] = ends
    return found


def ranged(ends: Pairs, outer: Outer | None = None) -> tuple[NearOptimal, ...]:
    """The ranges between ends, each with the best tokens that its size leaves.

    Args:
        ends: of each range.
        outer: those in fractions, without which no limit holds an end: at one whole
            number it may, while the next would do for more; None where other sizes
            beyond an end are near, too.
    """
    points = iter(best_at([end for pair in ends.values() for end in pair]))
    told = []
    for within in ends:
        low, high = next(points), next(points)
        sizes, tokens = (low["N"], high["N"]), (low["D"], high["D"])
        ratios = tokens[0] / sizes[0], tokens[1] / sizes[1]
        low_held, high_held = (end.held_by for end in ends[within])
        if outer is not None:
            wide = outer.get(within, ())
            limits = [None if end is None else end.held_by for end in wide]
            wider = limits or [None, None]
            low_held, high_held = low_held and wider[0], high_held and wider[1]
        held = low_held, high_held
        told.append(NearOptimal(within, sizes, tokens, ratios, held))
    return tuple(told)


@dataclass(frozen=True, eq=False)
class _Near:
    """A program near its optimum.

    Attributes:
        binding: the numbers of the constraints with a price.
        rows: their gradients, `(binding, variables)`.
        hessian: of the Lagrangian.
    """

    binding: Integers
    rows: Array
    hessian: Array


def _near(solution: Solution) -> _Near:
    _, multipliers = solution.optimum
    here = at(solution)
    binding = np.flatnonzero(multipliers > 1e-12)
    weights = np.zeros((1, 1 + len(multipliers)))
    weights[0, 0], weights[0, 1 + binding] = 1.0, multipliers[binding]
    hessian = bend(arrays(solution.program), here, weights)[0]
    return _Near(binding, here.gradient[0, 1 + binding], hessian)


def end_program(
    program: GeometricProgram, most: float | Array, power: float | Array
) -> GeometricProgram:
    """Minimise N^power under the constraints of a program, and its value at most.

    Of both there may be one for each member of a batch.
    """
    room, powers = np.atleast_1d(most)[:, None], np.atleast_1d(power)
    exponents = np.zeros((len(powers), 1, len(program.variables)))
    exponents[:, 0, program.variables.index("N")] = powers
    size = Posynomial(program.variables, np.ones((1, 1)), exponents, ("N",))
    slack = Constraint("cost", program.objective.scaled(1 / room))
    return GeometricProgram(size, (*program.constraints, slack))


def _ends(
    solution: Solution, value: float, measured: float, ranges: Sequence[float]
) -> list[tuple[GeometricProgram, Solution | None]]:
    """The program of each end, the smaller one first, with what is found of it."""
    z, _ = solution.optimum
    both = [(math.log1p(within) / measured, p) for within in ranges for p in POWERS]
    rooms, powers = np.array(both).T
    asked = end_program(solution.program, value * np.exp(rooms), powers)
    rooms = rooms + math.log(value / solution.value)
    guesses = partial(_models, solution, rooms, powers)
    start = z[None].repeat(len(both), axis=0)
    each = [members(asked, slice(row, row + 1)) for row in range(len(both))]
    found = attempt_members(asked, each, start, DIGITS, guesses)
    return list(zip(each, found, strict=True))


def _models(solution: Solution, rooms: Array, powers: Array) -> tuple[Array, Array]:
    """Guesses of ln x and λ at the ends, a row each; see `_model`."""
    z, _ = solution.optimum
    local = _near(solution)
    axis = np.eye(len(z))[solution.program.variables.index("N")]
    flat = _flat(local, axis)
    steps, guesses = zip(
        *(
            _model(solution, local, flat, power * axis, room)
            for room, power in zip(rooms.tolist(), powers.tolist(), strict=True)
        ),
        strict=True,
    )
    return z + np.array(steps), np.array(guesses)


def _end(solution: Solution, asked: GeometricProgram, found: Solution | None) -> End:
    found = found or solve(asked, solution.optimum[0], DIGITS)
    if found.status is not Status.OPTIMAL:  # the optimum is in it, but has no room
        raise UncertifiedError("an end of a range was not certified")
    return End(found, solution.program, solution.optimum[1])


def best_at(ends: Sequence[End]) -> list[dict[str, float]]:
    """The points at some ends, with the best tokens that each size leaves."""
    points = [dict(end.found.point) for end in ends]
    rests, starts, guesses, places = [], [], [], []
    for place, end in enumerate(ends):
        if end.program is not None and end.open:
            rest = end.program.fixing({"N": end.size})
            rests.append(rest)
            axis = end.found.program.variables.index("N")
            starts.append(np.delete(end.found.optimum[0], axis))
            # Another machine may be whole here than in the plan that the guess is of.
            like = len(end.guess) == len(rest.constraints)
            guesses.append(end.guess if like else None)
            places.append(place)
    inner = attempt_each(rests, starts, DIGITS, guesses)
    for place, one in zip(places, inner, strict=True):
        # Else next to no room is left, and so no choice.
        if one is not None and one.status is Status.OPTIMAL:
            points[place] |= one.point
    return points


def _settled(found: Solution) -> bool:
    """Whether what ends the range leaves one D: its Lagrangian is curved there."""
    z, multipliers = found.optimum
    if "D" not in found.program.variables:
        return True
    D = found.program.variables.index("D")
    bend = sum(
        weight * float(c.posynomial.hessian(z[None])[0, D, D])
        for c, weight in zip(found.program.constraints, multipliers, strict=True)
        if weight > 0
    )
    return bool(bend > BINDING)


def _binding(solution: Solution) -> list[Constraint]:
    """The constraints that a solution meets with equality."""
    values = at(solution).value[0, 1:]
    constraints = solution.program.constraints
    return [
        c
        for c, value in zip(constraints, values.tolist(), strict=True)
        if abs(value) < BINDING
    ]


def _pinned(solution: Solution) -> bool:
    """Whether the constraints leave a single size, which has no multipliers.

    The tangent cone {d: ∇G_i·d ≤ 0 for the binding i} of a convex set is {0} just
    where the set is a point; what serving chooses may still be open. By Farkas' lemma
    no direction changes a size where ± its own are sums of the gradients.
    """
    program, z = solution.program, solution.optimum[0]
    size = [name for name in program.variables if name in SIZE]
    if len(program.constraints) <= len(size):
        return False
    binding = _binding(solution)
    if len(binding) <= len(size):
        return False
    rows = [c.posynomial.gradient(z[None])[0] for c in binding]
    return all(
        spans(np.array(rows), sign * axis) is not None
        for name, axis in zip(program.variables, np.eye(len(z)), strict=True)
        if name in SIZE
        for sign in (1.0, -1.0)
    )


@dataclass(frozen=True, eq=False)
class _Flat:
    """How the cost bends along the binding constraints.

    Attributes:
        corner: whether they leave no direction.
        direction: in ln x, in which the size grows most for its cost; None if in none.
        energy: what that costs, to second order, twice.
    """

    corner: bool
    direction: Array | None
    energy: float


def _flat(near: _Near, size: Array) -> _Flat:
    _, sizes, right = np.linalg.svd(near.rows)
    free = right[int((sizes > 1e-12).sum()) :]
    pull = free @ size
    if not pull.any():
        corner = not free.size and len(near.binding) == len(size)
        return _Flat(corner, None, 0.0)
    curvature = free @ near.hessian @ free.T
    direction = np.linalg.solve(curvature + 1e-12 * np.eye(len(free)), pull)
    return _Flat(False, direction @ free, float(direction @ curvature @ direction))


def _model(
    solution: Solution, near: _Near, flat: _Flat, size: Array, room: float
) -> tuple[Array, Array]:
    """Where a quadratic model of the cost along the binding constraints ends.

    Args:
        solution: the optimum.
        near: the program there.
        flat: likewise.
        size: the direction in ln x to be made least.
        room: ln of the cost over the optimal one.

    Returns:
        The step in ln x, and the multipliers there, of the cost last.
    """
    z, multipliers = solution.optimum
    if flat.corner:
        return _edge(multipliers, near, size, room)
    if flat.direction is None:
        return np.zeros_like(z), np.append(multipliers, 1.0)
    reach = math.sqrt(2 * room / max(flat.energy, 1e-300))
    step = -size.sum() * reach * flat.direction
    return step, np.append(multipliers, 1.0) / reach


def _edge(
    multipliers: Array, near: _Near, size: Array, room: float
) -> tuple[Array, Array]:
    """The same in a corner: along the edge on which the size gains most for its cost.

    Away from constraint j the cost rises by λ_j for each unit of −ln g_j; where no
    edge leads on, the corner itself is the end. *Source*: the ratio test of the dual
    simplex method, Nocedal & Wright, Numerical Optimization (2006), section 13.6.
    """
    ends = np.zeros(len(multipliers) + 1)
    own = -np.linalg.solve(near.rows.T, size)  # the multipliers if this is the end
    prices = multipliers[near.binding]
    j = int(np.argmin(own / prices))
    if own[j] >= 0:
        ends[near.binding] = own
        return np.zeros(len(size)), ends
    edge = -np.linalg.solve(near.rows, np.eye(len(size))[j])
    bend = max(float(edge @ near.hessian @ edge), 0.0)
    slope = math.sqrt(prices[j] ** 2 + 2 * bend * room)  # of the cost at the end
    ends[-1] = -own[j] / slope
    # All but j go on binding, whatever becomes of their prices.
    ends[near.binding] = np.maximum(own + ends[-1] * prices, prices)
    ends[near.binding[j]] = 0.0
    return np.asarray(edge * 2 * room / (prices[j] + slope)), ends
