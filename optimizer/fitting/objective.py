"""The objective of Hoffmann's approach 3, with its gradient and curvature.

    minimise  Σ_i ω_i · huber(f_i − ln L_i),   f = ln(E + g(e^(u − αx) + e^(v − βy)))

Here x = ln N and y = ln D are taken from their means, so that u and v are the size of
a term in the middle of the runs: ln A and alpha, which the data tie together by a
correlation of 0.999, become nearly independent, and no optimiser stops early for
being lost in a narrow valley. E stands for itself, since in ln E the way to E = 0 has
no end. The link g is the form: a sum S gives S (additive), S^k (coupled; Kaplan's with
E = 0) or R·S/(1 + S) (saturating). Hestness' has u = −∞; tied and fixed coefficients
are an affine map from what is free. Everything has a leading axis for many starts or
resamples at once.

*Source*: Hoffmann et al. 2022, appendix D.3; Besiroglu et al. 2024 for what happens
when the optimiser stops early.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.fitting.pooled import Pool, Pulls, pool
from optimizer.records import dataclass, replace

Array = NDArray[np.float64]
Rows = NDArray[Any]
TERMS = ("u", "v", "E", "alpha", "beta", "link")
EVERY = (*TERMS, "w", "gamma")  # with the term of samples, e^(w − γ·ln k)
ABSENT = -1e3  # the logarithm of a term that is not there
TINY = 1e-300  # so that no sum is 0


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
        saturating: whether the link is R·S/(1 + S) and its term ln R, not S^k and k.
        third: ln of the samples from its mean, (runs,); None for laws without them. The
            coefficients are then those of `EVERY`.
        over: how much more a prediction above the measured loss counts than one below.
        pool: the runs at each x and y, where `pooled` put them together; target and
            weight are then those of no run.
    """

    x: Array
    y: Array
    target: Array
    weight: Array
    spread: Array
    offset: Array
    low: Array
    high: Array
    saturating: bool = False
    third: Array | None = None
    over: float = 1.0
    pool: Pool | None = None

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
            pool=None if self.pool is None else self.pool.take(rows),
        )

    def pooled(self) -> Problem:
        """The same, runs of equal N and D as one place, where they are many."""
        if self.third is not None or self.target.ndim == 2 or self.pool is not None:
            return self
        found = pool(self.x, self.y, self.target, self.weight)
        if found is None:
            return self
        x, y, runs = found
        none = np.empty(0)
        return replace(self, x=x, y=y, target=none, weight=none, pool=runs)

    def pulls(self, fitted: Array, delta: Array) -> Pulls:
        """What the residuals of some predictions add at each x and y.

        Args:
            fitted: ln L, (batch, places).
            delta: of Huber's loss, (batch, 1).
        """
        if self.pool is not None:
            return self.pool.pulls(fitted, delta, self.over)
        residual = fitted - self.target
        clipped = np.clip(residual, -delta, delta)
        weight = self.weight
        if self.over != 1.0:
            weight = weight * np.where(residual > 0, self.over, 1.0)
        pull = weight * clipped
        flat = weight * (clipped == residual)
        return Pulls(pull * (residual - clipped / 2), pull, flat, weight)

    def full(self, z: Array) -> Array:
        """The six coefficients of `TERMS`, (batch, 6)."""
        return np.asarray(z @ self.spread.T + self.offset)

    def predict(self, z: Array) -> Array:
        """The fitted ln L of each run, (batch, runs)."""
        theta = self.full(z)
        value = _linked(self, theta[:, : len(TERMS)]).value
        if self.third is not None:
            value = value + np.exp(theta[:, 6:7] - theta[:, 7:8] * self.third)
        return np.asarray(np.log(theta[:, 2:3] + value))

    @property
    def additive(self) -> bool:
        """Whether the link leaves the sum as it is."""
        fixed = not self.spread[5].any() and bool((self.offset[..., 5] == 1).all())
        return fixed and not self.saturating


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


@dataclass(frozen=True, eq=False)
class _Linked:
    """The reducible loss P = g(S) and how ln P moves with m = ln S and with the link.

    Attributes:
        value: P, (batch, runs).
        share: of the parameters' term in S.
        slope: ∂ ln P/∂m.
        bend: ∂² ln P/∂m².
        by: ∂ ln P by the link's own term; its second derivative is 0.
        cross: ∂² ln P/∂m by the link's own term.
    """

    value: Array
    share: Array
    slope: Array | float
    bend: Array | float
    by: Array | float
    cross: float


def _linked(problem: Problem, theta: Array) -> _Linked:
    u, v, _, alpha, beta, link = theta.T[:, :, None]
    first = np.exp(u - alpha * problem.x)
    total = np.exp(v - beta * problem.y)
    total += first
    total += TINY
    first /= total
    if problem.additive:
        return _Linked(total, first, 1.0, 0.0, 0.0, 0.0)
    if problem.saturating:
        slope = 1 / (1 + total)
        value = np.exp(link) * (1 - slope)
        return _Linked(value, first, slope, -slope * (1 - slope), 1.0, 0.0)
    m = np.log(total)
    return _Linked(np.exp(link * m), first, link, 0.0, m, 1.0)


def huber(residual: Array, delta: Array) -> Array:
    """Huber's loss: r²/2 inside δ, δ(|r| − δ/2) outside."""
    clipped = np.clip(residual, -delta, delta)
    return np.asarray(clipped * (residual - clipped / 2))


