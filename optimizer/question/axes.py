"""What a sweep varies: grids, lists and draws, as `--vary` and `--sample` spell them.

    demand.tokens=1e9:1e15:log:200      200 values, evenly apart in logarithms
    target.loss=1.9:2.2:50              50 values, evenly apart
    serving.mfu=10 %,20 %,40 %          these

Values are read as the scenario file's are, and are in the base unit of their kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.inputs import further_paths
from optimizer.question.scenario import Scenario, Spec
from optimizer.reading.document import Steps
from optimizer.reading.fields import Model, Quantity
from optimizer.reading.model import fields_of
from optimizer.reading.quantity import (
    DAY,
    HOUR,
    MONEY,
    MONTH,
    NUMBER,
    PRICE_HOUR,
    PRICE_TOKENS,
    RATE,
    YEAR,
    Flow,
    Kind,
    shown,
)
from optimizer.reading.types import flat
from optimizer.records import dataclass
from optimizer.world.hardware import Hardware, HardwareEntry
from optimizer.world.law import Law, further_out_of_bounds, out_of_bounds

EXAMPLE = "demand.tokens=1e9:1e15:log:200"
PERIODS = {HOUR: "hour", DAY: "day", 7 * DAY: "week", MONTH: "month", YEAR: "year"}
SPACINGS = ("lin", "log")
DIGITS = 9  # of the steps of a grid


@dataclass(frozen=True)
class Number:
    """One number of a scenario that is varied.

    Attributes:
        name: its dotted path, as the user wrote it.
        path: the steps to it from the spec, or `("law", coefficient)`.
        unit: of its values.
        whole: whether it is a count.
    """

    name: str
    path: Steps
    unit: str
    whole: bool = False


@dataclass(frozen=True)
class Grid:
    """Values from low to high, evenly apart, or so in logarithms."""

    number: Number
    low: float
    high: float
    count: int
    log: bool

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The one number."""
        return (self.number,)

    def at(self, index: Integers) -> Array:
        """The values of some places, `(places, 1)`."""
        part = index / (self.count - 1)
        if self.log:
            # Both ends are met exactly: no rounding through logarithms.
            values = self.low ** (1 - part) * self.high**part
        else:
            values = self.low * (1 - part) + self.high * part
        return np.asarray(values)[:, None]


