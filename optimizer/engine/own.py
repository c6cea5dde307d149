"""The engine: one program or ten thousand of a shape, in numpy, without a compiler.

Each way takes what the one before left: the central path from any start; the same from
a point that phase I finds inside; and the barrier from there. Newton on what binds ends
each of them. `certify` judges what is found, blind to the way.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import GeometricProgram, members
from optimizer.engine.arrays import Arrays, arrays, middle, value
from optimizer.engine.barrier import balanced, descend, inside
from optimizer.engine.certify import GAP, acceptable, excluded
from optimizer.engine.follow import follow
from optimizer.engine.settle import settle
from optimizer.records import dataclass

OPTIMAL, INFEASIBLE, UNSOLVED = 0, 1, 2
# λ/s from which a constraint is taken as binding, and whether Newton stays where cost
# is flat.
LIKELY = (1.0, False)
DOUBTS = (LIKELY, (1.0, True), (1e-5, False), (1e-5, True), (1e5, False), (1e5, True))


@dataclass(frozen=True, eq=False)
class Found:
    """How each member of a batch ended.

    Attributes:
        ended: `OPTIMAL`, `INFEASIBLE` (proven) or `UNSOLVED`, `(batch,)`.
        z: ln x, `(batch, variables)`.
        multipliers: λ, `(batch, constraints)`; of an infeasible member the weights
            that prove it.
    """

    ended: Integers
    z: Array
    multipliers: Array


def near(
    program: GeometricProgram, z: Array, multipliers: Array, gap: float = GAP
) -> Found:
    """Newton alone, from good guesses: λ above the slack says what binds.

    Args:
        program: with a batch axis of 1 or the batch.
        z: ln of the guesses, `(batch, variables)`.
        multipliers: guesses of λ, `(batch, constraints)`.
        gap: that a certificate may leave.
    """
    with np.errstate(all="ignore"):
        work = _Work(program, z, gap)
        slack = np.abs(value(work.given, z)[:, 1:])
        work.settle(np.arange(len(z)), z, multipliers, slack, DOUBTS[:2])
        return work.found()


def find(
    program: GeometricProgram, start: Array | None = None, gap: float = GAP
) -> Found:
    """Solves every member of a batch.

    Args:
        program: with a batch axis of 1 or the batch.
        start: ln of a point, `(batch, variables)`; None for a single member is where
            its terms are nearest to 1.
        gap: that a certificate may leave.
    """
    with np.errstate(all="ignore"):
        return _Work(program, start, gap).run()


class _Work:
    """A batch while it is solved."""

    def __init__(
        self, program: GeometricProgram, start: Array | None, gap: float
    ) -> None:
        self.program = program
        self.given = arrays(program)
        start = middle(self.given)[None] if start is None else start
        self.start = start
        self.gap = gap
        self.ended = np.full(len(start), UNSOLVED)
        self.z = start.copy()
        self.weight = np.zeros((len(start), len(program.constraints)))

    def run(self) -> Found:
        rows = np.arange(len(self.start))
        z, weight, slack, hopeless = follow(self.given, self.start)
        self._exclude(rows[hopeless], z[hopeless], weight[hopeless])
        go = ~hopeless
        self.settle(rows[go], z[go], weight[go], slack[go], (LIKELY,))
        rows = self._left()
        if rows.size and self.weight.shape[1]:
            self._surely(rows)
        return self.found()

    def found(self) -> Found:
        """How far it has come."""
        return Found(self.ended, self.z, self.weight)

    def _surely(self, rows: Integers) -> None:
        """Phase I for some members, and phase II for those that have room."""
        z, weight, found, none = inside(self._part(rows), self.start[rows])
        self._exclude(rows[none], z[none], weight[none])
        self._from_inside(rows[found], z[found])

    def _from_inside(self, rows: Integers, inner: Array) -> None:
        """Phase II: the path from points inside, and then the barrier."""
        z, weight, slack, _ = follow(self._part(rows), inner)
        self._keep(rows, z, weight)
        self.settle(rows, z, weight, slack, DOUBTS)
        go = self.ended[rows] == UNSOLVED
        rows, inner = rows[go], inner[go]
        if not rows.size:
            return
        z, weight, slack = descend(self._part(rows), inner)
        self.settle(rows, z, weight, slack, DOUBTS)
        go = self.ended[rows] == UNSOLVED
        if go.any():
            rows, z, weight = rows[go], z[go], weight[go]
            self._keep(rows, z, balanced(self._part(rows), z, weight))

    def settle(
        self,
        rows: Integers,
        z: Array,
        weight: Array,
        slack: Array,
        doubts: tuple[tuple[float, bool], ...],
    ) -> None:
        """Newton on what may bind, for what is not solved yet."""
        for doubt, still in doubts:
            go = self.ended[rows] == UNSOLVED
            if not go.any():
                return
            rows, z, weight, slack = rows[go], z[go], weight[go], slack[go]
            part = self._part(rows)
            point, prices, _ = settle(
                part, z, weight, weight > doubt * slack, still=still
            )
            self._keep(rows, point, prices)

    def _keep(self, rows: Integers, z: Array, weight: Array) -> None:
        """Takes what the judge accepts."""
        passed = acceptable(members(self.program, rows), z, weight, self.gap)
        rows = rows[passed]
        self.z[rows], self.weight[rows] = z[passed], weight[passed]
        self.ended[rows] = OPTIMAL

    def _exclude(self, rows: Integers, z: Array, weight: Array) -> None:
        """Takes as infeasible what the judge accepts as that."""
        if not rows.size:
            return
        proven = excluded(members(self.program, rows), z, weight)
        rows = rows[proven]
        self.z[rows], self.weight[rows] = z[proven], weight[proven]
        self.ended[rows] = INFEASIBLE

    def _left(self) -> Integers:
        return np.flatnonzero(self.ended == UNSOLVED)

    def _part(self, rows: Integers) -> Arrays:
        return self.given.members(rows)
