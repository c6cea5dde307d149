"""A batch of programs of one shape, each member certified as a single solve is.

Three ways, each tried on what the one before could not certify: the closed root of
plain programs, the compiled interior-point method (where numba is installed), and
cvxpy, one member at a time. `certify` judges whatever is found. Work goes in blocks of
bounded memory, on all cores.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np

from optimizer.algebra.composite import Composite
from optimizer.algebra.posynomial import Array, Integers, Posynomial, stack
from optimizer.algebra.program import (
    Constraint,
    Function,
    GeometricProgram,
    Solution,
    Status,
)
from optimizer.algebra.saturating import stacked as stack_curves
from optimizer.engine.certify import (
    GAP,
    STATIONARITY,
    VIOLATION,
    UncertifiedError,
    excluded,
    residuals,
)
from optimizer.engine.diagnose import SLIVER, least_relaxation
from optimizer.engine.enclose import opened, quantities
from optimizer.engine.root import Plain, plain, root
from optimizer.engine.solve import solve
from optimizer.errors import Defect

BLOCK = 8192  # rows at once: more are slow on Dask workers, fewer make threads wait
SMALL = 256  # the same where each row takes cvxpy a millisecond
OPTIMAL, INFEASIBLE, FAILED = 0, 1, 2
_cvxpy = Lock()  # one compiled problem serves all programs of a shape


@dataclass(frozen=True, eq=False)
class Batch:
    """The end of a batch; NaN wherever there is no certified point.

    Attributes:
        ended: `OPTIMAL`, `INFEASIBLE` or `FAILED`, shape `(batch,)`.
        z: ln of the optimal variables, `(batch, variables)`.
        multipliers: λ, `(batch, constraints)`.
        stationarity: of the certificate, `(batch,)`; so are the next two.
        violation: see `Certificate`.
        gap: see `Certificate`.
        alone: how many members cvxpy had to answer.
    """

    ended: Integers
    z: Array
    multipliers: Array
    stationarity: Array
    violation: Array
    gap: Array
    alone: int


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def swift(program: GeometricProgram) -> bool:
    """Whether programs of this shape are solved many at a time."""
    if plain(program) is not None:
        return True
    return _kernel() is not None


def members(program: GeometricProgram, chosen: Integers | slice) -> GeometricProgram:
    """The program of some members of a batch."""
    return GeometricProgram(
        program.objective.members(chosen),
        tuple(
            Constraint(c.name, c.posynomial.members(chosen))
            for c in program.constraints
        ),
    )


def stacked(
    programs: Sequence[GeometricProgram], sizes: Sequence[int]
) -> GeometricProgram:
    """One batch from several of one `shape`, with so many members each."""
    sides = zip(*(program.constraints for program in programs), strict=True)
    return GeometricProgram(
        _stacked([program.objective for program in programs], sizes),
        tuple(
            Constraint(side[0].name, _stacked([c.posynomial for c in side], sizes))
            for side in sides
        ),
    )


def _stacked(parts: Sequence[Function], sizes: Sequence[int]) -> Function:
    """One function of several programs of one shape."""
    plain = [part for part in parts if isinstance(part, Posynomial)]
    if plain:
        return stack(plain, sizes)
    curved = [part for part in parts if isinstance(part, Composite)]
    return Composite(
        curved[0].variables,
        stack([part.inner for part in curved], sizes),
        tuple(
            stack_curves(curves, sizes)
            for curves in zip(*(part.quantities for part in curved), strict=True)
        ),
    )


def shape(program: GeometricProgram) -> Hashable:
    """What programs must share to be one batch."""
    names = tuple(constraint.name for constraint in program.constraints)
    terms = tuple(len(p.labels) for p in opened(program))
    return program.variables, tuple(quantities(program)), names, terms


def size(program: GeometricProgram) -> int:
    """The number of members of a program; 1 also where all are equal."""
    curves = quantities(program).values()
    return max([*(p.batch for p in opened(program)), *(q.batch for q in curves)])


def solve_batch(
    program: GeometricProgram, start: Array | None = None, workers: int | None = None
) -> Batch:
    """Solves every member of a batch, block by block on all cores.

    Args:
        program: posynomials with a leading batch axis.
        start: ln of a point near each optimum, `(batch, variables)`; it speeds up
            the general method and changes no answer.
        workers: threads; one a core if None.
    """
    batch = size(program)
    block = BLOCK if swift(program) else SMALL
    cuts = [slice(i, min(i + block, batch)) for i in range(0, batch, block)]

    def one(cut: slice) -> Batch:
        origin = None if start is None else start[cut]
        return solve_block(members(program, cut), cut.stop - cut.start, origin)

    if len(cuts) == 1:
        return one(cuts[0])
    with ThreadPoolExecutor(workers or cores()) as pool:
        return joined(list(pool.map(one, cuts)))


def joined(parts: list[Batch]) -> Batch:
    """One batch from several, in their order."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Batch.__dataclass_fields__
        if name != "alone"
    }
    return Batch(**arrays, alone=sum(part.alone for part in parts))


def solve_block(
    program: GeometricProgram, batch: int, start: Array | None = None
) -> Batch:
    """Solves a batch in this thread; see `solve_batch`.

    Args:
        program: with a batch axis of 1 or `batch`.
        batch: the number of members.
        start: as for `solve_batch`.
    """
    with np.errstate(all="ignore"):
        return _Block(program, batch).run(start)


