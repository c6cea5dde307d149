"""Draws from the uncertainties that a scenario and its law state.

A number given as {low, expected, high} is log-normal with low and high as its 10th and
90th percentiles. What an hour of one accelerator costs is one market: its prices are
high together. A law's numbers are drawn together: from its bootstrap where it has one,
else from the normal distribution of its covariance. Draw i of a number is the same
whatever else is drawn and however many draws there are: every number, and the law,
has a generator of its own for every block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.axes import Number, quantity_at, unit_of
from optimizer.question.inputs import given, named, value_at
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps, dotted
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import Spread, ends
from optimizer.records import dataclass
from optimizer.world.distillation import CONSTANTS
from optimizer.world.law import STARS, Covariance

if TYPE_CHECKING:
    from numpy.random import Generator

BLOCK = 4096
Columns = Mapping[str, Sequence[float]]
Joint: TypeAlias = Callable[[int, int, int], Array]
P90 = 1.2815515655446004  # of the standard normal distribution


@dataclass(frozen=True)
class Normal:
    """A number, cut at the bounds of its field, for which one is log-normal.

    Attributes:
        source: what moves it; those of one source are high together.
        middle: mean of ln(start + sign · value).
        spread: its standard deviation.
        start: 1 for a rate r, which compounds by 1 + r, or 1 − r where it falls; else
            0, where the value itself is log-normal.
        sign: −1 where it falls, else 1.
        low: bound of the field.
        high: likewise.
    """

    source: str
    middle: float
    spread: float
    start: float
    sign: float
    low: float
    high: float

    def at(self, z: Array) -> Array:
        """Its values at quantiles of the standard normal distribution."""
        with np.errstate(over="ignore"):
            grown = np.exp(self.middle + self.spread * z)
        return np.clip(self.sign * (grown - self.start), self.low, self.high)


@dataclass(frozen=True, eq=False)
class Draws:
    """Joint draws of all that is uncertain.

    Attributes:
        count: how many.
        seed: of the generators.
        numbers: what is drawn, the scenario's first, then the law's.
        normals: the distributions of the scenario's.
        law: draws the law's by seed and block and so many, `(count, numbers)`; None
            where it is not drawn.
    """

    count: int
    seed: int
    numbers: tuple[Number, ...]
    normals: tuple[Normal, ...]
    law: Joint | None

    @property
    def together(self) -> list[list[str]]:
        """Names of the scenario's numbers that are high together."""
        sources: dict[str, list[str]] = {}
        for number, normal in zip(self.numbers, self.normals, strict=False):
            sources.setdefault(normal.source, []).append(number.name)
        return [names for names in sources.values() if len(names) > 1]

    def at(self, index: Integers) -> Array:
        """The draws of some places, `(places, numbers)`."""
        blocks, places = np.divmod(index, BLOCK)
        if len(index) and (blocks == blocks[0]).all():  # the rule
            return self._block(int(blocks[0]), int(places.max()) + 1)[places]
        values = np.empty((len(index), len(self.numbers)))
        for block in sorted(set(blocks.tolist())):
            here = blocks == block
            most = int(places[here].max()) + 1
            values[here] = self._block(block, most)[places[here]]
        return values

    def between(self, start: int, stop: int) -> Array:
        """Those of some places in order, `(places, numbers)`; may be read only."""
        block, first = divmod(start, BLOCK)
        last = stop - block * BLOCK
        if first < last <= BLOCK:  # the rule
            return self._block(block, last)[first:]
        return self.at(np.arange(start, stop))

    def _block(self, block: int, count: int) -> Array:
        """The first so many of a block, which are the same however many there are."""
        law = None if self.law is None else self.law(self.seed, block, count)
        if law is not None and not self.normals:
            return law
        columns = [
            normal.at(_random(self.seed, block, normal.source).standard_normal(count))
            for normal in self.normals
        ]
        return np.stack([*columns, *(() if law is None else law.T)], axis=1)


def _random(seed: int, block: int, source: str = "") -> Generator:
    word = int.from_bytes(source.encode(), "big")
    return np.random.default_rng([seed, block, word])


def stated(scenario: Scenario) -> dict[Steps, str]:
    """Paths and names of the numbers that a scenario itself says are uncertain."""
    return {
        path: named(scenario, path).removesuffix(".expected")
        for path, _ in given(scenario)
        if path[-1] == "expected"
    }


