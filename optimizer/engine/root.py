"""The plain program in closed form but for one root, for a whole batch at once.

    minimise    c1·x·y + c2·x + c3·y + c4
    subject to  A·x^-α + B·y^-β ≤ 1

With the share q of the constraint left to y, x = (A/(1−q))^(1/α), y = (B/q)^(1/β),
and the optimum is where

    ln(q/(1−q)) + ln(1 + c2/(c1·y)) − ln(1 + c3/(c1·x)) = ln(α/β).

The left-hand side rises in u = ln(q/(1−q)) with a slope of at least 1, so Newton in u
finds the one root in a few steps. *Source*: the optimality conditions with x and y
eliminated; at c2 = c3 = 0 this is Hoffmann et al. 2022, eq. 4.

Where the root lies beyond a wall g ≤ 1 of powers of 0 and more, the optimum is the
nearest point of the constraint within all walls: cost falls towards the root from
either side, and with ln x and ln y each ln g is convex in u.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from optimizer.algebra.elementary import (
    Value,
    exp,
    larger,
    log,
    row,
    singly,
    smaller,
    some,
    where,
)
from optimizer.algebra.posynomial import Array, Integers, Posynomial, cut
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.curve import (
    NEAR,
    Curve,
    Wall,
    broken,
    curve_of,
    flat,
    most,
    multipliers_of,
    part,
    walls_of,
)
from optimizer.records import dataclass

ROUGH = 5  # steps in single precision
STEPS = 8  # and then at most in double
WALK = 16  # steps to a wall
WITHIN = 1e-11  # ln g up to which a wall is kept
KINDS = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))

Held: TypeAlias = "tuple[Value, Value, Value, Value]"


@dataclass(frozen=True, eq=False)
class Plain:
    """A program of this shape.

    Attributes:
        curve: the constraint that is met with equality.
        costs: ln c1 to ln c4, as its numbers; None for a term that is absent.
        walls: the other constraints, as far as they are known to be such.
    """

    curve: Curve
    costs: tuple[Value | None, ...]
    walls: tuple[Wall, ...]

    def one(self, place: int) -> Plain:
        """That of a single member, in floats."""
        costs = (None if cost is None else row(cost, place) for cost in self.costs)
        walls = (wall.one(place) for wall in self.walls)
        return Plain(self.curve.one(place), tuple(costs), tuple(walls))

    def members(self, rows: Integers) -> Plain:
        """Those of some numbers."""
        costs = (None if cost is None else cut(cost, rows) for cost in self.costs)
        walls = (wall.members(rows) for wall in self.walls)
        return Plain(self.curve.members(rows), tuple(costs), tuple(walls))

    @property
    def cost(self) -> Wall:
        """The sum of the costs, which is no constraint."""
        told = [(c, p) for c, p in zip(self.costs, KINDS, strict=True) if c is not None]
        logs, powers = zip(*told, strict=True)
        return Wall(-1, logs, *zip(*powers, strict=True))


def plain(program: GeometricProgram) -> Plain | None:
    """Recognises a plain program; other constraints may stand beside its one."""
    if not flat(program):
        return None
    objective, *sides = program.posynomials
    if (costs := costs_of(objective)) is None or (curve := curve_of(sides)) is None:
        return None
    return Plain(curve, costs, tuple(walls_of(sides, curve)))


def costs_of(cost: Posynomial) -> tuple[Array | None, ...] | None:
    """Ln c1 to ln c4 of c1·x·y + c2·x + c3·y + c4; None where it is no such sum."""
    costs: list[Array | None] = [None] * len(KINDS)
    if len(cost.exponents) > 1 and (cost.exponents != cost.exponents[:1]).any():
        return None
    for t, powers in enumerate(cost.exponents[0].tolist()):
        if tuple(powers) not in KINDS or costs[KINDS.index(tuple(powers))] is not None:
            return None
        costs[KINDS.index(tuple(powers))] = cost.logs[:, t]
    return None if costs[0] is None else tuple(costs)


def root(program: GeometricProgram, form: Plain, batch: int) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `plain` recognised in it.
        batch: the number of members.
    """
    found = singly(batch, lambda place: optimum(form.one(place)))
    x, y, first, which, second = found or optimum(form, batch)
    held = (which, second), (form.curve.place, first)
    return np.stack([x, y], axis=1), multipliers_of(program, batch, *held)


def optimum(form: Plain, batch: int | None = None) -> Sequence[Value]:
    """Ln x and ln y, and what the curve and one of the walls are worth.

    Args:
        form: of one member, in floats, or of a batch.
        batch: its members.

    Returns:
        Ln x, ln y, the multiplier of the curve, the number of the wall and its
        multiplier; without one, the curve's own number and 0.
    """
    u, x, y, first = _rooted(form, batch)
    if batch is None:
        if broken(form.walls, x, y) <= WITHIN:
            return x, y, first, form.curve.place, 0.0
        u, *prices = _held(form, u)
        return *form.curve.point(u), *prices
    which, second = np.full(batch, form.curve.place), np.zeros(batch)
    if (rows := np.flatnonzero(broken(form.walls, x, y) > WITHIN)).size:
        held = _held(form.members(rows), u[rows])
        x[rows], y[rows] = form.curve.members(rows).point(held[0])
        first[rows], which[rows], second[rows] = held[1:]
    return x, y, first, which, second


