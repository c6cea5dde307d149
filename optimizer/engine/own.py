"""The engine: one program or ten thousand of a shape, in numpy, without a compiler.

Each way takes what the one before left: the central path from any start; the same from
a point that phase I finds inside; the barrier from there; and all of it once more in
variables that are counted from where that ends, which have the digits that the program
itself lacks (`moved`). Newton on what binds ends each of them. `certify` judges what is
found, blind to the way.
"""

from __future__ import annotations

import math

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import (
    Certificate,
    Engine,
    GeometricProgram,
    Solution,
    Status,
    members,
)
from optimizer.engine.arrays import Arrays, arrays, middle, value
from optimizer.engine.barrier import balanced, descend, inside
from optimizer.engine.certify import (
    EXCLUDED,
    GAP,
    RADIUS,
    allowed,
    excluded,
    residuals,
)
from optimizer.engine.follow import follow, lowest
from optimizer.engine.moved import moved
from optimizer.engine.room import SLIVER, room
from optimizer.engine.settle import settle
from optimizer.records import dataclass

OPTIMAL, INFEASIBLE, UNSOLVED = 0, 1, 2
# λ/s from which a constraint is taken as binding, and whether Newton stays where cost
# is flat.
LIKELY, SURE = (1.0, False), (1e-5, False)
LOST = 1e6  # a sum of multipliers, at which a path may have no point to lead to
SETS = 6  # of binding constraints that a guess may lead through
FEW = 2  # likewise, where the path is as good
MOVES = 3  # of the point from which variables are counted
DOUBTS = (LIKELY, (1.0, True), SURE, (1e-5, True), (1e5, False), (1e5, True))


@dataclass(frozen=True, eq=False)
class Found:
    """How each member of a batch ended.

    Attributes:
        ended: `OPTIMAL`, `INFEASIBLE` (proven) or `UNSOLVED`, `(batch,)`.
        z: ln x, `(batch, variables)`.
        multipliers: λ, `(batch, constraints)`; of an infeasible member the weights
            that prove it.
        proof: stationarity, violation and gap of the best point, `(3, batch)`; where
            doubles run out, of the program as `moved` has it.
    """

    ended: Integers
    z: Array
    multipliers: Array
    proof: Array

    def member(
        self,
        program: GeometricProgram,
        row: int = 0,
        engine: Engine = Engine.INTERIOR,
    ) -> Solution | None:
        """The solution of a member, whose program it is; None where it is unsolved."""
        if self.ended[row] == INFEASIBLE:
            return Solution(program, Status.INFEASIBLE, engine=engine)
        if self.ended[row] == UNSOLVED:
            return None
        stationarity, violation, gap = self.proof[:, row].tolist()
        proof = Certificate(stationarity, violation, gap, math.exp(RADIUS))
        z, multipliers = self.z[row], self.multipliers[row]
        return Solution(program, Status.OPTIMAL, z, multipliers, proof, engine)


def near(
    program: GeometricProgram,
    z: Array,
    multipliers: Array,
    gap: float = GAP,
    *,
    hard: bool = False,
    brief: bool = False,
    same: bool = False,
) -> Found:
    """Newton alone, from good guesses: λ above the slack says what binds.

    Args:
        program: with a batch axis of 1 or the batch.
        z: ln of the guesses, `(batch, variables)`.
        multipliers: guesses of λ, `(batch, constraints)`.
        gap: that a certificate may leave.
        hard: whether to try all that may bind, and with twice the digits.
        brief: whether to try next to nothing but what the guess says.
        same: whether what has a λ in a guess goes on binding, however slack it is.
    """
    with np.errstate(all="ignore"):
        work = _Work(program, z, gap)
        slack = np.abs(value(work.given, z)[:, 1:])
        doubts = DOUBTS if hard else DOUBTS[: 1 if brief else 2]
        doubts = (SURE, *doubts) if same else doubts
        tries = None if hard else FEW if brief else SETS
        work.settle(np.arange(len(z)), z, multipliers, slack, doubts, tries)
        left = work.left()
        if hard and left.size:
            work.again(left, z[left], multipliers[left])
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


def hemmed(program: GeometricProgram) -> bool:
    """Whether it is proven that limits of what saturates leave no room; see `room`.

    Args:
        program: of one member.
    """
    around, ends = room(program)
    if not ends:
        return False
    found = find(around, gap=EXCLUDED / 10)
    # Above 0 there is no point at all, which phase I proves.
    close = found.ended[0] == OPTIMAL and -SLIVER < found.z[0, -1] <= EXCLUDED
    return bool(close and found.multipliers[0, ends].any())


