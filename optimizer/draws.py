"""Draws from the uncertainties that a scenario and its law state.

A number of the demand given as {low, expected, high} is log-normal with low and high
as its 10th and 90th percentiles. A law's coefficients are drawn together: from its
bootstrap where it has one, else from the normal distribution of its covariance.
Draw number i is the same whatever else is drawn: blocks have generators of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from optimizer.axes import Number, quantity_at, unit_of
from optimizer.document import Steps, dotted
from optimizer.errors import InputError, Mark, Problem
from optimizer.posynomial import Array, Integers
from optimizer.quantity import Flow, shown
from optimizer.scenario import Scenario
from optimizer.world.demand import Spread
from optimizer.world.law import Law

BLOCK = 4096
P90 = 1.2815515655446004  # of the standard normal distribution


@dataclass(frozen=True)
class Normal:
    """A log-normal number, cut at the bounds of its field.

    Attributes:
        middle: mean of ln(value + shift).
        spread: its standard deviation.
        shift: 1 for a rate, which compounds by 1 + r; else 0.
        low: bound of the field.
        high: likewise.
    """

    middle: float
    spread: float
    shift: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Draws:
    """Joint draws of all that is uncertain.

    Attributes:
        count: how many.
        seed: of the generators.
        numbers: what is drawn, the demand's first, then the law's coefficients.
        normals: the distributions of the demand's.
        law: the law, or None where its coefficients are not drawn.
    """

    count: int
    seed: int
    numbers: tuple[Number, ...]
    normals: tuple[Normal, ...]
    law: Law | None

    def at(self, index: Integers) -> Array:
        """The draws of some places, `(places, numbers)`."""
        values = np.empty((len(index), len(self.numbers)))
        blocks = index // BLOCK
        for block in np.unique(blocks):
            here = blocks == block
            values[here] = self._block(int(block))[index[here] % BLOCK]
        return values

    def _block(self, block: int) -> Array:
        random = np.random.default_rng([self.seed, block])
        normal = random.standard_normal((BLOCK, len(self.normals)))
        columns = [
            np.clip(np.exp(n.middle + n.spread * z) - n.shift, n.low, n.high)
            for n, z in zip(self.normals, normal.T, strict=True)
        ]
        if self.law is not None:
            columns += _coefficients(self.law, random)
        return np.stack(columns, axis=1)


def draws(scenario: Scenario, count: int, seed: int, fixed: frozenset[str]) -> Draws:
    """What `--sample` draws from.

    Args:
        scenario: with its law.
        count: how many draws.
        seed: of the generators.
        fixed: names that are varied otherwise and therefore not drawn.

    Raises:
        InputError: nothing is uncertain, or an uncertain number has no log-normal.
    """
    numbers, normals = [], []
    for index, stream in enumerate(scenario.streams):
        for word in type(stream).model_fields:
            spread = getattr(stream, word)
            path = (*scenario.stream_path(index), word)
            name = _name(scenario, path)
            if isinstance(spread, Spread) and name not in fixed:
                number, normal = _spread(scenario, name, path, spread)
                numbers.append(number)
                normals.append(normal)
    law = scenario.law
    stated = law.draws is not None or law.covariance is not None
    drawn = stated and not any(name.startswith("law.") for name in fixed)
    if drawn:
        numbers += [Number(f"law.{s}", ("law", s), "") for s in _symbols(law)]
    if not numbers:
        message = (
            "nothing is uncertain: give a number of the demand as {low: 1T, expected: "
            "2T, high: 4T}, or choose a law with a covariance, such as "
            "besiroglu-2024-refit"
        )
        raise InputError([Problem(Mark(f"--sample {count}"), "", message)])
    return Draws(count, seed, tuple(numbers), tuple(normals), law if drawn else None)


def _name(scenario: Scenario, path: Steps) -> str:
    words = [str(step) for step in path]
    if len(path) > 1 and isinstance(path[1], int):
        words[1] = scenario.streams[path[1]].name or words[1]
    return ".".join(words)


def _spread(
    scenario: Scenario, name: str, path: Steps, spread: Spread[Any]
) -> tuple[Number, Normal]:
    quantity = quantity_at(path)
    if quantity is None or isinstance(spread.low, BaseModel):
        raise TypeError(f"{name} is no number")
    kind = quantity.kind
    low, high = (
        value.amount if isinstance(value, Flow) else value
        for value in (spread.low, spread.high)
    )
    per = spread.low.per if isinstance(spread.low, Flow) else None
    shift = 1.0 if kind.yearly else 0.0
    if low + shift <= 0:
        mark = scenario.document.mark((*path, "low"))
        message = f"must be above 0 to draw from, got {shown(low)}"
        raise InputError([Problem(mark, dotted((*path, "low")), message)])
    top, bottom = math.log(high + shift), math.log(low + shift)
    normal = Normal(
        (top + bottom) / 2, (top - bottom) / (2 * P90), shift, kind.low, kind.high
    )
    place = (*path, "expected")
    return Number(name, place, unit_of(kind, per), kind.whole), normal


def _symbols(law: Law) -> tuple[str, ...]:
    if law.draws is not None:
        return tuple(law.draws)
    order = () if law.covariance is None else law.covariance.order
    return tuple(word.removeprefix("ln_") for word in order)


def _coefficients(law: Law, random: np.random.Generator) -> list[Array]:
    if law.draws is not None:
        columns = [np.array(column) for column in law.draws.values()]
        chosen = random.integers(len(columns[0]), size=BLOCK)
        return [column[chosen] for column in columns]
    if law.covariance is None:
        return []
    order = law.covariance.order
    means = [
        math.log(law.coefficients[word.removeprefix("ln_")])
        if word.startswith("ln_")
        else law.coefficients[word]
        for word in order
    ]
    values = random.multivariate_normal(means, law.covariance.matrix, BLOCK)
    return [
        np.exp(column) if word.startswith("ln_") else column
        for word, column in zip(order, values.T, strict=True)
    ]