def _rooted(form: Plain, batch: int | None) -> tuple[Value, Value, Value, Value]:
    """U, ln x, ln y and the multiplier of the constraint."""
    curve = form.curve
    alpha, beta = curve.alpha, curve.beta
    product, demand, price, _ = form.costs
    target = log(alpha / beta)
    if product is not None and demand is not None:
        demand = demand - product - curve.B / beta
    if product is not None and price is not None:
        price = price - product - curve.A / alpha
    balance = _Balance(target, demand, price, alpha, beta)
    u = balance.start()
    if batch is not None:
        # Half the digits cost a quarter of the time.
        rough = balance.single()
        u = np.broadcast_to(rough.start(), (batch,))
        u = _newton(rough, u, ROUGH).astype(np.float64)
    u = _newton(balance, u, STEPS)
    x, y = curve.point(u)
    # Both sides of ∇F + λ·∇G = 0 summed.
    return u, x, y, _slopes(form, x, y) / _fall(curve, u)


def _fall(curve: Curve, u: Value) -> Value:
    """−∂G/∂ln x − ∂G/∂ln y on the constraint, α(1−q) + βq."""
    share = part(u)
    return curve.alpha * (1 - share) + curve.beta * share


def _held(form: Plain, u: Value) -> Held:
    """The nearest point of the curve within all walls, from u beyond one.

    Newton on the wall that is broken most comes from outside and never crosses it; a
    member with no such point is left where it gets lost, for `certify` to refuse.

    Returns:
        U, what the curve is worth, the number of the wall that holds, and its worth.
    """
    curve, cost = form.curve, form.cost
    side = None  # of the point within: the sign of the slope down to it
    for _ in range(WALK):
        path = curve.path(u)
        _, value, slope, *_ = most([wall.along(path) for wall in form.walls])
        step = value / slope
        side = where(slope < 0, -1.0, 1.0) if side is None else side
        u = u - step
        if not some((abs(step) > NEAR) & (slope * side > 0)):
            break
    path = curve.path(u)
    place, _, slope, of_x, of_y = most([wall.along(path) for wall in form.walls])
    _, _, rise, dear_x, dear_y = cost.along(path)
    price = -rise / slope
    pull = dear_x + dear_y + price * (of_x + of_y)
    return u, pull / _fall(curve, u), place, price


def _slopes(form: Plain, x: Value, y: Value) -> Value:
    """∂F/∂ln x + ∂F/∂ln y: 2 for the product, 1 for x and for y, 0 for a constant."""
    product, *rest = form.costs
    # Over the product's own size, so that nothing overflows.
    total, slope = 1.0, 2.0
    for cost, (p, q) in zip(rest, KINDS[1:], strict=True):
        if cost is not None and product is not None:
            size = exp(cost - product + (p - 1) * x + (q - 1) * y)
            total, slope = total + size, slope + (p + q) * size
    return slope / total


@dataclass(frozen=True, eq=False)
class _Balance:
    """The equation in u; logarithms of the terms' weights, None where absent."""

    target: Value
    demand: Value | None
    price: Value | None
    alpha: Value
    beta: Value

    def single(self) -> _Balance:
        """The same in single precision, of arrays."""
        return _Balance(
            self.target.astype(np.float32),
            None if self.demand is None else self.demand.astype(np.float32),
            None if self.price is None else self.price.astype(np.float32),
            self.alpha.astype(np.float32),
            self.beta.astype(np.float32),
        )

    def start(self) -> Value:
        """Between what the root is without demand and where demand dominates."""
        u = target = self.target
        if self.demand is not None:
            far = (target - self.demand) * (self.beta / (1 + self.beta))
            u = smaller(u, larger(far, target - self.demand))
        if self.price is not None:
            far = (target + self.price) * (self.alpha / (1 + self.alpha))
            u = larger(u, smaller(far, target + self.price))
        return u

    def step(self, u: Value) -> Value:
        """Newton's step."""
        odds = exp(u)
        whole = 1 + odds
        rest = -log(whole)  # ln(1 − q)
        share = odds / whole
        value, slope = u - self.target, 1.0
        if self.demand is not None:
            ratio = 1 + exp(self.demand + (u + rest) / self.beta)
            value = value + log(ratio)
            slope = slope + (1 - 1 / ratio) * (1 - share) / self.beta
        if self.price is not None:
            ratio = 1 + exp(self.price + rest / self.alpha)
            value = value - log(ratio)
            slope = slope + (1 - 1 / ratio) * share / self.alpha
        return value / slope


def _newton(balance: _Balance, u: Value, steps: int) -> Value:
    near = 1e-3 if isinstance(u, np.ndarray) and u.dtype == np.float32 else NEAR
    for _ in range(steps):
        step = balance.step(u)
        u = u - step
        if not some(abs(step) > near):
            break
    return u