class _Work:
    """A batch while it is solved."""

    def __init__(
        self,
        program: GeometricProgram,
        start: Array | None,
        gap: float,
        *,
        last: bool = False,
    ) -> None:
        self.program = program
        self.given = arrays(program)
        start = middle(self.given)[None] if start is None else start
        self.start = start
        self.gap = gap
        self.last = last  # it is a program that was moved
        self.ended = np.full(len(start), UNSOLVED)
        self.z = start.copy()
        self.weight = np.zeros((len(start), len(program.constraints)))
        self.proof = np.full((3, len(start)), np.inf)

    def run(self) -> Found:
        rows = np.arange(len(self.start))
        z, weight, slack, hopeless = follow(self.given, self.start)
        self._exclude(rows[hopeless], z[hopeless], weight[hopeless])
        lost = rows[~hopeless & ~(weight.sum(axis=1) < LOST)]
        if lost.size:
            part = self._part(lost)
            self._exclude(lost, lowest(part, z[lost], weight[lost]), weight[lost])
        go = ~hopeless & (self.ended == UNSOLVED)
        self.settle(rows[go], z[go], weight[go], slack[go], (LIKELY,))
        rows = self.left()
        if rows.size and self.weight.shape[1]:
            self._surely(rows)
        return self.found()

    def found(self) -> Found:
        """How far it has come."""
        return Found(self.ended, self.z, self.weight, self.proof)

    def _surely(self, rows: Integers) -> None:
        """Phase I for some members, and phase II for those that have room."""
        ones = (members(self.program, rows[k : k + 1]) for k in range(len(rows)))
        rows = rows[[not hemmed(one) for one in ones]]
        if not rows.size:
            return
        z, weight, found, none = inside(self._part(rows), self.start[rows])
        self._exclude(rows[none], z[none], weight[none])
        if found.any():
            self._from_inside(rows[found], z[found])
        open_ = self.ended[rows] == UNSOLVED
        if open_.any() and not self.last:
            self.again(rows[open_], z[open_])

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

    def again(self, rows: Integers, z: Array, weight: Array | None = None) -> None:
        """All of it in variables counted from z, then Newton from where that ends.

        Args:
            rows: whose it is.
            z: ln of the points.
            weight: λ there, from which Newton alone is enough; None if not.
        """
        for _ in range(MOVES):
            program = moved(members(self.program, rows), z)
            work = _Work(program, np.zeros_like(z), self.gap, last=True)
            if weight is None:
                work.run()
            else:
                slack = np.abs(value(work.given, work.start)[:, 1:])
                work.settle(np.arange(len(z)), work.start, weight, slack, DOUBTS)
            z, weight = z + work.z, work.weight
            # The box of a proof that there is no point would be another one.
            good = work.ended == OPTIMAL
            done = rows[good]
            self.z[done], self.weight[done] = z[good], weight[good]
            self.proof[:, done] = work.proof[:, good]
            self.ended[done] = OPTIMAL
            rows, z, weight = rows[~good], z[~good], weight[~good]
            if not rows.size:
                return

    def settle(
        self,
        rows: Integers,
        z: Array,
        weight: Array,
        slack: Array,
        doubts: tuple[tuple[float, bool], ...],
        tries: int | None = None,
    ) -> None:
        """Newton on what may bind, for what is not solved yet."""
        for doubt, still in doubts:
            go = self.ended[rows] == UNSOLVED
            if not go.any():
                return
            rows, z, weight, slack = rows[go], z[go], weight[go], slack[go]
            part = self._part(rows)
            point, prices, _ = settle(
                part, z, weight, weight > doubt * slack, still=still, tries=tries
            )
            self._keep(rows, point, prices)

    def _keep(self, rows: Integers, z: Array, weight: Array) -> None:
        """Takes what the judge accepts, and what comes nearest to it meanwhile."""
        stationarity, violation, gap = residuals(self._programs(rows), z, weight)
        passed = allowed(stationarity, violation, gap, self.gap)
        better = passed | (gap < self.proof[2, rows])
        proof = np.stack([stationarity, violation, gap])
        taken = rows[better]
        self.proof[:, taken] = proof[:, better]
        self.z[taken], self.weight[taken] = z[better], weight[better]
        self.ended[rows[passed]] = OPTIMAL

    def _exclude(self, rows: Integers, z: Array, weight: Array) -> None:
        """Takes as infeasible what the judge accepts as that."""
        if not rows.size:
            return
        proven = excluded(self._programs(rows), z, weight)
        rows = rows[proven]
        self.z[rows], self.weight[rows] = z[proven], weight[proven]
        self.ended[rows] = INFEASIBLE

    def left(self) -> Integers:
        """Who is not solved yet."""
        return np.flatnonzero(self.ended == UNSOLVED)

    def _part(self, rows: Integers) -> Arrays:
        return self.given if self._all(rows) else self.given.members(rows)

    def _programs(self, rows: Integers) -> GeometricProgram:
        return self.program if self._all(rows) else members(self.program, rows)

    def _all(self, rows: Integers) -> bool:
        """Whether rows, which rise, are all there are."""
        return len(rows) == len(self.start)
