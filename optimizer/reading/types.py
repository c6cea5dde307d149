"""How a value of a file is read as a type: `float | tuple[Stream, ...]` and so on.

A reader is made of an annotation when its field is first met, since most files need few
of the words that there are. It returns what the field holds and adds what is wrong.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from optimizer.reading import quantity
from optimizer.reading.mistakes import (
    MAPPING,
    Mistake,
    not_among,
    not_text,
    of_union,
    said,
    unfit,
)
from optimizer.reading.quantity import Flow, Kind
from optimizer.reading.yamltext import Steps
from optimizer.records import dataclass

Reader = Callable[[Any, Steps, list[Mistake]], Any]
PLAIN = {bool: "true or false", str: "text"}


@dataclass(frozen=True)
class Pick:
    """Tells which of some types a value is meant to be.

    It annotates their union: another type is then not said to be allowed, as a spread
    of three numbers is not where one number is wrong.

    Attributes:
        which: of a value, the index of its type.
        branches: the types.
    """

    which: Callable[[Any], int]
    branches: tuple[Any, ...]


@dataclass(frozen=True)
class Size:
    """How many members, or characters, a value may have."""

    least: int = 0
    most: int | None = None

    def wrong(self, value: str | tuple[Any, ...]) -> str:
        """What is wrong with the size of a value; empty for nothing."""
        what = "characters" if isinstance(value, str) else "members"
        if len(value) < self.least:
            return f"must have at least {self.least} {what}"
        if self.most is not None and len(value) > self.most:
            return f"must have at most {self.most} {what}"
        return ""


@dataclass(frozen=True)
class Quantity:
    """The annotation of a field that holds a number with a unit.

    Attributes:
        kind: what the number means.
        flow: it may be an amount per period, and the field holds a `Flow`.
    """

    kind: Kind
    flow: bool = False

    def read(self, value: object) -> float | int | Flow:
        """Return what the field holds: a number in base units, or a flow."""
        if self.flow:
            return quantity.read_flow(value, self.kind)
        number = quantity.read(value, self.kind)
        return int(number) if self.kind.whole else number

    def json_schema(self) -> dict[str, Any]:
        """Return what editors are told of such a number."""
        kind = self.kind
        number: dict[str, Any] = {"type": "integer" if kind.whole else "number"}
        if not kind.plain:
            number = {"const": 0}
        elif kind.low > -math.inf:
            number["minimum" if kind.low_inclusive else "exclusiveMinimum"] = kind.low
        if kind.high < math.inf:
            number["maximum"] = kind.high
        # The pattern only tells numbers from words; the units are told by example.
        text = {
            "type": "string",
            "pattern": r"^\s*([+-]?\s*(\$|USD)?\s*[+-]?[0-9.])",
            "examples": [kind.example],
        }
        bare = kind.plain or kind.low_inclusive
        unit = f" [{kind.unit.strip()}]" if kind.unit else ""
        return {
            "description": f"{kind.name}{unit}, such as {kind.example}",
            "anyOf": [number, text] if bare else [text],
        }


def frozen(value: object) -> object:
    """A value with tuples for lists, as records hold them."""
    if isinstance(value, dict):
        return {key: frozen(inner) for key, inner in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def options(annotation: Any) -> tuple[Any, ...]:
    """The types of which a value may be one, None apart."""
    if get_origin(annotation) in (Union, types.UnionType):
        args = get_args(annotation)
        return tuple(each for each in args if each is not types.NoneType)
    return (annotation,)


def optional(annotation: Any) -> bool:
    """Whether there may be no value."""
    united = get_origin(annotation) in (Union, types.UnionType)
    return united and types.NoneType in get_args(annotation)


def flat(annotation: Any) -> Iterator[Any]:
    """The types of which a value may be one, and what annotates them."""
    for each in options(annotation):
        if get_origin(each) is Annotated:
            inner, *about = get_args(each)
            yield from about
            yield from flat(inner)
        elif each is annotation:
            yield each
        else:
            yield from flat(each)


def reader(annotation: Any) -> Reader:
    """How values are read as a type.

    Raises:
        TypeError: it is no type that a file can hold.
    """
    branches = options(annotation)
    if branches[1:]:
        inner = _union(branches)
    elif branches[0] is not annotation:
        inner = reader(branches[0])
    else:
        return _one(annotation)
    if not optional(annotation):
        return inner
    return lambda value, path, wrong: (
        None if value is None else inner(value, path, wrong)
    )


def _one(annotation: Any) -> Reader:
    """How values are read as a type that is no union."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is Any or isinstance(annotation, TypeVar):
        return lambda value, path, wrong: value
    if annotation in PLAIN:
        return _plain(annotation)
    made = _MADE.get(origin) or getattr(origin or annotation, "reader", None)
    if made is None:
        raise TypeError(f"{annotation!r} is no type that a file can hold")
    found: Reader = made(*args)
    return found


