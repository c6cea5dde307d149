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
    """A·x^-α + B·y^-β = 1, by u = ln(q/(1−q)); logarithms of shape `(batch or 1,)`.

    Attributes:
        place: the number of the constraint.
        A: ln A.
        B: ln B.
        alpha: α.
        beta: β.
    """

    place: int
    A: Array
    B: Array
    alpha: Array
    beta: Array

    def members(self, rows: Integers) -> Curve:
        """Those of some numbers."""
        numbers = (cut(x, rows) for x in (self.A, self.B, self.alpha, self.beta))
        return Curve(self.place, *numbers)

    def point(self, u: Array) -> Array:
        """Ln x and ln y, `(batch, 2)`."""
        rest = -np.log(1 + np.exp(u))  # ln(1 − q)
        z = np.empty((len(u), 2))
        z[:, 0] = (self.A - rest) / self.alpha
        z[:, 1] = (self.B - rest - u) / self.beta
        return z

    def odds(self, z: Array) -> Array:
        """U, with the shares that the two terms have at ln x and ln y `(batch, 2)`."""
        of_y = self.B - self.beta * z[:, 1]
        return np.asarray(of_y - self.A + self.alpha * z[:, 0])

    def along(self, u: Array) -> Array:
        """∂z/∂u, `(batch, 2)`."""
        share = _share(u)
        found = np.empty((len(u), 2))
        found[:, 0], found[:, 1] = share / self.alpha, (share - 1) / self.beta
        return found

    def bend(self, u: Array) -> Array:
        """∂²z/∂u², likewise."""
        share = _share(u)
        found = np.empty((len(u), 2))
        both = share * (1 - share)
        found[:, 0], found[:, 1] = both / self.alpha, both / self.beta
        return found

    def gradient(self, u: Array) -> Array:
        """∇G = (−α(1−q), −βq), `(batch, 2)`."""
        share = _share(u)
        found = np.empty((len(u), 2))
        found[:, 0], found[:, 1] = self.alpha * (share - 1), -self.beta * share
        return found


@dataclass(frozen=True, eq=False)
class Plain:
    """A program of this shape.

    Attributes:
        curve: the constraint that is met with equality.
        costs: ln c1 to ln c4, `(batch or 1,)`; None for a term that is absent.
    """

    curve: Curve
    costs: tuple[Array | None, ...]

    def members(self, rows: Integers) -> Plain:
        """Those of some numbers."""
        costs = tuple(None if cost is None else cut(cost, rows) for cost in self.costs)
        return Plain(self.curve.members(rows), costs)


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
            apart = not (one[:, 1].any() or two[:, 0].any())
            if apart and (one[:, 0] < 0).all() and (two[:, 1] < 0).all():
                return Curve(i, p.logs[:, x], p.logs[:, y], -one[:, 0], -two[:, 1])
    return None


def root(program: GeometricProgram, form: Plain, batch: int) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `plain` recognised in it.
        batch: the number of members.
    """
    curve = form.curve
    alpha, beta = curve.alpha, curve.beta
    product, demand, price, _ = form.costs
    target = np.log(alpha / beta)
    if product is not None and demand is not None:
        demand = demand - product - curve.B / beta
    if product is not None and price is not None:
        price = price - product - curve.A / alpha
    balance = _Balance(target, demand, price, alpha, beta)
    # Half the digits cost a quarter of the time.
    rough = balance.single()
    u = _newton(rough, rough.start(batch), ROUGH).astype(np.float64)
    u = _newton(balance, u, STEPS)
    z = curve.point(u)
    multipliers = np.zeros((batch, len(program.constraints)))
    # Both sides of ∇F + λ·∇G = 0 summed.
    multipliers[:, curve.place] = _slopes(form, z) / _fall(curve, u)
    _walk(program, form, u, z, multipliers)
    return z, multipliers


def _fall(curve: Curve, u: Array) -> Array:
    """−∂G/∂ln x − ∂G/∂ln y on the constraint, α(1−q) + βq."""
    share = _share(u)
    return np.asarray(curve.alpha * (1 - share) + curve.beta * share)


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
        which, value, gradient = _most_broken(walls, curve.point(u))
        slope = (gradient * curve.along(u)).sum(axis=1)
        step = value / slope
        side = np.sign(slope) if side is None else side
        u = u - step
        if not ((np.abs(step) > NEAR) & (slope * side > 0)).any():
            break
    at = curve.point(u)
    which, _, gradient = _most_broken(walls, at)
    rise = cost.members(rows).tangent(at)[1]
    along = curve.along(u)
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


def _share(u: Array) -> Array:
    """The part q of the constraint that is left to y."""
    return np.asarray(1 / (1 + np.exp(-u)))


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
    near = 1e-3 if u.dtype == np.float32 else NEAR
    for _ in range(steps):
        step = balance.step(u)
        u = u - step
        if np.abs(step).max() <= near:
            break
    return u
