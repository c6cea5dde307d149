"""One program at a time by a primal-dual interior-point method, compiled by numba.

In z = ln x, F = ln f0 and G_i = ln g_i are smooth and convex. With slacks s > 0 and
multipliers λ > 0 the method follows

    ∇F + Σ λ_i ∇G_i = 0,   G_i + s_i = 0,   s_i·λ_i = μ → 0,

by Newton steps with Mehrotra's predictor and corrector, from a start that need not be
feasible. It ends with Newton on the constraints that bind, which brings multipliers
and residuals to the limit of double precision. The certificate is not its business.

*Source*: Boyd & Vandenberghe, Convex Optimization (2004), section 11.7; Mehrotra, "On
the implementation of a primal-dual interior point method", SIAM J. Optim. 2 (1992);
Nocedal & Wright, Numerical Optimization (2006), section 16.6 and algorithm 19.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from optimizer.posynomial import Array

F = TypeVar("F", bound=Callable[..., Any])
Integers = npt.NDArray[np.int64]

OPTIMAL, INFEASIBLE, UNSOLVED = 0, 1, 2
ROUNDS = 80  # of the interior-point method; 8 to 20 are usual
CLOSE = 1e-9  # residuals and mean s·λ at which Newton on the binding set takes over
SHY = 1e-3  # curvature added for each unit of residual, where cost is flat
BOUNDARY = 0.995  # part of the way to s = 0 or λ = 0 that a step may go
LONGEST = 20.0  # of a step in ln x
SHORTEST = 0.02  # likewise, of a variable that keeps turning round
TIED = 0.01  # s·λ aims no lower than this part of the residuals
LEAST = 1e-14  # s·λ is kept above this, so that no pair loses its balance
DIVERGED = 1e8  # residuals and multipliers beyond which the path leads nowhere
FARTHEST = math.log(1e60)  # no plan is larger or smaller than this in any variable
PROVEN = 1e-10  # lower bound of max G_i above which there is no feasible point
STEPS = 12  # of Newton on one set of binding constraints
EXACT = 1e-14  # residual at which it stops
FINISHED = 1e-11  # residual that it must reach
DAMPING = 1e-6  # of Newton where cost is flat; its answer is as exact
SLACK = 1e-11  # G_i above this is violated, λ_i below −this has the wrong sign
NOISE = 1e-13  # a multiplier below this is rounding


class Program(NamedTuple):
    """One member: the terms of the objective, then of each constraint.

    Attributes:
        logs: ln c, shape `(terms,)`.
        powers: a, shape `(terms, variables)`.
        starts: first term of each posynomial, then the number of terms.
    """

    logs: Array
    powers: Array
    starts: Integers


class Point(NamedTuple):
    """Where the method stands, and what the program is there; overwritten in place.

    Attributes:
        z: ln x, shape `(variables,)`.
        weight: 1 for the objective, then λ, shape `(1 + constraints,)`.
        slack: s of each constraint; the first is idle.
        value: ln of each posynomial.
        gradient: of each, shape `(1 + constraints, variables)`.
        share: of each term in its posynomial, shape `(terms,)`.
    """

    z: Array
    weight: Array
    slack: Array
    value: Array
    gradient: Array
    share: Array


class Work(NamedTuple):
    """Room for linear algebra, made once and used by every member.

    Attributes:
        matrix: square, for variables and constraints together.
        right: right-hand side and solution of the same length.
        step: of z.
        slack_step: of s.
        weight_step: of λ.
        aim: what s·λ is steered to, less second-order terms.
        kept: the z and λ of the best point so far.
        active: 1 for a constraint that is taken as binding.
    """

    matrix: Array
    right: Array
    step: Array
    last: Array
    reach: Array
    slack_step: Array
    weight_step: Array
    aim: Array
    kept: Array
    active: Integers


def _compiled(function: F) -> F:
    """Compiles a function; kept on disk where there is a place that can be written."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        fast = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        fast = numba.njit(**options)(function)
    return cast(F, fast)


