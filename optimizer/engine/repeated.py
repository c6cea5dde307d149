"""Programs of data that repeat, where all that is unique is read: by one root each.

    A·x'^-α + B·y'^-β ≤ 1,   w ≤ c,   x' and y' saturating in x and y, with levels in w

With w at its bound x' is a function of x alone, and y' of y. By u = ln(q/(1−q)), with
the share q of the first constraint left to y', ln x' and ln y' are convex in u as in
`root`, and so are ln x and ln y, which grow ever faster where those saturate. A cost of
powers of 0 and more is then log-convex in u, too, F its logarithm. It is least where
F' = 0, and x is least or largest within a cost where F is that, as in `edge`; Newton
finds either, by halves where it would leave what encloses the root. What the other
constraints allow is for `certify` to say.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.composite import Composite
from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Function, GeometricProgram
from optimizer.records import dataclass, replace

STEPS = 60  # of Newton and halving; six are usual
NEAR = 1e-9  # a step after which the next is below the digits
WIDEST = 300.0  # |u| where nothing saturates
SIGNS = np.array([1.0, -1.0])  # of the steps of x and y as u rises


@dataclass(frozen=True, eq=False)
class Curve:
    """The first constraint with w at its bound; x and y along the last axis.

    Attributes:
        axes: the numbers of x and y among the variables.
        logs: ln A and ln B, `(batch or 1, 2)`.
        powers: α and β.
        levels: ln of where x' and y' begin to saturate; ∞ of what never does.
        drifts: their derivatives to ln w.
        R: what can be had beyond, in units of it.
    """

    axes: tuple[int, int]
    logs: Array
    powers: Array
    levels: Array
    drifts: Array
    R: Array

    def odds(self, z: Array) -> Array:
        """U, with the shares that the two terms have at ln x and ln y, `(batch, 2)`."""
        over = np.maximum(z - self.levels, 0.0)
        value = 1 - self.R * np.expm1(-np.expm1(np.minimum(over, 300.0)) / self.R)
        shares = self.logs - self.powers * (z - over + np.log(value))
        return np.asarray(shares[:, 1] - shares[:, 0])

    def ends(self) -> tuple[Array, Array]:
        """How low and how high u may go before no x or y is worth its part."""
        room = self.powers * (self.levels + np.log1p(self.R)) - self.logs
        far = np.minimum(room + np.log(-np.expm1(-room)), WIDEST)
        return -far[:, 1], far[:, 0]

    def point(self, u: Array) -> tuple[Array, Array]:
        """Ln x and ln y with two derivatives, `(batch, 2, 3)`, and ∇G in ln x, y, w."""
        sides = SIGNS * u[:, None]
        share = 1 / (1 + np.exp(-sides))
        log = (self.logs + np.logaddexp(0.0, sides)) / self.powers
        over = np.maximum(log - self.levels, 0.0)
        value = np.exp(over)
        left = 1 - (value - 1) / self.R
        ratio = 1 - self.R * np.log(left)
        slope = ratio * left / value  # of x' in x; 1 up to its level
        bend = np.where(over > 0, slope * (1 - ratio / self.R - slope), 0.0)
        rate = share / self.powers / slope
        found = np.empty((len(u), 2, 3))
        found[:, :, 0] = log - over + np.log(ratio)
        found[:, :, 1] = SIGNS * rate
        found[:, :, 2] = rate * (1 - share) - bend / slope * rate**2
        fall = -self.powers * (1 - share)
        of_w = np.add.reduce(fall * (1 - slope) * self.drifts, axis=1)
        return found, np.concatenate([fall * slope, of_w[:, None]], axis=1)


@dataclass(frozen=True, eq=False)
class Repeated:
    """A program of this shape.

    Attributes:
        curve: the first constraint.
        held: ln of the bound of w, `(batch or 1,)`.
        logs: ln of the terms of the cost, `(batch or 1, terms)`.
        powers: their exponents of x and y, `(batch or 1, terms, 2)`.
        binding: the numbers of the constraints that bind.
        cap: the exponent of w in its bound.
        size: 0 where a power of x is to be least within the cost, 1 where one of y is,
            and that power, `(batch or 1,)`; None where the cost itself is.
    """

    curve: Curve
    held: Array
    logs: Array
    powers: Array
    binding: tuple[int, ...]
    cap: Array
    size: tuple[int, Array] | None = None

    @property
    def aim(self) -> Array | None:
        """−1 or 1, where the least or the largest u within the cost is asked."""
        if self.size is None:
            return None
        side, power = self.size
        return np.asarray(-SIGNS[side] * np.sign(power))

    def along(self, u: Array) -> tuple[Array, Array, Array, Array]:
        """F, F' and F'', and ∇F in ln x and ln y."""
        paths = self.powers @ self.curve.point(u)[0]
        terms, rates = self.logs + paths[:, :, 0], paths[:, :, 1]
        top = np.maximum.reduce(terms, axis=1)
        share = np.exp(terms - top[:, None])
        total = np.add.reduce(share, axis=1)
        share = share / total[:, None]
        slope = np.add.reduce(share * rates, axis=1)
        bend = np.add.reduce(share * (rates**2 + paths[:, :, 2]), axis=1) - slope**2
        rise = np.add.reduce(share[:, :, None] * self.powers, axis=1)
        return top + np.log(total), slope, bend, rise

    def multipliers(self, u: Array) -> Array:
        """Those of what binds, of zero gradient in ln x, y and w."""
        fall, (*_, rise) = self.curve.point(u)[1], self.along(u)
        if self.size is None:
            prices = [-np.add.reduce(rise, axis=1) / (fall[:, 0] + fall[:, 1])]
        else:
            side, power = self.size
            other, way = 1 - side, SIGNS[side] * power
            area = fall[:, 0] * rise[:, 1] - fall[:, 1] * rise[:, 0]
            prices = [-way * rise[:, other] / area, way * fall[:, other] / area]
        prices.insert(1, -prices[0] * fall[:, 2] / self.cap)
        return np.stack(prices, axis=1)


