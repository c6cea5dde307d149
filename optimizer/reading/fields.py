"""From a document to checked records: fields that know their units.

Each field type reads its own kind of number (`tokens: 2T`) and tells editors how in
the JSON Schema. `read_model` turns whatever is wrong, all of it, into problems with
a place and a sentence (`mistakes` writes the sentences).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, TypeVar

from optimizer.errors import InputError, Problem
from optimizer.reading import kinds
from optimizer.reading.document import Document, Steps, dotted, suggest
from optimizer.reading.mistakes import FieldError, Mistake
from optimizer.reading.model import Field, Model, across
from optimizer.reading.quantity import Flow
from optimizer.reading.types import Quantity, frozen
from optimizer.reading.yamltext import MOST

__all__ = [
    "Bandwidth",
    "Budget",
    "Bytes",
    "BytesToken",
    "Carbon",
    "Compute",
    "Count",
    "DemandTokens",
    "Duration",
    "Energy",
    "Fall",
    "Field",
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
    "across",
    "read_model",
    "suggest",
]


Parameters = Annotated[float, Quantity(kinds.PARAMETERS)]
Tokens = Annotated[float, Quantity(kinds.TOKENS)]
DemandTokens = Annotated[float, Quantity(kinds.DEMAND_TOKENS)]
Requests = Annotated[Flow, Quantity(kinds.REQUESTS, flow=True)]
Compute = Annotated[float, Quantity(kinds.COMPUTE)]
Loss = Annotated[float, Quantity(kinds.LOSS)]
Fraction = Annotated[float, Quantity(kinds.FRACTION)]
Mfu = Annotated[float, Quantity(kinds.MFU)]
Rate = Annotated[float, Quantity(kinds.RATE)]
Fall = Annotated[float, Quantity(kinds.FALL)]
Duration = Annotated[float, Quantity(kinds.DURATION)]
Wait = Annotated[float, Quantity(kinds.WAIT)]
Money = Annotated[float, Quantity(kinds.MONEY)]
Budget = Annotated[float, Quantity(kinds.BUDGET)]
PriceHour = Annotated[float, Quantity(kinds.PRICE_HOUR)]
PriceTokens = Annotated[float, Quantity(kinds.PRICE_TOKENS)]
Bytes = Annotated[float, Quantity(kinds.BYTES)]
BytesToken = Annotated[float, Quantity(kinds.BYTES_TOKEN)]
Bandwidth = Annotated[float, Quantity(kinds.BANDWIDTH)]
Flops = Annotated[float, Quantity(kinds.FLOPS)]
Power = Annotated[float, Quantity(kinds.POWER)]
Carbon = Annotated[float, Quantity(kinds.CARBON)]
Energy = Annotated[float, Quantity(kinds.ENERGY)]
Count = Annotated[int, Quantity(kinds.COUNT)]
Ratio = Annotated[float, Quantity(kinds.RATIO)]
Number = Annotated[float, Quantity(kinds.NUMBER)]
Positive = Annotated[float, Quantity(kinds.POSITIVE)]


M = TypeVar("M", bound=Model)


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
        not_yet: what is designed and not built, by path (`*` for a list index), each
            with what it is part of, or nothing; it is refused. A last word such as
            `model=roofline` means that value alone, `hardware=[]` any list.

    Raises:
        InputError: with every mistake, at its place.
    """
    value, missing = _inner(document.value, at)
    if missing:
        problem = Problem(document.mark(at), dotted(at), "is missing")
        raise InputError([problem])
    early = {mistake.path: mistake for mistake in islice(_empty(value), MOST)}
    for pattern, reason in (not_yet or {}).items():
        later = f"is not supported yet{reason and f' ({reason})'}"
        early |= {mistake.path: mistake for mistake in _later(value, pattern, later)}
    mistakes = list(early.values())
    wrong: list[Mistake] = []
    result: M = model.reader()(frozen(_without(value, frozenset(early))), (), wrong)
    # Checks across fields would miss the words taken away: they wait.
    told = [m for m in wrong if not ((early and m.own) or m.path in early)]
    mistakes += told[:MOST]
    if more := len(told[MOST:]):
        mistakes.append(Mistake((), f"has {more} more mistakes than are told here"))
    if mistakes:
        raise InputError(_problems(mistakes, document, at))
    return result


def _problems(
    mistakes: list[Mistake], document: Document, at: Steps
) -> Iterator[Problem]:
    for mistake in dict.fromkeys(mistakes):
        path = at + mistake.path
        mark = document.key_mark(path) if mistake.at_key else document.mark(path)
        yield Problem(mark, dotted(path), mistake.message)


def _inner(value: Any, path: Steps) -> tuple[object, bool]:
    """Return the value at a path, and whether there is none."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None, True
    return value, False


def _empty(value: object, before: Steps = ()) -> Iterator[Mistake]:
    """Yield the words with nothing after them: to leave one out is to leave it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            path = (*before, key)
            if inner is None:
                message = "is empty; give it a value, or remove the word"
                if ":" in key:
                    message = 'is empty; a space must follow the ":"'
                yield Mistake(path, message, at_key=True)
            yield from _empty(inner, path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _empty(inner, (*before, index))


def _later(
    value: object, pattern: tuple[str, ...], later: str, before: Steps = ()
) -> Iterator[Mistake]:
    """Yield what a pattern of words that are not built yet finds."""
    head, rest = pattern[0], pattern[1:]
    word, equals, only = head.partition("=")
    if isinstance(value, list) and head == "*" and rest:
        for index, member in enumerate(value):
            yield from _later(member, rest, later, (*before, index))
    elif isinstance(value, dict) and word in value:
        path, inner = (*before, word), value[word]
        if rest:
            yield from _later(inner, rest, later, path)
        elif not equals:
            yield Mistake(path, f'"{word}" {later}; remove it', at_key=True)
        elif only == "[]" and isinstance(inner, list):
            yield Mistake(path, f"a list of choices {later}; give one value")
        elif only == inner:
            yield Mistake(path, f'"{only}" {later}; choose another')


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
