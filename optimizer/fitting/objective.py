"""The objective of Hoffmann's approach 3, with its gradient and curvature.

    minimise  Σ_i ω_i · huber(f_i − ln L_i),   f = o · ln(e^(u − αx) + e^(v − βy) + E)

Here x = ln N and y = ln D are taken from their means, so that u and v are the size of
a term in the middle of the runs: ln A and alpha, which the data tie together by a
correlation of 0.999, become nearly independent, and no optimiser stops early for
being lost in a narrow valley. E stands for itself, since in ln E the way to E = 0 has
no end. Kaplan's law is the case E = 0 with an outer exponent o, Hestness' u = −∞; tied
and fixed coefficients are an affine map from what is free. Everything has a leading
axis for many starts or resamples at once.

*Source*: Hoffmann et al. 2022, appendix D.3; Besiroglu et al. 2024 for what happens
when the optimiser stops early.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[Any]
TERMS = ("u", "v", "E", "alpha", "beta", "outer")
ABSENT = -1e3  # the logarithm of a term that is not there
LEAST = -30.0  # of a logarithm that others are compared with


@dataclass(frozen=True, eq=False)
class Problem:
    """What is fitted to what; (batch, …) where members of a batch differ.

    Attributes:
        x: ln N from its mean, (runs,).
        y: ln D from its mean, (runs,).
        target: ln L, (runs,) or (batch, runs).
        weight: of each run, (runs,) or (batch, runs).
        spread: from the free coefficients to the six of `TERMS`, (6, free).
        offset: what is added, (6,) or (batch, 6).
        low: lower bounds of the free coefficients, (free,).
        high: upper bounds, (free,).
    """

    x: Array
    y: Array
    target: Array
    weight: Array
    spread: Array
    offset: Array
    low: Array
    high: Array

    @property
    def free(self) -> int:
        """How many coefficients are free."""
        return int(self.spread.shape[1])

    def take(self, rows: Rows) -> Problem:
        """The problem of some members of the batch."""
        return replace(
            self,
            target=self.target[rows] if self.target.ndim == 2 else self.target,
            weight=self.weight[rows] if self.weight.ndim == 2 else self.weight,
            offset=self.offset[rows] if self.offset.ndim == 2 else self.offset,
        )

    def full(self, z: Array) -> Array:
        """The six coefficients of `TERMS`, (batch, 6)."""
        return np.asarray(z @ self.spread.T + self.offset)

    def predict(self, z: Array) -> Array:
        """The fitted ln L of each run, (batch, runs)."""
        theta = self.full(z)
        top, first, second, rest = _parts(self, theta)
        return np.asarray(theta[:, 5:6] * (top + np.log(first + second + rest)))


@dataclass(frozen=True, eq=False)
class Point:
    """The objective at some coefficients.

    Attributes:
        value: (batch,).
        gradient: (batch, free).
        hessian: exact but for the corners of Huber's loss, (batch, free, free).
        damping: Σ ω J², the curvature that every residual would add, (batch, free).
        reach: Σ ω |J|, so that |gradient| / (δ · reach) has no scale, (batch, free).
        inside: how many residuals lie inside δ, by weight, (batch,).
    """

    value: Array
    gradient: Array
    hessian: Array
    damping: Array
    reach: Array
    inside: Array

    def put(self, rows: Rows, other: Point, taken: Rows) -> None:
        """Overwrites some members with members of another."""
        for name in self.__dataclass_fields__:
            getattr(self, name)[rows] = getattr(other, name)[taken]


def _parts(problem: Problem, theta: Array) -> tuple[Array, Array, Array, Array]:
    """The logarithm of the larger power term, and the three terms over it."""
    u, v, E, alpha, beta, _ = theta.T[:, :, None]
    first = u - alpha * problem.x
    second = v - beta * problem.y
    top = np.maximum(np.maximum(first, second), LEAST)
    return top, np.exp(first - top), np.exp(second - top), E * np.exp(-top)


def huber(residual: Array, delta: Array) -> Array:
    """Huber's loss: r²/2 inside δ, δ(|r| − δ/2) outside."""
    clipped = np.clip(residual, -delta, delta)
    return np.asarray(clipped * (residual - clipped / 2))


