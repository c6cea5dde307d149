"""Rows of mixtures: the experts that a batch reads, told where each row's plan is.

The same search as `plan.touching` makes for one scenario, on many rows at once: every
round solves one batch of those that are not done. The few rows for which no batch that
is tried has a plan, and none is excluded, are searched one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import cast

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import GeometricProgram, Status, members
from optimizer.analysis.plan import touching
from optimizer.engine import batch, own
from optimizer.engine.batch import Batch
from optimizer.engine.certify import residuals
from optimizer.engine.diagnose import ROOM
from optimizer.engine.room import relaxation
from optimizer.engine.solve import cvxpy_asked
from optimizer.engine.stacking import stacked
from optimizer.errors import Defect
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.world.summed import Routed

ALL = 600.0  # −ln of the share left out by what reads all of them, to the last digit
KEPT = ("ended", "z", "multipliers", "stationarity", "violation", "gap")
At = Mapping[str, Array]  # where the monomial of each machine touches, by row


def touched(
    questions: Sequence[Question],
    sizes: Sequence[int],
    solved: Batch,
    start: Array,
    alone: Callable[[int], Scenario],
) -> list[Question]:
    """Tells the experts of each row where its own plan reads them.

    Args:
        questions: with `Many` where rows differ; of programs of one shape, and the
            same machines with experts.
        sizes: the rows of each.
        solved: by the monomials that the questions have; changed in place.
        start: ln of a point near each row's optimum, `(rows, variables)`.
        alone: the scenario of a row.

    Returns:
        The questions with the monomials by which the rows ended.
    """
    work = _Rows(questions, sizes, solved, start)
    work.restore(alone)
    work.settle()
    return work.asked(work.at)


class _Rows:
    """Rows while they are worked out."""

    def __init__(
        self,
        questions: Sequence[Question],
        sizes: Sequence[int],
        solved: Batch,
        start: Array,
    ) -> None:
        self.questions, self.sizes = questions, sizes
        self.solved, self.start = solved, start
        ends = list(accumulate(sizes, initial=0))
        self.cuts = [slice(*pair) for pair in pairwise(ends)]
        found = [touching.machines(question) for question in questions]
        self.missed = {
            name: self._joined([each[name].missed for each in found])
            for name in found[0]
        }
        self.most = {n: -ALL / np.log(missed) for n, missed in self.missed.items()}
        self.at = {
            name: self._joined([each[name].at for each in found]) for name in found[0]
        }
        first = questions[0].program
        self.names = [constraint.name for constraint in first.constraints]
        self.variables = first.variables
        self.value = np.full(sum(sizes), math.inf)  # ln of the least that is known
        good = np.flatnonzero(solved.ended == batch.OPTIMAL)
        self.value[good] = self._value(self._program(self.at), good, solved.z[good])

    def _joined(self, numbers: Sequence[float]) -> Array:
        """One number a row, of one or `Many` a question."""
        return np.concatenate(
            [
                np.broadcast_to(np.asarray(number, dtype=float), size)
                for number, size in zip(numbers, self.sizes, strict=True)
            ]
        )

    def asked(self, at: Mapping[str, Array | float]) -> list[Question]:
        """The questions with monomials that touch at some batches.

        None at so large a one that its power is 0: it would be another program.
        """
        at = {
            name: value
            if isinstance(value, float)
            else np.minimum(value, self.most[name])
            for name, value in at.items()
        }
        return [
            touching.asked(
                question,
                {
                    name: value
                    if isinstance(value, float)
                    else cast("float", Many(value[cut]))
                    for name, value in at.items()
                },
            )
            for question, cut in zip(self.questions, self.cuts, strict=True)
        ]

    def _program(self, at: Mapping[str, Array | float]) -> GeometricProgram:
        return stacked([one.program for one in self.asked(at)], self.sizes)

    def _solve(
        self,
        at: Mapping[str, Array | float],
        rows: Integers,
        start: Array,
        guess: Array | None = None,
    ) -> tuple[Batch, Array]:
        """How some rows end, and ln of their least; ∞ without a plan."""
        program = self._program(at)
        part = members(program, rows)
        ends = batch.solve_block(part, len(rows), start, guess)
        value = np.full(len(rows), math.inf)
        good = ends.ended == batch.OPTIMAL
        value[good] = self._value(program, rows[good], ends.z[good])
        return ends, value

    @staticmethod
    def _value(program: GeometricProgram, rows: Integers, z: Array) -> Array:
        return program.objective.members(rows).tangent(z)[0]

    def _keep(
        self, rows: Integers, ends: Batch, at: At, value: Array, picked: Integers
    ) -> None:
        """Keeps how some rows ended.

        Args:
            rows: their numbers.
            ends: of a batch.
            at: where their monomials touched, in the order of the batch.
            value: likewise.
            picked: their places in it.
        """
        for word in KEPT:
            getattr(self.solved, word)[rows] = getattr(ends, word)[picked]
        self.value[rows] = value[picked]
        for name, column in at.items():
            self.at[name][rows] = column[picked]

    def restore(self, alone: Callable[[int], Scenario]) -> None:
        """Gives rows that have no plan by their first monomials one by others."""
        rows = np.flatnonzero(self.solved.ended != batch.OPTIMAL)
        if not rows.size:
            return
        below = dict.fromkeys(self.at, 0.0)
        proof, _ = self._solve(below, rows, self.start[rows])
        none = proof.ended == batch.INFEASIBLE
        self.solved.ended[rows[none]] = batch.INFEASIBLE
        rows = rows[~none]
        for spread in (0.0, *touching.SPREAD, ALL):
            if not rows.size:
                return
            at = {
                name: np.maximum(spread / (1.0 - missed), touching.ALONE)
                for name, missed in self.missed.items()
            }
            ends, value = self._solve(at, rows, self.start[rows])
            better = np.flatnonzero(value < self.value[rows])
            here = {name: column[rows] for name, column in at.items()}
            self._keep(rows[better], ends, here, value, better)
        rows = self._along(rows[~np.isfinite(self.value[rows])])
        for row in rows.tolist():
            self._alone(row, alone(row))

    def _along(self, rows: Integers) -> Integers:
        """Moves monomials to where bounds that give way together have the batch.

        Args:
            rows: that have no plan with any other.

        Returns:
            Those for which this is no answer.
        """
        question = self.questions[0]
        if cvxpy_asked() or question.quantities:
            return rows
        bounds = [name for name in self.names if name not in question.given]
        left, z = [], self.start[rows]
        at = {name: column.copy() for name, column in self.at.items()}
        u = np.zeros((len(rows), 1))
        for _ in range(touching.ROUNDS):
            if not rows.size:
                break
            relaxed = members(relaxation(self._program(at), bounds), rows)
            ends = own.find(relaxed, np.hstack([z, u]), ROOM)
            good = ends.ended == own.OPTIMAL
            left.append(rows[~good])
            rows, z, u = rows[good], ends.z[good, :-1], ends.z[good, -1:]
            batches = {name: self._batch(name, z) for name in at}
            moved = [np.log(batches[name] / at[name][rows]) for name in at]
            far = np.abs(moved).max(axis=0) >= touching.CLOSE
            self.solved.ended[rows[~far]] = batch.INFEASIBLE
            rows, z, u = rows[far], z[far], u[far]
            for name, column in at.items():
                column[rows] = np.maximum(batches[name][far], touching.ALONE)
            if not rows.size:
                break
            solved, value = self._solve(at, rows, z)
            self.solved.ended[rows] = batch.INFEASIBLE
            found = np.flatnonzero(np.isfinite(value))
            here = {name: column[rows] for name, column in at.items()}
            self._keep(rows[found], solved, here, value, found)
            still = ~np.isfinite(value)
            rows, z, u = rows[still], z[still], u[still]
        return np.concatenate(left) if left else rows

    def _alone(self, row: int, scenario: Scenario) -> None:
        """A row as `solve` answers it."""
        try:
            _, question, found = touching.ended(scenario, formulate(scenario))
        except Defect:
            self.solved.ended[row] = batch.FAILED
            return
        if found.status is not Status.OPTIMAL:
            self.solved.ended[row] = batch.INFEASIBLE
            return
        z, prices = found.optimum
        self.solved.ended[row] = batch.OPTIMAL
        self.solved.z[row], self.solved.multipliers[row] = z, prices
        proof = residuals(found.program, z[None], prices[None])
        for word, part in zip(KEPT[3:], proof, strict=True):
            getattr(self.solved, word)[row] = part[0]
        self.value[row] = math.log(found.value)
        for name, routed in touching.machines(question).items():
            self.at[name][row] = routed.at

    def settle(self) -> None:
        """Moves monomials to where plans are, until none can gain anything."""
        rows = np.flatnonzero(self.solved.ended == batch.OPTIMAL)
        z, prices = self.solved.z[rows], self.solved.multipliers[rows]
        at = {name: column[rows] for name, column in self.at.items()}
        before: dict[str, tuple[Array, Array]] = {}
        for _ in range(touching.ROUNDS):
            batches = {name: self._batch(name, z) for name in at}
            go = ~(self._gain(rows, prices, at, batches) < touching.SETTLED)
            if not go.any():
                return
            rows, z, prices = rows[go], z[go], prices[go]
            marks = {name: (at[name][go], batches[name][go]) for name in at}
            last = {n: (x[go], y[go]) for n, (x, y) in before.items()}
            at = {name: _ahead(mark, last.get(name)) for name, mark in marks.items()}
            whole = {name: column.copy() for name, column in self.at.items()}
            for name, column in at.items():
                whole[name][rows] = column
            ends, value = self._solve(whole, rows, z, prices)
            better = np.flatnonzero(value <= self.value[rows])
            self._keep(rows[better], ends, at, value, better)
            going = ends.ended == batch.OPTIMAL
            rows, z, prices = rows[going], ends.z[going], ends.multipliers[going]
            at = {name: column[going] for name, column in at.items()}
            before = {n: (x[going], y[going]) for n, (x, y) in marks.items()}

    def _batch(self, name: str, z: Array) -> Array:
        return np.exp(z[:, self.variables.index(f"batch{name}")])

    def _gain(
        self, rows: Integers, prices: Array, at: At, batches: Mapping[str, Array]
    ) -> Array:
        """How much lower ln of the least may be; see `touching`."""
        gain = np.zeros(len(rows))
        for name, column in at.items():
            missed, here = Many(self.missed[name][rows]), Many(column)
            routed = Routed(1.0, cast("float", missed), cast("float", here))
            told = routed.excess(cast("float", Many(batches[name])))
            price = prices[:, self.names.index(f"serving.step{name}")]
            gain += price * np.asarray(told)
        return gain


def _ahead(mark: tuple[Array, Array], before: tuple[Array, Array] | None) -> Array:
    """The batches at which to touch next; see `touching`."""
    at, batches = mark
    if before is None:
        return batches
    with np.errstate(all="ignore"):
        slope = np.log(batches / before[1]) / np.log(at / before[0])
        far = batches * (batches / at) ** (slope / (1.0 - slope))
    steady = np.abs(slope) <= touching.STEEP  # of no number, it is not
    return np.where(steady, np.maximum(far, touching.ALONE), batches)