@_compiled
def _evaluate(program: Program, point: Point) -> None:
    """Values, gradients and shares at z."""
    logs, powers, starts = program.logs, program.powers, program.starts
    z, value, gradient, share = point.z, point.value, point.gradient, point.share
    n = len(z)
    for i in range(len(value)):
        first, last = starts[i], starts[i + 1]
        if last - first == 1:
            value[i] = logs[first]
            share[first] = 1.0
            for j in range(n):
                value[i] += powers[first, j] * z[j]
                gradient[i, j] = powers[first, j]
            continue
        top = -np.inf
        for t in range(first, last):
            exponent = logs[t]
            for j in range(n):
                exponent += powers[t, j] * z[j]
            share[t] = exponent
            top = max(top, exponent)
        total = 0.0
        for t in range(first, last):
            share[t] = math.exp(share[t] - top)
            total += share[t]
        value[i] = top + math.log(total)
        for j in range(n):
            gradient[i, j] = 0.0
        for t in range(first, last):
            share[t] /= total
            for j in range(n):
                gradient[i, j] += share[t] * powers[t, j]


@_compiled
def _curvature(program: Program, point: Point, matrix: Array) -> None:
    """The Hessian of F + Σ λ_i G_i, on and below the diagonal of `matrix`.

    Per posynomial it is the covariance of the terms' exponents under their shares.
    """
    powers, starts = program.powers, program.starts
    gradient, share, weight = point.gradient, point.share, point.weight
    n = len(point.z)
    for j in range(n):
        for k in range(j + 1):
            matrix[j, k] = 0.0
    for i in range(len(weight)):
        first, last = starts[i], starts[i + 1]
        if last - first == 1 or weight[i] <= 0.0:
            continue
        for t in range(first, last):
            mass = weight[i] * share[t]
            for j in range(n):
                pull = mass * (powers[t, j] - gradient[i, j])
                for k in range(j + 1):
                    matrix[j, k] += pull * (powers[t, k] - gradient[i, k])


@_compiled
def _factor(matrix: Array, n: int) -> None:
    """Cholesky in place, on and below the diagonal; tiny pivots are lifted."""
    largest = 0.0
    for j in range(n):
        largest = max(largest, matrix[j, j])
    least = 1e-15 * largest + 1e-300
    for j in range(n):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= matrix[j, k] * matrix[j, k]
        root = math.sqrt(max(pivot, least))
        matrix[j, j] = root
        for i in range(j + 1, n):
            rest = matrix[i, j]
            for k in range(j):
                rest -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = rest / root


@_compiled
def _substitute(matrix: Array, right: Array, n: int) -> None:
    """Solves L·Lᵀ·x = right in place."""
    for j in range(n):
        for k in range(j):
            right[j] -= matrix[j, k] * right[k]
        right[j] /= matrix[j, j]
    for j in range(n - 1, -1, -1):
        for k in range(j + 1, n):
            right[j] -= matrix[k, j] * right[k]
        right[j] /= matrix[j, j]


@_compiled
def _direction(point: Point, work: Work) -> None:
    """The Newton step in z, s and λ for the current `aim`, by the factored matrix."""
    weight, slack, value, gradient = (
        point.weight,
        point.slack,
        point.value,
        point.gradient,
    )
    n, m = len(point.z), len(weight) - 1
    right, step = work.right, work.step
    for j in range(n):
        right[j] = -gradient[0, j]
    for i in range(1, m + 1):
        push = weight[i] + (weight[i] * value[i] + work.aim[i]) / slack[i]
        for j in range(n):
            right[j] -= push * gradient[i, j]
    _substitute(work.matrix, right, n)
    for j in range(n):
        step[j] = right[j]
    for i in range(1, m + 1):
        along = 0.0
        for j in range(n):
            along += gradient[i, j] * step[j]
        work.slack_step[i] = -(value[i] + slack[i]) - along
        work.weight_step[i] = (
            work.aim[i] - weight[i] * (slack[i] + work.slack_step[i])
        ) / slack[i]


@_compiled
def _room(numbers: Array, steps: Array) -> float:
    """The longest step up to 1 that leaves every number at or above zero."""
    room = 1.0
    for i in range(1, len(numbers)):
        if steps[i] < 0.0:
            room = min(room, -numbers[i] / steps[i])
    return room