def evaluate(problem: Problem, z: Array, delta: Array) -> Point:
    """The objective and its derivatives.

    Args:
        problem: with as many members as z.
        z: free coefficients, (batch, free).
        delta: of Huber's loss, (batch,).
    """
    theta = problem.full(z)
    outer = theta[:, 5:6]
    top, first, second, rest = _parts(problem, theta)
    total = first + second + rest
    inner = top + np.log(total)
    # The share of each power term, and the derivative by E.
    w0, w1, w2 = first / total, second / total, np.exp(-inner)
    residual = outer * inner - problem.target
    bound = delta[:, None]
    clipped = np.clip(residual, -bound, bound)
    flat = problem.weight * (clipped == residual)
    pull = problem.weight * clipped
    value = (pull * (residual - clipped / 2)).sum(1)

    # Σ over runs of a weight times 1, x, x² and so on are products with a matrix.
    x, y = problem.x, problem.y
    one = np.ones_like(x)
    xs, ys = np.stack([one, x, x * x], 1), np.stack([one, y, y * y], 1)
    cross = np.stack([one, x, y, x * y], 1)
    a, b, c = outer * pull * w0, outer * pull * w1, outer * pull * w2
    ax, by = a @ xs, b @ ys
    gradient = np.zeros((len(z), 6))
    gradient[:, 0], gradient[:, 3] = ax[:, 0], -ax[:, 1]
    gradient[:, 1], gradient[:, 4] = by[:, 0], -by[:, 1]
    gradient[:, 2] = c.sum(1)

    curve = flat * outer**2 - outer * pull
    c0, c1 = curve * w0, curve * w1
    aa, bb, ab = (c0 * w0) @ xs, (c1 * w1) @ ys, (c0 * w1) @ cross
    ae, be = (c0 * w2) @ xs, (c1 * w2) @ ys
    h = np.zeros((len(z), 6, 6))
    h[:, 0, 0], h[:, 0, 3], h[:, 3, 3] = (aa + ax).T * ((1,), (-1,), (1,))
    h[:, 1, 1], h[:, 1, 4], h[:, 4, 4] = (bb + by).T * ((1,), (-1,), (1,))
    h[:, 0, 1], h[:, 3, 1], h[:, 0, 4], h[:, 3, 4] = ab.T * ((1,), (-1,), (-1,), (1,))
    h[:, 0, 2], h[:, 2, 3] = ae[:, 0], -ae[:, 1]
    h[:, 1, 2], h[:, 2, 4] = be[:, 0], -be[:, 1]
    h[:, 2, 2] = (curve * w2 * w2).sum(1)
    reach, damping = _sizes(problem.weight * outer, (w0, w1, w2), outer, xs, ys)
    if problem.spread[5].any():
        lean = flat * outer * inner + pull
        gradient[:, 5] = (pull * inner).sum(1)
        h[:, 0, 5], h[:, 3, 5] = ((lean * w0) @ xs[:, :2]).T * ((1,), (-1,))
        h[:, 1, 5], h[:, 4, 5] = ((lean * w1) @ ys[:, :2]).T * ((1,), (-1,))
        h[:, 2, 5] = (lean * w2).sum(1)
        h[:, 5, 5] = (flat * inner * inner).sum(1)
        reach[:, 5] = (problem.weight * np.abs(inner)).sum(1)
        damping[:, 5] = (problem.weight * inner * inner).sum(1)
    h = _mirrored(h)
    spread = problem.spread
    return Point(
        value=value,
        gradient=gradient @ spread,
        hessian=spread.T @ h @ spread,
        damping=damping @ spread**2,
        reach=reach @ np.abs(spread),
        inside=flat.sum(1),
    )


def _sizes(
    weighted: Array,
    shares: tuple[Array, Array, Array],
    outer: Array,
    xs: Array,
    ys: Array,
) -> tuple[Array, Array]:
    """Σ ω |J| and Σ ω J² of the five inner terms, each (batch, 6)."""
    u, v, e = (weighted * share for share in shares)
    reach, damping = np.zeros((2, len(weighted), 6))
    reach[:, 0], reach[:, 3] = (u @ np.abs(xs[:, :2])).T
    reach[:, 1], reach[:, 4] = (v @ np.abs(ys[:, :2])).T
    reach[:, 2] = e.sum(1)
    damping[:, 0], damping[:, 3] = (u * outer * shares[0] @ xs[:, ::2]).T
    damping[:, 1], damping[:, 4] = (v * outer * shares[1] @ ys[:, ::2]).T
    damping[:, 2] = (e * outer * shares[2]).sum(1)
    return reach, damping


def _mirrored(h: Array) -> Array:
    """Symmetric matrices from ones that have each pair of entries on one side."""
    whole = h + h.transpose(0, 2, 1)
    np.einsum("bii->bi", whole)[:] = np.einsum("bii->bi", h)
    return whole
