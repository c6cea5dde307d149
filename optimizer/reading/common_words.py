"""Lists whose members have words in common: these stand once, above the list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from optimizer.errors import Problem
from optimizer.reading.document import Document, Steps, dotted
from optimizer.records import replace

R = TypeVar("R")


def member(
    document: Document, word: str, index: int, apart: Collection[str]
) -> Document:
    """One member as a document of its own: the common words, with its own over them.

    Args:
        document: a mapping with the list.
        word: of the list.
        index: of the member, which is a mapping.
        apart: the words above the list that are not common.
    """
    value: Any = document.value
    own: Mapping[str, Any] = value[word][index]
    common = {key: part for key, part in value.items() if key not in apart}
    start: Steps = (word, index)
    tops = {(key,) for key in (*apart, *own)}

    def placed(marks: Mapping[Steps, R]) -> dict[Steps, R]:
        found = {path: mark for path, mark in marks.items() if path[:1] not in tops}
        for path, mark in marks.items():
            if path[: len(start)] == start:
                found[path[len(start) :]] = mark
        return found

    return replace(
        document,
        value={**common, **own},
        marks=placed(document.marks),
        keys=placed(document.keys),
        replaced=placed(document.replaced),
    )


def told(document: Document, word: str, index: int, problem: Problem) -> Problem:
    """A member's mistake, by its path in the whole: its own words are in the list."""
    value: Any = document.value
    first = problem.path.split(".")[0].split("[")[0]
    common = first and first in value and first not in value[word][index]
    if common or problem.mark.file != document.file:
        return problem
    path = ".".join(filter(None, (dotted((word, index)), problem.path)))
    return replace(problem, path=path)