@dataclass(frozen=True)
class Listed:
    """Values one by one."""

    number: Number
    values: tuple[float, ...]

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The one number."""
        return (self.number,)

    @property
    def count(self) -> int:
        """How many."""
        return len(self.values)

    def at(self, index: Integers) -> Array:
        """The values of some places, `(places, 1)`."""
        return np.array(self.values)[index][:, None]


@dataclass(frozen=True)
class Wanted:
    """What one `--vary` says, not read yet.

    Attributes:
        text: all of it.
        name: the path.
        values: the texts of its values; of a grid the two ends.
        count: how many a grid has; 0 for a list.
        log: whether a grid is even in logarithms.
    """

    text: str
    name: str
    values: tuple[str, ...]
    count: int = 0
    log: bool = False

    def wrong(self, message: str) -> InputError:
        """An error about it."""
        return InputError([Problem(Mark(f"--vary {self.text}"), self.name, message)])


def wanted(text: str) -> Wanted:
    """Takes a `--vary` apart.

    Raises:
        InputError: it is none.
    """
    name, equals, values = (part.strip() for part in text.partition("="))
    name = re.sub(r"\[([0-9]+)\]", r".\1", name)
    plain = Wanted(text, "", ())
    if not equals or not name:
        raise plain.wrong(f"needs a path, = and values, as in {EXAMPLE}")
    parts = [part.strip() for part in values.split(":")]
    if len(parts) == 1:
        listed = tuple(part.strip() for part in values.split(","))
        if not all(listed):
            raise Wanted(text, name, ()).wrong(f"needs values, as in {EXAMPLE}")
        return Wanted(text, name, listed)
    found = Wanted(text, name, (parts[0], parts[1]))
    spacing = parts[2] if len(parts) == 4 else "lin"
    if len(parts) not in (3, 4) or not all(parts):
        message = "a grid is LOW:HIGH:STEPS or LOW:HIGH:log:STEPS, as in " + EXAMPLE
        raise found.wrong(message)
    if spacing not in SPACINGS:
        raise found.wrong(f"a grid is lin or log, got {shown(spacing)}")
    steps = parts[-1].replace("_", "")
    if not (steps.isdecimal() and steps.isascii()):
        message = f"steps must be a whole number of at least 2, got {shown(parts[-1])}"
        raise found.wrong(message)
    if len(steps) > DIGITS:
        most = f"steps must be below {10**DIGITS:,}, got {shown(parts[-1])}"
        raise found.wrong(f"{most}; take fewer, or --sample")
    if int(steps) < 2:
        raise found.wrong(f"steps must be at least 2, got {int(steps)}")
    return Wanted(text, name, found.values, int(steps), spacing == "log")


def axis(want: Wanted, scenario: Scenario) -> Grid | Listed:
    """Reads the values of a `--vary` in the units of their field.

    Args:
        want: from `wanted`.
        scenario: in which the path has one of the values.

    Raises:
        InputError: a value is wrong, or there is no number at the path.
    """
    path = _steps(scenario, want.name)
    quantity = None if path is None else quantity_at(path)
    if path is None or quantity is None:
        message = "is not a number of the scenario, so it cannot be varied"
        raise want.wrong(message)
    if path[-1] in ("low", "high"):
        one = want.name.removesuffix(f".{path[-1]}")
        message = f"moves no single plan; vary {one} or {one}.expected"
        raise want.wrong(message)
    return _axis(want, path, quantity, scenario.law)


def axis_of(want: Wanted, model: type[Model], path: Steps) -> Grid | Listed:
    """Likewise, at a path of other words than those of a scenario.

    Raises:
        InputError: a value is wrong, or there is no number at the path.
    """
    quantity = next(_quantities(model, path), None)
    if quantity is None:
        raise want.wrong("is no number, so it cannot be varied")
    return _axis(want, path, quantity, None)


def _axis(
    want: Wanted, path: Steps, quantity: Quantity, law: Law | None
) -> Grid | Listed:
    read, per = [], []
    for text in want.values:
        try:
            value = quantity.read(text)
        except ValueError as error:
            raise want.wrong(str(error)) from None
        wrong = ""
        if path[0] == "law" and law is not None and not isinstance(value, Flow):
            wrong = _unlawful(law, path, value)
        if wrong:
            raise want.wrong(wrong)
        read.append(float(value.amount if isinstance(value, Flow) else value))
        per.append(value.per if isinstance(value, Flow) else None)
    if len(set(per)) > 1:
        raise want.wrong("must have one period for all values, such as /day")
    unit = unit_of(quantity.kind, per[0])
    number = Number(want.name, path, unit, quantity.kind.whole)
    if not want.count:
        return Listed(number, tuple(read))
    return _grid(want, number, read[0], read[1])


def _unlawful(law: Law, path: Steps, value: float) -> str:
    """What is wrong with a number of a law, in words; empty when nothing is."""
    symbol = str(path[-1])
    if len(path) == 2:
        return out_of_bounds(law.form, symbol, value)
    return further_out_of_bounds(symbol, value)


def is_number(want: Wanted, scenario: Scenario) -> bool:
    """Whether a path leads to a number, written in the scenario or not yet."""
    path = tuple(int(w) if w.isdecimal() else w for w in want.name.split("."))
    if _steps(scenario, want.name) is not None or path[0] == "law":
        return len(path) > 1
    return any(quantity_at(steps) is not None for steps in _inside(path))


def _inside(path: Steps) -> Iterator[Steps]:
    """A path, and what it is where a stream of the demand goes by its name."""
    yield path
    if path[0] == "demand" and len(path) > 2:
        yield ("demand", 0, *path[2:])


def _grid(want: Wanted, number: Number, low: float, high: float) -> Grid:
    if not low < high:
        texts = " and ".join(map(shown, want.values))
        raise want.wrong(f"a grid must rise from low to high, got {texts}")
    if want.log and low <= 0:
        raise want.wrong(f"a log grid must start above 0, got {shown(want.values[0])}")
    grid = Grid(number, low, high, want.count, want.log)
    step = (high - low) / (want.count - 1)
    if number.whole and (want.log or not step.is_integer()):
        raise want.wrong("takes whole numbers only; list them, as in 1,8,32")
    return grid


def unit_of(kind: Kind, per: float | None = None) -> str:
    """The unit of values of a kind, as columns name it; empty for a bare number."""
    fixed = {
        MONEY: "USD",
        PRICE_HOUR: "USD/h",
        PRICE_TOKENS: "USD per million tokens",
        RATE: "fraction per year",
    }
    unit = "fraction" if kind.percent else kind.unit
    unit = "USD" if kind.currency else {"B": "bytes", "B/s": "bytes/s"}.get(unit, unit)
    unit = fixed.get(kind, unit)
    if per is None:
        return unit
    return f"{unit}/{PERIODS.get(per, f'{per:g} s')}"


def quantity_at(path: Steps) -> Quantity | None:
    """How the field at a path of the scenario file is read; None for no number."""
    if path[0] == "law":
        return Quantity(NUMBER)
    if "hardware" in path[:-1]:
        inside = path[path.index("hardware") + 1 :]
        return next(_quantities(HardwareEntry, inside), None)
    return next(_quantities(Spec, path), None)


def _quantities(annotation: Any, path: Steps) -> Iterator[Quantity]:
    for each in flat(annotation):
        if not path:
            yield from [each] if isinstance(each, Quantity) else ()
        elif get_origin(each) is tuple and isinstance(path[0], int):
            yield from _quantities(get_args(each)[0], path[1:])
        elif (field := fields_of(each).get(str(path[0]))) is not None:
            yield from _quantities(field.annotation, path[1:])


def _steps(scenario: Scenario, name: str) -> Steps | None:
    """The steps to the number of a name, or None where there is none."""
    words = name.split(".")
    if words[0] == "law":
        known = len(words) == 2 and words[1] in scenario.law.coefficients
        further = tuple(words) in further_paths(scenario.law)
        return tuple(words) if known or further else None
    node: Any = scenario.spec
    path: Steps = ()
    for word in words:
        step: str | int = word
        if isinstance(node, tuple):
            names = [getattr(member, "name", None) for member in node]
            if word in names:
                step = names.index(word)
            elif word.isdecimal() and int(word) < len(node):
                step = int(word)
            else:
                return None
            node = node[step]
        elif isinstance(node, Model) and word in type(node).model_fields:
            node = getattr(node, word)
            if word == "hardware" and isinstance(node, dict):
                node = scenario.hardware[path]
        elif isinstance(node, Hardware) and word in HardwareEntry.model_fields:
            node = getattr(node, word)
        elif isinstance(node, dict) and word in node:
            node = node[word]
        else:
            return None
        path = (*path, step)
    return path if isinstance(node, int | float | Flow) else None


Axis = Grid | Listed


def counted(axes: Sequence[Any]) -> int:
    """How many combinations there are."""
    count = 1
    for one in axes:
        count *= one.count
    return count
