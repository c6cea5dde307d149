"""Whether a vector is a sum of others with weights of at least 0.

Farkas' lemma makes this the question behind several others: which terms of a program
can fall while none grows, and whether bounds leave a single point.

*Source*: Lawson & Hanson, Solving Least Squares Problems (1974), chapter 23; Boyd &
Vandenberghe, Convex Optimization (2004), section 5.8.3.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.engine.certify import Mask

WITHIN = 1e-9  # of the goal's own length, that rounding may leave
TINY = 1e-11
LOOSE = 1e-7  # likewise, of gradients at a point that is known to ten digits
CORNERS = 2000  # that are tried one by one


def weights(rows: Array, goal: Array) -> Array:
    """Weights w ≥ 0 that bring Σ w_i·row_i nearest to a goal.

    Args:
        rows: shape `(rows, numbers)`.
        goal: shape `(numbers,)`.

    Returns:
        w, shape `(rows,)`.
    """
    count = len(rows)
    size = np.linalg.norm(rows, axis=1)
    unit = rows / np.where(size > 0, size, 1.0)[:, None]
    found = np.zeros(count)
    used = np.zeros(count, dtype=bool)
    barred = size == 0
    scale = max(float(np.linalg.norm(goal)), 1e-300)
    for _ in range(3 * count + 3):
        pull = unit @ (goal - found @ unit)
        pull[used | barred] = -np.inf
        best = int(np.argmax(pull)) if count else 0
        if not count or pull[best] <= TINY * scale:
            break
        used[best] = True
        trial = _least(unit, goal, used)
        if trial[best] <= 0:
            used[best], barred[best] = False, True  # rounding: it leads nowhere
            continue
        while (trial[used] <= 0).any():
            falling = used & (trial <= 0)
            part = (found[falling] / (found[falling] - trial[falling])).min()
            found = found + part * (trial - found)
            used &= found > TINY * found.max(initial=0.0)
            found[~used] = 0.0
            trial = _least(unit, goal, used)
        found = trial
        barred = size == 0
    return np.asarray(found / np.where(size > 0, size, 1.0))


def _least(rows: Array, goal: Array, used: Mask) -> Array:
    """The least squares of some rows; 0 for the others."""
    found = np.zeros(len(rows))
    found[used] = np.linalg.lstsq(rows[used].T, goal, rcond=None)[0]
    return found


def spans(rows: Array, goal: Array) -> Array | None:
    """The weights with which rows make up a goal; None where none do."""
    found = weights(rows, goal)
    left = float(np.linalg.norm(goal - found @ rows))
    return found if left <= WITHIN * float(np.linalg.norm(goal)) else None


def balanced(rows: Array) -> Mask:
    """Which rows have a weight above 0 in some Σ w_i·row_i = 0 with w ≥ 0.

    The others are those that some direction lets fall while it lets none grow.
    """
    held: Mask = np.abs(rows).max(axis=1, initial=0.0) == 0
    for i in range(len(rows)):
        if held[i]:
            continue
        found = spans(rows, -rows[i])
        if found is not None:
            held |= found > WITHIN * found.max(initial=0.0)
            held[i] = True
    return held


def extent(
    rows: Array, goal: Array, prices: Array
) -> tuple[float | None, float | None]:
    """The least and the greatest Σ p_i·w_i over w ≥ 0 with Σ w_i·row_i = goal.

    Both stand at corners, where as few weights as can be are above 0.

    Returns:
        Either is None where it is unbounded, or where there is no such w.
    """
    rank = int(np.linalg.matrix_rank(rows, tol=1e-9)) if len(rows) else 0
    if comb(len(rows), rank) > CORNERS:
        return _extent_by_simplex(rows, goal, prices)
    found = []
    for chosen in combinations(range(len(rows)), rank):
        part = rows[list(chosen)]
        weight = np.linalg.lstsq(part.T, goal, rcond=None)[0]
        left = np.linalg.norm(goal - weight @ part)
        if left <= LOOSE * np.linalg.norm(goal) and weight.min(initial=0.0) >= -LOOSE:
            found.append(float(weight @ prices[list(chosen)]))
    if not found:
        return None, None
    up = np.append(np.zeros(rows.shape[1]), 1.0)
    wide = [np.column_stack([rows, sign * prices]) for sign in (-1.0, 1.0)]
    low, high = (spans(each, up) is not None for each in wide)
    return None if low else min(found), None if high else max(found)


def _extent_by_simplex(
    rows: Array, goal: Array, prices: Array
) -> tuple[float | None, float | None]:
    from scipy.optimize import linprog  # noqa: PLC0415 - rarely needed

    results: list[float | None] = []
    for sign in (1.0, -1.0):
        found = linprog(sign * prices, A_eq=rows.T, b_eq=goal, bounds=(0, None))
        results.append(sign * float(found.fun) if found.status == 0 else None)
    return results[0], results[1]