def draws(scenario: Scenario, count: int, seed: int, fixed: frozenset[Steps]) -> Draws:
    """What `--sample` draws from.

    Args:
        scenario: with its law.
        count: how many draws.
        seed: of the generators.
        fixed: paths of what is varied otherwise and therefore not drawn.

    Raises:
        InputError: nothing is uncertain, or an uncertain number has no log-normal.
    """
    numbers, normals = [], []
    for path, name in stated(scenario).items():
        if path not in fixed:
            number, normal = _spread(scenario, name, path[:-1])
            numbers.append(number)
            normals.append(normal)
    law = None
    if not any(path[0] == "law" for path in fixed):
        own = law_draws(scenario, count, seed)
        numbers, law = [*numbers, *own.numbers], own.law
    if not numbers:
        message = (
            "nothing is uncertain: give a number of the demand or a price as {low: 1T, "
            "expected: 2T, high: 4T}, or choose a law with a covariance, such as "
            "besiroglu-2024-refit"
        )
        raise InputError([Problem(Mark(f"--sample {count}"), "", message)])
    return Draws(count, seed, tuple(numbers), tuple(normals), law)


def law_draws(scenario: Scenario, count: int, seed: int) -> Draws:
    """Draws of the law alone; of no number where it has neither draws nor covariance.

    Args:
        scenario: with its law.
        count: how many draws.
        seed: of the generators.
    """
    paths, law = _joint(scenario)
    numbers = tuple(Number(dotted(path), path, "") for path in paths)
    return Draws(count, seed, numbers, (), law)


def _spread(scenario: Scenario, name: str, path: Steps) -> tuple[Number, Normal]:
    spread, quantity = value_at(scenario, path), quantity_at(path)
    if quantity is None or not isinstance(spread, Spread):
        raise TypeError(f"{name} is no uncertain number")
    kind = quantity.kind
    start, sign = (1.0 if kind.yearly else 0.0), (-1.0 if kind.falls else 1.0)
    per = spread.expected.per if isinstance(spread.expected, Flow) else None
    low, high = ends(spread)
    if start + sign * low <= 0:
        where = (*path, "low")
        message = f"must be above 0 to draw from, got {low:g}"
        mark = scenario.document.mark(where)
        raise InputError([Problem(mark, dotted(where), message)])
    bottom, top = math.log(start + sign * low), math.log(start + sign * high)
    normal = Normal(
        _source(scenario, name, path),
        *((top + bottom) / 2, (top - bottom) / (2 * P90)),
        *(start, sign, kind.low, kind.high),
    )
    place = (*path, "expected")
    return Number(name, place, unit_of(kind, per), kind.whole), normal


def _source(scenario: Scenario, name: str, path: Steps) -> str:
    """What moves a number: the market of an accelerator, or nothing but itself."""
    if path[-1] != "price" or path[-2] == "data":
        return name
    common = scenario.hardware.get(path[-2:-1])
    chip = scenario.hardware.get(path[:-1], common)
    return name if chip is None else f"price of {chip.key}"


def _joint(scenario: Scenario) -> tuple[tuple[Steps, ...], Joint | None]:
    """The paths of the law's numbers that are drawn together, and what draws them."""
    law = scenario.law
    if law.draws is not None:
        table = _bootstrap(scenario, law.draws)
        return tuple(table), partial(_resampled, np.array([*table.values()]).T)
    if law.covariance is not None:
        symbols = [word.removeprefix("ln_") for word in law.covariance.order]
        paths = tuple(("law", symbol) for symbol in symbols)
        means = tuple(law.coefficients[symbol] for symbol in symbols)
        return paths, partial(_gaussian, means, law.covariance)
    return (), None


def _bootstrap(scenario: Scenario, own: Columns) -> dict[Steps, Sequence[float]]:
    """A law's bootstrap by path, in step, as far as the scenario uses it."""
    law, spec = scenario.law, scenario.spec
    extras: Columns = {}
    if law.extra_draws is not None:
        used: list[str] = []
        if spec.data.unique_tokens is not None:
            used += STARS
        if spec.distillation is not None:
            used += CONSTANTS
        extras = {s: v for s, v in law.extra_draws.items() if s in used}
    error: Columns = {}
    if spec.target is not None and spec.target.error is not None and law.error:
        error = law.error.draws or {}
    parts = ((("law",), own), (("law", "extras"), extras), (("law", "error"), error))
    return {(*p, s): values for p, part in parts for s, values in part.items()}


def _resampled(table: Array, seed: int, block: int, count: int) -> Array:
    """Rows of a bootstrap: what was fitted together stays together."""
    return table[_random(seed, block).integers(len(table), size=count)]


@lru_cache(maxsize=8)  # an answer that follows another is mostly under the same law
def _gaussian(
    means: tuple[float, ...], covariance: Covariance, seed: int, block: int, count: int
) -> Array:
    logs = np.array([word.startswith("ln_") for word in covariance.order])
    middle = np.where(logs, np.log(np.where(logs, means, 1.0)), means)
    random = _random(seed, block)
    values = random.multivariate_normal(middle, covariance.matrix, count)
    found = np.where(logs, np.exp(np.where(logs, values, 0.0)), values)
    found = np.asfortranarray(found)  # each number in one piece
    found.flags.writeable = False
    return found