@_compiled
def _trusted(work: Work) -> float:
    """The part of a step up to 1 that stays within each variable's reach."""
    part = 1.0
    for j in range(len(work.step)):
        if abs(work.step[j]) > work.reach[j]:
            part = min(part, work.reach[j] / abs(work.step[j]))
    return part


@_compiled
def _learn(work: Work) -> None:
    """Shortens the reach of a variable that turned round, lengthens the others'."""
    for j in range(len(work.step)):
        turned = work.step[j] * work.last[j] < 0.0
        factor = 0.5 if turned else 1.5
        work.reach[j] = min(max(work.reach[j] * factor, SHORTEST), LONGEST)
        work.last[j] = work.step[j]


@_compiled
def _impossible(point: Point) -> bool:
    """Whether the multipliers prove that no point meets all constraints.

    With μ = λ/Σλ and r = Σ μ_i ∇G_i, every y has max_i G_i(y) ≥ Σ μ_i G_i(z) +
    r·(y − z) by convexity, which is bounded below on |y| ≤ `FARTHEST`.
    """
    z, weight, value, gradient = point.z, point.weight, point.value, point.gradient
    total = 0.0
    for i in range(1, len(weight)):
        total += weight[i]
    bound = 0.0
    for i in range(1, len(weight)):
        bound += weight[i] / total * value[i]
    for j in range(len(z)):
        r = 0.0
        for i in range(1, len(weight)):
            r += weight[i] / total * gradient[i, j]
        bound -= r * z[j] + abs(r) * FARTHEST
    return bound > PROVEN


@_compiled
def _interior(program: Program, point: Point, work: Work) -> int:
    """Follows the central path from z; says how it ended."""
    z, weight, slack, value, gradient = (
        point.z,
        point.weight,
        point.slack,
        point.value,
        point.gradient,
    )
    n, m = len(z), len(weight) - 1
    matrix = work.matrix
    _evaluate(program, point)
    weight[0] = 1.0
    for j in range(n):
        work.last[j] = 0.0
        work.reach[j] = LONGEST
    for i in range(1, m + 1):
        slack[i] = max(-value[i], 1.0)
        weight[i] = 1.0
    for _ in range(ROUNDS):
        worst = mean = total = 0.0
        for j in range(n):
            r = 0.0
            for i in range(m + 1):
                r += weight[i] * gradient[i, j]
            worst = max(worst, abs(r))
        for i in range(1, m + 1):
            worst = max(worst, abs(value[i] + slack[i]))
            mean += weight[i] * slack[i] / m
            total += weight[i]
        if not (worst < DIVERGED and mean < DIVERGED and total < DIVERGED):
            return UNSOLVED
        if worst < CLOSE and mean < CLOSE:
            return OPTIMAL
        if total > 1e2 and _impossible(point):
            return INFEASIBLE
        _curvature(program, point, matrix)
        for i in range(1, m + 1):
            ratio = weight[i] / slack[i]
            for j in range(n):
                for k in range(j + 1):
                    matrix[j, k] += ratio * gradient[i, j] * gradient[i, k]
        for j in range(n):
            matrix[j, j] += SHY * min(worst, 1.0)
        _factor(matrix, n)
        for i in range(1, m + 1):
            work.aim[i] = 0.0
        _direction(point, work)
        cap = _trusted(work)
        primal = min(cap, _room(slack, work.slack_step))
        dual = _room(weight, work.weight_step)
        ahead = 0.0
        for i in range(1, m + 1):
            ahead += (
                (slack[i] + primal * work.slack_step[i])
                * (weight[i] + dual * work.weight_step[i])
                / m
            )
        centre = max((ahead / mean) ** 3 * mean, TIED * min(worst, 1.0), LEAST)
        for i in range(1, m + 1):
            second = primal * work.slack_step[i] * dual * work.weight_step[i]
            work.aim[i] = centre - second
        _direction(point, work)
        cap = _trusted(work)
        primal = min(cap, BOUNDARY * _room(slack, work.slack_step))
        dual = BOUNDARY * _room(weight, work.weight_step)
        _learn(work)
        for j in range(n):
            z[j] += primal * work.step[j]
        _evaluate(program, point)
        for i in range(1, m + 1):
            slack[i] += primal * work.slack_step[i]
            weight[i] += dual * work.weight_step[i]
            slack[i] = max(slack[i], -value[i])
    return UNSOLVED


