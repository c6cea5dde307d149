"""The least or largest size of a plain program within its walls, by one root each.

    minimise    x^p
    subject to  A·x^-α + B·y^-β ≤ 1
                c1·x·y + c2·x + c3·y + c4 ≤ 1 and other walls

or y^p. Along the first constraint, told as in `curve` by u, x rises and y falls, so
that the end is where the first of the walls is met on the way out from a point within.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.algebra.elementary import Value, from_starts, row, sqrt, where
from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.curve import (
    Curve,
    Path,
    Wall,
    curve_of,
    first_met,
    flat,
    most,
    multipliers_of,
    walls_of,
)
from optimizer.records import dataclass


@dataclass(frozen=True, eq=False)
class Edge:
    """A program of this shape.

    Attributes:
        axis: 0 where x is what is least or largest, 1 where it is y.
        power: p, a float or `(batch or 1,)`.
        curve: the first constraint.
        walls: the others, one or more.
    """

    axis: int
    power: Value
    curve: Curve
    walls: tuple[Wall, ...]

    def one(self, place: int) -> Edge:
        """That of a single member, in floats."""
        walls = tuple(wall.one(place) for wall in self.walls)
        return Edge(self.axis, row(self.power, place), self.curve.one(place), walls)

    @property
    def side(self) -> Value:
        """1 where u is to be largest, −1 where it is to be least."""
        return where(self.power < 0, -1.0, 1.0) * (2 * self.axis - 1)


def edge(program: GeometricProgram) -> Edge | None:
    """Recognises such a program; other constraints may stand beside its own."""
    if not flat(program):
        return None
    size, *sides = program.posynomials
    if size.exponents.shape[1] != 1:
        return None
    used = [axis for axis in (0, 1) if size.exponents[:, 0, axis].all()]
    if len(used) != 1 or size.exponents[:, 0, 1 - used[0]].any():
        return None
    curve = curve_of(sides)
    walls = () if curve is None else tuple(walls_of(sides, curve))
    if curve is None or not walls:
        return None
    return Edge(used[0], size.exponents[:, 0, used[0]], curve, walls)


def ends(program: GeometricProgram, form: Edge, start: Array) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `edge` recognised in it.
        start: ln of a point within the walls, `(batch, 2)`.
    """
    x, y, first, *wall = from_starts(form, _ended, start)
    held = tuple(wall), (form.curve.place, first)
    return np.stack([x, y], axis=1), multipliers_of(program, len(start), *held)


def _ended(form: Edge, x: Value, y: Value) -> Sequence[Value]:
    """Ln x and ln y, what the curve is worth, and which wall how much."""
    curve, axis, side = form.curve, form.axis, form.side
    u = curve.odds(x, y)
    path = curve.path(u)
    u = u - side * most([_first(wall, path, side) for wall in form.walls])[1]
    u, place, *rise = first_met(form.walls, curve.path, u, side)
    fall = curve.gradient(u)
    # p·e + λ·∇G + μ·∇F = 0.
    area = fall[0] * rise[1] - fall[1] * rise[0]
    pull = form.power * (1 - 2 * axis) / area
    return *curve.point(u), -pull * rise[1 - axis], place, pull * fall[1 - axis]


def _first(wall: Wall, path: Path, side: Value) -> tuple[Value, Value]:
    """How far the end of a wall's second-order model lies, as a step back."""
    value, slope, bend = wall.bent(path)
    slope = side * slope
    far = sqrt(slope * slope - 2 * bend * value)
    back = where(slope > 0, 2 * value / (slope + far), (slope - far) / bend)
    return wall.place, back
