"""Programs of one variable: the least or largest that all constraints allow.

    minimise    Σ c·x^p,   all p ≥ 0 or all p ≤ 0
    subject to  sums of any powers of x, each 1 at most

as where the size is decided and the target asks for tokens. In ln x each constraint is
convex, and the cost only rises or only falls: the optimum is where the first of the
constraints is met towards less of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.algebra.elementary import Value, from_starts
from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.curve import Wall, first_met, multipliers_of, wall_of
from optimizer.records import dataclass


@dataclass(frozen=True, eq=False)
class Line:
    """A program of this shape.

    Attributes:
        side: −1 where x is to be least, 1 where it is to be largest.
        cost: the objective, which is no constraint.
        walls: the constraints, one or more.
    """

    side: float
    cost: Wall
    walls: tuple[Wall, ...]

    def one(self, place: int) -> Line:
        """That of a single member, in floats."""
        walls = tuple(wall.one(place) for wall in self.walls)
        return Line(self.side, self.cost.one(place), walls)


def line(program: GeometricProgram) -> Line | None:
    """Recognises such a program."""
    if len(program.variables) != 1 or not program.constraints:
        return None
    if not all(isinstance(function, Posynomial) for function in program.functions):
        return None
    objective, *sides = program.posynomials
    signs = np.sign(objective.exponents)
    if not signs.any() or signs.min() * signs.max() < 0:
        return None
    walls = tuple(wall_of(place, side) for place, side in enumerate(sides))
    return Line(-float(signs.sum() > 0) or 1.0, wall_of(-1, objective), walls)


def last(program: GeometricProgram, form: Line, start: Array) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `line` recognised in it.
        start: ln of a point, `(batch, 1)`.
    """
    z, *held = from_starts(form, _met, start)
    return np.asarray(z)[:, None], multipliers_of(program, len(start), tuple(held))


def _met(form: Line, z: Value) -> Sequence[Value]:
    """Ln x, which constraint is met there, and how much it is worth."""
    z, place, slope, _ = first_met(form.walls, _path, z, form.side)
    *_, rise, _ = form.cost.along(_path(z))
    return z, place, -rise / slope


def _path(z: Value) -> tuple[tuple[Value, float, float], tuple[float, float, float]]:
    return (z, 1.0, 0.0), (0.0, 0.0, 0.0)
