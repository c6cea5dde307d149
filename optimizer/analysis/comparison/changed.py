"""One thing that is not as it was between two answers."""

from __future__ import annotations

from optimizer.records import dataclass


@dataclass(frozen=True)
class Changed:
    """One thing that is not as it was.

    Attributes:
        name: its place in the JSON, or of an input its path in the scenario.
        before: a number in base units, a word, or None where there was none.
        after: likewise.
        unit: of numbers; `cost` is that of the objective.
    """

    name: str
    before: float | str | None
    after: float | str | None
    unit: str = ""

    @property
    def factor(self) -> float | None:
        """After over before; None where that says nothing."""
        one, other = self.before, self.after
        if isinstance(one, str) or isinstance(other, str) or not one or other is None:
            return None
        return other / one
