"""A batch of programs of one shape, each member certified as a single solve is.

Each way is tried on what the one before could not certify: a closed form where there
is one, our interior-point method, and cvxpy, one member at a time. Where so many rows
are asked for that compiling pays, numba's version of the method comes before the one in
numpy. `certify` judges whatever is found. Work goes in blocks of bounded memory, on all
cores.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import GeometricProgram, Solution, Status, members
from optimizer.engine import own
from optimizer.engine.alike import in_order, led
from optimizer.engine.arrays import arrays
from optimizer.engine.certify import (
    GAP,
    STATIONARITY,
    VIOLATION,
    UncertifiedError,
    allowed,
    excluded,
    residuals,
)
from optimizer.engine.closed import closed_form
from optimizer.engine.diagnose import least_relaxation
from optimizer.engine.room import SLIVER
from optimizer.engine.solve import cvxpy_asked, otherwise
from optimizer.engine.stacking import size
from optimizer.errors import Defect
from optimizer.records import dataclass

BLOCK = 8192  # rows at once: more are slow on Dask workers, fewer make threads wait
SOME = 20_000  # rows from which numba is worth importing
MANY = 300_000  # rows from which it is worth compiling with, which takes about 25 s
FEW = 256  # rows of a block that need no compiler
KEPT = 2**21  # numbers, 16 MB: more than what the steps of a block take and leave
COMPILED = ("linear", "point", "interior", "kernel")
CACHE = Path(__file__).parent / "__pycache__"
OPTIMAL, INFEASIBLE, FAILED = 0, 1, 2
_ENDS = np.empty(3, dtype=int)  # as `own` says it
_ENDS[[own.OPTIMAL, own.INFEASIBLE, own.UNSOLVED]] = OPTIMAL, INFEASIBLE, FAILED


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


def compiling_pays(rows: int) -> bool:
    """Whether so many rows are worth the compiler, where there is one."""
    if rows >= MANY:
        return find_spec("numba") is not None
    return rows >= SOME and find_spec("numba") is not None and compiled()


def compiled() -> bool:
    """Whether what numba compiled lies on disk, newer than what it was made of."""
    kept = [path.stat().st_mtime for path in CACHE.glob("kernel.*.nbi")]
    sources = [(CACHE.parent / f"{name}.py").stat().st_mtime for name in COMPILED]
    return bool(kept) and max(kept) > max(sources)


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
    fast = compiling_pays(batch)
    cuts = [slice(i, min(i + BLOCK, batch)) for i in range(0, batch, BLOCK)]

    def one(cut: slice) -> Batch:
        origin = None if start is None else start[cut]
        part = members(program, cut)
        return solve_block(part, cut.stop - cut.start, origin, fast=fast)

    if len(cuts) == 1:
        return one(cuts[0])
    with ThreadPoolExecutor(workers or cores()) as pool:
        # A thread does not know by itself that cvxpy was asked for.
        ends = [pool.submit(copy_context().run, one, cut) for cut in cuts]
        return joined([end.result() for end in ends])


def joined(parts: list[Batch]) -> Batch:
    """One batch from several, in their order."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Batch.__dataclass_fields__
        if name != "alone"
    }
    return Batch(**arrays, alone=sum(part.alone for part in parts))


def solve_block(
    program: GeometricProgram,
    batch: int,
    start: Array | None = None,
    guess: Array | None = None,
    *,
    fast: bool = False,
) -> Batch:
    """Solves a batch in this thread; see `solve_batch`.

    Args:
        program: with a batch axis of 1 or `batch`.
        batch: the number of members.
        start: as for `solve_batch`.
        guess: of λ at the start, `(batch, constraints)`, where Newton alone may be
            enough.
        fast: whether to use what numba compiles.
    """
    if batch > FEW:
        _keep_memory()
    with np.errstate(all="ignore"):
        return _Block(program, batch).run(start, guess, fast=fast)


