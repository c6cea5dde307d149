"""The least or largest size of a plain program within a cost, by one root each.

    minimise    x^p
    subject to  A·x^-α + B·y^-β ≤ 1
                c1·x·y + c2·x + c3·y + c4 ≤ 1

or y^p. Along the first constraint, told as in `root` by u = ln(q/(1−q)), ln x and ln y
are convex in u, and so is the logarithm F of the second. Both bind at the end, which is
one of the two roots of F: Newton from beyond it comes near from one side. What other
constraints allow is for `certify` to say.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.elementary import (
    FEW,
    Value,
    dot,
    row,
    shares,
    singly,
    some,
    sqrt,
    where,
)
from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.root import NEAR, Curve, costs_of, curve_of, flat
from optimizer.records import dataclass

STEPS = 20  # of Newton; four are usual


@dataclass(frozen=True, eq=False)
class Edge:
    """A program of this shape.

    Attributes:
        axis: 0 where x is what is least or largest, 1 where it is y.
        power: p, a float or `(batch or 1,)`.
        curve: the first constraint.
        last: the number of the second.
        logs: ln of each of its terms, likewise.
        powers: their exponents of x and of y.
    """

    axis: int
    power: Value
    curve: Curve
    last: int
    logs: tuple[Value, ...]
    powers: tuple[tuple[float, float], ...]

    def one(self, place: int) -> Edge:
        """That of a single member, in floats."""
        return Edge(
            self.axis,
            row(self.power, place),
            self.curve.one(place),
            self.last,
            tuple(row(each, place) for each in self.logs),
            self.powers,
        )


def edge(program: GeometricProgram) -> Edge | None:
    """Recognises such a program; other constraints may stand beside its two."""
    if not flat(program):
        return None
    size, *sides = program.posynomials
    if size.exponents.shape[1] != 1:
        return None
    used = [axis for axis in (0, 1) if size.exponents[:, 0, axis].all()]
    if len(used) != 1 or size.exponents[:, 0, 1 - used[0]].any():
        return None
    curve = curve_of(sides)
    if curve is None:
        return None
    for i in reversed(range(len(sides))):
        if i != curve.place and costs_of(sides[i]) is not None:
            cost, power = sides[i], size.exponents[:, 0, used[0]]
            powers = tuple((p, q) for p, q in cost.exponents[0].tolist())
            return Edge(used[0], power, curve, i, tuple(cost.logs.T), powers)
    return None


def ends(program: GeometricProgram, form: Edge, start: Array) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `edge` recognised in it.
        start: ln of a point of less cost, `(batch, 2)`.
    """
    count = len(start)
    near = start.tolist() if count <= FEW else []
    found = singly(count, lambda place: _ended(form.one(place), *near[place]))
    x, y, first, last = _ended(form, *start.T) if found is None else found
    multipliers = np.zeros((count, len(program.constraints)))
    multipliers[:, form.curve.place], multipliers[:, form.last] = first, last
    return np.stack([x, y], axis=1), multipliers


def _ended(form: Edge, x: Value, y: Value) -> tuple[Value, Value, Value, Value]:
    """Ln x and ln y, and the multipliers, from a point of less cost."""
    curve, axis = form.curve, form.axis
    # x rises with u, and y falls.
    side = where(form.power < 0, -1.0, 1.0) * (2 * axis - 1)
    u = curve.odds(x, y)
    value, share, slope, bend = _along(form, u)
    u = u + (side * sqrt(slope * slope - 2 * bend * value) - slope) / bend
    for _ in range(STEPS):
        value, share, slope, _ = _along(form, u)
        step = value / slope
        u = u - step
        if not some(abs(step) > NEAR):
            break
    fall = curve.gradient(u)
    rise = [dot(share, powers) for powers in zip(*form.powers, strict=True)]
    # p·e + λ·∇G + μ·∇F = 0.
    area = fall[0] * rise[1] - fall[1] * rise[0]
    pull = form.power * (1 - 2 * axis) / area
    return *curve.point(u), -pull * rise[1 - axis], pull * fall[1 - axis]


def _along(form: Edge, u: Value) -> tuple[Value, list[Value], Value, Value]:
    """F, the shares of its terms, F' and F'' at places on the curve."""
    (x, dx, bx), (y, dy, by) = form.curve.path(u)
    logs, rates, turns = [], [], []
    for start, (p, q) in zip(form.logs, form.powers, strict=True):
        logs.append(start + p * x + q * y)
        rates.append(rate := p * dx + q * dy)
        turns.append(rate * rate + p * bx + q * by)
    value, share = shares(logs)
    slope = dot(share, rates)
    return value, share, slope, dot(share, turns) - slope * slope
