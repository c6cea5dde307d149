"""Conditions of `--fail-on` for the rows of a sweep: on their numbers, or no plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.analysis.sweep.sweep import STATUSES, Rows
from optimizer.commands.condition import (
    OPERATORS,
    SAME,
    Condition,
    every,
    read_condition,
)
from optimizer.reading.document import suggest

NO_PLAN = "infeasible"
# What the JSON contract calls a number, and its column.
COLUMNS = {
    "plan.parameters": "parameters",
    "plan.tokens": "tokens",
    "plan.tokens_per_parameter": "tokens_per_parameter",
    "plan.loss": "loss",
    "overtraining.factor": "overtraining_factor",
    "cost.training": "cost_training",
    "cost.inference": "cost_inference",
    "cost.total": "cost_total",
    "savings.fraction": "saving",
    "certificate.stationarity": "stationarity",
    "certificate.violation": "violation",
    "certificate.gap": "gap",
}


class Judge:
    """Counts the rows of which a condition holds."""

    def __init__(
        self, conditions: Sequence[Condition | str], results: Mapping[str, str]
    ) -> None:
        """Takes the conditions, and the columns that they are on."""
        self._conditions = conditions
        self._names = list(results)
        self._held = [0] * len(conditions)

    def add(self, rows: Rows) -> None:
        """Takes rows in."""
        for index, one in enumerate(self._conditions):
            if isinstance(one, str):
                held = rows.status != STATUSES.index("optimal")
            else:
                column = COLUMNS[".".join(one.path)]
                held = _holds(one, rows.results[:, self._names.index(column)])
            self._held[index] += int(held.sum())

    def told(self) -> Iterator[str]:
        """What held, and of how many rows."""
        for one, held in zip(self._conditions, self._held, strict=True):
            if held:
                text = one if isinstance(one, str) else one.text
                yield f"--fail-on {text} holds for {held:,} row{'s' * (held > 1)}"


def _holds(condition: Condition, values: Any) -> Any:
    """Of which values it holds; of those that are missing nothing does."""
    compare: Any = OPERATORS[condition.sign]
    number = condition.number
    # A plan on a bound is the bound, as `Condition.holds` has it.
    same = abs(values - number) <= SAME * abs(number)
    held = (compare(values, number) & ~same) | (compare(number, number) & same)
    return held & (values == values)  # noqa: PLR0124 - not so of NaN


def read_conditions(
    texts: Sequence[str], results: Mapping[str, str], unit: str
) -> list[Condition | str]:
    """Reads conditions such as `cost.total > $2M` and `infeasible`.

    Args:
        texts: as typed.
        results: the columns that rows have.
        unit: of their costs.

    Raises:
        InputError: every mistake in them.
    """
    have = [path for path, column in COLUMNS.items() if column in results]

    def of_rows(text: str) -> Condition | str:
        if text.strip() == NO_PLAN:
            return NO_PLAN
        one = read_condition(text)
        path = ".".join(one.path)
        if path not in have:
            known = suggest(path, have, f"there are {', '.join(have)}, and {NO_PLAN}")
            raise ValueError(f'rows of a sweep have no "{path}"{known}')
        if one.unit not in ("", unit):
            raise ValueError(f"{one.text}: the rows count {unit}")
        return one

    return every(texts, of_rows)