def repeated(program: GeometricProgram) -> Repeated | None:
    """Recognises such a program; other constraints may stand beside its own."""
    objective, *walls = program.functions
    curved = [i for i, f in enumerate(walls) if isinstance(f, Composite)]
    if len(program.variables) != 3 or len(curved) != 1:
        return None
    if not isinstance(objective, Posynomial):
        return None
    rising = {
        i: (f, _used(f))
        for i, f in enumerate(walls)
        if isinstance(f, Posynomial) and (f.exponents >= 0).all()
    }
    for cap, (bound, used) in rising.items():
        binding = curved[0], cap
        if len(used) == 1 and len(bound.labels) == 1:
            power = bound.exponents[:, 0, used[0]]
            held = -bound.logs[:, 0] / power
            if (curve := _curve(walls[curved[0]], used[0], held)) is not None:
                break
    else:
        return None
    axes, used = [*curve.axes], _used(objective)
    sizes = sorted(axes)
    if used == sizes and (objective.exponents >= 0).all():
        powers = objective.exponents[:, :, axes]
        return Repeated(curve, held, objective.logs, powers, binding, power)
    # The last one, which is what is asked of a range.
    within = [i for i, (_, each) in rising.items() if each == sizes]
    if not within or len(objective.labels) > 1 or len(used) != 1 or used[0] not in axes:
        return None
    cost, _ = rising[within[-1]]
    size = axes.index(used[0]), objective.exponents[:, 0, used[0]]
    powers, all_ = cost.exponents[:, :, axes], (*binding, within[-1])
    return Repeated(curve, held, cost.logs, powers, all_, power, size)


def _curve(function: Function, w: int, held: Array) -> Curve | None:
    """Two terms of a variable each, or of what saturates in it, its level in ln w."""
    if not isinstance(function, Composite) or len(function.inner.labels) != 2:
        return None
    axes, levels, drifts, R = [], [], [], []
    for powers in function.inner.exponents.transpose(1, 0, 2):
        used = np.flatnonzero(powers.any(axis=0)).tolist()
        if len(used) != 1 or not (powers[:, used[0]] < 0).all():
            return None
        place = used[0] - len(function.variables)
        if place < 0:
            axes.append(used[0])
            levels.append(np.full(1, np.inf))
            drifts.append(np.zeros(1))
            R.append(np.ones(1))
            continue
        quantity = function.quantities[place]
        names = [function.variables.index(name) for name in quantity.variables]
        plain = (quantity.reach == (0.0, 1.0, 0.0)).all() if len(names) == 2 else False
        if not plain or names[1] != w or quantity.level[:, 1].any():
            return None
        axes.append(names[0])
        levels.append(quantity.level[:, 0] + quantity.level[:, 2] * held)
        drifts.append(quantity.level[:, 2])
        R.append(quantity.R)
    if sorted((*axes, w)) != [0, 1, 2]:
        return None
    powers = -function.inner.exponents.min(axis=2)  # of its one variable each
    parts = (levels, drifts, R)
    sides = (np.stack(np.broadcast_arrays(*each), axis=1) for each in parts)
    return Curve((axes[0], axes[1]), function.inner.logs, powers, *sides)


def _used(function: Posynomial) -> list[int]:
    """The numbers of the variables that it depends on."""
    found: list[int] = np.flatnonzero(function.exponents.any(axis=(0, 1))).tolist()
    return found


def turned(
    program: GeometricProgram, form: Repeated, start: Array
) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `repeated` recognised in it.
        start: ln of a point, `(batch, 3)`.
    """
    curve, axes = form.curve, [*form.curve.axes]
    low, high = np.empty((2, len(start)))
    low[:], high[:] = curve.ends()
    u = curve.odds(start[:, axes])
    u = np.where((low < u) & (u < high), u, (low + high) / 2)
    if form.size is None or (form.along(u)[0] >= 0).any():
        u = _root(replace(form, size=None), u, low, high)
    if form.size is not None:
        u = _root(form, u, low, high)
    z = np.empty((len(u), 3))
    z[:] = form.held[:, None]  # of w, and the others are put over it
    z[:, axes] = curve.point(u)[0][:, :, 0]
    multipliers = np.zeros((len(u), len(program.constraints)))
    multipliers[:, form.binding] = form.multipliers(u)
    return z, multipliers


def _root(form: Repeated, u: Array, low: Array, high: Array) -> Array:
    """Where F' is 0, or F is on the side that is asked, from u between two bounds."""
    aim, first = form.aim, form.aim is not None
    for _ in range(STEPS):
        value, slope, bend, _ = form.along(u)
        rise, rate = (slope, bend) if aim is None else (aim * value, aim * slope)
        low, high = np.where(rise < 0, u, low), np.where(rise > 0, u, high)
        step = rise / rate
        if aim is not None and first:
            # F is about a parabola around the least cost.
            step = (slope - aim * np.sqrt(slope**2 - 2 * bend * value)) / bend
            first = False
        new = u - step
        new = np.where((low <= new) & (new <= high), new, (low + high) / 2)
        step, u = np.abs(new - u), new
        if not (step > NEAR).any():
            break
    return u
