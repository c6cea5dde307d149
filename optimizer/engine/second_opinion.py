"""The second opinion: a program, solved by cvxpy and Clarabel and then certified.

It shares nothing with `own` but the judge and Newton's last steps. It is asked for by
name (`--engine cvxpy`), and for what `own` cannot bring to its certificate. The only
file that imports cvxpy. Programs of one shape (the same pattern of
non-zero exponents) share one compiled problem whose coefficients and exponents are
parameters, so that a second solve reuses the canonicalisation.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np

from optimizer.algebra.posynomial import Array, Posynomial
from optimizer.algebra.program import Engine, GeometricProgram, Solution, Status
from optimizer.engine import own
from optimizer.engine.certify import GAP, certify, roomless, uncertified
from optimizer.engine.enclose import enclose, extended, tighten
from optimizer.records import dataclass

Pattern = tuple[tuple[tuple[bool, ...], ...], ...]
ROUNDS = 6  # of tangents, where the first do not lead Newton home
_one_at_a_time = Lock()  # one compiled problem serves all programs of a shape
TOLERANCES = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}


def solve(
    program: GeometricProgram, start: Array | None = None, gap: float = GAP
) -> Solution:
    """Finds the certified global optimum of a program of one member.

    Args:
        program: the program; bounded below by construction.
        start: ln of a point near the optimum, shape `(variables,)`; it only
            scales the numbers that the solver sees.
        gap: that the certificate may leave, in ln of the objective.

    Returns:
        An optimal solution with its certificate, or one with the status
        INFEASIBLE; `diagnose` proves and explains that.

    Raises:
        Defect: the answer failed its certificate, or bounds leave no room for one.
    """
    n, count = len(program.variables), len(program.constraints)
    outer = enclose(program)
    origin = None if start is None else extended(program, start)
    for last in range(ROUNDS, -1, -1):
        with _one_at_a_time:
            found = _search(outer, origin)
        if found is None:
            return Solution(program, Status.INFEASIBLE, engine=Engine.CVXPY)
        z, multipliers = found[0][:n], found[1][:count]
        near = own.near(program, z[None], multipliers[None], gap, hard=True)
        solution = near.member(program, engine=Engine.CVXPY)
        if solution is not None:
            return solution
        if outer is program or not last:
            break
        if own.hemmed(program):
            raise roomless()
        outer = tighten(program, outer, found[0][:n])
    with np.errstate(all="ignore"):
        raise uncertified(certify(program, z, multipliers), gap)


def _search(
    program: GeometricProgram, start: Array | None
) -> tuple[Array, Array] | None:
    """Runs cvxpy on a program of posynomials; None where it finds no point."""
    origin = np.zeros(len(program.variables)) if start is None else start
    posynomials = program.posynomials
    compiled = _compile(tuple(_pattern(p) for p in posynomials))
    scale = np.exp(program.objective.log_value(origin[None])[0])
    for p, slots in zip(posynomials, compiled.slots, strict=True):
        logs = p.log_terms(origin[None])[0]
        factor = scale if p is program.objective else 1.0
        for t, slot in enumerate(slots):
            slot.coefficient.value = float(np.exp(logs[t]) / factor)
            for j, exponent in slot.exponents:
                exponent.value = float(p.exponents[0, t, j])
    if not _run(compiled):
        return None
    z = origin + np.log([v.value for v in compiled.variables])
    duals = [c.dual_value for c in compiled.problem.constraints]
    multipliers = np.maximum(np.array(duals, dtype=float).reshape(-1), 0.0)
    return z, multipliers


@dataclass(frozen=True)
class _Slot:
    """The cvxpy parameters of one term."""

    coefficient: Any
    exponents: tuple[tuple[int, Any], ...]


@dataclass(frozen=True)
class _Compiled:
    """A cvxpy problem of one shape with its variables and parameters."""

    problem: Any
    variables: tuple[Any, ...]
    slots: tuple[tuple[_Slot, ...], ...]


def _pattern(p: Posynomial) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(bool(a) for a in row) for row in p.exponents[0])


@lru_cache(maxsize=64)
def _compile(patterns: Pattern) -> _Compiled:
    import cvxpy  # noqa: PLC0415 - takes a second, so only where a solve is asked

    count = len(patterns[0][0])
    variables = tuple(cvxpy.Variable(pos=True) for _ in range(count))
    sums = []
    slots = []
    for pattern in patterns:
        terms = []
        row = []
        for used in pattern:
            coefficient = cvxpy.Parameter(pos=True)
            term = coefficient
            exponents = []
            for j in range(count):
                if used[j]:
                    exponent = cvxpy.Parameter()
                    term = term * variables[j] ** exponent
                    exponents.append((j, exponent))
            terms.append(term)
            row.append(_Slot(coefficient, tuple(exponents)))
        sums.append(sum(terms[1:], terms[0]))
        slots.append(tuple(row))
    constraints: list[Any] = [g <= 1 for g in sums[1:]]
    problem = cvxpy.Problem(cvxpy.Minimize(sums[0]), constraints)
    return _Compiled(problem, variables, tuple(slots))


def _run(compiled: _Compiled) -> bool:
    """Runs the solver; says whether it left a point to polish."""
    import warnings  # noqa: PLC0415

    import cvxpy  # noqa: PLC0415

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # "may be inaccurate" and overflows on the way are the certificate's to judge.
        warnings.simplefilter("ignore")
        try:
            compiled.problem.solve(
                gp=True,
                solver=cvxpy.CLARABEL,
                enforce_dpp=True,
                warm_start=False,  # no answer depends on what was asked before
                **TOLERANCES,
            )
        except cvxpy.error.SolverError:
            return False
    values = [v.value for v in compiled.variables]
    return all(v is not None and np.isfinite(v) and v > 0 for v in values)
