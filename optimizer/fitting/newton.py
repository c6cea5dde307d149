"""A damped Newton method for many problems at once, down to rounding error.

Huber's loss with a small δ is nearly a sum of absolute values: its curvature comes
from the few runs inside δ. So δ starts wide and narrows, each time from where the
wider one came to rest; then Newton's steps are exact and end at a gradient of zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimizer.fitting.objective import Array, Point, Rows
from optimizer.records import dataclass

Evaluate = Callable[[Rows, Array, Array], Point]

STATIONARY = 1e-8  # of |gradient| / (δ Σ ω |J|)
LOOSE = 1e-3  # stationary enough to narrow δ
NARROWER = 0.2
STEPS = 1000
STUCK = 1e14


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where each member of a batch came to rest.

    Attributes:
        z: free coefficients, (batch, free).
        value: of the objective, (batch,).
        stationarity: the scaled gradient, 0 in coefficients held by a bound, (batch,).
        held: coefficients at a bound that the objective presses against.
        inside: the weight of the residuals inside δ, (batch,).
        hessian: (batch, free, free).
    """

    z: Array
    value: Array
    stationarity: Array
    held: Rows
    inside: Array
    hessian: Array

    def put(self, rows: Rows, other: Minimum) -> None:
        """Overwrites some members with another's."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[rows] = getattr(other, name)


def minimise(
    evaluate: Evaluate,
    z: Array,
    low: Array,
    high: Array,
    delta: float,
    first: Array | None = None,
    *,
    steps: int = STEPS,
) -> Minimum:
    """Finds a local minimum from each start.

    Args:
        evaluate: the objective of some members (indices) at z for their δ.
        z: starts, (batch, free).
        low: lower bounds, (free,).
        high: upper bounds, (free,).
        delta: of Huber's loss.
        first: δ to start from, (batch,); narrowed down to `delta`.
        steps: after which a search is left where it is.
    """
    z = np.clip(z, low, high)
    count = len(z)
    width = np.full(count, delta) if first is None else np.maximum(first, delta)
    at = evaluate(np.arange(count), z, width)
    trust = np.full(count, 1e-3)
    going = np.arange(count)
    for _ in range(steps):
        held = _held(z[going], at.gradient[going], low, high)
        rest = _stationarity(at, going, held, width[going])
        narrow = (width[going] > delta) & (rest <= LOOSE)
        done = (width[going] <= delta) & (rest <= STATIONARY / 100)
        done |= (trust[going] > STUCK) & ~narrow & (width[going] <= delta)
        narrow |= (trust[going] > STUCK) & (width[going] > delta)
        if narrow.any():
            rows = going[narrow]
            width[rows] = np.maximum(width[rows] * NARROWER, delta)
            trust[rows] = 1e-3
            every = np.arange(len(rows))
            at.put(rows, evaluate(rows, z[rows], width[rows]), every)
        going, held = going[~done], held[~done]
        if not len(going):
            break
        step = _step(at, going, held, trust[going])
        moved = np.clip(z[going] + step, low, high)
        there = evaluate(going, moved, width[going])
        gain = at.value[going] - there.value
        # At the end the gain drowns in rounding, and the gradient decides.
        noise = 1e-12 * np.abs(at.value[going])
        now = _stationarity(at, going, held, width[going])
        then = _stationarity(there, np.arange(len(going)), held, width[going])
        better = (gain > noise) | ((gain >= -noise) & (then < now))
        rows = going[better]
        z[rows] = moved[better]
        at.put(rows, there, np.flatnonzero(better))
        trust[going] = np.where(
            better, np.maximum(trust[going] / 8, 1e-14), trust[going] * 6
        )
    every = np.arange(count)
    held = _held(z, at.gradient, low, high)
    return Minimum(
        z, at.value, _stationarity(at, every, held, width), held, at.inside, at.hessian
    )


def _held(z: Array, gradient: Array, low: Array, high: Array) -> Rows:
    return ((z <= low) & (gradient >= 0)) | ((z >= high) & (gradient <= 0))


def _stationarity(at: Point, rows: Rows, held: Rows, width: Array) -> Array:
    scale = width[:, None] * at.reach[rows] + 1e-300
    scaled = np.where(held, 0.0, np.abs(at.gradient[rows]) / scale)
    return np.asarray(scaled.max(1))


def _step(at: Point, rows: Rows, held: Rows, trust: Array) -> Array:
    """Newton's step, damped; none in a coefficient that is held."""
    gradient = np.where(held, 0.0, at.gradient[rows])
    matrix = at.hessian[rows]
    matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, matrix)
    # A term that is nearly gone curves by its own size, not by the square of it.
    size = at.damping[rows] + np.abs(np.einsum("bii->bi", matrix)) + 1e-300
    root = np.sqrt(size)
    matrix = matrix / root[:, :, None] / root[:, None, :]
    diagonal = np.einsum("bii->bi", matrix)
    diagonal += np.where(held, 1.0, trust[:, None])
    with np.errstate(all="ignore"):
        try:
            solved = np.linalg.solve(matrix, -(gradient / root)[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            solved = -gradient / root / diagonal
        step = solved / root
    step = np.where(np.isfinite(step), step, 0.0)
    return np.where(held, 0.0, np.clip(step, -3.0, 3.0))
