"""Rows in which repeated data give next to nothing more, as `solve` answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import GeometricProgram, members
from optimizer.analysis.plan.saturation import EQUAL, IDLE, approach
from optimizer.engine import batch
from optimizer.engine.batch import Batch
from optimizer.engine.certify import residuals
from optimizer.question.asked import Question
from optimizer.records import replace

ARRAYS = tuple(name for name in Batch.__dataclass_fields__ if name != "alone")


def settled(question: Question, whole: Batch, part: slice, start: Array) -> Batch:
    """Some rows after what saturates: targets entered, budgets spent no further.

    Args:
        question: of these rows, with `Many` where they differ.
        whole: a batch, as the engine ended it.
        part: these rows of it; changed in place.
        start: ln of a point near the optimum of a row's easiest target.
    """
    solved = replace(whole, **{name: getattr(whole, name)[part] for name in ARRAYS})
    if not question.quantities:
        return solved
    count = len(solved.z)
    if question.reducible is not None:
        s = np.asarray(question.reducible, dtype=float)
        rows = np.flatnonzero(solved.ended == batch.FAILED)
        return enter(_of(question, s, count), rows, solved, start)
    program = question.program
    names = [constraint.name for constraint in program.constraints]
    budget = next(i for i, name in enumerate(names) if name.startswith("budget."))
    idle = solved.multipliers[:, budget] <= IDLE  # NaN without a plan
    rows = np.flatnonzero((solved.ended == batch.OPTIMAL) & idle)
    if rows.size:
        lowest = np.exp(program.objective.tangent(solved.z)[0])
        known = np.where(np.isfinite(lowest), lowest, 1.0) * (1 + EQUAL)
        enter(_of(question, known, count), rows, solved, start)
    return solved


def enter(
    easier: Callable[[float], GeometricProgram],
    rows: Integers,
    solved: Batch,
    start: Array,
) -> Batch:
    """Puts the optima of some rows, entered by easier ones, in their place.

    Args:
        easier: the program of all rows, with a relative slack of the target.
        rows: which to enter; one that cannot be stays as it is.
        solved: changed in place.
        start: as for `settled`.
    """
    for row in rows.tolist():

        def program(slack: float, row: int = row) -> GeometricProgram:
            return members(easier(slack), np.array([row]))

        found = approach(program, start[row])
        if found is None:
            continue
        z, prices = found.optimum
        proof = residuals(found.program, z[None], prices[None])
        solved.ended[row] = batch.OPTIMAL
        solved.z[row] = z
        parts = solved.stationarity, solved.violation, solved.gap
        for kept, part in zip(parts, proof, strict=True):
            kept[row] = part[0]
    return solved


def _of(
    question: Question, s: Array, count: int
) -> Callable[[float], GeometricProgram]:
    """The program of a target for each row, by a relative slack of it."""

    def easier(slack: float) -> GeometricProgram:
        s_: Any = Many(np.broadcast_to(s * (1 + slack), (count,)))
        return replace(question, reducible=s_).program

    return easier
