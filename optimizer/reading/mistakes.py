"""What is wrong with a value, in plain sentences.

A value that fits no branch of a union is one mistake: that of the branch which was
meant, where this shows, else all that would have been right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from optimizer.reading.document import nearest, suggest
from optimizer.reading.quantity import OutOfBoundsError, shown
from optimizer.reading.yamltext import Steps
from optimizer.records import dataclass

MAPPING = "a mapping of words to values"
_MUST_BE = re.compile(r"must be (.+?), got .*?(; add .*)?", re.DOTALL)


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


class FieldError(ValueError):
    """What a record's own check found, each at a field below that record.

    Attributes:
        found: a path below the record, and the sentence.
    """

    def __init__(self, *found: tuple[Steps, str]) -> None:
        self.found = found
        super().__init__("; ".join(message for _, message in found))


def unfit(path: Steps, wanted: str, value: object, hint: str = "") -> Mistake:
    """A value of the wrong kind altogether."""
    message = f"must be {wanted}, got {shown(value)}{hint}"
    return Mistake(path, message, wanted=wanted, hint=hint)


def not_among(path: Steps, allowed: Sequence[str], value: object) -> Mistake:
    """A value that is none of some words."""
    wanted = f"one of {', '.join(allowed)}" if allowed[1:] else f'"{allowed[0]}"'
    near = suggest(value, allowed) if isinstance(value, str) else ""
    return unfit(path, wanted, value, near)


def not_text(path: Steps, value: object) -> Mistake:
    """A value that is no text."""
    quoted = isinstance(value, int | float)
    return unfit(path, "text", value, "; put it in quotes" if quoted else "")


def strange(path: Steps, allowed: Sequence[str]) -> Mistake:
    """A word that the record does not know."""
    near = nearest(str(path[-1]), allowed) or ""
    listed = f'; did you mean "{near}"? allowed' if near else "; allowed"
    message = f"unknown word {shown(path[-1])}{listed}: {', '.join(allowed)}"
    return Mistake(path, message, at_key=True, instead=near)


def missing(path: Steps, example: object) -> Mistake:
    """A word that the record needs, with an example of its value unless None."""
    added = "" if example is None else f'; add for example "{path[-1]}: {example}"'
    return Mistake(path, f"is missing{added}", absent=True)


def said(path: Steps, error: ValueError) -> Iterator[Mistake]:
    """What a reader of numbers, or a check across fields, said in its exception."""
    if isinstance(error, FieldError):
        for inner, message in error.found:
            yield Mistake((*path, *inner), message, own=True)
        return
    match = _MUST_BE.fullmatch(str(error))
    if match is None or isinstance(error, OutOfBoundsError):
        yield Mistake(path, str(error), own=match is None)
    else:
        yield Mistake(path, str(error), wanted=match[1], hint=match[2] or "")


def of_union(at: Steps, options: list[list[Mistake]], value: Any) -> list[Mistake]:
    """The mistakes of the branch that was meant, or one of them all.

    Args:
        at: the path of the value.
        options: the mistakes under each branch.
        value: what stands there.
    """
    meant = [o for o in options if not any(m.wanted and m.path == at for m in o)]
    if meant:
        return min(meant, key=len)
    wrong = [m for option in options for m in option if m.wanted and m.path == at]
    wanted = " or ".join(dict.fromkeys(m.wanted for m in wrong))
    return [unfit(at, wanted, value, next((m.hint for m in wrong if m.hint), ""))]
