"""What pydantic says about a wrong file, in plain sentences.

Pydantic reports a value that fits no branch of a union once for each branch; here
it is one sentence: the branch that was meant where that shows, else all that would
have been right.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from optimizer.reading.document import Steps, nearest, suggest
from optimizer.reading.quantity import OutOfBoundsError, shown
from optimizer.reading.yamltext import MOST
from optimizer.records import dataclass


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong.

    Attributes:
        path: where, below the record that was read.
        message: the sentence.
        absent: the field is not there.
        at_key: it concerns the key and not the value.
        own: it comes from a check across fields.
        wanted: what the value must be, where it is of the wrong kind altogether.
        hint: what follows in the sentence.
        instead: the word that an unknown one was perhaps meant to be.
    """

    path: Steps
    message: str
    absent: bool = False
    at_key: bool = False
    own: bool = False
    wanted: str = ""
    hint: str = ""
    instead: str = ""


@dataclass(frozen=True)
class _Found:
    """An error of pydantic's: its place apart from the branches on the way."""

    path: Steps
    branches: tuple[tuple[Steps, str], ...]
    error: Mapping[str, Any]


_WANTED = {
    **dict.fromkeys(
        ("model_type", "dict_type", "mapping_type", "model_attributes_type"),
        "a mapping of words to values",
    ),
    **dict.fromkeys(("tuple_type", "list_type", "iterable_type"), "a list"),
    **dict.fromkeys(("int_type", "int_from_float"), "a whole number"),
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "none_required": "empty",
}
_BOUNDS = {
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} members",
    "too_long": "must have at most {max_length} members",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}
_MUST_BE = re.compile(r"must be (.+?), got .*?(; add .*)?", re.DOTALL)


def explain(
    error: ValidationError, value: object, model: type[BaseModel]
) -> list[Mistake]:
    """Return every mistake of a value that a model refused."""
    errors = error.errors(include_url=False)
    mistakes = _collapsed([_located(e, value) for e in errors[:MOST]], value, model)
    if more := len(errors[MOST:]):
        mistakes.append(Mistake((), f"has {more} more mistakes than are told here"))
    # A misspelled word is one mistake, not an unknown and a missing one.
    misspelled = {(*m.path[:-1], m.instead) for m in mistakes if m.instead}
    return [m for m in mistakes if not (m.absent and m.path in misspelled)]


def _located(error: Mapping[str, Any], value: Any) -> _Found:
    """Tell the steps into the value from the branches of unions."""
    path: Steps = ()
    branches: tuple[tuple[Steps, str], ...] = ()
    loc = error["loc"]
    names_key = error["type"] in ("missing", "extra_forbidden")
    for left, step in enumerate(loc, start=1 - len(loc)):
        known = isinstance(value, dict) and step in value
        listed = isinstance(value, (list, tuple)) and isinstance(step, int)
        if known or (listed and step < len(value)):
            path, value = (*path, step), value[step]
        elif left == 0 and names_key:
            path = (*path, step)
        elif isinstance(step, str):
            branches = (*branches, (path, step))
    return _Found(path, branches, error)


def _collapsed(
    found: list[_Found], value: object, model: type[BaseModel]
) -> list[Mistake]:
    """Return mistakes with those of each union made one story."""
    result: list[Mistake] = []
    unions: dict[Steps, dict[str, list[_Found]]] = {}
    for item in found:
        if item.branches:
            (at, tag), *rest = item.branches
            inner = replace(item, branches=tuple(rest))
            unions.setdefault(at, {}).setdefault(tag, []).append(inner)
        else:
            result += _mistakes(item, model)
    for at, branches in unions.items():
        options = [_collapsed(items, value, model) for items in branches.values()]
        result += _chosen(at, options, value)
    return result


def _chosen(at: Steps, options: list[list[Mistake]], value: Any) -> list[Mistake]:
    """Return the mistakes of the branch that was meant, or one of them all."""
    meant = [o for o in options if not any(m.wanted and m.path == at for m in o)]
    if meant:
        return min(meant, key=len)
    wrong = [m for option in options for m in option if m.wanted and m.path == at]
    wanted = " or ".join(dict.fromkeys(m.wanted for m in wrong))
    hint = next((m.hint for m in wrong if m.hint), "")
    for step in at:
        value = value[step]
    return [_unfit(at, wanted, value, hint)]


