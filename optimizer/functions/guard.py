"""What a public function is given, checked before it runs: a sentence, no traceback.

The annotations say what is allowed; here they are held against what came, once, at the
door. Functions within the package call each other without.
"""

from __future__ import annotations

import inspect
import math
import reprlib
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

WORDS: dict[Any, str] = {
    bool: "True or False",
    bytes: "bytes",
    dict: "a mapping",
    float: "a number",
    int: "a whole number",
    str: "a text",
    Path: "a path",
    list: "a list",
    tuple: "a tuple",
    type(None): "None",
}
# How a record is made, by its name: what those need who have none yet.
MAKERS = {
    "Answer": "solve(scenario)",
    "Fit": "fit(runs)",
    "Law": "load_law(name)",
    "Portfolio": "load_portfolio(path)",
    "PublishedModel": "load_model(name)",
    "Runs": "read_runs(path)",
    "Scenario": "load_scenario(path)",
}
FILES = ("Scenario", "Portfolio")  # records of YAML
# What numbers may be, by the names they have in every function; ends count.
RANGES: dict[str, tuple[float, float]] = {
    "draws": (1, 1_000_000),
    "hold_out": (0, 1),
    "points": (3, 10_001),
    "probability": (0, 1),
    "sample": (1, math.inf),
    "seed": (0, math.inf),
    "span": (1, 1e6),
    "tail": (0, 1),
}
LISTS = (Sequence, Iterable, list, tuple)


def guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that refuses what its annotations do not allow.

    Args:
        function: with an annotation for each of its arguments.
        name: that it is called by.

    Returns:
        One that raises a TypeError which says what was given, what is allowed, and
        what to write instead.
    """

    @wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        for problem in _problems(function, given, named):
            raise TypeError(f"{name}: {problem}")
        return function(*given, **named)

    return checked


def flat(given: Iterable[Any]) -> list[Any]:
    """Several records, whether each was given alone or they came in a list."""
    found: list[Any] = []
    for each in given:
        found += each if isinstance(each, Iterable) else [each]
    return found


@cache
def _allowed(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    return inspect.signature(function), get_type_hints(function)


def _problems(
    function: Callable[..., Any], given: Sequence[Any], named: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with the arguments of a call, one after another."""
    signature, hints = _allowed(function)
    try:
        bound = signature.bind(*given, **named)
    except TypeError as error:
        yield f"{error}{_takes(signature, named)}"
        return
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        hint = hints.get(name, Any)
        several = kind is inspect.Parameter.VAR_POSITIONAL
        if kind is inspect.Parameter.VAR_KEYWORD or (hint is object):
            continue
        for one in value if several else (value,):
            if not _fits(one, hint):
                yield f"{name} must be {_said(hint)}, got {_got(one)}{_cure(one, hint)}"
            elif isinstance(one, Real) and name in RANGES:
                low, high = RANGES[name]
                if not low <= float(one) <= high:
                    most = "" if high == math.inf else f" and at most {high:,.12g}"
                    yield f"{name} must be at least {low:g}{most}, got {one!r}"


def _takes(signature: inspect.Signature, named: Iterable[str]) -> str:
    """The names that a function takes, the nearest to a wrong one first."""
    from optimizer.reading.document import suggest  # noqa: PLC0415 - errors only

    names = list(signature.parameters)
    if not names:
        return "; it takes none"
    wrong = next((word for word in named if word not in names), "")
    return suggest(wrong, names, f"it takes {', '.join(names)}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation allows, as far as it can be seen."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        fits = True
    elif origin in (Union, types.UnionType):
        fits = any(_fits(value, one) for one in inner)
    elif origin is Literal:
        fits = isinstance(value, str) and value in inner
    elif origin in LISTS:
        # Of a tuple of a fixed length each member has a kind of its own.
        alike = origin is not tuple or Ellipsis in inner
        fits = _listed(value, inner[:1] if alike else ())
    elif origin is not None:
        # Of mappings and callables the kind alone; what they hold is read later.
        fits = isinstance(value, origin)
    elif hint is bool:
        fits = isinstance(value, bool) or type(value).__name__ == "bool"
    elif hint in (int, float):
        number = Integral if hint is int else Real
        fits = isinstance(value, number) and not isinstance(value, bool)
    elif hint is Path:
        fits = isinstance(value, PathLike)
    else:
        fits = isinstance(value, hint)
    return fits


def _listed(value: Any, inner: Sequence[Any]) -> bool:
    """Whether a value is a list, or what can be gone through twice as one."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Collection):
        return False
    return all(_fits(one, kind) for kind in inner for one in value)


def _said(hint: Any) -> str:
    """An annotation in words: `a scenario, a portfolio or a list of scenarios`."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _either([_said(one) for one in inner if one is not type(None)])
    if origin is Literal:
        return _either([repr(one) for one in inner])
    if origin in LISTS:
        plain = not inner or inner[0] in (Any, object) or get_origin(inner[0]) is tuple
        return "a list" if plain else f"a list, each {_said(inner[0])}"
    if origin is not None:
        return WORDS.get(origin, "a function" if origin is Callable else "a mapping")
    return WORDS.get(hint, _named(hint))


def _named(kind: Any) -> str:
    """The words for a record: `a Scenario`, `an Answer`."""
    name = getattr(kind, "__name__", str(kind))
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _either(words: Sequence[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} or {last}" if most else last


def _got(value: Any) -> str:
    """What was given: its kind, and its value where that is short."""
    kind = type(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str | int | float | bytes | Path):
        words = WORDS[Path] if isinstance(value, Path) else WORDS.get(kind, "a number")
        return f"{words}: {reprlib.repr(value)}"
    if isinstance(value, list | tuple):
        held = " and ".join(list(dict.fromkeys(map(_got, value)))[:2])
        return f"a {kind.__name__} of {held}" if held else f"an empty {kind.__name__}"
    return WORDS.get(kind, _named(kind))


def _cure(value: Any, hint: Any) -> str:
    """What to write instead."""
    wanted = list(_kinds(hint))
    names = [kind.__name__ for kind in wanted if isinstance(kind, type)]
    if isinstance(value, Iterator) and _fits([], hint):
        return "; put what it gives into a list"
    if not isinstance(value, list | tuple) and _fits([value], hint):
        return "; put it into a list"
    if isinstance(value, list | tuple) and len(value) == 1 and _fits(value[0], hint):
        return "; give it without the list"
    if isinstance(value, str | Path) and str(value).endswith((".yaml", ".yml")):
        names = [name for name in names if name in FILES] or names
    makers = [MAKERS[name] for name in names if name in MAKERS]
    if makers:
        return f"; {_either(makers)} makes one"
    return ""


def _kinds(hint: Any) -> Iterator[Any]:
    """The plain kinds within an annotation."""
    inner = get_args(hint)
    if not inner:
        yield hint
    for one in inner:
        yield from _kinds(one)
