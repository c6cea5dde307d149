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
        power: p, `(batch or 1,)`.
        curve: the first constraint.
        last: the number of the second.
        logs: ln of its coefficients, `(batch or 1, terms)`.
        powers: their exponents, `(terms, 2)`.
    """

    axis: int
    power: Array
    curve: Curve
    last: int
    logs: Array
    powers: Array


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
            return Edge(used[0], power, curve, i, cost.logs, cost.exponents[0])
    return None


def ends(program: GeometricProgram, form: Edge, start: Array) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `edge` recognised in it.
        start: ln of a point of less cost, `(batch, 2)`.
    """
    curve, axis = form.curve, form.axis
    # x rises with u, and y falls.
    side = np.sign(form.power) * (2 * axis - 1)
    u = curve.odds(start)
    value, share, slope, bend = _along(form, u)
    u = u + (side * np.sqrt(slope**2 - 2 * bend * value) - slope) / bend
    for _ in range(STEPS):
        value, share, slope, _ = _along(form, u)
        step = value / slope
        u = u - step
        if not (np.abs(step) > NEAR).any():
            break
    fall = curve.gradient(u)
    rise = share @ form.powers
    # p·e + λ·∇G + μ·∇F = 0.
    area = fall[:, 0] * rise[:, 1] - fall[:, 1] * rise[:, 0]
    sign = 1 - 2 * axis
    multipliers = np.zeros((len(u), len(program.constraints)))
    multipliers[:, curve.place] = -form.power * sign * rise[:, 1 - axis] / area
    multipliers[:, form.last] = form.power * sign * fall[:, 1 - axis] / area
    return curve.point(u), multipliers


def _along(form: Edge, u: Array) -> tuple[Array, Array, Array, Array]:
    """F, the shares of its terms, F' and F'' at places on the curve."""
    terms = form.logs + form.curve.point(u) @ form.powers.T
    top = np.maximum.reduce(terms, axis=1)
    share = np.exp(terms - top[:, None])
    total = np.add.reduce(share, axis=1)
    share = share / total[:, None]
    each = form.curve.along(u) @ form.powers.T
    slope = np.add.reduce(share * each, axis=1)
    bends = form.curve.bend(u) @ form.powers.T
    bend = np.add.reduce(share * (each**2 + bends), axis=1)
    return top + np.log(total), share, slope, bend - slope**2