def _unfit(path: Steps, wanted: str, value: object, hint: str = "") -> Mistake:
    message = f"must be {wanted}, got {shown(value)}{hint}"
    return Mistake(path, message, wanted=wanted, hint=hint)


def _mistakes(found: _Found, model: type[BaseModel]) -> Iterator[Mistake]:
    """Yield what one error of pydantic's means."""
    error, path = found.error, found.path
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        yield from _own(path, context["error"])
    elif kind == "extra_forbidden":
        allowed = sorted({n for m in _models(model, error["loc"]) for n in _words(m)})
        near = nearest(str(path[-1]), allowed) or ""
        listed = f'; did you mean "{near}"? allowed' if near else "; allowed"
        message = f"unknown word {shown(path[-1])}{listed}: {', '.join(allowed)}"
        yield Mistake(path, message, at_key=True, instead=near)
    elif kind == "missing":
        yield Mistake(path, f"is missing{_sample(model, error['loc'])}", absent=True)
    elif kind in ("literal_error", "enum"):
        expected = context["expected"]
        allowed = re.findall(r"'([^']*)'", expected)
        wanted = f"one of {', '.join(allowed)}" if allowed[1:] else expected
        wanted = f'"{allowed[0]}"' if len(allowed) == 1 else wanted
        near = suggest(value, allowed) if isinstance(value, str) else ""
        yield _unfit(path, wanted, value, near)
    elif kind in _WANTED:
        quoted = kind == "string_type" and isinstance(value, (int, float))
        hint = "; put it in quotes" if quoted else ""
        yield _unfit(path, _WANTED[kind], value, hint)
    elif kind in _BOUNDS:
        limit = _BOUNDS[kind].format_map(context)
        yield Mistake(path, f"{limit}, got {shown(value)}")
    else:
        message = str(error["msg"])
        yield Mistake(path, message[:1].lower() + message[1:])


def _own(path: Steps, error: ValueError) -> Iterator[Mistake]:
    """Yield what a validator of ours said."""
    if found := getattr(error, "found", ()):
        for inner, message in found:
            yield Mistake((*path, *inner), message, own=True)
        return
    match = _MUST_BE.fullmatch(str(error))
    if match is None or isinstance(error, OutOfBoundsError):
        yield Mistake(path, str(error), own=match is None)
    else:
        yield Mistake(path, str(error), wanted=match[1], hint=match[2] or "")


def _words(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by the words of the file."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _flat(annotation: Any) -> Iterator[Any]:
    """Yield the types of which one is meant, and what annotates them."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from metadata
        yield from _flat(inner)
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _flat(part)
    else:
        yield annotation


def _models(model: type[BaseModel], loc: tuple[Any, ...]) -> list[type[BaseModel]]:
    """Return the models that may hold the last step of an error's place."""
    options: list[Any] = [model]
    for step in loc[:-1]:
        inner: list[Any] = []
        for option in options:
            if _is_model(option):
                if step in _words(option):
                    inner += _flat(_words(option)[step].annotation)
            elif get_origin(option) in (tuple, list) and isinstance(step, int):
                inner += _flat(get_args(option)[0])
            elif get_origin(option) is dict:
                inner += _flat(get_args(option)[1])
        if inner:
            options = inner
        else:
            # A branch of a union: its tag holds the name of the model.
            named = [o for o in options if getattr(o, "__name__", "?") in str(step)]
            options = named or options
    return [option for option in options if _is_model(option)]


def _is_model(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, BaseModel)


def _sample(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    """Return `; add for example "tokens: 2T"` for a field that is missing."""
    word = loc[-1]
    for holder in _models(model, loc):
        info = _words(holder).get(word)
        if info is None:
            continue
        parts = [*info.metadata, *_flat(info.annotation)]
        examples = [
            *(info.examples or ()),
            *(p.kind.example for p in parts if hasattr(p, "kind")),
            *(get_args(p)[0] for p in parts if get_origin(p) is Literal),
        ]
        if examples:
            return f'; add for example "{word}: {examples[0]}"'
    return ""
