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
)
from optimizer.algebra.posynomial import Array, Integers, Posynomial, cut
from optimizer.algebra.program import GeometricProgram
from optimizer.records import dataclass

ROUGH = 5  # steps in single precision
STEPS = 8  # and then at most in double
NEAR = 1e-9  # a step after which the next is below the digits
WALK = 16  # steps to a wall
WITHIN = 1e-11  # ln g up to which a wall is kept
KINDS = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Curve:
    """A·x^-α + B·y^-β = 1, by u = ln(q/(1−q)); floats, or arrays `(batch or 1,)`.

    Attributes:
        place: the number of the constraint.
        A: ln A.
        B: ln B.
        alpha: α.
        beta: β.
    """

    place: int
    A: Value
    B: Value
    alpha: Value
    beta: Value

    def members(self, rows: Integers) -> Curve:
        """Those of some numbers."""
        numbers = (cut(x, rows) for x in (self.A, self.B, self.alpha, self.beta))
        return Curve(self.place, *numbers)

    def one(self, place: int) -> Curve:
        """That of a single member, in floats."""
        numbers = (row(x, place) for x in (self.A, self.B, self.alpha, self.beta))
        return Curve(self.place, *numbers)

    def point(self, u: Value) -> tuple[Value, Value]:
        """Ln x and ln y."""
        rest = -log(1 + exp(u))  # ln(1 − q)
        return (self.A - rest) / self.alpha, (self.B - rest - u) / self.beta

    def odds(self, x: Value, y: Value) -> Value:
        """U, with the shares that the two terms have at ln x and ln y."""
        return self.B - self.beta * y - self.A + self.alpha * x

    def along(self, u: Value) -> tuple[Value, Value]:
        """∂ln x/∂u and ∂ln y/∂u."""
        share = _share(u)
        return share / self.alpha, (share - 1) / self.beta

    def path(self, u: Value) -> tuple[tuple[Value, Value, Value], ...]:
        """Ln x and ln y, each with two derivatives to u."""
        share, (x, y) = _share(u), self.point(u)
        rest = 1 - share
        turn = share * rest
        return (
            (x, share / self.alpha, turn / self.alpha),
            (y, -rest / self.beta, turn / self.beta),
        )

    def gradient(self, u: Value) -> tuple[Value, Value]:
        """∇G = (−α(1−q), −βq)."""
        share = _share(u)
        return self.alpha * (share - 1), -self.beta * share


@dataclass(frozen=True, eq=False)
class Plain:
    """A program of this shape.

    Attributes:
        curve: the constraint that is met with equality.
        costs: ln c1 to ln c4, as its numbers; None for a term that is absent.
    """

    curve: Curve
    costs: tuple[Value | None, ...]

    def one(self, place: int) -> Plain:
        """That of a single member, in floats."""
        costs = (None if cost is None else row(cost, place) for cost in self.costs)
        return Plain(self.curve.one(place), tuple(costs))


def plain(program: GeometricProgram) -> Plain | None:
    """Recognises a plain program; other constraints may stand beside its one."""
    if not flat(program):
        return None
    objective, *sides = program.posynomials
    if (costs := costs_of(objective)) is None or (curve := curve_of(sides)) is None:
        return None
    return Plain(curve, costs)


def flat(program: GeometricProgram) -> bool:
    """Whether it is one of posynomials in two variables."""
    bare = all(isinstance(function, Posynomial) for function in program.functions)
    return bare and len(program.variables) == 2


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


def curve_of(sides: Sequence[Posynomial]) -> Curve | None:
    """The first left-hand side that is A·x^-α + B·y^-β, if one is."""
    for i, p in enumerate(sides):
        if p.exponents.shape[1] != 2:
            continue
        for x, y in ((0, 1), (1, 0)):
            one, two = p.exponents[:, x], p.exponents[:, y]
            if np.count_nonzero(one[:, 1]) or np.count_nonzero(two[:, 0]):
                continue
            if np.count_nonzero((one[:, 0] < 0) & (two[:, 1] < 0)) == len(one):
                return Curve(i, p.logs[:, x], p.logs[:, y], -one[:, 0], -two[:, 1])
    return None


def root(program: GeometricProgram, form: Plain, batch: int) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `plain` recognised in it.
        batch: the number of members.
    """
    found = singly(batch, lambda place: _rooted(form.one(place), 1))
    u, x, y, price = _rooted(form, batch) if found is None else found
    z = np.stack([x, y], axis=1)
    multipliers = np.zeros((batch, len(program.constraints)))
    multipliers[:, form.curve.place] = price
    _walk(program, form, u, z, multipliers)
    return z, multipliers


def _rooted(form: Plain, batch: int) -> tuple[Value, Value, Value, Value]:
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
    if not isinstance(u, float):
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
    share = _share(u)
    return curve.alpha * (1 - share) + curve.beta * share


def _walk(
    program: GeometricProgram, form: Plain, u: Array, z: Array, multipliers: Array
) -> None:
    """Takes members beyond a wall along the constraint to the nearest point within.

    Newton on the wall that is broken most comes from outside and never crosses it; a
    member with no such point is left where it gets lost, for `certify` to refuse.
    """
    curve = form.curve
    others = [i for i in range(len(program.constraints)) if i != curve.place]
    cost, *functions = program.posynomials
    walls = [functions[i] for i in others]
    if not walls:
        return
    rows = np.flatnonzero(np.max([w.tangent(z)[0] for w in walls], axis=0) > WITHIN)
    if not rows.size:
        return
    curve, u = curve.members(rows), u[rows]
    walls = [wall.members(rows) for wall in walls]
    side = None  # of the point within: the sign of the slope down to it
    for _ in range(WALK):
        _, value, gradient = _most_broken(walls, np.stack(curve.point(u), axis=1))
        slope = (gradient * np.stack(curve.along(u), axis=1)).sum(axis=1)
        step = value / slope
        side = np.sign(slope) if side is None else side
        u = u - step
        if not ((np.abs(step) > NEAR) & (slope * side > 0)).any():
            break
    at = np.stack(curve.point(u), axis=1)
    which, _, gradient = _most_broken(walls, at)
    rise = cost.members(rows).tangent(at)[1]
    along = np.stack(curve.along(u), axis=1)
    price = -(rise * along).sum(axis=1) / (gradient * along).sum(axis=1)
    z[rows] = at
    multipliers[rows, np.array(others)[which]] = price
    pull = (rise + price[:, None] * gradient).sum(axis=1)
    multipliers[rows, curve.place] = pull / _fall(curve, u)


def _most_broken(
    walls: Sequence[Posynomial], z: Array
) -> tuple[Integers, Array, Array]:
    """The number of the wall with the greatest ln g, that, and its gradient."""
    values, gradients = zip(*(wall.tangent(z) for wall in walls), strict=True)
    which = np.argmax(values, axis=0)
    every = np.arange(len(z))
    return which, np.stack(values)[which, every], np.stack(gradients)[which, every]


def _share(u: Value) -> Value:
    """The part q of the constraint that is left to y."""
    return 1 / (1 + exp(-u))


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
