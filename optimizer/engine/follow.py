"""A primal-dual interior-point method for a batch of programs, in numpy.

In z = ln x, F = ln f0 and G_i = ln g_i are smooth and convex. With slacks s > 0 and
multipliers λ > 0 the method follows

    ∇F + Σ λ_i ∇G_i = 0,   G_i + s_i = 0,   s_i·λ_i = μ → 0,

by Newton steps with Mehrotra's predictor and corrector, from a start that need not be
feasible. Where cost is flat or bends sharply, steps are shortened variable by variable
until they no longer turn round. Members that have arrived leave the batch.

*Source*: Boyd & Vandenberghe, Convex Optimization (2004), section 11.7; Mehrotra, "On
the implementation of a primal-dual interior point method", SIAM J. Optim. 2 (1992);
Nocedal & Wright, Numerical Optimization (2006), section 16.6 and algorithm 19.1.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.engine.arrays import Arrays, Jet, bend, jet
from optimizer.engine.certify import EXCLUDED, FARTHEST, Mask
from optimizer.records import dataclass, names

ROUNDS = 80  # 8 to 20 are usual
CLOSE = 1e-9  # residuals and mean s·λ at which Newton on the binding set takes over
ROUNDING = 1e-8  # likewise, below which what no longer falls is rounding
SHY = 1e-3  # curvature added for each unit of residual, where cost is flat
BOUNDARY = 0.995  # part of the way to s = 0 or λ = 0 that a step may go
LONGEST = 20.0  # of a step in ln x
SHORTEST = 0.02  # likewise, of a variable that keeps turning round
TIED = 0.01  # s·λ aims no lower than this part of the residuals
LEAST = 1e-14  # s·λ is kept above this, so that no pair loses its balance
DIVERGED = 1e8  # residuals and multipliers beyond which the path leads nowhere
PRICEY = 1e2  # sum of multipliers from which they may prove that there is no point
TURNS = 12  # of Newton to where a mean of constraints is least; 5 are usual
EXACT = 1e-12  # residual at which it stops
RIDGE = 1e-15  # of a matrix of diagonal 1, so that none is singular


@dataclass(eq=False)
class _Path:
    """Where each member stands that is still on its way.

    Attributes:
        rows: the members' numbers.
        z: ln x, `(batch, variables)`.
        weight: λ, `(batch, constraints)`.
        slack: s, likewise.
        last: the last step in z.
        reach: the longest step that each variable may make.
        best: the least of its residuals and mean s·λ so far, `(batch,)`.
    """

    rows: Integers
    z: Array
    weight: Array
    slack: Array
    last: Array
    reach: Array
    best: Array

    @property
    def point(self) -> tuple[Array, Array, Array]:
        """z, λ and s."""
        return self.z, self.weight, self.slack

    def keep(self, chosen: Mask) -> None:
        for name in names(type(self)):
            setattr(self, name, getattr(self, name)[chosen])


def follow(given: Arrays, z: Array) -> tuple[Array, Array, Array, Mask]:
    """Follows the central path of every member from z.

    Args:
        given: the batch.
        z: ln of the start, `(batch, variables)`.

    Returns:
        z, λ and s where each member ended, and of which the multipliers seem to prove
        that no point meets all constraints.
    """
    batch, m = len(z), len(given.starts) - 1
    ends = z.copy(), np.ones((batch, m)), np.ones((batch, m))
    hopeless = np.zeros(batch, dtype=bool)
    at = jet(given, z)
    path = _Path(
        rows=np.arange(batch),
        z=z.copy(),
        weight=np.ones((batch, m)),
        slack=np.maximum(-at.value[:, 1:], 1.0),
        last=np.zeros_like(z),
        reach=np.full_like(z, LONGEST),
        best=np.full(batch, np.inf),
    )
    before = path.point
    for turn in range(1, ROUNDS + 1):
        worst, mean = _residuals(at, path)
        total = path.weight.sum(axis=1)
        done = ~(worst + mean + total < DIVERGED)
        done |= (worst < CLOSE) & (mean < CLOSE)
        none = total > PRICEY
        if none.any():
            none &= impossible(at, path.z, path.weight)
            hopeless[path.rows[none]] = True
            done |= none
        left_off = np.maximum(worst, mean)
        risen = (path.best < ROUNDING) & ~(left_off < path.best)
        path.best = np.minimum(path.best, left_off)
        done |= risen | (turn == ROUNDS)
        if done.any():
            rows, back = path.rows[done], risen[done, None]
            for end, now, was in zip(ends, path.point, before, strict=True):
                # What has risen was nearer before, as what rounding undoes.
                end[rows] = np.where(back, was[done], now[done])
            left = ~done
            if not left.any():
                break
            given = given.members(np.flatnonzero(left))
            at = at.members(left)
            worst, mean = worst[left], mean[left]
            path.keep(left)
        before = path.point
        _advance(given, at, path, worst, mean)
        at = jet(given, path.z)
        path.slack = np.maximum(path.slack, -at.value[:, 1:])
    return *ends, hopeless


def _residuals(at: Jet, path: _Path) -> tuple[Array, Array]:
    """The greatest residual and the mean s·λ of each member."""
    r = at.gradient[:, 0] + _weighted(at.gradient[:, 1:], path.weight)
    worst = np.abs(r).max(axis=1)
    m = path.weight.shape[1]
    if not m:
        return worst, np.zeros(len(worst))
    off = np.abs(at.value[:, 1:] + path.slack).max(axis=1)
    return np.maximum(worst, off), (path.weight * path.slack).sum(axis=1) / m


def _advance(given: Arrays, at: Jet, path: _Path, worst: Array, mean: Array) -> None:
    """One step: a look ahead, then the centred and corrected one."""
    slack, weight = path.slack, path.weight
    value, rows = at.value[:, 1:], at.gradient[:, 1:]
    ratio = weight / slack
    weights, ranks = np.ones((2, *at.value.shape))
    weights[:, 1:], ranks[:, 1:], ranks[:, 0] = weight, ratio, 0.0
    matrix = bend(given, at, weights, ranks)
    inverse = inverted(matrix, SHY * np.minimum(worst, 1.0))
    off, push = value + slack, weight + ratio * value

    def direction(aim: Array) -> tuple[Array, Array, Array]:
        """Steps in z, s and λ that aim at s·λ = aim·s."""
        right = -at.gradient[:, 0] - _weighted(rows, push + aim)
        step = np.matmul(inverse, right[:, :, None])[:, :, 0]
        slack_step = -off - np.matmul(rows, step[:, :, None])[:, :, 0]
        return step, slack_step, aim - weight - ratio * slack_step

    step, slack_step, weight_step = direction(np.zeros_like(weight))
    far = np.maximum.reduce(np.abs(step) / path.reach, axis=1)
    primal = (1.0 / np.maximum(_excess(slack, slack_step), far))[:, None]
    dual = (1.0 / _excess(weight, weight_step))[:, None]
    ahead = (slack + primal * slack_step) * (weight + dual * weight_step)
    centre = (ahead.sum(axis=1) / max(weight.shape[1], 1) / mean) ** 3 * mean
    centre = np.maximum(np.fmax(centre, TIED * np.minimum(worst, 1.0)), LEAST)
    second = primal * slack_step * dual * weight_step
    step, slack_step, weight_step = direction((centre[:, None] - second) / slack)
    far = np.maximum.reduce(np.abs(step) / path.reach, axis=1)
    primal = np.maximum(_excess(slack, slack_step) / BOUNDARY, far)
    primal = (1.0 / primal)[:, None]
    dual = (BOUNDARY / _excess(weight, weight_step))[:, None]
    turned = step * path.last < 0.0
    path.reach = path.reach * np.where(turned, 0.5, 1.5)
    path.reach = np.minimum(np.maximum(path.reach, SHORTEST), LONGEST)
    path.last = step
    path.z = path.z + primal * step
    path.slack = slack + primal * slack_step
    path.weight = weight + dual * weight_step


def inverted(matrix: Array, ridge: Array) -> Array:
    """Inverses of positive semidefinite matrices with a ridge, `(batch, n, n)`."""
    scaled = matrix.copy()
    diagonal = np.einsum("bii->bi", scaled)  # a view
    diagonal += ridge[:, None]
    size = np.sqrt(np.maximum(diagonal, 1e-300))
    sizes = size[:, :, None] * size[:, None, :]
    scaled /= sizes
    diagonal += RIDGE
    try:
        found = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        diagonal += 1e-8
        found = np.linalg.inv(scaled)
    return np.asarray(found / sizes)


def _excess(numbers: Array, steps: Array) -> Array:
    """How many times too long steps are that leave every number at or above zero."""
    return np.asarray(np.fmax.reduce(-steps / numbers, axis=1, initial=1.0))


def _weighted(rows: Array, weights: Array) -> Array:
    """Σ_i w_i·row_i, `(batch, variables)`."""
    return np.asarray(np.matmul(weights[:, None, :], rows)[:, 0])


def lowest(given: Arrays, z: Array, weight: Array) -> Array:
    """Where the mean of the ln g_i by their multipliers is least, from z.

    No point has a lower greatest ln g_i than this mean is here: where a path has not
    arrived because no point meets all constraints, its multipliers mostly prove that.
    """
    weights = np.zeros((len(z), 1 + weight.shape[1]))
    weights[:, 1:] = weight / weight.sum(axis=1, keepdims=True)
    for _ in range(TURNS):
        at = jet(given, z)
        r = _weighted(at.gradient, weights)
        worst = np.abs(r).max(axis=1)
        if not (worst > EXACT).any():
            break
        inverse = inverted(bend(given, at, weights), SHY * np.minimum(worst, 1.0))
        step = np.matmul(inverse, r[:, :, None])[:, :, 0]
        z = z - step / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1.0)
    return z


def impossible(at: Jet, z: Array, weight: Array) -> Mask:
    """Whether the multipliers prove that no point meets all constraints.

    By the bound of `excluded`, on what is known at z already.
    """
    share = weight / weight.sum(axis=1, keepdims=True)
    r = _weighted(at.gradient[:, 1:], share)
    bound = (share * at.value[:, 1:]).sum(axis=1)
    bound -= (r * z + FARTHEST * np.abs(r)).sum(axis=1)
    return np.asarray(bound > EXCLUDED)
