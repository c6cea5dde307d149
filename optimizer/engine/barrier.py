"""The sure way, for members that the quick one leaves: a barrier from inside.

Phase I minimises u subject to g_i ≤ u for every constraint, within |ln x| ≤ ln 1e60. It
has a point inside to start from, and ends with one of two proofs: a point with every
g_i < 1, or weights under which no point in that box meets all bounds. Phase II follows

    min t·F(z) − Σ ln(−G_i(z)) − Σ ln(R − z_j) − Σ ln(R + z_j),   t → ∞

from the first by Newton with a line search. Both programs are convex and their sets
bounded, so no start and no unit leads it astray; it takes three times as long.

*Source*: Boyd & Vandenberghe, Convex Optimization (2004), sections 11.3 and 11.4.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.engine.arrays import Arrays, Jet, bend, jet, relaxed, value
from optimizer.engine.certify import EXCLUDED, FARTHEST, Mask
from optimizer.engine.follow import inverted
from optimizer.engine.settle import settle
from optimizer.records import dataclass, names

ROUNDS = 400  # Newton steps of a phase; 40 to 80 are usual
FASTER = 15.0  # t grows by this
CENTRED = 1e-5  # half the squared Newton decrement at which it does
TIGHT = 1e-9  # the gap of a member at its end
LEAST = 1e-12  # the gap at which phase I gives up on a member
HALVINGS = 60
UPHILL = 0.3  # the slope at a step's end over that at its start, at most
WITHIN = 0.9 * FARTHEST


@dataclass(eq=False)
class _Walk:
    """Where each member stands that is still on its way."""

    rows: Integers
    z: Array
    t: Array

    def keep(self, chosen: Mask) -> None:
        for name in names(type(self)):
            setattr(self, name, getattr(self, name)[chosen])


def inside(given: Arrays, z: Array) -> tuple[Array, Array, Mask, Mask]:
    """Phase I: looks for a point inside all bounds.

    Args:
        given: the batch.
        z: ln of the start, `(batch, variables)`.

    Returns:
        z; weights of the constraints; who has every ln g below 0 there; and of whom
        the weights prove that no point in the box meets all.
    """
    n = given.variables
    wide = relaxed(given)
    start = np.clip(z, -WITHIN, WITHIN)
    top = value(given, start)[:, 1:].max(axis=1)
    z = np.concatenate([start, top[:, None] + 1.0], axis=1)
    z, weights, ended = _minimise(wide, z, n, feasibility=True)
    rows = np.flatnonzero((ended == 0) & (z[:, n] > 0))
    if rows.size:
        # Too near to empty for the barrier's weights: Newton's are exact.
        part = wide.members(rows)
        active = (
            weights[rows] > z[rows, n:] - value(given.members(rows), z[rows, :n])[:, 1:]
        )
        point, prices, _ = settle(part, z[rows], weights[rows], active)
        none = _excluded(jet(part, point), prices, point)
        rows = rows[none]
        z[rows], weights[rows], ended[rows] = point[none], prices[none], -1
    return z[:, :n], weights, ended == 1, ended == -1


def descend(given: Arrays, z: Array) -> tuple[Array, Array, Array]:
    """Phase II: from points inside to near the optimum.

    Returns:
        z, λ and s = −ln g.
    """
    z, weights, _ = _minimise(given, z, given.variables, feasibility=False)
    return z, weights, -value(given, z)[:, 1:]


def balanced(given: Arrays, z: Array, weight: Array) -> Array:
    """λ whose least relative change makes a point near the optimum stationary.

    Near the optimum −ln g of what binds has few digits, and 1/(−t·ln g) no more; the
    gradients have all. With λ_i·(1 + η_i) the least Σ η_i² that has
    r + Σ λ_i η_i ∇G_i = 0 is a linear system.
    """
    at = jet(given, z)
    rows = at.gradient[:, 1:] * weight[:, :, None]
    r = at.gradient[:, 0] + rows.sum(axis=1)
    # A member beyond numbers is left to the judge, and may not end the others.
    held = np.where(np.isfinite(rows), rows, 0.0)
    least = np.linalg.pinv(held.transpose(0, 2, 1), rcond=1e-14)
    change = -np.matmul(least, r[:, :, None])[..., 0]
    return np.asarray(weight * np.maximum(1 + change, 0.0))


def _minimise(
    given: Arrays, z: Array, boxed: int, *, feasibility: bool
) -> tuple[Array, Array, Integers]:
    """Follows the barrier of a batch; the first `boxed` variables are in the box."""
    batch, m = len(z), len(given.starts) - 1
    ends, weights = z.copy(), np.zeros((batch, m))
    ended = np.zeros(batch, dtype=int)
    walk = _Walk(np.arange(batch), z.copy(), np.full(batch, 1.0))
    at = jet(given, walk.z)
    many = m + 2 * boxed
    for _ in range(ROUNDS):
        moving = np.isfinite(walk.t)
        if not moving.all():
            if not moving.any():
                break
            given = given.members(np.flatnonzero(moving))
            at = at.members(moving)
            walk.keep(moving)
        slope, step = _newton(given, at, walk, boxed)
        fall = -(slope * step).sum(axis=1)
        centred = ~(fall > 2 * CENTRED)
        price = 1 / (walk.t[:, None] * -at.value[:, 1:])
        ends[walk.rows], weights[walk.rows] = walk.z, price
        gap = many / walk.t
        if feasibility:
            u = walk.z[:, -1]
            highest = at.value[:, 1:].max(axis=1) + u
            found = (highest < 0) & centred & (gap < 0.5 * np.abs(u))
            none = centred & (u > 0) & _excluded(at, price, walk.z)
            ended[walk.rows[found]] = 1
            ended[walk.rows[none]] = -1
            done = found | none | (centred & (gap < LEAST))
            inside_ = (highest < 0) & (gap < 1e-9)
            ended[walk.rows[done & ~none & inside_]] = 1
        else:
            done = centred & (gap < TIGHT)
        done |= ~np.isfinite(fall)
        if done.all():
            break
        if done.any():
            left = ~done
            given = given.members(np.flatnonzero(left))
            at = at.members(left)
            slope, step, fall, centred = (
                part[left] for part in (slope, step, fall, centred)
            )
            walk.keep(left)
        walk.t = np.where(centred, walk.t * FASTER, walk.t)
        if centred.any():
            slope, step = _newton(given, at, walk, boxed)
        before = walk.z
        walk.z, at = _line(given, walk, slope, step, boxed)
        # At the last digits no step goes down: what is centred there is done.
        stuck = (walk.z == before).all(axis=1)
        walk.t = np.where(stuck, np.inf, walk.t)
    return ends, weights, ended


def _newton(given: Arrays, at: Jet, walk: _Walk, boxed: int) -> tuple[Array, Array]:
    """Gradient of the barrier and Newton's step."""
    push = 1 / -at.value[:, 1:]
    ones = walk.t[:, None]
    slope = _slope(at, walk, boxed)
    matrix = bend(
        given,
        at,
        np.concatenate([ones, push], axis=1),
        np.concatenate([0 * ones, push**2], axis=1),
    )
    up = 1 / (FARTHEST - walk.z[:, :boxed])
    down = 1 / (FARTHEST + walk.z[:, :boxed])
    places = np.arange(boxed)
    matrix[:, places, places] += up**2 + down**2
    inverse = inverted(matrix, np.zeros(len(matrix)))
    step = -np.matmul(inverse, slope[:, :, None])[..., 0]
    # Rounding must not turn a descent into an ascent.
    bad = ~((slope * step).sum(axis=1) < 0)
    scale = 1 / np.maximum(np.diagonal(matrix, axis1=1, axis2=2), 1e-300)
    return slope, np.where(bad[:, None], -slope * scale, step)


