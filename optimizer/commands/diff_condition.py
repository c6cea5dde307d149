"""Conditions of `diff --fail-on`: on how far a number moved, or what is new."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optimizer.commands.condition import ANY, FORM, OPERATORS, every
from optimizer.reading.document import suggest
from optimizer.reading.quantity import FRACTION, read, shown
from optimizer.records import dataclass, replace

if TYPE_CHECKING:
    from optimizer.analysis.comparison.answer_diff import PlanDiff

CHANGED, MOVED = "changed", "moved"
SAME = 1e-9  # of a part; rounding sets off no condition
_PART = replace(FRACTION, name="a part", example="5 %", low=-math.inf, high=math.inf)


@dataclass(frozen=True)
class Condition:
    """`path sign part`, `changed`, or a warning.

    Attributes:
        text: as it was written.
        path: a number of a plan, `moved`, `changed`, `warnings` or the code of one.
        sign: a comparison; empty where the path says all.
        part: to compare with, as a fraction of what was.
    """

    text: str
    path: str
    sign: str = ""
    part: float = math.nan

    def holds(self, plan: PlanDiff) -> bool:
        """Whether it holds; of a number that was not there before nothing does."""
        if self.path == CHANGED:
            return not plan.same
        if not self.sign:
            return bool(plan.warned) if self.path == ANY else self.path in plan.warned
        change = plan.moved if self.path == MOVED else plan.change(self.path)
        if change is None:
            return False
        same = abs(change - self.part) <= SAME
        return OPERATORS[self.sign](self.part if same else change, self.part)


def read_conditions(texts: Sequence[str]) -> list[Condition]:
    """Reads conditions such as `cost.total > 5 %` and `changed`.

    Raises:
        InputError: every mistake in them.
    """
    return every(texts, _condition)


def _condition(text: str) -> Condition:
    from optimizer.analysis.comparison.answer_diff import NUMBERS  # noqa: PLC0415 - heavy
    from optimizer.analysis.plan.warn import CODES  # noqa: PLC0415

    word, match = text.strip(), FORM.fullmatch(text)
    words = (CHANGED, ANY, *CODES)
    if match is None and word in words:
        return Condition(word, word)
    if match is None:
        raise ValueError(
            f"must be {CHANGED}; {MOVED} or the name of a number, one of "
            f"{', '.join(OPERATORS)}, and a part, such as 'cost.total > 5 %'; or "
            f"{ANY}, or the code of one, such as outside-range; got {shown(text)}"
            f"{suggest(word, (*words, MOVED))}"
        )
    path, sign, given = match.groups()
    known = (MOVED, *(name for name, _ in NUMBERS))
    if path not in known:
        raise ValueError(
            f"no change of {shown(path)} is told"
            + suggest(path, known, f"there are {', '.join(known)}")
        )
    return Condition(word, path, sign, read(given, _PART))
