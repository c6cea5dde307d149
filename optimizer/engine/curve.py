"""The curve A·x^-α + B·y^-β = 1, told by one number, and the walls that cross it.

With the share q of the sum left to y and u = ln(q/(1−q)), both ln x = ln(A/(1−q))/α and
ln y = ln(B/q)/β are convex in u. So is the logarithm of each wall, a sum of powers of 0
and more of x and y that may be 1 at most: what a wall allows of the curve is an
interval of u, whose ends Newton finds from outside without ever crossing them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np

from optimizer.algebra.elementary import (
    Value,
    dot,
    exp,
    larger,
    log,
    row,
    shares,
    some,
    where,
)
from optimizer.algebra.posynomial import Array, Integers, Posynomial, cut
from optimizer.algebra.program import GeometricProgram
from optimizer.records import dataclass

ALONE = (1.0,)  # the share of a single term
STEPS = 20  # of Newton to a wall; four are usual
NEAR = 1e-9  # a step after which the next is below the digits

Path: TypeAlias = "tuple[tuple[Value, Value, Value], tuple[Value, Value, Value]]"


@dataclass(frozen=True, eq=False)
class Curve:
    """A·x^-α + B·y^-β = 1, by u; its numbers are floats, or arrays `(batch or 1,)`.

    Attributes:
        place: the number of the constraint.
        A: ln A.
        B: ln B.
        alpha: α.
        beta: β.
    """

    place: int
    A: Value
    B: Value
    alpha: Value
    beta: Value

    def members(self, rows: Integers) -> Curve:
        """Those of some numbers."""
        numbers = (cut(x, rows) for x in (self.A, self.B, self.alpha, self.beta))
        return Curve(self.place, *numbers)

    def one(self, place: int) -> Curve:
        """That of a single member, in floats."""
        numbers = (row(x, place) for x in (self.A, self.B, self.alpha, self.beta))
        return Curve(self.place, *numbers)

    def point(self, u: Value) -> tuple[Value, Value]:
        """Ln x and ln y."""
        rest = -log(1 + exp(u))  # ln(1 − q)
        return (self.A - rest) / self.alpha, (self.B - rest - u) / self.beta

    def sum(self, x: Value, y: Value) -> Value:
        """Ln of the sum at ln x and ln y."""
        return shares([self.A - self.alpha * x, self.B - self.beta * y])[0]

    def odds(self, x: Value, y: Value) -> Value:
        """U, with the shares that the two terms have at ln x and ln y."""
        return self.B - self.beta * y - self.A + self.alpha * x

    def path(self, u: Value) -> Path:
        """Ln x and ln y, each with two derivatives to u."""
        share, (x, y) = part(u), self.point(u)
        rest = 1 - share
        turn = share * rest
        return (
            (x, share / self.alpha, turn / self.alpha),
            (y, -rest / self.beta, turn / self.beta),
        )

    def gradient(self, u: Value) -> tuple[Value, Value]:
        """∇G = (−α(1−q), −βq)."""
        share = part(u)
        return self.alpha * (share - 1), -self.beta * share


def part(u: Value) -> Value:
    """The part q of the sum that is left to y."""
    return 1 / (1 + exp(-u))


def flat(program: GeometricProgram) -> bool:
    """Whether a program is one of posynomials in two variables."""
    bare = all(isinstance(function, Posynomial) for function in program.functions)
    return bare and len(program.variables) == 2


def curve_of(sides: Sequence[Posynomial]) -> Curve | None:
    """The first left-hand side that is A·x^-α + B·y^-β, if one is."""
    for i, p in enumerate(sides):
        if p.exponents.shape[1] != 2:
            continue
        for x, y in ((0, 1), (1, 0)):
            one, two = p.exponents[:, x], p.exponents[:, y]
            if np.count_nonzero(one[:, 1]) or np.count_nonzero(two[:, 0]):
                continue
            if np.count_nonzero((one[:, 0] < 0) & (two[:, 1] < 0)) == len(one):
                return Curve(i, p.logs[:, x], p.logs[:, y], -one[:, 0], -two[:, 1])
    return None


@dataclass(frozen=True, eq=False)
class Wall:
    """What may be 1 at most; its numbers are floats, or arrays `(batch or 1,)`.

    Attributes:
        place: the number of the constraint.
        logs: ln of each term.
        of_x: the exponent of x in each, 0 or more.
        of_y: likewise.
    """

    place: int
    logs: tuple[Value, ...]
    of_x: tuple[Value, ...]
    of_y: tuple[Value, ...]

    def members(self, rows: Integers) -> Wall:
        """Those of some numbers."""
        parts = (self.logs, self.of_x, self.of_y)
        return Wall(self.place, *(tuple(_cut(x, rows) for x in part) for part in parts))

    def one(self, place: int) -> Wall:
        """That of a single member, in floats."""
        parts = (self.logs, self.of_x, self.of_y)
        return Wall(self.place, *(tuple(row(x, place) for x in part) for part in parts))

    def at(self, x: Value, y: Value) -> tuple[Value, Sequence[Value]]:
        """Its logarithm, and the share of each term in it."""
        terms = zip(self.logs, self.of_x, self.of_y, strict=True)
        logs = [start + p * x + q * y for start, p, q in terms]
        return (logs[0], ALONE) if len(logs) == 1 else shares(logs)

    def along(self, path: Path) -> tuple[Value, Value, Value, Value, Value]:
        """Its number, its logarithm, and the derivatives to u, to ln x and to ln y."""
        (x, dx, _), (y, dy, _) = path
        value, share = self.at(x, y)
        of_x, of_y = dot(share, self.of_x), dot(share, self.of_y)
        return self.place, value, of_x * dx + of_y * dy, of_x, of_y

    def bent(self, path: Path) -> tuple[Value, Value, Value]:
        """Its logarithm, and the first and second derivative of that to u."""
        (x, dx, bx), (y, dy, by) = path
        value, share = self.at(x, y)
        powers = list(zip(self.of_x, self.of_y, strict=True))
        rates = [p * dx + q * dy for p, q in powers]
        slope = dot(share, rates)
        turns = (
            rate * rate + p * bx + q * by
            for rate, (p, q) in zip(rates, powers, strict=True)
        )
        return value, slope, dot(share, turns) - slope * slope


def walls_of(sides: Sequence[Posynomial], curve: Curve) -> list[Wall]:
    """The left-hand sides that fall in neither variable, but for the curve's own."""
    return [
        wall_of(i, side)
        for i, side in enumerate(sides)
        if i != curve.place and not np.count_nonzero(side.exponents < 0)
    ]


