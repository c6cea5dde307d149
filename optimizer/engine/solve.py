"""One program, solved and certified: the root, our own method, and a second opinion.

What a program needs decides who finds its optimum: a closed form where it has one,
the interior-point method of `own` for all others, and cvxpy where that brings no
certificate, or where it is asked for. One judge accepts the point of any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TypeAlias

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import (
    Engine,
    GeometricProgram,
    Solution,
    Status,
    members,
)
from optimizer.engine import own, second_opinion
from optimizer.engine.certify import (
    GAP,
    UncertifiedError,
    allowed,
    residuals,
    roomless,
)
from optimizer.engine.closed import closed_form
from optimizer.engine.stacking import shape, stacked

Guess: TypeAlias = Callable[[], tuple[Array, Array]]

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
    return _own(program, start, gap) or otherwise(program, start, gap)


def otherwise(
    program: GeometricProgram, start: Array | None = None, gap: float = GAP
) -> Solution:
    """As `solve`, by cvxpy, of what our own method brought to no certificate."""
    if not _asked.get() and own.hemmed(program):
        raise roomless()
    return second_opinion.solve(program, start, gap)


def closed(
    program: GeometricProgram, start: Array, gap: float = GAP
) -> Solution | None:
    """The optimum of a program that has a root, where that passes its certificate.

    Args:
        program: a program of one member.
        start: ln of a point, shape `(variables,)`.
        gap: as for `solve`.
    """
    if _asked.get():
        return None
    found = _closed(program, start[None], 1, gap)
    return None if found is None else found.member(program, 0, Engine.ROOT)


def refine(
    program: GeometricProgram,
    z: Array,
    multipliers: Array,
    start: Array | None = None,
    gap: float = GAP,
) -> Solution:
    """Finds the optimum from a good guess, by Newton alone where it has no closed form.

    The certificate decides: a guess that Newton cannot bring to it goes to `solve`.

    Args:
        program: a program of one member.
        z: ln of the guess, shape `(variables,)`.
        multipliers: guess of λ, shape `(constraints,)`; a constraint with 0 is
            taken as slack at first.
        start: for `solve`, where Newton fails; the guess if None.
        gap: as for `solve`.
    """
    if _asked.get():
        return solve(program, z if start is None else start, gap)
    return (
        closed(program, z, gap)
        or own.near(program, z[None], multipliers[None], gap).member(program)
        or solve(program, z if start is None else start, gap)
    )


def solve_each(
    programs: Sequence[GeometricProgram],
    starts: Sequence[Array],
    guesses: Sequence[Array | None] = (),
) -> list[Solution]:
    """Finds the optimum of each program, those of one shape in one go.

    One whose bounds leave next to no room has no multipliers to certify with; its
    solution has no point.

    Args:
        programs: of one member each.
        starts: ln of a point near each optimum, shape `(variables,)`.
        guesses: of λ, shape `(constraints,)`, where Newton alone may be enough.

    Raises:
        Defect: as `solve`, but for what cannot be certified.
    """
    found = attempt_each(programs, starts, guesses=guesses, brief=True)
    return [
        end or _without(program, start)
        for end, program, start in zip(found, programs, starts, strict=True)
    ]


def attempt_each(
    programs: Sequence[GeometricProgram],
    starts: Sequence[Array],
    gap: float = GAP,
    guesses: Sequence[Array | None] = (),
    *,
    brief: bool = False,
    same: bool = False,
) -> list[Solution | None]:
    """The same without the second opinion; None where that would be needed.

    For answers that may be left out: cvxpy takes a second to start.

    Args:
        programs: of one member each.
        starts: ln of a point near each optimum, shape `(variables,)`.
        gap: as for `solve`.
        guesses: of λ, shape `(constraints,)`, if Newton alone may be enough; see
            `refine`.
        brief: whether Newton is to give up soon.
        same: whether what has a λ in a guess goes on binding.
    """
    found: list[Solution | None] = [None] * len(programs)
    given = guesses or [None] * len(programs)
    alike: dict[Hashable, list[int]] = {}
    for place, program in enumerate(programs):
        key = shape(program), given[place] is None
        alike.setdefault(key, []).append(place)
    for places in alike.values():
        own_ones = [programs[place] for place in places]
        start = np.stack([starts[place] for place in places])
        guess = [one for one in (given[place] for place in places) if one is not None]
        near = partial(_both, start, np.stack(guess)) if guess else None
        solved = _alike(own_ones, start, gap, near, brief=brief, same=same)
        for place, end in zip(places, solved, strict=True):
            found[place] = end
    return found


def _both(start: Array, guess: Array) -> tuple[Array, Array]:
    return start, guess


def _without(program: GeometricProgram, start: Array) -> Solution:
    """The second opinion; without a point where there is no certificate."""
    try:
        return otherwise(program, start)
    except UncertifiedError:
        return Solution(program, Status.INFEASIBLE)


def _own(program: GeometricProgram, start: Array | None, gap: float) -> Solution | None:
    """Our own answer, where there is one and cvxpy is not asked instead."""
    return _alike([program], None if start is None else start[None], gap)[0]


def _alike(
    programs: Sequence[GeometricProgram],
    start: Array | None,
    gap: float,
    near: Guess | None = None,
    *,
    brief: bool = False,
    same: bool = False,
) -> list[Solution | None]:
    """Our own answers to programs of one shape; see `attempt_members`."""
    batch = (
        programs[0] if len(programs) == 1 else stacked(programs, [1] * len(programs))
    )
    return attempt_members(batch, programs, start, gap, near, brief=brief, same=same)


def attempt_members(
    batch: GeometricProgram,
    programs: Sequence[GeometricProgram],
    start: Array | None,
    gap: float,
    near: Guess | None = None,
    *,
    brief: bool = False,
    same: bool = False,
) -> list[Solution | None]:
    """Our own answers to a batch; None where cvxpy is asked instead.

    Args:
        batch: the programs as one.
        programs: each member by itself.
        start: ln of a point near each optimum, `(programs, variables)`; None for a
            single one.
        gap: as for `solve`.
        near: makes guesses of ln x and of λ, `(programs, …)`, where there is no closed
            form and Newton alone may be enough.
        brief: as for `attempt_each`.
        same: likewise.
    """
    found: list[Solution | None] = [None] * len(programs)
    if _asked.get():
        return found

    def take(ends: own.Found, rows: Integers, engine: Engine) -> Integers:
        """Keeps what has ended; returns the rest."""
        for place, row in enumerate(rows.tolist()):
            found[row] = ends.member(programs[row], place, engine)
        return np.asarray(rows[ends.ended == own.UNSOLVED])

    left = np.arange(len(programs))
    if (closed := _closed(batch, start, len(programs), gap)) is not None:
        left = take(closed, left, Engine.ROOT)
    if left.size and near is not None:
        z, guess = near()
        part = members(batch, left)
        how = {"brief": brief, "same": same}
        guessed = own.near(part, z[left], guess[left], gap, **how)
        left = take(guessed, left, Engine.INTERIOR)
    if left.size:
        begin = None if start is None else start[left]
        take(own.find(members(batch, left), begin, gap), left, Engine.INTERIOR)
    return found


def _closed(
    program: GeometricProgram, start: Array | None, batch: int, gap: float
) -> own.Found | None:
    """The members of a program that has a root, as far as the judge accepts them."""
    if (form := closed_form(program, start, batch)) is None:
        return None
    z, multipliers = form
    with np.errstate(all="ignore"):
        proof = residuals(program, z, multipliers)
    ended = np.where(allowed(*proof, gap), own.OPTIMAL, own.UNSOLVED)
    return own.Found(ended, z, multipliers, np.stack(proof))
