"""Programs one after another, compiled by numba: to the central path, then exactly.

The interior-point method leads to the neighbourhood. Newton on the constraints that
bind there brings multipliers and residuals to the limit of double precision. Where the
member before is near, as in a grid, Newton from its optimum is enough. Where the method
does not arrive, the relaxation min u, g_i ≤ u tells whether there is any point;
its weights prove it if not. The certificate is not the business of this file.

*Source*: Nocedal & Wright, Numerical Optimization (2006), section 16.5 (active sets);
Boyd & Vandenberghe, Convex Optimization (2004), section 11.4 (feasibility).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.engine.interior import (
    INFEASIBLE,
    OPTIMAL,
    UNSOLVED,
    impossible,
    interior,
)
from optimizer.engine.linear import compiled, digest, eliminate, kept
from optimizer.engine.point import (
    Point,
    Program,
    Work,
    curvature,
    evaluate,
    room_for,
    shape_of,
)

STEPS = 40  # of Newton on one set of binding constraints
STALE = 8  # of them without progress: this set has no such point
MOST_PATIENT = 64  # members without such a try, where tries keep failing
EXACT = 1e-14  # residual at which it stops
SMALL = 1e-13  # residual that it must reach
DAMPING = 1e-8  # of Newton where cost is flat; its answer is as exact
SLACK = 1e-11  # G_i above this is violated, λ_i below −this has the wrong sign
LAST = 1e-9  # residual, and
SHORT = 1e-7  # step, from which on the next point has the last digits
LOST = 1e12  # residuals from which Newton does not return
NOISE = 1e-13  # a multiplier below this is rounding


class Aside(NamedTuple):
    """The relaxation of a member, with room to solve it.

    Attributes:
        relaxed: its arrays.
        point: of it.
        work: likewise.
    """

    relaxed: Program
    point: Point
    work: Work


Curves = tuple[Array, Array, Array]
Solver = Callable[[Array, Array, Integers, Curves, Array, Array, bool], Integers]


@compiled
def _newton(program: Program, point: Point, work: Work) -> bool:  # noqa: PLR0912
    """Newton on the binding constraints; says whether it reached full precision.

    Values are left as they are at z.
    """
    z, weight, value, gradient = point.z, point.weight, point.value, point.gradient
    n, m = len(z), len(weight) - 1
    matrix, right, best_point = work.matrix, work.right, work.kept
    for i in range(1, m + 1):
        if work.active[i] == 0:
            weight[i] = 0.0
    best, stale = np.inf, 0
    for _ in range(STEPS):
        evaluate(program, point)
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
        if not worst < LOST:
            return False
        stale = 0 if worst < 0.9 * best else stale + 1
        if worst <= EXACT:
            return True
        done = (best < 1e-12 and worst >= best) or stale == STALE
        if worst < best:
            best = worst
            for j in range(n):
                best_point[j] = z[j]
            for i in range(1, m + 1):
                best_point[n - 1 + i] = weight[i]
        if done:
            break
        curvature(program, point, matrix)
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
        if not eliminate(matrix, right, size):
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
        step = 0.0
        for j in range(n):
            step = max(step, abs(right[j]))
        if worst <= LAST and step <= SHORT:
            # Newton squares the error, and a line is as exact for what is idle.
            for i in range(1, m + 1):
                for j in range(n):
                    value[i] += gradient[i, j] * right[j]
            return True
    for j in range(n):
        z[j] = best_point[j]
    for i in range(1, m + 1):
        weight[i] = best_point[n - 1 + i]
    evaluate(program, point)
    return best <= SMALL


@compiled
def _finish(program: Program, point: Point, work: Work) -> bool:
    """Finds which constraints bind and solves for them; False where it cannot."""
    m = len(point.weight) - 1
    for i in range(1, m + 1):
        work.active[i] = 1 if point.weight[i] > point.slack[i] else 0
    return _settle(program, point, work, 2 * m + 2)


@compiled
def _settle(program: Program, point: Point, work: Work, tries: int) -> bool:
    """Newton on the constraints that are taken as binding, corrected by what it finds.

    Args:
        program: the member.
        point: where to start, with multipliers.
        work: with the binding constraints in `active`.
        tries: how many sets of them.
    """
    weight, value, active = point.weight, point.value, work.active
    m = len(weight) - 1
    for _ in range(tries):
        exact = _newton(program, point, work)
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


@compiled
def _patterns(powers: Array, reach: Array, level: Array) -> tuple[Array, Array]:
    """Where any member has an exponent: of its terms, and of its quantities."""
    batch, terms, columns = powers.shape
    pattern = np.zeros((terms, columns))
    for b in range(batch):
        for t in range(terms):
            for j in range(columns):
                if powers[b, t, j] != 0.0:
                    pattern[t, j] = 1.0
    batch, curves, columns = reach.shape
    links = np.zeros((curves, columns - 1))
    for b in range(batch):
        for k in range(curves):
            for j in range(columns - 1):
                if reach[b, k, 1 + j] != 0.0 or level[b, k, 1 + j] != 0.0:
                    links[k, j] = 1.0
    return pattern, links


@compiled
def _relaxed(pattern: Array, links: Array, starts: Integers) -> Program:
    """Minimise u subject to g_i ≤ u for every constraint: room for the arrays.

    Its variables are the program's, u, and the quantities; the objective is the one
    term u.
    """
    curves, n = links.shape
    own = starts[1]
    terms = len(pattern) - own + 1
    powers = np.zeros((terms, n + 1 + curves))
    powers[0, n] = 1.0
    for t in range(1, terms):
        powers[t, n] = -1.0
        for j in range(n + curves):
            powers[t, j if j < n else j + 1] = pattern[own + t - 1, j]
    shifted = np.zeros(len(starts), np.int64)
    for i in range(1, len(starts)):
        shifted[i] = starts[i] - own + 1
    linked = np.zeros((curves, n + 1))
    for k in range(curves):
        for j in range(n):
            linked[k, j] = links[k, j]
    shape = shape_of(powers, linked, shifted)
    reach, level = np.zeros((curves, n + 2)), np.zeros((curves, n + 2))
    return Program(shape, np.zeros(terms), powers, reach, level, np.zeros(curves))


@compiled
def _search(program: Program, relaxed: Program, point: Point, work: Work) -> int:
    """Looks for a point that meets all constraints, from z, and leaves it there.

    Args:
        program: the member.
        relaxed: room for the relaxed program.
        point: of the relaxed program.
        work: likewise.
    """
    own = program.shape.starts[1]
    n = len(point.z) - 1
    for t in range(own, len(program.logs)):
        relaxed.logs[t - own + 1] = program.logs[t]
        for j in range(program.powers.shape[1]):
            place = j if j < n else j + 1
            relaxed.powers[t - own + 1, place] = program.powers[t, j]
    for k in range(len(program.R)):
        relaxed.R[k] = program.R[k]
        for j in range(n + 1):
            relaxed.reach[k, j] = program.reach[k, j]
            relaxed.level[k, j] = program.level[k, j]
    point.z[n] = 0.0
    evaluate(relaxed, point)
    highest = 0.0
    for i in range(1, len(point.value)):
        highest = max(highest, point.value[i])
    point.z[n] = 1.0 + highest
    return interior(relaxed, point, work)


@compiled
def _alone(
    program: Program, start: Array, point: Point, work: Work, aside: Aside
) -> int:
    """Solves a member from its start; leaves what `solve_members` returns of it."""
    n, m = len(start), len(point.weight) - 1
    for j in range(n):
        point.z[j] = start[j]
    end = interior(program, point, work)
    if end == INFEASIBLE:
        return INFEASIBLE
    if _finish(program, point, work):
        return OPTIMAL
    if end == OPTIMAL or m == 0:
        return UNSOLVED
    for j in range(n):
        aside.point.z[j] = start[j]
    _search(program, aside.relaxed, aside.point, aside.work)
    for j in range(n):
        point.z[j] = aside.point.z[j]
    for i in range(m + 1):
        point.weight[i] = aside.point.weight[i]
    evaluate(program, point)
    if impossible(point):
        return INFEASIBLE
    interior(program, point, work)
    return OPTIMAL if _finish(program, point, work) else UNSOLVED


def _solver(sources: int) -> Solver:
    """Makes `solve_members`; what is kept on disk is valid for these sources only."""

    def solve_members(
        logs: Array,
        powers: Array,
        starts: Integers,
        curves: Curves,
        z: Array,
        multipliers: Array,
        led: bool,
    ) -> Integers:
        """Solves the members of a batch one after another.

        Args:
            logs: ln c of all terms, objective first, shape `(batch, terms)`.
            powers: their exponents, `(batch or 1, terms, variables + quantities)`.
            starts: first term of each posynomial, then the number of terms.
            curves: reach, level and R of each quantity, `(batch or 1, quantities, …)`.
            z: ln of the start, `(batch, variables)`; overwritten by the result.
            multipliers: overwritten by λ, shape `(batch, constraints)`; of an
                infeasible member by the weights that prove it.
            led: whether z and λ are good guesses, and what binds has a λ above 0.

        Returns:
            `OPTIMAL`, `INFEASIBLE` (proven) or `UNSOLVED`, shape `(batch,)`.
        """
        batch, n = z.shape
        m = multipliers.shape[1]
        ended = np.empty(batch, np.int64)
        if sources < 0:
            return ended  # never: but so what is kept depends on `sources`
        reach, level, R = curves
        pattern, links = _patterns(powers, reach, level)
        shape = shape_of(pattern, links, starts)
        point, work = room_for(n, m, logs.shape[1], R.shape[1])
        relaxed = _relaxed(pattern, links, starts)
        aside = Aside(relaxed, *room_for(n + 1, m, len(relaxed.logs), R.shape[1]))
        wait = patience = 1
        for b in range(batch):
            c = b % len(R)
            power = powers[b % len(powers)]
            program = Program(shape, logs[b], power, reach[c], level[c], R[c])
            end = UNSOLVED
            if led:
                for j in range(n):
                    point.z[j] = z[b, j]
                for i in range(m):
                    point.weight[i + 1] = multipliers[b, i]
                    work.active[i + 1] = 1 if multipliers[b, i] > 0.0 else 0
                if _settle(program, point, work, min(m + 1, 2)):
                    end = OPTIMAL
            elif wait == 0:
                if _settle(program, point, work, min(m + 1, 2)):
                    end, patience = OPTIMAL, 1
                else:
                    wait = patience = min(2 * patience, MOST_PATIENT)
            if end == UNSOLVED:
                end = _alone(program, z[b], point, work, aside)
                wait = max(wait - 1, 0) if end == OPTIMAL else max(wait, 1)
            ended[b] = end
            for j in range(n):
                z[b, j] = point.z[j]
            for i in range(m):
                weight = point.weight[i + 1]
                multipliers[b, i] = weight if weight > NOISE else 0.0
        return ended

    return solve_members


solve_members = kept(_solver(digest()))
