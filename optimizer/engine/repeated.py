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
from optimizer.algebra.elementary import (
    FEW,
    Value,
    dot,
    exp,
    expm1,
    larger,
    log,
    log1p,
    row,
    shares,
    singly,
    smaller,
    softplus,
    some,
    sqrt,
    where,
)
from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Function, GeometricProgram
from optimizer.records import dataclass, replace

STEPS = 60  # of Newton and halving; six are usual
NEAR = 1e-9  # a step after which the next is below the digits
WIDEST = 300.0  # |u| where nothing saturates
SIGNS = (1.0, -1.0)  # of the steps of x and y as u rises


@dataclass(frozen=True, eq=False)
class Path:
    """Ln x or ln y along the first constraint.

    Attributes:
        log: itself.
        rate: its derivative to u.
        bend: its second derivative.
        fall: ∂G of the constraint to it.
        lent: what its term adds to ∂G/∂ln w.
    """

    log: Value
    rate: Value
    bend: Value
    fall: Value
    lent: Value


@dataclass(frozen=True, eq=False)
class Side:
    """A term of the first constraint, with w at its bound.

    Attributes:
        axis: the number of its variable among the program's.
        log: ln of its coefficient.
        power: −1 times its exponent, α or β.
        level: ln of where x' or y' begins to saturate; ∞ of what never does.
        drift: its derivative to ln w.
        R: what can be had beyond, in units of it.
    """

    axis: int
    log: Value
    power: Value
    level: Value
    drift: Value
    R: Value

    def one(self, place: int) -> Side:
        """That of a single member."""
        parts = (self.log, self.power, self.level, self.drift, self.R)
        return Side(self.axis, *(row(part, place) for part in parts))

    def share(self, z: Value) -> Value:
        """Ln of the term at ln x or ln y."""
        over = larger(z - self.level, 0.0)
        value = 1 - self.R * expm1(-expm1(smaller(over, WIDEST)) / self.R)
        return self.log - self.power * (z - over + log(value))

    def farthest(self) -> Value:
        """How far its u may go before no x or y is worth its part."""
        room = self.power * (self.level + log1p(self.R)) - self.log
        return smaller(room + log(-expm1(-room)), WIDEST)

    def at(self, u: Value, sign: float) -> Path:
        """Ln x or ln y where the other term has the share 1/(1 + e^−u) by its u."""
        share = 1 / (1 + exp(-u))
        log_ = (self.log + softplus(u)) / self.power
        over = larger(log_ - self.level, 0.0)
        value = exp(over)
        left = 1 - (value - 1) / self.R
        ratio = 1 - self.R * log(left)
        slope = ratio * left / value  # of x' in x; 1 up to its level
        bend = where(over > 0, slope * (1 - ratio / self.R - slope), 0.0)
        rate = share / self.power / slope
        fall = -self.power * (1 - share)
        return Path(
            log_ - over + log(ratio),
            sign * rate,
            rate * (1 - share) - bend / slope * rate * rate,
            fall * slope,
            fall * (1 - slope) * self.drift,
        )


