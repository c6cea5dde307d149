"""What an answer recommends: train, learn from a teacher, or do not train at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.analysis.comparison.saved_answer import alike, at, number, rows, word
from optimizer.records import dataclass

TRAIN, DISTIL = "train", "distil"


@dataclass(frozen=True)
class Recommended:
    """The verdict of an answer, as the first sentence of its page has it.

    Attributes:
        what: `train`, `distil`, or the name of another way to serve the demand, such
            as `buy`.
        parameters: of the model to train; None where none is.
        tokens: likewise.
        teacher: its parameters and tokens, of a model that is distilled.
        total: lifetime cost; None where it is not told.
    """

    what: str
    parameters: float | None = None
    tokens: float | None = None
    teacher: tuple[float, float] | None = None
    total: float | None = None

    @property
    def size(self) -> tuple[float, float] | None:
        """Parameters and tokens of the model to train."""
        if self.parameters is None or self.tokens is None:
            return None
        return self.parameters, self.tokens


def recommended(answer: Mapping[str, Any]) -> Recommended | None:
    """The verdict of a plan in JSON; None where nothing serves the demand.

    Another way that is cheaper comes first, then a student of a teacher that pays.
    Where no model can be trained without a teacher, a student comes first.
    """
    student = _student(answer)
    planned = at(answer, "plan") is not None
    if student is not None and not planned:
        return student
    way = word(answer, "cheapest")
    if way not in {None, TRAIN}:
        totals = {
            word(row, "name"): number(row, "total") for row in rows(answer, "others")
        }
        return Recommended(str(way), total=totals.get(way))
    if student is not None and at(answer, "distillation.pays"):
        return student
    if not planned:
        return None
    return Recommended(
        TRAIN,
        number(answer, "plan.parameters"),
        number(answer, "plan.tokens"),
        total=number(answer, "cost.total"),
    )


def one_verdict(one: Recommended | None, other: Recommended | None) -> bool:
    """Whether two verdicts are the same, numbers but for rounding."""
    if one is None or other is None:
        return one is other
    pairs = zip(_parts(one), _parts(other), strict=True)
    return one.what == other.what and all(alike(*pair) for pair in pairs)


def _parts(one: Recommended) -> tuple[float | None, ...]:
    return (one.parameters, one.tokens, one.total, *(one.teacher or (None, None)))


def _student(answer: Mapping[str, Any]) -> Recommended | None:
    """The cheapest student, if any reaches the loss."""
    for way in rows(answer, "distillation.ways")[:1]:
        size, data = number(way, "student.parameters"), number(way, "student.tokens")
        who = number(way, "teacher.parameters"), number(way, "teacher.tokens")
        if size is None or data is None or who[0] is None or who[1] is None:
            return None
        return Recommended(DISTIL, size, data, (who[0], who[1]), number(way, "total"))
    return None
