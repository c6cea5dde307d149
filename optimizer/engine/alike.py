"""Long batches: some members lead, and the others start from where those ended.

Members of a sweep are alike: their optima are smooth functions of what differs, as long
as the same constraints bind. Every `STRIDE`-th, in an order in which neighbours are
near, is solved from its own start. A polynomial through those with the same binding
constraints says where the others are, and a few Newton steps go the rest of the way.
What that does not bring to its certificate is solved like the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb
from typing import TypeAlias

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import GeometricProgram, members
from optimizer.engine.arrays import Arrays
from optimizer.engine.enclose import opened, quantities
from optimizer.engine.own import OPTIMAL, UNSOLVED, Found

Finder: TypeAlias = "Callable[[GeometricProgram, Array], Found]"
Newton: TypeAlias = "Callable[[GeometricProgram, Array, Array], Found]"

LONG = 512  # members from which it pays
STRIDE = 32
PART = 2048  # of them at once, whose arrays stay in the cache
DIRECTIONS = 3  # of what differs; more are too many to be near in
LOOK = 128  # members whose neighbours are looked at
RIDGE = 1e-12  # of that, so that no system is singular
DEGREE = 4  # of the polynomial at most: BLAS squares its 35 monomials in this thread
FEW = 256  # rows of a product that BLAS makes in this thread; others would wait busily
SMALL = 1e-3  # of the largest spread: a direction that is none


def led(program: GeometricProgram, start: Array, find: Finder, near: Newton) -> Found:
    """Solves every member of a batch.

    Args:
        program: with a batch axis of 1 or the batch.
        start: ln of a point near each optimum, `(batch, variables)`.
        find: from a program and starts to how its members end.
        near: likewise from guesses of ln x and λ.
    """
    count = len(start)
    if count < LONG or not (places := spread(program, count)).shape[1]:
        return find(program, start)
    order = along(places)
    found = Found(
        np.full(count, UNSOLVED),
        start.copy(),
        np.zeros((count, len(program.constraints))),
        np.full((3, count), np.inf),
    )
    first = order[::STRIDE]
    _take(found, first, find(members(program, first), start[first]))
    leader = np.empty(count, dtype=np.int64)
    leader[order] = np.repeat(first, STRIDE)[:count]
    rest = np.flatnonzero(
        (found.ended[leader] == OPTIMAL) & (leader != np.arange(count))
    )
    if rest.size:
        z, weight = _expected(found, first, places, rest, leader[rest])
        for cut in (slice(i, i + PART) for i in range(0, len(rest), PART)):
            part = members(program, rest[cut])
            _take(found, rest[cut], near(part, z[cut], weight[cut]))
    left = np.flatnonzero(found.ended == UNSOLVED)
    left = left[~np.isin(left, first)]
    if left.size:
        _take(found, left, find(members(program, left), start[left]))
    return found


def _take(found: Found, rows: Integers, ends: Found) -> None:
    found.ended[rows] = ends.ended
    found.z[rows], found.multipliers[rows] = ends.z, ends.multipliers
    found.proof[:, rows] = ends.proof


def spread(program: GeometricProgram, count: int) -> Array:
    """Where members are in what differs between them, `(count, directions)`.

    The directions are principal components, the widest first, each from −1 to 1.
    """
    sums, curves = opened(program), quantities(program).values()
    parts = [p.logs for p in sums] + [p.exponents for p in sums]
    parts += [part for q in curves for part in (q.reach, q.level, q.R)]
    flat = [part.reshape(count, -1).T for part in parts if len(part) == count]
    lines = (line for part in flat for line in np.ascontiguousarray(part))
    differ = [line for line in lines if (line != line[0]).any()]
    columns = np.array(differ).reshape(-1, count).T
    if not differ or not np.isfinite(columns).all():
        return np.zeros((count, 0))
    columns -= columns.mean(axis=0)
    # What differs is one number in several terms, whose scales are what they are.
    sizes, axes = np.linalg.eigh(sum(part.T @ part for part in _parts(columns)))
    wide = np.flatnonzero(sizes > SMALL**2 * sizes[-1])[::-1][:DIRECTIONS]
    places = _product(columns, axes[:, wide])
    return np.asarray(places / np.abs(places).max(axis=0))


def along(places: Array) -> Integers:
    """An order in which neighbours are near: through cells, back and forth."""
    count, directions = places.shape
    cells = max(round(count ** (1 / directions)), 1)
    line, *across = places.T
    where = np.zeros(count, dtype=np.int64)  # the cell, by all its numbers
    turned = np.zeros(count, dtype=bool)
    for place in across:
        cell = np.minimum((place + 1) * (cells / 2), cells - 1).astype(np.int64)
        cell = np.where(turned, cells - 1 - cell, cell)
        where = where * cells + cell
        turned ^= cell % 2 == 1
    return np.lexsort((np.where(turned, -line, line), where))


def in_order(given: Arrays) -> bool:
    """Whether neighbours seem to be nearer than others, as they are on a grid."""
    rows = given.logs[: 2 * LOOK]
    beside = np.abs(rows[1:] - rows[:-1])[:LOOK].sum(axis=0)
    apart = np.abs(rows[LOOK:] - rows[:LOOK][: len(rows) - LOOK]).sum(axis=0)
    return bool(beside.sum() < apart.sum() / 2)


def _expected(
    found: Found, first: Integers, places: Array, rest: Integers, leader: Integers
) -> tuple[Array, Array]:
    """Where the optima of the rest are expected: ln x and λ."""
    z, weight = found.z[leader], found.multipliers[leader]
    able = first[found.ended[first] == OPTIMAL]
    kinds, kind = np.unique(found.multipliers[able] > 0, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    of = np.full(len(found.ended), -1)
    of[able] = kind
    for number in range(len(kinds)):
        known, asked = able[kind == number], of[leader] == number
        degree = _degree(places.shape[1], len(known))
        if not degree:
            continue  # the leader's own
        ends = np.concatenate([found.z[known], found.multipliers[known]], axis=1)
        # A guess: the normal equations are exact enough, and much quicker.
        own = _terms(places[known], degree)
        square = own @ own.T
        ridge = RIDGE * len(known) * np.eye(len(square))
        fit = np.linalg.solve(square + ridge, own @ ends)
        there = _product(_terms(places[rest[asked]], degree).T, fit)
        cut = z.shape[1]
        z[asked], weight[asked] = there[:, :cut], there[:, cut:] * kinds[number]
    return z, np.maximum(weight, 0.0)


def _degree(directions: int, known: int) -> int:
    """The degree that twice as many points as a polynomial has terms allow."""
    fits = (d for d in range(DEGREE, 0, -1) if 2 * comb(directions + d, d) <= known)
    return next(fits, 0)


def _terms(places: Array, degree: int) -> Array:
    """The monomials of a polynomial at some places, `(monomials, count)`."""
    line = np.ascontiguousarray(places.T)
    found = np.ones((comb(len(line) + degree, degree), len(places)))
    last, made = [(0, 0)], 1  # the first direction that may still come, and the row
    for _ in range(degree):
        ways = [(j, row) for i, row in last for j in range(i, len(line))]
        for place, (j, row) in enumerate(ways, made):
            np.multiply(line[j], found[row], out=found[place])
        last = [(j, place) for place, (j, _) in enumerate(ways, made)]
        made += len(ways)
    return found


def _parts(rows: Array) -> Iterator[Array]:
    return (rows[i : i + FEW] for i in range(0, len(rows), FEW))


def _product(rows: Array, matrix: Array) -> Array:
    """The matrix product, a few rows at a time."""
    return np.concatenate([part @ matrix for part in _parts(rows)])
