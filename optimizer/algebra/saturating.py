"""A quantity that grows with what it is made of, and then less and less.

    ln y = ln v + H(ln x − ln v),   x and v monomials in the variables,
    H(r) = ln(1 + R·(1 − exp(−(e^r − 1)/R))) for r > 0, else r

so y = x up to v, and beyond it comes near v·(1 + R) only. H is concave with slopes from
0 to 1, so ln y is concave in the logarithms of the variables.

*Source*: Muennighoff et al. 2023 (arXiv 2305.16264), eq. 5, for tokens that are read
again and parameters beyond what they support.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.elementary import (
    Value,
    dot,
    exp,
    larger,
    log,
    member,
    row,
    smaller,
    where,
)
from optimizer.algebra.posynomial import Array, Integers, cut, joined
from optimizer.records import dataclass, replace

TANGENTS = 7
LARGE = 700.0  # a logarithm beyond which no number is held
FARTHEST = 12.0  # in units of R: where next to nothing more is to be had

Powers = tuple[float, dict[str, float]]  # c, a of the monomial c·Π x^a


@dataclass(frozen=True, eq=False)
class Saturating:
    """One quantity y, with a leading batch axis as a `Posynomial` has.

    Attributes:
        name: of y.
        variables: what x and v are made of.
        reach: ln c and then the exponents of x, shape `(batch, 1 + variables)`.
        level: likewise of v.
        R: what can be had beyond v, in units of v, shape `(batch,)`; in all three a
            batch of 1 stands for any number of equal members.
    """

    name: str
    variables: tuple[str, ...]
    reach: Array
    level: Array
    R: Array

    @property
    def batch(self) -> int:
        """The number of members; 1 also where all are equal."""
        return max(len(self.reach), len(self.level), len(self.R))

    def evaluate(self, z: Array) -> tuple[Array, Array, Array]:
        """Returns ln y and its derivatives at ln of the variables.

        Args:
            z: shape `(batch, variables)`.

        Returns:
            ln y `(batch,)`, gradient `(batch, variables)` and Hessian `(batch,
            variables, variables)`.
        """
        value, slope, bend = self._curve(z)
        steep, flat = self.reach[:, 1:], self.level[:, 1:]
        gradient = slope[:, None] * steep + (1 - slope)[:, None] * flat
        apart = steep - flat
        hessian = bend[:, None, None] * apart[:, :, None] * apart[:, None, :]
        return value, gradient, hessian

    def _curve(self, z: Array) -> tuple[Array, Array, Array]:
        """Ln y, and H' and H'' there."""
        x, v = self.reach[:, 0], self.level[:, 0]
        for j, column in enumerate(z.T):
            x = x + self.reach[:, 1 + j] * column
            v = v + self.level[:, 1 + j] * column
        h, slope, bend = saturation(x - v, self.R)
        return v + h, slope, bend

    def level_at(self, z: Array) -> Array:
        """Returns ln y `(batch,)` alone."""
        return self._curve(z)[0]

    def tangent(self, z: Array) -> tuple[Array, list[Array]]:
        """Returns ln y and its gradient, a column `(batch,)` for each variable."""
        value, slope, _ = self._curve(z)
        return value, [
            slope * self.reach[:, 1 + j] + (1 - slope) * self.level[:, 1 + j]
            for j in range(len(self.variables))
        ]

    def single(self, z: Sequence[float], place: int) -> tuple[float, list[float]]:
        """The same of one member, at ln of its variables."""
        reach, level = member(self.reach, place), member(self.level, place)
        x = reach[0] + dot(reach[1:], z)
        v = level[0] + dot(level[1:], z)
        h, slope, _ = saturation(x - v, row(self.R, place))
        pairs = zip(reach[1:], level[1:], strict=True)
        return v + h, [slope * steep + (1 - slope) * flat for steep, flat in pairs]

    def worth(self, point: Mapping[str, Any]) -> Any:
        """Returns y itself at a point of plain numbers, as plain as they are."""
        logs = [np.log(np.atleast_1d(np.asarray(point[v]))) for v in self.variables]
        found = np.exp(self._curve(np.stack(np.broadcast_arrays(*logs), axis=1))[0])
        return found.item() if len(found) == 1 else Many(found)

    def sources(self, y: float, point: Mapping[str, float]) -> float:
        """The x that is worth y > 0; infinite where none is.

        Args:
            y: what it is to be worth.
            point: the variables of v; others do not matter.
        """
        logs = [math.log(point.get(name, 1.0)) for name in self.variables]
        level = float(self.level[0] @ np.array([1.0, *logs]))  # ln v, of any size
        beyond = min(math.log(y) - level, LARGE)
        if beyond <= 0:
            return y
        R = float(self.R[0])
        left = 1 - math.expm1(beyond) / R  # of e^(−(x/v − 1)/R)
        return math.exp(level) * (1 - R * math.log(left)) if left > 0 else math.inf

    def tangents(self) -> list[Powers]:
        """Monomials that bound y of the first member from above, close everywhere."""
        found = []
        x, v = self.reach[0], self.level[0]
        for c, power in _lines(float(self.R[0])):
            line = power * x + (1 - power) * v
            exponents = dict(zip(self.variables, line[1:].tolist(), strict=True))
            found.append((c * float(np.exp(line[0])), exponents))
        return found

    def renamed(self, names: Mapping[str, str]) -> Saturating:
        """Returns the same with itself and its variables under other names."""
        variables = tuple(names.get(v, v) for v in self.variables)
        return replace(self, name=names.get(self.name, self.name), variables=variables)

    def held(self, name: str, value: float | Array) -> Saturating:
        """Returns the quantity with one of its variables at a value above 0.

        A value for each member of a batch has shape `(batch,)`.
        """
        if name not in self.variables:
            return self
        place = 1 + self.variables.index(name)
        log = np.log(np.asarray(value))

        def moved(line: Array) -> Array:
            first = line[:, 0] + line[:, place] * log
            rest = [line[:, j] for j in range(1, line.shape[1]) if j != place]
            return np.stack(np.broadcast_arrays(first, *rest), axis=1)

        variables = tuple(v for v in self.variables if v != name)
        return Saturating(
            self.name, variables, moved(self.reach), moved(self.level), self.R
        )

    def members(self, chosen: Integers | slice) -> Saturating:
        """Returns a smaller batch: the members of some numbers."""
        return replace(
            self,
            reach=cut(self.reach, chosen),
            level=cut(self.level, chosen),
            R=cut(self.R, chosen),
        )