@_compiled
def _eliminate(matrix: Array, right: Array, size: int) -> bool:
    """Gauss with row exchange, in place; False where the matrix is singular."""
    for j in range(size):
        best = j
        for i in range(j + 1, size):
            if abs(matrix[i, j]) > abs(matrix[best, j]):
                best = i
        if not abs(matrix[best, j]) > 1e-13:
            return False
        if best != j:
            for k in range(j, size):
                matrix[j, k], matrix[best, k] = matrix[best, k], matrix[j, k]
            right[j], right[best] = right[best], right[j]
        for i in range(j + 1, size):
            ratio = matrix[i, j] / matrix[j, j]
            if ratio != 0.0:
                for k in range(j + 1, size):
                    matrix[i, k] -= ratio * matrix[j, k]
                right[i] -= ratio * right[j]
    for j in range(size - 1, -1, -1):
        for k in range(j + 1, size):
            right[j] -= matrix[j, k] * right[k]
        right[j] /= matrix[j, j]
    return True


@_compiled
def _newton(program: Program, point: Point, work: Work) -> bool:
    """Newton on the binding constraints; says whether it reached full precision."""
    z, weight, value, gradient = point.z, point.weight, point.value, point.gradient
    n, m = len(z), len(weight) - 1
    matrix, right, kept = work.matrix, work.right, work.kept
    for i in range(1, m + 1):
        if work.active[i] == 0:
            weight[i] = 0.0
    best = np.inf
    for _ in range(STEPS):
        _evaluate(program, point)
        size, worst = n, 0.0
        for j in range(n):
            r = 0.0
            for i in range(m + 1):
                r += weight[i] * gradient[i, j]
            right[j] = -r
            worst = max(worst, abs(r))
        for i in range(1, m + 1):
            if work.active[i] == 1:
                right[size] = -value[i]
                worst = max(worst, abs(value[i]))
                size += 1
        if not worst < 1e12:
            return False
        done = worst <= EXACT or (best < 1e-12 and worst >= best)
        if worst < best:
            best = worst
            for j in range(n):
                kept[j] = z[j]
            for i in range(1, m + 1):
                kept[n - 1 + i] = weight[i]
        if done:
            break
        _curvature(program, point, matrix)
        for j in range(n):
            for k in range(j):
                matrix[k, j] = matrix[j, k]
        row = n
        for i in range(1, m + 1):
            if work.active[i] == 1:
                for j in range(n):
                    matrix[row, j] = matrix[j, row] = gradient[i, j]
                for k in range(n, size):
                    matrix[row, k] = 0.0
                row += 1
        for j in range(n):
            matrix[j, j] += DAMPING
        if not _eliminate(matrix, right, size):
            return False
        longest = 1.0
        for j in range(n):
            longest = max(longest, abs(right[j]))
        for j in range(n):
            z[j] += right[j] / longest
        row = n
        for i in range(1, m + 1):
            if work.active[i] == 1:
                weight[i] += right[row]
                row += 1
    for j in range(n):
        z[j] = kept[j]
    for i in range(1, m + 1):
        weight[i] = kept[n - 1 + i]
    return best <= FINISHED


@_compiled
def _finish(program: Program, point: Point, work: Work) -> bool:
    """Finds which constraints bind and solves for them; False where it cannot."""
    weight, value, active = point.weight, point.value, work.active
    m = len(weight) - 1
    for i in range(1, m + 1):
        active[i] = 1 if weight[i] > point.slack[i] else 0
    for _ in range(2 * m + 2):
        exact = _newton(program, point, work)
        _evaluate(program, point)
        worst, wrong = SLACK, 0
        for i in range(1, m + 1):
            if active[i] == 0 and value[i] > worst:
                worst, wrong = value[i], i
        if wrong > 0:
            active[wrong] = 1
            continue
        for i in range(1, m + 1):
            if active[i] == 1 and -weight[i] > worst:
                worst, wrong = -weight[i], i
        if wrong == 0:
            return exact
        active[wrong] = 0
    return False