def _slope(at: Jet, walk: _Walk, boxed: int) -> Array:
    """The gradient of the barrier."""
    push = 1 / -at.value[:, 1:]
    slope = walk.t[:, None] * at.gradient[:, 0]
    slope = slope + np.matmul(push[:, None], at.gradient[:, 1:])[:, 0]
    z = walk.z[:, :boxed]
    slope[:, :boxed] += 1 / (FARTHEST - z) - 1 / (FARTHEST + z)
    return np.asarray(slope)


def _line(
    given: Arrays, walk: _Walk, slope: Array, step: Array, boxed: int
) -> tuple[Array, Jet]:
    """The longest of halved steps that stays inside and does not go far uphill."""
    fall = (slope * step).sum(axis=1)
    length = np.ones(len(fall))
    z = walk.z
    rows = np.arange(len(z))
    new = z.copy()
    for _ in range(HALVINGS):
        trial = z[rows] + length[rows, None] * step[rows]
        part = given if len(rows) == len(z) else given.members(rows)
        at = jet(part, trial)
        good = (at.value[:, 1:] < 0).all(axis=1)
        good &= (np.abs(trial[:, :boxed]) < FARTHEST).all(axis=1)
        there = _slope(at, _Walk(rows, trial, walk.t[rows]), boxed)
        ahead = (there * step[rows]).sum(axis=1)
        good &= ahead <= UPHILL * np.abs(fall[rows])
        new[rows[good]] = trial[good]
        if good.all():
            if len(rows) == len(z):
                return new, at
            break
        rows = rows[~good]
        length[rows] *= 0.5
    return new, jet(given, new)


def _excluded(at: Jet, price: Array, z: Array) -> Mask:
    """Whether the weights prove that no point meets all bounds; see `excluded`.

    `at` is of the relaxed program, whose constraints are ln g − u.
    """
    u = z[:, -1]
    share = price / price.sum(axis=1, keepdims=True)
    bound = (share * (at.value[:, 1:] + u[:, None])).sum(axis=1)
    r = np.matmul(share[:, None], at.gradient[:, 1:])[:, 0, :-1]
    bound -= (r * z[:, :-1] + FARTHEST * np.abs(r)).sum(axis=1)
    return np.asarray(bound > EXCLUDED)
