"""Newton on the constraints that bind, for a batch: to the limit of double precision.

An interior-point method stops near the optimum. The optimality conditions are smooth
once it is known which constraints bind, so a few Newton steps on

    ∇F(z) + Σ λ_i ∇G_i(z) = 0,   G_i(z) = 0 for the binding i

end at the last digits. What Newton finds corrects the set: a constraint that is broken
joins it, one with a multiplier below 0 leaves. *Source*: Boyd & Vandenberghe, Convex
Optimization (2004), section 10.2; Nocedal & Wright, Numerical Optimization (2006),
section 16.5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.engine.arrays import Arrays, Jet, bend, jet
from optimizer.engine.certify import Mask

STEPS = 40  # of Newton on one set of binding constraints
STALE = 8  # of them without progress: this set has no such point
EXACT = 1e-14  # residual at which it stops
SMALL = 1e-13  # residual that it must reach
DAMPING = 1e-8  # of Newton where cost is flat; its answer is as exact
NEARBY = 0.01  # in ln x: a step beyond this is cut short where cost is all but flat
LEAST = 1e-14  # no less, so that no system is singular
LOOSE = 1e-13  # likewise of constraints that say the same
SLACK = 1e-11  # G_i above this is violated, λ_i below −this has the wrong sign
APART = 1e-9  # |G_i| of a constraint that is taken as binding and does not
LOST = 1e12  # residuals from which Newton does not return
NOISE = 1e-13  # a multiplier below this is rounding


def settle(
    given: Arrays,
    z: Array,
    weight: Array,
    active: Mask,
    *,
    still: bool = False,
    tries: int | None = None,
) -> tuple[Array, Array, Mask]:
    """Newton from z and λ on the active constraints, corrected by what it finds.

    Args:
        given: the batch.
        z: ln of the guess, `(batch, variables)`.
        weight: guess of λ, `(batch, constraints)`.
        active: which constraints are taken as binding, likewise.
        still: whether to stay where cost is all but flat, rather than seek its end.
        tries: how many sets; as many as may be needed by default.

    Returns:
        z, λ ≥ 0, and which members came to an exact point.
    """
    z, weight, active = z.copy(), weight.copy(), active.copy()
    m = weight.shape[1]
    lead = weight.copy()
    exact = np.zeros(len(z), dtype=bool)
    rows = np.arange(len(z))
    for _ in range(2 * m + 2 if tries is None else tries):
        part = given if len(rows) == len(z) else given.members(rows)
        z[rows], weight[rows], good, values = _newton(
            part, z[rows], weight[rows], active[rows], DAMPING if still else LEAST
        )
        exact[rows] = good
        if not m:
            break
        on = active[rows]
        broken = np.where(on, -np.inf, values)
        negative = np.where(on, weight[rows], np.inf)
        worst, least = broken.max(axis=1), negative.min(axis=1)
        # They cannot all bind at once: the least convincing one does not.
        apart = (np.abs(np.where(on, values, 0.0)) > APART).any(axis=1)
        apart &= (on.sum(axis=1) > z.shape[1]) | (worst <= SLACK)
        adding = ~apart & (worst > SLACK)
        leaving = ~apart & ~adding & (least < -SLACK)
        exact[rows] &= ~(apart | adding | leaving)
        new = broken.argmax(axis=1)
        active[rows[adding], new[adding]] = True
        lead[rows[adding], new[adding]] = np.inf  # another gives way before it
        active[rows[leaving], negative.argmin(axis=1)[leaving]] = False
        weak = np.where(on, lead[rows], np.inf).argmin(axis=1)
        active[rows[apart], weak[apart]] = False
        rows = rows[apart | adding | leaving]
        if not rows.size:
            break
    return z, np.where(weight > NOISE, weight, 0.0), exact


def _newton(
    given: Arrays, z: Array, weight: Array, active: Mask, damping: float
) -> tuple[Array, Array, Mask, Array]:
    """Solves the optimality conditions of given sets of binding constraints.

    Returns:
        z, λ, who reached full precision, and ln g of all constraints there.
    """
    n, m = z.shape[1], weight.shape[1]
    weight = np.where(active, weight, 0.0)
    ends = z.copy(), weight.copy(), np.full(weight.shape, np.inf)
    least = np.full(len(z), np.inf)
    nearest = list(ends)
    best, stale, rows = least, np.zeros(len(z), dtype=int), np.arange(len(z))
    for turn in range(1, STEPS + 1):
        at = jet(given, z)
        r = at.gradient[:, 0] + np.matmul(weight[:, None], at.gradient[:, 1:])[:, 0]
        g = np.where(active, at.value[:, 1:], 0.0)
        worst = np.maximum.reduce(np.abs(r), axis=1)
        if m:
            worst = np.maximum(worst, np.maximum.reduce(np.abs(g), axis=1))
        stale = np.where(worst < 0.9 * best, 0, stale + 1)
        better = worst < best
        done = (worst <= EXACT) | ((best < 1e-12) & ~better)
        done |= (stale == STALE) | ~(worst < LOST) | (turn == STEPS)
        now = z, weight, at.value[:, 1:]
        if better.all():
            best, nearest = worst, list(now)
        else:
            best = np.where(better, worst, best)
            nearest = [
                np.where(better[:, None], new, old)
                for new, old in zip(now, nearest, strict=True)
            ]
        if done.any():
            least[rows[done]] = best[done]
            for end, near in zip(ends, nearest, strict=True):
                end[rows[done]] = near[done]
            if done.all():
                break
        if done.any():
            go = ~done
            given, at = given.members(np.flatnonzero(go)), at.members(go)
            rows, z, weight, active, r, g, stale, best, *nearest = (
                part[go]
                for part in (rows, z, weight, active, r, g, stale, best, *nearest)
            )
        step = _step(given, at, (weight, active), (r, g), damping)
        if damping == DAMPING:
            step = _shortened(
                step, partial(_step, given, at, (weight, active), (r, g)), n
            )
        longest = np.maximum.reduce(np.abs(step[:, :n]), axis=1, initial=1.0)
        z = z + step[:, :n] / longest[:, None]
        weight = weight + step[:, n:]
    return ends[0], ends[1], least <= SMALL, ends[2]


def _step(
    given: Arrays,
    at: Jet,
    prices: tuple[Array, Mask],
    residual: tuple[Array, Array],
    damping: float,
) -> Array:
    """Newton's step in z and λ; an idle constraint's multiplier stays at 0."""
    (weight, active), (r, g) = prices, residual
    batch, n = r.shape
    m = weight.shape[1]
    positive = np.ones((batch, 1 + m))
    positive[:, 1:] = np.maximum(weight, 0.0)
    system = np.zeros((batch, n + m, n + m))
    system[:, :n, :n] = bend(given, at, positive)
    bound = at.gradient[:, 1:] * active[:, :, None]
    system[:, n:, :n] = bound
    system[:, :n, n:] = bound.transpose(0, 2, 1)
    diagonal = np.einsum("bii->bi", system)  # a view
    worst = np.maximum.reduce(np.abs(r), axis=1)
    diagonal[:, :n] += np.maximum(damping, np.minimum(worst, DAMPING))[:, None]
    diagonal[:, n:] = np.where(active, -LOOSE, 1.0)
    if not np.isfinite(np.add.reduce(system, axis=None)):
        system[~np.isfinite(system).all(axis=(1, 2))] = np.eye(n + m)
    return solved(system, -np.concatenate([r, g], axis=1))


def _shortened(step: Array, anew: Callable[[float], Array], n: int) -> Array:
    """Steps that meet the binding constraints and go no farther than that takes."""
    for damping in (1e-6, 1e-4, 1e-2, 1.0, 1e2):
        far = np.abs(step[:, :n]).max(axis=1) > NEARBY
        if not far.any():
            break
        step = np.where(far[:, None], anew(damping), step)
    return step


def solved(system: Array, right: Array) -> Array:
    """Solutions of linear systems; by least squares where one is singular."""
    try:
        return np.asarray(np.linalg.solve(system, right[:, :, None])[..., 0])
    except np.linalg.LinAlgError:
        if len(system) == 1:
            return np.asarray(np.linalg.lstsq(system[0], right[0], rcond=1e-13)[0])[
                None
            ]
    half = len(system) // 2
    return np.concatenate(
        [solved(system[:half], right[:half]), solved(system[half:], right[half:])]
    )