class _Block:
    """A batch while it is solved: what is known of each member so far."""

    def __init__(self, program: GeometricProgram, batch: int) -> None:
        n, m = len(program.variables), len(program.constraints)
        self.program = program
        self.batch = batch
        self.ended = np.full(batch, FAILED)
        self.z = np.full((batch, n), np.nan)
        self.multipliers = np.full((batch, m), np.nan)
        self.proof = np.full((3, batch), np.nan)
        self.alone = 0

    def run(self, start: Array | None) -> Batch:
        form = plain(self.program)
        if form is not None:
            self._root(form)
        if self._open().size:
            self._interior(start)
        for member in self._open().tolist():
            origin = np.zeros(self.z.shape[1]) if start is None else start[member]
            self._one(member, origin)
        bad = self.ended != OPTIMAL
        if bad.any():
            self.z[bad] = self.multipliers[bad] = np.nan
            self.proof[:, bad] = np.nan
        stationarity, violation, gap = self.proof
        return Batch(
            self.ended,
            self.z,
            self.multipliers,
            stationarity,
            violation,
            gap,
            self.alone,
        )

    def _open(self) -> Integers:
        return np.flatnonzero(self.ended == FAILED)

    def _root(self, form: Plain) -> None:
        z, multipliers = root(self.program, form, self.batch)
        self._judge(slice(None), self.program, z, multipliers)

    def _judge(
        self, rows: Any, program: GeometricProgram, z: Array, multipliers: Array
    ) -> None:
        """Keeps the points, and as answers those that are certified."""
        stationarity, violation, gap = proof = residuals(program, z, multipliers)
        passed = (stationarity <= STATIONARITY) & (violation <= VIOLATION)
        passed &= gap <= GAP
        self.z[rows] = z
        self.multipliers[rows] = multipliers
        self.proof[:, rows] = proof
        self.ended[rows] = np.where(passed, OPTIMAL, FAILED)

    def _interior(self, start: Array | None) -> None:
        kernel = _kernel()
        if kernel is None:
            return
        rows = self._open()
        whole = len(rows) == self.batch
        program = self.program if whole else members(self.program, rows)
        functions = opened(program)
        sizes = [len(p.labels) for p in functions]
        logs = np.concatenate(
            [
                np.broadcast_to(p.logs, (len(rows), count))
                for p, count in zip(functions, sizes, strict=True)
            ],
            axis=1,
        )
        powers = _joined_exponents(functions)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        z = self.z[rows] if start is None else start[rows]
        z = np.where(np.isfinite(z).all(axis=1, keepdims=True), z, 0.0)
        multipliers = np.zeros((len(rows), len(sizes) - 1))
        ended = kernel.solve_members(
            logs, powers, starts, _curves(program), z, multipliers
        )
        self._judge(rows, program, z, multipliers)
        # What Newton left half-way may pass and still be far off where cost is flat.
        self.ended[rows[ended != OPTIMAL]] = FAILED
        if (ended == INFEASIBLE).any():
            proven = (ended == INFEASIBLE) & excluded(program, z, multipliers)
            self.ended[rows[proven]] = INFEASIBLE

    def _one(self, member: int, origin: Array) -> None:
        """Asks cvxpy."""
        program = members(self.program, np.array([member]))
        self.alone += 1
        found: Solution | None
        with _cvxpy:
            try:
                found = solve(program, origin)
            except UncertifiedError:
                found = _without_room(program)
            except Defect:
                return
        if found is None:
            return
        if found.status is Status.INFEASIBLE:
            self.ended[member] = INFEASIBLE
            return
        point, prices = found.optimum
        self._judge([member], program, point[None], prices[None])


def _without_room(program: GeometricProgram) -> Solution | None:
    """Infeasible where the bounds leave next to no room, as for a single solve."""
    names = [constraint.name for constraint in program.constraints]
    if least_relaxation(program, names).value > 1 - SLIVER:
        return Solution(program, Status.INFEASIBLE)
    return None


def _joined_exponents(functions: list[Posynomial]) -> Array:
    """The exponents of all terms, `(batch or 1, terms, variables)`."""
    longest = max(len(p.exponents) for p in functions)
    parts = [
        np.broadcast_to(p.exponents, (longest, *p.exponents.shape[1:]))
        for p in functions
    ]
    return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float64)


def _curves(program: GeometricProgram) -> tuple[Array, Array, Array]:
    """Reach, level and R of all quantities, as the kernel takes them.

    Their shapes are `(batch or 1, quantities, 1 + variables)`, the same, and
    `(batch or 1, quantities)`.
    """
    curves = list(quantities(program).values())
    longest = max((quantity.batch for quantity in curves), default=1)
    n = len(program.variables)
    reach, level = np.zeros((2, longest, len(curves), 1 + n))
    R = np.zeros((longest, len(curves)))
    for k, quantity in enumerate(curves):
        places = [0, *(1 + program.variables.index(v) for v in quantity.variables)]
        reach[:, k, places] = quantity.reach
        level[:, k, places] = quantity.level
        R[:, k] = quantity.R
    return reach, level, R


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """The compiled method, or None where numba is not installed."""
    try:
        from optimizer.engine import kernel  # noqa: PLC0415 - half a second
    except ImportError:
        return None
    return kernel