@dataclass(frozen=True, eq=False)
class Repeated:
    """A program of this shape; its numbers are floats, or arrays `(batch or 1,)`.

    Attributes:
        sides: the terms of the first constraint, of x and of y.
        held: ln of the bound of w.
        logs: ln of each term of the cost.
        powers: their exponents of x and of y.
        binding: the numbers of the constraints that bind.
        cap: the exponent of w in its bound.
        size: 0 where a power of x is to be least within the cost, 1 where one of y is,
            and that power; None where the cost itself is.
    """

    sides: tuple[Side, Side]
    held: Value
    logs: tuple[Value, ...]
    powers: tuple[tuple[Value, Value], ...]
    binding: tuple[int, ...]
    cap: Value
    size: tuple[int, Value] | None = None

    def one(self, place: int) -> Repeated:
        """That of a single member."""
        x, y = (side.one(place) for side in self.sides)
        size = None if self.size is None else (self.size[0], row(self.size[1], place))
        return Repeated(
            (x, y),
            row(self.held, place),
            tuple(row(each, place) for each in self.logs),
            tuple((row(p, place), row(q, place)) for p, q in self.powers),
            self.binding,
            row(self.cap, place),
            size,
        )

    @property
    def axes(self) -> list[int]:
        """The numbers of x and y among the variables."""
        return [side.axis for side in self.sides]

    @property
    def aim(self) -> Value | None:
        """Below or above 0, where the least or the largest u in the cost is asked."""
        return None if self.size is None else -SIGNS[self.size[0]] * self.size[1]

    def at(self, u: Value) -> tuple[Path, Path]:
        """Ln x and ln y."""
        x, y = self.sides
        return x.at(u, SIGNS[0]), y.at(-u, SIGNS[1])

    def along(self, x: Path, y: Path) -> tuple[Value, Value, Value, list[Value]]:
        """F, F' and F'', and the share of each term of the cost."""
        logs, rates, turns = [], [], []
        for start, (p, q) in zip(self.logs, self.powers, strict=True):
            logs.append(start + p * x.log + q * y.log)
            rates.append(rate := p * x.rate + q * y.rate)
            turns.append(rate * rate + p * x.bend + q * y.bend)
        value, share = shares(logs)
        slope = dot(share, rates)
        return value, slope, dot(share, turns) - slope * slope, share

    def multipliers(self, x: Path, y: Path, share: list[Value]) -> list[Value]:
        """Those of what binds, of zero gradient in ln x, y and w."""
        rise = [dot(share, powers) for powers in zip(*self.powers, strict=True)]
        fall = x.fall, y.fall
        if self.size is None:
            prices = [-(rise[0] + rise[1]) / (fall[0] + fall[1])]
        else:
            side, power = self.size
            other, way = 1 - side, SIGNS[side] * power
            area = fall[0] * rise[1] - fall[1] * rise[0]
            prices = [-way * rise[other] / area, way * fall[other] / area]
        prices.insert(1, -prices[0] * (x.lent + y.lent) / self.cap)
        return prices


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
        if isinstance(f, Posynomial) and _rises(f)
    }
    for cap, (bound, used) in rising.items():
        binding = curved[0], cap
        if len(used) == 1 and len(bound.labels) == 1:
            power = bound.exponents[:, 0, used[0]]
            held = -bound.logs[:, 0] / power
            if (sides := _sides(walls[curved[0]], used[0], held)) is not None:
                break
    else:
        return None
    axes, used = [side.axis for side in sides], _used(objective)
    sizes = sorted(axes)
    if used == sizes and _rises(objective):
        return Repeated(sides, held, *_terms(objective, axes), binding, power)
    # The last one, which is what is asked of a range.
    within = [i for i, (_, each) in rising.items() if each == sizes]
    if not within or len(objective.labels) > 1 or len(used) != 1 or used[0] not in axes:
        return None
    cost, _ = rising[within[-1]]
    size = axes.index(used[0]), objective.exponents[:, 0, used[0]]
    all_ = (*binding, within[-1])
    return Repeated(sides, held, *_terms(cost, axes), all_, power, size)


def _terms(
    cost: Posynomial, axes: list[int]
) -> tuple[tuple[Array, ...], tuple[tuple[Array, Array], ...]]:
    """Ln of each term of a cost, and its exponents of x and of y."""
    powers = ((p[:, axes[0]], p[:, axes[1]]) for p in cost.exponents.swapaxes(0, 1))
    return tuple(cost.logs.T), tuple(powers)