def _plain(kind: type) -> Reader:
    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        if type(value) is not kind:
            text = kind is str
            wrong.append(not_text(path, value) if text else unfit(path, wanted, value))
        return value

    wanted = PLAIN[kind]
    return read


def _words(*allowed: str) -> Reader:
    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        if not (isinstance(value, str) and value in allowed):
            wrong.append(not_among(path, allowed, value))
        return value

    return read


def _annotated(kind: Any, *about: Any) -> Reader:
    for each in about:
        if isinstance(each, Pick):
            return _picked(each)
        if isinstance(each, Size):
            return _sized(reader(kind), each)
        if isinstance(each, Quantity):
            return _number(each)
    return reader(kind)


def _number(of: Quantity) -> Reader:
    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        try:
            return of.read(value)
        except ValueError as error:
            wrong += said(path, error)

    return read


def _sized(inner: Reader, size: Size) -> Reader:
    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        if isinstance(value, str | tuple) and (why := size.wrong(value)):
            wrong.append(Mistake(path, why))
            return value
        return inner(value, path, wrong)

    return read


def _picked(pick: Pick) -> Reader:
    known: dict[int, Reader] = {}

    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        index = pick.which(value)
        if index not in known:
            known[index] = reader(pick.branches[index])
        return known[index](value, path, wrong)

    return read


def _union(branches: tuple[Any, ...]) -> Reader:
    known: list[Reader] = []

    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        mistakes = []
        for index, branch in enumerate(branches):
            if index == len(known):
                known.append(reader(branch))
            found: list[Mistake] = []
            result = known[index](value, path, found)
            if not found:
                return result
            mistakes.append(found)
        wrong += of_union(path, mistakes, value)
        return None

    return read


def _many(*kinds: Any) -> Reader:
    """Lists: as long as they like of `tuple[X, ...]`, or with a type a place."""
    inner = [reader(kind) for kind in kinds if kind is not ...]
    count = None if kinds[-1] is ... else len(kinds)

    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        if not isinstance(value, tuple):
            wrong.append(unfit(path, "a list", value))
        elif count not in (None, len(value)):
            message = f"must have {count} members, got {len(value)}"
            wrong.append(Mistake(path, message))
        else:
            each = zip(cycle(inner), value, strict=False)
            return tuple([r(v, (*path, i), wrong) for i, (r, v) in enumerate(each)])
        return None

    return read


def _mapping(word: Any, kind: Any) -> Reader:
    named, inner = reader(word), reader(kind)

    def read(value: Any, path: Steps, wrong: list[Mistake]) -> Any:
        if not isinstance(value, dict):
            wrong.append(unfit(path, MAPPING, value))
            return None
        return {
            named(key, (*path, key), wrong): inner(each, (*path, key), wrong)
            for key, each in value.items()
        }

    return read


_MADE: dict[Any, Callable[..., Reader]] = {
    Annotated: _annotated,
    Literal: _words,
    tuple: _many,
    dict: _mapping,
}