def evaluate(problem: Problem, z: Array, delta: Array, *, exact: bool = True) -> Point:
    """The objective and its derivatives.

    Args:
        problem: with as many members as z.
        z: free coefficients, (batch, free).
        delta: of Huber's loss, (batch,).
        exact: whether the curvature has the bend of the law itself; without it
            (Gauss and Newton's) it is never negative, which leads home from afar.
    """
    theta = problem.full(z)
    linked = _linked(problem, theta)
    # The derivatives of f by E, by the logarithm of either power term and by the link.
    e = 1 / (theta[:, 2:3] + linked.value)
    q = linked.value * e
    c = q * linked.slope
    a = c * linked.share
    slopes = [a, c - a, e]
    if problem.spread[5].any():
        slopes.append(q * linked.by)
    pulls = problem.pulls(-np.log(e), delta[:, None])
    pull, flat, weight = pulls.pull, pulls.flat, pulls.weight
    x, y, spread = problem.x, problem.y, problem.spread
    lean = flat - pull if exact else flat
    bends: tuple[Array | float, ...] | None = None
    weights = flat, lean
    if exact and problem.additive:
        # The bends are then a − a², −ab and b − b², by which flat is lean, too.
        bends, weights = (pull * a, 0.0, pull * slopes[1]), (lean, lean)
    elif exact:
        bends = _bends(linked, q, c, pull)
    hessian = _hessian(slopes, bends, weights, x, y)
    sizes = [np.abs(j) for j in slopes]
    reach = [weight * size for size in sizes]
    damping = [far * size for far, size in zip(reach, sizes, strict=True)]
    return Point(
        value=pulls.value.sum(1),
        gradient=_gathered([pull * j for j in slopes], -x, -y) @ spread,
        hessian=spread.T @ hessian @ spread,
        damping=_gathered(damping, x * x, y * y) @ spread**2,
        reach=_gathered(reach, np.abs(x), np.abs(y)) @ np.abs(spread),
        inside=flat.sum(1),
    )


def _gathered(by: list[Array], x: Array, y: Array) -> Array:
    """Sums over the runs for the six terms, (batch, 6), of what each run adds.

    Args:
        by: what it adds to u, to v, to E and, where it is free, to the link.
        x: what alpha has of that of u.
        y: what beta has of that of v.
    """
    one = np.ones_like(x)
    found = np.zeros((len(by[0]), 6))
    found[:, 0:4:3] = by[0] @ np.stack([one, x], 1)
    found[:, 1:5:3] = by[1] @ np.stack([one, y], 1)
    found[:, 2] = by[2].sum(1)
    if len(by) > 3:
        found[:, 5] = by[3].sum(1)
    return found


def _bends(linked: _Linked, q: Array, c: Array, pull: Array) -> tuple[Array, ...]:
    """The pull times the second derivatives of f: aa, ab, bb, and at, bt, tt."""
    w0 = linked.share
    force = pull * c
    curve = force * ((1 - q) * linked.slope - 1) + pull * q * linked.bend
    first = curve * w0
    mixed = first - first * w0
    own = force * w0
    again = pull * (1 - q) * q * linked.by
    across = again * linked.slope + pull * q * linked.cross
    part = across * w0
    return (
        first - mixed + own,
        mixed,
        curve - first - mixed + force - own,
        part,
        across - part,
        again * linked.by,
    )


def _hessian(
    slopes: list[Array],
    bends: tuple[Array | float, ...] | None,
    weights: tuple[Array, Array],
    x: Array,
    y: Array,
) -> Array:
    """The curvature in the six terms, (batch, 6, 6).

    Args:
        slopes: the derivatives of f by u, v, E and, where it is free, the link.
        bends: from `_bends`; None leaves them out.
        weights: of the products of slopes, and of those with that by E.
        x: ln N.
        y: ln D.
    """
    flat, lean = weights
    a, b, e = slopes[:3]
    aa, ab, bb = flat * a * a, flat * a * b, flat * b * b
    if bends is not None:
        aa, ab, bb = aa + bends[0], ab + bends[1], bb + bends[2]
    # Σ over runs of a weight times 1, x, x² and so on are products with a matrix.
    one = np.ones_like(x)
    xs, ys = np.stack([one, -x, x * x], 1), np.stack([one, -y, y * y], 1)
    h = np.zeros((len(a), 6, 6))
    h[:, 0, 0], h[:, 0, 3], h[:, 3, 3] = (aa @ xs).T
    h[:, 1, 1], h[:, 1, 4], h[:, 4, 4] = (bb @ ys).T
    cross = np.stack([one, -x, -y, x * y], 1)
    h[:, 0, 1], h[:, 3, 1], h[:, 0, 4], h[:, 3, 4] = (ab @ cross).T
    leaning = lean * e
    h[:, 0, 2], h[:, 2, 3] = ((leaning * a) @ xs[:, :2]).T
    h[:, 1, 2], h[:, 2, 4] = ((leaning * b) @ ys[:, :2]).T
    h[:, 2, 2] = (leaning * e).sum(1)
    if len(slopes) > 3:
        t = slopes[3]
        at, bt, tt = flat * a * t, flat * b * t, flat * t * t
        if bends is not None:
            at, bt, tt = at + bends[3], bt + bends[4], tt + bends[5]
        h[:, 0, 5], h[:, 3, 5] = (at @ xs[:, :2]).T
        h[:, 1, 5], h[:, 4, 5] = (bt @ ys[:, :2]).T
        h[:, 2, 5] = (leaning * t).sum(1)
        h[:, 5, 5] = tt.sum(1)
    return _mirrored(h)


def _mirrored(h: Array) -> Array:
    """Symmetric matrices from ones that have each pair of entries on one side."""
    whole = h + h.transpose(0, 2, 1)
    np.einsum("bii->bi", whole)[:] = np.einsum("bii->bi", h)
    return whole
