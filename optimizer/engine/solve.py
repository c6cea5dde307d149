"""One program, solved and certified: the root, our own method, and a second opinion.

What a program needs decides who finds its optimum: the closed root where it is plain,
the interior-point method of `own` for all others, and cvxpy where that brings no
certificate, or where it is asked for. One judge accepts the point of any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Engine, GeometricProgram, Solution, Status
from optimizer.engine import own, second_opinion
from optimizer.engine.certify import GAP, certify, passes
from optimizer.engine.root import plain, root

_asked: ContextVar[bool] = ContextVar("second opinion", default=False)


@contextmanager
def asking_cvxpy(asked: bool = True) -> Iterator[None]:
    """Has cvxpy answer every program that is solved within."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def cvxpy_asked() -> bool:
    """Whether cvxpy is to answer every program."""
    return _asked.get()


def solve(
    program: GeometricProgram, start: Array | None = None, gap: float = GAP
) -> Solution:
    """Finds the certified global optimum of a program of one member.

    Args:
        program: the program; bounded below by construction.
        start: ln of a point near the optimum, shape `(variables,)`.
        gap: that the certificate may leave, in ln of the objective.

    Returns:
        An optimal solution with its certificate, or one with the status
        INFEASIBLE; `diagnose` proves and explains that.

    Raises:
        Defect: no answer passed its certificate.
    """
    return _own(program, start, gap) or second_opinion.solve(program, start, gap)


def refine(
    program: GeometricProgram,
    z: Array,
    multipliers: Array,
    start: Array | None = None,
    gap: float = GAP,
) -> Solution:
    """Finds the optimum from a good guess, by Newton alone where that suffices.

    The certificate decides: a guess that Newton cannot bring to it goes to `solve`.

    Args:
        program: a program of one member.
        z: ln of the guess, shape `(variables,)`.
        multipliers: guess of λ, shape `(constraints,)`; a constraint with 0 is
            taken as slack at first.
        start: for `solve`, where Newton fails; the guess if None.
        gap: as for `solve`.
    """
    found = _near(program, z, multipliers, gap)
    return found or solve(program, z if start is None else start, gap)


def attempt(
    program: GeometricProgram, z: Array, multipliers: Array, gap: float = GAP
) -> Solution | None:
    """As `refine`, without the second opinion; None where that would be needed.

    For answers that may be left out: cvxpy takes a second to start.
    """
    return _near(program, z, multipliers, gap) or _own(program, z, gap)


def _near(
    program: GeometricProgram, z: Array, multipliers: Array, gap: float
) -> Solution | None:
    """Newton's answer from a guess, unless cvxpy is asked."""
    if _asked.get():
        return None
    return own.near(program, z[None], multipliers[None], gap).first(program)


def _own(program: GeometricProgram, start: Array | None, gap: float) -> Solution | None:
    """Our own answer, where there is one and cvxpy is not asked instead."""
    if _asked.get():
        return None
    form = plain(program)
    if form is not None:
        with np.errstate(all="ignore"):
            z, multipliers = (part[0] for part in root(program, form, 1))
            proof = certify(program, z, multipliers)
        if passes(proof, gap):
            plan = (program, Status.OPTIMAL, z, multipliers, proof, Engine.ROOT)
            return Solution(*plan)
    ends = own.find(program, None if start is None else start[None], gap)
    return ends.first(program)
