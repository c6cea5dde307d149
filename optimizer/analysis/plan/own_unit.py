"""What an answer says in words, in the unit of its law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from optimizer.analysis.plan.answer import Answer
from optimizer.reading.loss_words import NATS, said_in
from optimizer.records import names, replace

PROSE = {"message", "reason", "opening", "lowest", "notes", "cure", "advice"}
PARTS = ("warnings", "infeasibility", "alternatives", "others")
T = TypeVar("T")


def in_own_unit(answer: Answer) -> Answer:
    """An answer whose sentences tell losses in the unit of its law."""
    unit = answer.law.loss_unit
    if unit == NATS:
        return answer
    parts = {part: told_in(getattr(answer, part), unit) for part in PARTS}
    return replace(answer, **parts)


def told_in(value: T, unit: str) -> T:
    """Records with their prose in a unit; names and numbers stay as they are."""
    return value if unit == NATS else _told(value, unit, False)


def said(value: T, unit: str) -> T:
    """Words, lists of them and records of words alone in a unit, every one of them."""
    return value if unit == NATS else _told(value, unit, True)


def _told(value: Any, unit: str, prose: bool) -> Any:
    if isinstance(value, str):
        return said_in(value, unit) if prose else value
    if words := names(type(value)):
        parts = {
            word: _told(getattr(value, word), unit, prose or word in PROSE)
            for word in words
        }
        return replace(value, **parts)
    if isinstance(value, Mapping):
        return {key: _told(each, unit, prose) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_told(each, unit, prose) for each in value)
    return value
