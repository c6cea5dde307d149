"""The least of A·x^-α + B·y^-β that a cost buys: a root within a root.

    minimise    A·x^-α + B·y^-β
    subject to  c1·x·y + c2·x + c3·y + c4 ≤ 1 and other walls

The least cost C(s) at which the sum is s is the optimum of a plain program. Its
logarithm is convex in ln s and falls, at the price of the plain program's constraint
(Boyd et al. 2007, section 3.3): Newton on ln C = 0 comes from the left after its first
step and never crosses the root.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.algebra.elementary import Value, from_starts, some, where
from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram
from optimizer.engine.curve import (
    NEAR,
    broken,
    curve_of,
    flat,
    multipliers_of,
    walls_of,
)
from optimizer.engine.root import Plain, costs_of, optimum
from optimizer.records import dataclass, replace

STEPS = 60  # of Newton; six are usual
KEPT = 1e-9  # ln g up to which a wall is kept


@dataclass(frozen=True, eq=False)
class Spent:
    """A program of this shape.

    Attributes:
        place: the number of the constraint that is the cost.
        form: the plain program of that cost at s = 1.
    """

    place: int
    form: Plain

    def one(self, place: int) -> Spent:
        """That of a single member, in floats."""
        return Spent(self.place, self.form.one(place))

    def at(self, log: Value) -> Plain:
        """The plain program at ln s."""
        curve = self.form.curve
        moved = replace(curve, A=curve.A - log, B=curve.B - log)
        return replace(self.form, curve=moved)


def spent(program: GeometricProgram) -> Spent | None:
    """Recognises such a program; other constraints may stand beside its one."""
    if not flat(program):
        return None
    objective, *sides = program.posynomials
    if (curve := curve_of([objective])) is None:
        return None
    curve = replace(curve, place=-1)  # it is no constraint
    for place, side in enumerate(sides):
        if (costs := costs_of(side)) is not None:
            walls = [wall for wall in walls_of(sides, curve) if wall.place != place]
            return Spent(place, Plain(curve, costs, tuple(walls)))
    return None


def bought(program: GeometricProgram, form: Spent, start: Array) -> tuple[Array, Array]:
    """Returns `(z, multipliers)` of a batch; for `certify` to judge.

    Args:
        program: of this shape.
        form: what `spent` recognised in it.
        start: ln of a point, `(batch, 2)`.
    """
    x, y, price, *wall = from_starts(form, _least, start)
    held = tuple(wall), (form.place, price)
    return np.stack([x, y], axis=1), multipliers_of(program, len(start), *held)


def _least(form: Spent, x: Value, y: Value) -> Sequence[Value]:
    """Ln x and ln y, what the cost is worth, and which wall how much."""
    batch = None if isinstance(x, float) else len(x)
    log = form.form.curve.sum(x, y)
    above = math.inf  # the last ln s that costs too little
    for _ in range(STEPS):
        x, y, price, *_ = optimum(form.at(log), batch)
        over, kept = form.form.cost.at(x, y)[0], broken(form.form.walls, x, y) <= KEPT
        above = where(kept & (over < 0), log, above)
        # Where the walls have no such sum, back half of the way.
        back = where(above < math.inf, (above - log) / 2, 1.0)
        step = where(kept, over / price, back)
        log = log + step
        if not some(abs(step) > NEAR):
            break
    x, y, price, which, wall = optimum(form.at(log), batch)
    # Of the cost at a given sum the multipliers are over that of the sum at a cost.
    return x, y, 1 / price, which, wall / price
