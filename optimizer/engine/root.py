"""The plain program in closed form but for one root, for a whole batch at once.

    minimise    c1·x·y + c2·x + c3·y + c4
    subject to  A·x^-α + B·y^-β ≤ 1

With the share q of the constraint left to y, x = (A/(1−q))^(1/α), y = (B/q)^(1/β),
and the optimum is where

    ln(q/(1−q)) + ln(1 + c2/(c1·y)) − ln(1 + c3/(c1·x)) = ln(α/β).

The left-hand side rises in u = ln(q/(1−q)) with a slope of at least 1, so Newton in u
finds the one root in a few steps. *Source*: the optimality conditions with x and y
eliminated; at c2 = c3 = 0 this is Hoffmann et al. 2022, eq. 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.posynomial import Array, Posynomial
from optimizer.program import GeometricProgram

ROUGH = 5  # steps in single precision
STEPS = 8  # and then at most in double
KINDS = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Plain:
    """A program of this shape; logarithms of shape `(batch or 1,)`.

    Attributes:
        first: the number of the constraint that is met with equality.
        costs: ln c1 to ln c4; None for a term that is absent.
        A: ln A.
        B: ln B.
        alpha: α.
        beta: β.
    """

    first: int
    costs: tuple[Array | None, ...]
    A: Array
    B: Array
    alpha: Array
    beta: Array


def plain(program: GeometricProgram) -> Plain | None:
    """Recognises a plain program; other constraints may stand beside its one."""
    objective = program.objective
    if not isinstance(objective, Posynomial) or len(program.variables) != 2:
        return None
    costs: list[Array | None] = [None] * len(KINDS)
    if len(objective.exponents) > 1:
        return None
    for t, powers in enumerate(objective.exponents[0].tolist()):
        if tuple(powers) not in KINDS or costs[KINDS.index(tuple(powers))] is not None:
            return None
        costs[KINDS.index(tuple(powers))] = objective.logs[:, t]
    if costs[0] is None:
        return None
    for i, constraint in enumerate(program.constraints):
        p = constraint.posynomial
        if not isinstance(p, Posynomial) or p.exponents.shape[1] != 2:
            continue
        for x, y in ((0, 1), (1, 0)):
            one, two = p.exponents[:, x], p.exponents[:, y]
            apart = not (one[:, 1].any() or two[:, 0].any())
            if apart and (one[:, 0] < 0).all() and (two[:, 1] < 0).all():
                A, B = p.logs[:, x], p.logs[:, y]
                return Plain(i, tuple(costs), A, B, -one[:, 0], -two[:, 1])
    return None


def root(program: GeometricProgram, form: Plain, batch: int) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `plain` recognised in it.
        batch: the number of members.
    """
    alpha, beta = form.alpha, form.beta
    product, demand, price, _ = form.costs
    target = np.log(alpha / beta)
    if product is not None and demand is not None:
        demand = demand - product - form.B / beta
    if product is not None and price is not None:
        price = price - product - form.A / alpha
    balance = _Balance(target, demand, price, alpha, beta)
    # Half the digits cost a quarter of the time.
    rough = balance.single()
    u = _newton(rough, rough.start(batch), ROUGH).astype(np.float64)
    u = _newton(balance, u, STEPS)
    rest = -np.log(1 + np.exp(u))
    z = np.empty((batch, 2))
    z[:, 0] = (form.A - rest) / alpha
    z[:, 1] = (form.B - rest - u) / beta
    multipliers = np.zeros((batch, len(program.constraints)))
    # Both sides of ∇F + λ·∇G = 0 summed; G's exponents at a root are α(1−q) and βq.
    share = np.exp(rest + u)
    slopes = _slopes(form, z)
    multipliers[:, form.first] = slopes / (alpha * (1 - share) + beta * share)
    return z, multipliers


def _slopes(form: Plain, z: Array) -> Array:
    """∂F/∂ln x + ∂F/∂ln y: 2 for the product, 1 for x and for y, 0 for a constant."""
    total, slope = np.zeros(len(z)), np.zeros(len(z))
    first = form.costs[0]
    for cost, (x, y) in zip(form.costs, KINDS, strict=True):
        if cost is not None and first is not None:
            # Over the product's own size, so that nothing overflows.
            size = np.exp(cost - first + (x - 1) * z[:, 0] + (y - 1) * z[:, 1])
            total += size
            slope += (x + y) * size
    return slope / total


@dataclass(frozen=True, eq=False)
class _Balance:
    """The equation in u; logarithms of the terms' weights, None where absent."""

    target: Array
    demand: Array | None
    price: Array | None
    alpha: Array
    beta: Array

    def single(self) -> _Balance:
        """The same in single precision."""
        return _Balance(
            self.target.astype(np.float32),
            None if self.demand is None else self.demand.astype(np.float32),
            None if self.price is None else self.price.astype(np.float32),
            self.alpha.astype(np.float32),
            self.beta.astype(np.float32),
        )

    def start(self, batch: int) -> Array:
        """Between what the root is without demand and where demand dominates."""
        target, alpha, beta = self.target, self.alpha, self.beta
        u = np.broadcast_to(target, (batch,)).copy()
        if self.demand is not None:
            far = (target - self.demand) * (beta / (1 + beta))
            np.minimum(u, np.maximum(far, target - self.demand), out=u)
        if self.price is not None:
            far = (target + self.price) * (alpha / (1 + alpha))
            np.maximum(u, np.minimum(far, target + self.price), out=u)
        return u

    def step(self, u: Array) -> Array:
        """Newton's step."""
        odds = np.exp(u)
        whole = 1 + odds
        rest = -np.log(whole)  # ln(1 − q)
        share = odds / whole
        value, slope = u - self.target, 1.0
        if self.demand is not None:
            ratio = 1 + np.exp(self.demand + (u + rest) / self.beta)
            value = value + np.log(ratio)
            slope = slope + (1 - 1 / ratio) * (1 - share) / self.beta
        if self.price is not None:
            ratio = 1 + np.exp(self.price + rest / self.alpha)
            value = value - np.log(ratio)
            slope = slope + (1 - 1 / ratio) * share / self.alpha
        return np.asarray(value / slope)


def _newton(balance: _Balance, u: Array, steps: int) -> Array:
    near = 1e-3 if u.dtype == np.float32 else 1e-9  # squared, below the digits
    for _ in range(steps):
        step = balance.step(u)
        u = u - step
        if np.abs(step).max() <= near:
            break
    return u
