"""Rules for runs to leave out of a fit, such as `tokens_per_parameter > 500`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.quantity import NUMBER, PARAMETERS, TOKENS, read
from optimizer.records import dataclass

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_FORM = re.compile(r"\s*(.+?)\s*(<=|>=|==|!=|<|>|=)\s*(\S.*?)\s*")
OURS = (
    *("parameters", "tokens", "loss", "unique_tokens", "error", "weight"),
    *("tokens_per_parameter", "compute", "epochs", "line"),
)


@dataclass(frozen=True)
class Rule:
    """`name sign value`: a run of which it holds is left out.

    Attributes:
        text: as it was written.
        name: one of `OURS`, or a column of the file.
        sign: a comparison.
        value: a number, or a text to compare a column with.
    """

    text: str
    name: str
    sign: str
    value: float | str

    def holds(self, row: Mapping[str, float], cells: Mapping[str, object]) -> bool:
        """Whether it holds of a run.

        Args:
            row: our words → numbers.
            cells: the columns of the file → what they hold.

        Raises:
            InputError: neither has such a name.
        """
        ratio = row["tokens"] / row["parameters"]
        ours = {
            **row,
            "tokens_per_parameter": ratio,
            "compute": 6 * row["parameters"] * row["tokens"],
            "epochs": row["tokens"] / row.get("unique_tokens", row["tokens"]),
        }
        compare = OPERATORS[self.sign]
        if self.name in ours and not isinstance(self.value, str):
            return compare(ours[self.name], self.value)
        if self.name not in cells:
            known = ", ".join([*(w for w in OURS if w in ours), *cells])
            raise _failed(self.text, f'no run has a "{self.name}"; they have {known}')
        cell = cells[self.name]
        try:
            number, value = float(str(cell)), float(self.value)
        except ValueError:
            equal = str(cell).strip() == str(self.value).strip("\"'")
            return (
                equal if self.sign in ("=", "==") else self.sign == "!=" and not equal
            )
        return compare(number, value)


def read_rules(texts: tuple[str, ...]) -> tuple[Rule, ...]:
    """Reads rules such as `loss > 4` and `family = gpt`.

    Raises:
        InputError: one is malformed.
    """
    rules = []
    for text in texts:
        match = _FORM.fullmatch(text)
        if match is None:
            raise _failed(text, 'is not a rule such as "tokens_per_parameter > 500"')
        name, sign, value = match.groups()
        kind = {"parameters": PARAMETERS, "tokens": TOKENS, "unique_tokens": TOKENS}
        try:
            number: float | str = read(value, kind.get(name, NUMBER))
        except ValueError as error:
            if name in OURS:
                raise _failed(text, f"{name} {error}") from None
            number = value
        if isinstance(number, str) and sign not in ("=", "==", "!="):
            raise _failed(text, f"{value} is text, which only = and != compare")
        rules.append(Rule(text, name, sign, number))
    return tuple(rules)


def _failed(text: str, message: str) -> InputError:
    return InputError([Problem(Mark(f"--exclude {text}"), "", message)])