def _keep_memory() -> None:
    """Has glibc keep what arrays leave, where it gave it back to be cleared anew.

    Every step of Newton takes a few megabytes and leaves them. What is given back is
    all above twice the size of the largest array that was left so far, and a kernel
    that clears pages took a tenth of a block's time.
    """
    np.empty(KEPT)  # never touched, and left at once


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

    def run(self, start: Array | None, guess: Array | None, *, fast: bool) -> Batch:
        if not cvxpy_asked():
            self._together(start, guess, fast=fast)
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

    def _together(
        self, start: Array | None, guess: Array | None, *, fast: bool
    ) -> None:
        """All ways that take many members at once."""
        if (form := closed_form(self.program, start, self.batch)) is not None:
            self._judge(slice(None), self.program, *form)
        if start is not None and guess is not None and (rows := self._open()).size:
            part = members(self.program, rows)
            self._take(rows, own.near(part, start[rows], guess[rows], brief=True))
        if fast and self._open().size > FEW:
            self._compiled(start)
        if self._open().size:
            self._interior(start)

    def _open(self) -> Integers:
        return np.flatnonzero(self.ended == FAILED)

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
        rows, program, z = self._rest(start)
        # What a guess does not settle at once is mostly beyond what binds there.
        self._take(rows, led(program, z, own.find, partial(own.near, brief=True)))
        # From where its own terms are nearest to 1, if the start leads astray.
        for member in self._open()[:, None]:
            self._take(member, own.find(members(self.program, member)))

    def _take(self, rows: Integers, found: own.Found) -> None:
        """Keeps what our own method found, judged already."""
        self.z[rows], self.multipliers[rows] = found.z, found.multipliers
        self.proof[:, rows] = found.proof
        self.ended[rows] = _ENDS[found.ended]

    def _rest(self, start: Array | None) -> tuple[Integers, GeometricProgram, Array]:
        """The open members, their program, and where to start."""
        rows = self._open()
        whole = len(rows) == self.batch
        program = self.program if whole else members(self.program, rows)
        z = self.z[rows] if start is None else start[rows]
        return rows, program, np.where(np.isfinite(z).all(1, keepdims=True), z, 0.0)

    def _compiled(self, start: Array | None) -> None:
        rows, program, z = self._rest(start)
        if in_order(arrays(program)):
            self._take(rows, _by_kernel(program, z))
        else:
            self._take(rows, led(program, z, _by_kernel, _by_kernel))

    def _one(self, member: int, origin: Array) -> None:
        """Asks cvxpy."""
        program = members(self.program, np.array([member]))
        self.alone += 1
        found: Solution | None
        try:
            found = otherwise(program, origin)
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


def _by_kernel(
    program: GeometricProgram, z: Array, guess: Array | None = None
) -> own.Found:
    """What the compiled method finds, judged; from guesses of λ where there are any."""
    given = arrays(program)
    shape = len(z), given.logs.shape[1]
    logs = np.ascontiguousarray(np.broadcast_to(given.logs, shape))
    starts = np.append(given.starts, shape[1])
    curves = (given.reach, given.level, given.R)
    z = np.array(z, order="C")  # which the method overwrites
    weight = np.zeros((len(z), len(program.constraints)))
    if guess is not None:
        weight[:] = guess
    ended = _kernel().solve_members(
        logs, given.powers, starts, curves, z, weight, guess is not None
    )
    stationarity, violation, gap = residuals(program, z, weight)
    # What Newton left half-way may pass and still be far off where cost is flat.
    good = (ended == OPTIMAL) & allowed(stationarity, violation, gap, GAP)
    found = np.where(good, own.OPTIMAL, own.UNSOLVED)
    if (ended == INFEASIBLE).any():
        found[(ended == INFEASIBLE) & excluded(program, z, weight)] = own.INFEASIBLE
    return own.Found(found, z, weight, np.stack([stationarity, violation, gap]))


def _kernel() -> Any:
    """What numba compiles, imported where it is used."""
    from optimizer.engine import kernel  # noqa: PLC0415 - half a second

    return kernel