def wall_of(place: int, side: Posynomial) -> Wall:
    """A left-hand side by its terms; without y, if it is one of x alone.

    Args:
        place: the number of its constraint.
        side: of one or two variables.
    """
    exponents = side.exponents
    if len(exponents) == 1 or not np.count_nonzero(exponents != exponents[:1]):
        columns = exponents[0].astype(float).T.tolist()
    else:
        columns = exponents.transpose(2, 1, 0)
    of_x, of_y = columns if len(columns) > 1 else (columns[0], [0.0] * len(columns[0]))
    return Wall(place, tuple(side.logs.T), tuple(of_x), tuple(of_y))


def _cut(number: Value, rows: Integers) -> Value:
    return number if isinstance(number, float) else cut(number, rows)


def most(found: Sequence[Sequence[Value]]) -> Sequence[Value]:
    """Of what each wall is worth that whose second number is greatest.

    Args:
        found: of each wall its number, and what it is worth.
    """
    top, *others = found
    for other in others:
        more = other[1] > top[1]
        top = [where(more, a, b) for a, b in zip(other, top, strict=True)]
    return top


def first_met(
    walls: Sequence[Wall], path: Callable[[Value], Path], u: Value, side: Value
) -> Sequence[Value]:
    """Where the first of some walls is met as u goes on to one side.

    Each is convex in u: Newton's step from anywhere leads beyond where it is met, and
    the shortest of all steps beyond where the first is.

    Args:
        walls: one or more.
        path: ln x and ln y by u, with their derivatives.
        u: where it begins.
        side: 1 where u rises, −1 where it falls.

    Returns:
        U, the number of the wall, and its derivatives to ln x and ln y.
    """
    for _ in range(STEPS):
        here = path(u)
        found = most([_back(wall, here, side) for wall in walls])
        u = u - side * found[1]
        if not some(abs(found[1]) > NEAR):
            break
    place, _, of_x, of_y = found
    return u, place, of_x, of_y


def _back(wall: Wall, path: Path, side: Value) -> tuple[Value, ...]:
    """Newton's step back to a wall, and its slopes; −∞ where it falls on the way."""
    place, value, slope, of_x, of_y = wall.along(path)
    slope = side * slope
    if isinstance(slope, float):
        back = value / slope if slope > 0 else -math.inf
    else:
        back = np.where(slope > 0, value / slope, -np.inf)
    return place, back, of_x, of_y


def broken(walls: Sequence[Wall], x: Value, y: Value) -> Value:
    """Ln of the wall that is broken most at ln x and ln y; −∞ without any."""
    values = (wall.at(x, y)[0] for wall in walls)
    return reduce(larger, values, -math.inf)


def multipliers_of(
    program: GeometricProgram, batch: int, *held: tuple[Value, Value]
) -> Array:
    """Multipliers `(batch, constraints)`, 0 but for what holds.

    Args:
        program: with the constraints.
        batch: the number of members.
        held: numbers of constraints, one or one for each member, and their multipliers;
            of two at one place the last counts.
    """
    found = np.zeros((batch, len(program.constraints)))
    for place, price in held:
        found[np.arange(batch), np.asarray(place, int)] = price
    return found