def _sides(function: Function, w: int, held: Array) -> tuple[Side, Side] | None:
    """Two terms of a variable each, or of what saturates in it, its level in ln w."""
    if not isinstance(function, Composite) or len(function.inner.labels) != 2:
        return None
    found: list[Side] = []
    inner = function.inner
    terms = zip(inner.logs.T, inner.exponents.swapaxes(0, 1), strict=True)
    for start, powers in terms:
        used = [i for i, each in enumerate(powers.T) if np.count_nonzero(each)]
        if len(used) != 1 or np.count_nonzero(powers[:, used[0]] >= 0):
            return None
        place, power = used[0] - len(function.variables), -powers[:, used[0]]
        if place < 0:
            never = np.full(1, np.inf), np.zeros(1), np.ones(1)
            found.append(Side(used[0], start, power, *never))
            continue
        quantity = function.quantities[place]
        names = [function.variables.index(name) for name in quantity.variables]
        plain = all(each == [0.0, 1.0, 0.0] for each in quantity.reach.tolist())
        if not plain or names[1] != w or np.count_nonzero(quantity.level[:, 1]):
            return None
        drift = quantity.level[:, 2]
        level = quantity.level[:, 0] + drift * held
        found.append(Side(names[0], start, power, level, drift, quantity.R))
    x, y = found
    return (x, y) if sorted((x.axis, y.axis, w)) == [0, 1, 2] else None


def _used(function: Posynomial) -> list[int]:
    """The numbers of the variables that it depends on."""
    columns = np.moveaxis(function.exponents, 2, 0)
    return [i for i, column in enumerate(columns) if np.count_nonzero(column)]


def _rises(function: Posynomial) -> bool:
    """Whether it falls in no variable."""
    return not np.count_nonzero(function.exponents < 0)


def turned(
    program: GeometricProgram, form: Repeated, start: Array
) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `repeated` recognised in it.
        start: ln of a point, `(batch, 3)`.
    """
    axes = form.axes
    near = start[:, axes].tolist() if len(start) <= FEW else []
    found = singly(len(start), lambda place: _ended(form.one(place), *near[place]))
    if found is None:
        x, y, *prices = _ended(form, *start[:, axes].T)
    else:
        x, y, *prices = found
    z = np.empty((len(start), 3))
    z[:] = form.held[:, None]  # of w, and the others are put over it
    z[:, axes[0]], z[:, axes[1]] = x, y
    multipliers = np.zeros((len(start), len(program.constraints)))
    for place, price in zip(form.binding, prices, strict=True):
        multipliers[:, place] = price
    return z, multipliers


def _ended(form: Repeated, x: Value, y: Value) -> list[Value]:
    """Ln x and ln y, and what binds, from a point near."""
    of_x, of_y = form.sides
    low, high = -of_y.farthest(), of_x.farthest()
    u = of_y.share(y) - of_x.share(x)
    u = where((low < u) & (u < high), u, (low + high) / 2)
    if form.size is None or some(form.along(*form.at(u))[0] >= 0):
        u = _root(replace(form, size=None), u, low, high)
    if form.size is not None:
        u = _root(form, u, low, high)
    paths = form.at(u)
    *_, share = form.along(*paths)
    return [paths[0].log, paths[1].log, *form.multipliers(*paths, share)]


def _root(form: Repeated, u: Value, low: Value, high: Value) -> Value:
    """Where F' is 0, or F is on the side that is asked, from u between two bounds."""
    side = None if form.aim is None else where(form.aim < 0, -1.0, 1.0)
    first = side is not None
    for _ in range(STEPS):
        value, slope, bend, _ = form.along(*form.at(u))
        rise, rate = (slope, bend) if side is None else (side * value, side * slope)
        low, high = where(rise < 0, u, low), where(rise > 0, u, high)
        step = rise / rate
        if first:
            # F is about a parabola around the least cost.
            step = (slope - side * sqrt(slope * slope - 2 * bend * value)) / bend
            first = False
        new = u - step
        new = where((low <= new) & (new <= high), new, (low + high) / 2)
        step, u = abs(new - u), new
        if not some(step > NEAR):
            break
    return u
