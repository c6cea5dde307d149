"""From a document to checked records: pydantic fields that know their units.

Each field type reads its own kind of number (`tokens: 2T`) and tells editors how in
the JSON Schema. `read_model` turns whatever is wrong, all of it, into problems with
a place and a sentence (`mistakes` writes the sentences).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import CoreSchema, core_schema

from optimizer import kinds, quantity
from optimizer.document import Document, Steps, dotted, suggest
from optimizer.errors import InputError, Problem
from optimizer.mistakes import Mistake, explain
from optimizer.quantity import Flow, Kind

__all__ = [
    "Bandwidth",
    "Budget",
    "Bytes",
    "Carbon",
    "Compute",
    "Count",
    "DemandTokens",
    "Duration",
    "Energy",
    "FieldError",
    "Flops",
    "Fraction",
    "Loss",
    "Mfu",
    "Model",
    "Money",
    "Number",
    "Parameters",
    "Positive",
    "Power",
    "PriceHour",
    "PriceTokens",
    "Quantity",
    "Rate",
    "Ratio",
    "Requests",
    "Tokens",
    "Wait",
    "read_model",
    "suggest",
]


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

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: Any
    ) -> dict[str, Any]:
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


Parameters = Annotated[float, Quantity(kinds.PARAMETERS)]
Tokens = Annotated[float, Quantity(kinds.TOKENS)]
DemandTokens = Annotated[float, Quantity(kinds.DEMAND_TOKENS)]
Requests = Annotated[Flow, Quantity(kinds.REQUESTS, flow=True)]
Compute = Annotated[float, Quantity(kinds.COMPUTE)]
Loss = Annotated[float, Quantity(kinds.LOSS)]
Fraction = Annotated[float, Quantity(kinds.FRACTION)]
Mfu = Annotated[float, Quantity(kinds.MFU)]
Rate = Annotated[float, Quantity(kinds.RATE)]
Duration = Annotated[float, Quantity(kinds.DURATION)]
Wait = Annotated[float, Quantity(kinds.WAIT)]
Money = Annotated[float, Quantity(kinds.MONEY)]
Budget = Annotated[float, Quantity(kinds.BUDGET)]
PriceHour = Annotated[float, Quantity(kinds.PRICE_HOUR)]
PriceTokens = Annotated[float, Quantity(kinds.PRICE_TOKENS)]
Bytes = Annotated[float, Quantity(kinds.BYTES)]
Bandwidth = Annotated[float, Quantity(kinds.BANDWIDTH)]
Flops = Annotated[float, Quantity(kinds.FLOPS)]
Power = Annotated[float, Quantity(kinds.POWER)]
Carbon = Annotated[float, Quantity(kinds.CARBON)]
Energy = Annotated[float, Quantity(kinds.ENERGY)]
Count = Annotated[int, Quantity(kinds.COUNT)]
Ratio = Annotated[float, Quantity(kinds.RATIO)]
Number = Annotated[float, Quantity(kinds.NUMBER)]
Positive = Annotated[float, Quantity(kinds.POSITIVE)]


class FieldError(ValueError):
    """What a model's own validator found, each at a field below that model.

    Attributes:
        found: a path below the model, and the sentence.
    """

    def __init__(self, *found: tuple[Steps, str]) -> None:
        self.found = found
        super().__init__("; ".join(message for _, message in found))


class Model(BaseModel):
    """The base of what files say: frozen, no unknown words, nothing coerced.

    Lists become tuples; fields that hold several values are of type `tuple[X, ...]`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _freeze(cls, value: object) -> object:
        return _frozen(value)


M = TypeVar("M", bound=BaseModel)


def read_model(
    document: Document,
    model: type[M],
    *,
    at: Steps = (),
    not_yet: Mapping[tuple[str, ...], str] | None = None,
) -> M:
    """Return what a document, or the part of it at a path, says as a record.

    Args:
        document: the file.
        model: the record to read.
        at: where in the document it stands.
        not_yet: words that are designed and not built, by path (`*` for a list
            index), each with a reason or nothing; they are refused.

    Raises:
        InputError: with every mistake, at its place.
    """
    value, missing = _inner(document.value, at)
    if missing:
        problem = Problem(document.mark(at), dotted(at), "is missing")
        raise InputError([problem])
    early = {
        path: reason
        for pattern, reason in (not_yet or {}).items()
        for path in _matches(value, pattern)
    }
    mistakes = [
        Mistake(
            path,
            f'"{path[-1]}" is not supported yet' + (f"; {reason}" if reason else ""),
            at_key=True,
        )
        for path, reason in early.items()
    ]
    result = None
    try:
        result = model.model_validate(_without(value, frozenset(early)))
    except ValidationError as error:
        # Checks across fields would miss the words taken away: they wait.
        found = explain(error, value, model)
        mistakes += (m for m in found if not ((early and m.own) or m.path in early))
    if result is None or mistakes:
        raise InputError(_problems(mistakes, document, at))
    return result


def _problems(
    mistakes: list[Mistake], document: Document, at: Steps
) -> Iterator[Problem]:
    for mistake in dict.fromkeys(mistakes):
        path = at + mistake.path
        mark = document.key_mark(path) if mistake.at_key else document.mark(path)
        yield Problem(mark, dotted(path), mistake.message)


def _frozen(value: object) -> object:
    """Return a value with tuples for lists, which strict tuples ask for."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def _inner(value: Any, path: Steps) -> tuple[object, bool]:
    """Return the value at a path, and whether there is none."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None, True
    return value, False


def _matches(
    value: object, pattern: tuple[str, ...], before: Steps = ()
) -> Iterator[Steps]:
    """Yield the paths that a pattern stands for, where a word ends it."""
    head, rest = pattern[0], pattern[1:]
    steps: list[str | int] = []
    if isinstance(value, dict) and head in value:
        steps = [head]
    elif isinstance(value, list) and head == "*" and rest:
        steps = list(range(len(value)))
    for step in steps:
        if rest:
            inner: Any = value
            yield from _matches(inner[step], rest, (*before, step))
        else:
            yield (*before, step)


def _without(value: object, paths: frozenset[Steps], before: Steps = ()) -> object:
    if isinstance(value, dict):
        return {
            key: _without(inner, paths, (*before, key))
            for key, inner in value.items()
            if (*before, key) not in paths
        }
    if isinstance(value, list):
        return [_without(v, paths, (*before, i)) for i, v in enumerate(value)]
    return value
