"""A primal-dual interior-point method for one program, compiled by numba.

In z = ln x, F = ln f0 and G_i = ln g_i are smooth and convex. With slacks s > 0 and
multipliers λ > 0 the method follows

    ∇F + Σ λ_i ∇G_i = 0,   G_i + s_i = 0,   s_i·λ_i = μ → 0,

by Newton steps with Mehrotra's predictor and corrector, from a start that need not be
feasible. Where cost is flat or bends sharply, steps are shortened variable by variable
until they no longer turn round.

*Source*: Boyd & Vandenberghe, Convex Optimization (2004), section 11.7; Mehrotra, "On
the implementation of a primal-dual interior point method", SIAM J. Optim. 2 (1992);
Nocedal & Wright, Numerical Optimization (2006), section 16.6 and algorithm 19.1.
"""

from __future__ import annotations

import math

from optimizer.algebra.posynomial import Array
from optimizer.engine.linear import compiled, factor, substitute
from optimizer.engine.point import Point, Program, Shape, Work, curvature, evaluate

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


@compiled
def _direction(shape: Shape, point: Point, work: Work) -> None:
    """The Newton step in z, s and λ for the current `aim`, by the factored matrix."""
    mine, width = shape.mine, shape.width
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
        for u in range(width[i]):
            right[mine[i, u]] -= push * gradient[i, mine[i, u]]
    substitute(work.matrix, right, n)
    for j in range(n):
        step[j] = right[j]
    for i in range(1, m + 1):
        along = 0.0
        for u in range(width[i]):
            along += gradient[i, mine[i, u]] * step[mine[i, u]]
        work.slack_step[i] = -(value[i] + slack[i]) - along
        work.weight_step[i] = (
            work.aim[i] - weight[i] * (slack[i] + work.slack_step[i])
        ) / slack[i]


@compiled
def _room(numbers: Array, steps: Array) -> float:
    """The longest step up to 1 that leaves every number at or above zero."""
    room = 1.0
    for i in range(1, len(numbers)):
        if steps[i] < 0.0:
            room = min(room, -numbers[i] / steps[i])
    return room


@compiled
def _trusted(work: Work) -> float:
    """The part of a step up to 1 that stays within each variable's reach."""
    part = 1.0
    for j in range(len(work.step)):
        if abs(work.step[j]) > work.reach[j]:
            part = min(part, work.reach[j] / abs(work.step[j]))
    return part


@compiled
def _learn(work: Work) -> None:
    """Shortens the reach of a variable that turned round, lengthens the others'."""
    for j in range(len(work.step)):
        turned = work.step[j] * work.last[j] < 0.0
        factor = 0.5 if turned else 1.5
        work.reach[j] = min(max(work.reach[j] * factor, SHORTEST), LONGEST)
        work.last[j] = work.step[j]


@compiled
def impossible(point: Point) -> bool:
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


@compiled
def interior(program: Program, point: Point, work: Work) -> int:  # noqa: PLR0912
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
    mine, width = program.shape.mine, program.shape.width
    evaluate(program, point)
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
        if total > 1e2 and impossible(point):
            return INFEASIBLE
        curvature(program, point, matrix)
        for i in range(1, m + 1):
            ratio = weight[i] / slack[i]
            for u in range(width[i]):
                j = mine[i, u]
                for v in range(u + 1):
                    matrix[j, mine[i, v]] += (
                        ratio * gradient[i, j] * gradient[i, mine[i, v]]
                    )
        for j in range(n):
            matrix[j, j] += SHY * min(worst, 1.0)
        factor(matrix, n)
        for i in range(1, m + 1):
            work.aim[i] = 0.0
        _direction(program.shape, point, work)
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
        _direction(program.shape, point, work)
        cap = _trusted(work)
        primal = min(cap, BOUNDARY * _room(slack, work.slack_step))
        dual = BOUNDARY * _room(weight, work.weight_step)
        _learn(work)
        for j in range(n):
            z[j] += primal * work.step[j]
        evaluate(program, point)
        for i in range(1, m + 1):
            slack[i] += primal * work.slack_step[i]
            weight[i] += dual * work.weight_step[i]
            slack[i] = max(slack[i], -value[i])
    return UNSOLVED
