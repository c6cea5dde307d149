"""Lists in place of single values: every combination is a scenario of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from optimizer.errors import InputError, Problem
from optimizer.question.exclusive import CHOICES
from optimizer.reading.document import Document, Steps, dotted
from optimizer.records import replace

MOST = 256  # combinations
_NOTHING = object()


def combinations(document: Document) -> list[tuple[Mapping[str, str], Document]]:
    """Returns each combination with its document; one of no choice without lists.

    Raises:
        InputError: a list is empty, repeats a value, or there are too many
            combinations.
    """
    lists = dict(_lists(document.value))
    problems = []
    count = 1
    for path, values in lists.items():
        count *= len(values)
        if not values:
            message = "is an empty list; give one value, or several to choose from"
            problems.append(Problem(document.mark(path), dotted(path), message))
        elif any(value in values[:i] for i, value in enumerate(values)):
            message = "has a value twice; each choice needs to stand once"
            problems.append(Problem(document.mark(path), dotted(path), message))
    if count > MOST:
        path = next(iter(lists))
        message = f"makes {count} combinations with the other lists; at most {MOST}"
        problems.append(Problem(document.mark(path), dotted(path), message))
    match = ("target", "match")
    if ("experts",) in lists and any(_matches(document.value, match)):
        message = (
            "is a model of another quality for each number of experts, so that their "
            "costs could not be compared; give target: {loss: 2.2}"
        )
        problems.append(Problem(document.mark(match), dotted(match), message))
    if problems:
        raise InputError(problems)
    found: list[tuple[Mapping[str, str], Document]] = []
    for picked in itertools.product(*lists.values()):
        value: Any = document.value
        marks, keys = dict(document.marks), dict(document.keys)
        choice = {}
        for path, one in zip(lists, picked, strict=True):
            index = lists[path].index(one)
            value = _put(value, path, one)
            marks[path] = document.mark((*path, index))
            choice[dotted(path)] = _called(one)
            for table in (marks, keys):
                _lift(table, path, index)
        words = {word: str(one) for word, one in choice.items()}
        found.append((words, replace(document, value=value, marks=marks, keys=keys)))
    return found


def _called(one: Any) -> Any:
    """What a choice is called: by its own name, or by its words."""
    if not isinstance(one, dict):
        return one
    return one.get("name") or ", ".join(f"{v} {k}" for k, v in one.items())


def firsts(document: Document) -> Document:
    """The document with the first of each list, to check the rest of it."""
    value: Any = document.value
    for path, values in _lists(document.value):
        value = _put(value, path, values[0] if values else _NOTHING)
    return replace(document, value=value)


def _lists(value: Any) -> Iterator[tuple[Steps, list[Any]]]:
    for pattern in CHOICES:
        for path, node in _matches(value, pattern):
            if isinstance(node, list):
                yield path, node


def _matches(
    node: Any, pattern: tuple[str, ...], path: Steps = ()
) -> Iterator[tuple[Steps, Any]]:
    if not pattern:
        yield path, node
    elif pattern[0] == "*" and isinstance(node, list):
        for index, member in enumerate(node):
            yield from _matches(member, pattern[1:], (*path, index))
    elif isinstance(node, dict) and pattern[0] in node:
        yield from _matches(node[pattern[0]], pattern[1:], (*path, pattern[0]))


def _put(node: Any, path: Steps, value: Any) -> Any:
    if not path:
        return value
    if isinstance(node, list):
        return [
            _put(m, path[1:], value) if i == path[0] else m for i, m in enumerate(node)
        ]
    inner = _put(node[path[0]], path[1:], value)
    if inner is _NOTHING:
        return {word: one for word, one in node.items() if word != path[0]}
    return {**node, path[0]: inner}


def _lift(table: dict[Steps, Any], path: Steps, index: int) -> None:
    """Moves the marks inside the chosen member up to where the list stood."""
    inside = (*path, index)
    for known in list(table):
        if len(known) > len(inside) and known[: len(inside)] == inside:
            table[(*path, *known[len(inside) :])] = table[known]