@_compiled
def _room_for(n: int, m: int, terms: int) -> tuple[Point, Work]:
    """A point and working room for n variables, m constraints and some terms."""
    point = Point(
        np.empty(n),
        np.ones(m + 1),
        np.ones(m + 1),
        np.empty(m + 1),
        np.empty((m + 1, n)),
        np.empty(terms),
    )
    work = Work(
        np.empty((n + m, n + m)),
        np.empty(n + m),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(m + 1),
        np.empty(m + 1),
        np.empty(m + 1),
        np.empty(n + m),
        np.zeros(m + 1, np.int64),
    )
    return point, work


@_compiled
def _relaxed(program: Program, n: int) -> Program:
    """Minimise u subject to g_i ≤ u for every constraint: room for the arrays.

    Its variables are the program's and u; the objective is the one term u.
    """
    own = program.starts[1]
    terms = len(program.logs) - own + 1
    starts = program.starts - own + 1
    starts[0] = 0
    powers = np.zeros((terms, n + 1))
    powers[0, n] = 1.0
    powers[1:, n] = -1.0
    return Program(np.zeros(terms), powers, starts)


@_compiled
def _search(program: Program, relaxed: Program, point: Point, work: Work) -> int:
    """Looks for a point that meets all constraints, from z, and leaves it there.

    Args:
        program: the member.
        relaxed: room for the relaxed program.
        point: of the relaxed program.
        work: likewise.
    """
    own = program.starts[1]
    n = len(point.z) - 1
    for t in range(own, len(program.logs)):
        relaxed.logs[t - own + 1] = program.logs[t]
        for j in range(n):
            relaxed.powers[t - own + 1, j] = program.powers[t, j]
    point.z[n] = 0.0
    _evaluate(relaxed, point)
    point.z[n] = 1.0 + max(0.0, point.value[1:].max())
    return _interior(relaxed, point, work)


@_compiled
def solve_members(
    logs: Array, powers: Array, starts: Integers, z: Array, multipliers: Array
) -> Integers:
    """Solves the members of a batch one after another.

    Args:
        logs: ln c of all terms, objective first, shape `(batch, terms)`.
        powers: their exponents, shape `(batch or 1, terms, variables)`.
        starts: first term of each posynomial, then the number of terms.
        z: ln of the start, `(batch, variables)`; overwritten by the result.
        multipliers: overwritten by λ, shape `(batch, constraints)`; of an infeasible
            member by the weights that prove it.

    Returns:
        `OPTIMAL`, `INFEASIBLE` (proven) or `UNSOLVED`, shape `(batch,)`.
    """
    batch, n = z.shape
    m = multipliers.shape[1]
    ended = np.empty(batch, np.int64)
    point, work = _room_for(n, m, logs.shape[1])
    relaxed = _relaxed(Program(logs[0], powers[0], starts), n)
    aside, work_aside = _room_for(n + 1, m, len(relaxed.logs))
    for b in range(batch):
        program = Program(logs[b], powers[b % len(powers)], starts)
        point.z[:] = z[b]
        weight = point.weight
        end = _interior(program, point, work)
        if end == UNSOLVED and m > 0:
            aside.z[:n] = z[b]
            _search(program, relaxed, aside, work_aside)
            point.z[:] = aside.z[:n]
            point.weight[:] = aside.weight
            _evaluate(program, point)
            if _impossible(point):
                end = INFEASIBLE
            else:
                end = _interior(program, point, work)
        if end != INFEASIBLE:
            end = OPTIMAL if _finish(program, point, work) else UNSOLVED
        ended[b] = end
        z[b] = point.z
        for i in range(m):
            multipliers[b, i] = weight[i + 1] if weight[i + 1] > NOISE else 0.0
    return ended