def stacked(parts: Sequence[Saturating], sizes: Sequence[int]) -> Saturating:
    """Joins batches of one quantity to one batch of so many members each."""
    return replace(
        parts[0],
        reach=joined([part.reach for part in parts], sizes),
        level=joined([part.level for part in parts], sizes),
        R=joined([part.R for part in parts], sizes),
    )


def saturation(x: Value, R: Value) -> tuple[Value, Value, Value]:
    """H(x) = ln(1 + R·(1 − exp(−(e^x − 1)/R))) for x > 0, else x; and H', H''."""
    beyond = larger(x, 0.0)
    ratio = exp(smaller(beyond, 300.0))
    left = exp(-smaller((ratio - 1) / R, 700.0))
    value = 1 + R * (1 - left)
    slope = ratio * left / value
    bend = slope * (1 - ratio / R - slope)
    # Up to 0 value and slope are 1.
    return smaller(x, 0.0) + log(value), slope, where(x <= 0, 0.0, bend)


def _lines(R: float) -> list[tuple[float, float]]:
    """Tangents of H at ratios from 1 to where it is flat: (c, a) of c·ratio^a."""
    farthest = np.log1p(R * FARTHEST)
    places = np.linspace(0.0, farthest, TANGENTS)
    value, slope, _ = saturation(places, R)
    lines = [(1.0, 1.0)]
    lines += [
        (float(np.exp(v - a * x)), float(a))
        for x, v, a in zip(places, value, slope, strict=True)
        if a > 1e-9
    ]
    lines.append((1 + R, 0.0))
    return lines
