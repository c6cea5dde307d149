"""Conditions of `--fail-on`: a path of the JSON contract compared with a number."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import suggest
from optimizer.reading.quantity import NUMBER, read, shown

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_FORM = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*")
_SUFFIXED = re.compile(r"(.*[0-9.])\s*([kKMBT])")
_SIZES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}

# Every number of a plan that has one place, as `docs/json.md` names it.
_PAIR = ("parameters", "tokens", "tokens_per_parameter", "loss")
_BILL = ("training", "inference", "other", "total")
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "demand": ("tokens", "counted_tokens", "effective_tokens"),
    "plan": _PAIR,
    "training_optimal": (*_PAIR, *(f"cost.{word}" for word in _BILL)),
    "overtraining": ("factor", "parameters_ratio", "tokens_ratio", "cost_ratio"),
    "critical": ("floor", "size", "training_overhead"),
    "cost": _BILL,
    "amounts": ("FLOP", "USD", "kWh", "kgCO2e"),
    "unit_cost": ("input", "output", "total", "with_training"),
    "training_run": ("accelerator_hours", "time"),
    "savings": ("amount", "fraction"),
    "fixed": ("extra", "fraction", "implied_demand"),
    "parties": ("lab", "community", "social"),
    "certificate": ("stationarity", "violation", "gap"),
    "infeasibility": ("nearest_loss",),
}
PATHS = (
    "target_loss",
    *(f"{section}.{word}" for section, words in _SECTIONS.items() for word in words),
)


@dataclass(frozen=True)
class Condition:
    """`path sign number`.

    Attributes:
        text: as it was written.
        path: keys of a plan in the JSON contract.
        sign: a comparison.
        number: what to compare with, in the base unit.
    """

    text: str
    path: tuple[str, ...]
    sign: str
    number: float

    def holds(self, plan: Mapping[str, Any]) -> bool:
        """Whether it holds of a plan; of a value that is null nothing holds."""
        node: Any = plan
        for step in self.path:
            if node is None:
                return False
            node = node[step]
        return node is not None and OPERATORS[self.sign](node, self.number)


def read_conditions(texts: tuple[str, ...]) -> list[Condition]:
    """Reads conditions such as `cost.total > 2e6`.

    Raises:
        InputError: every mistake in them.
    """
    conditions, problems = [], []
    for text in texts:
        try:
            conditions.append(_condition(text))
        except ValueError as error:
            problems.append(Problem(Mark("--fail-on"), "", str(error)))
    if problems:
        raise InputError(problems)
    return conditions


def _condition(text: str) -> Condition:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(
            f"must be a path, one of {', '.join(OPERATORS)}, and a number, such as "
            f"'cost.total > 2e6', got {shown(text)}"
        )
    path, sign, number = match.groups()
    if path not in PATHS:
        raise ValueError(
            f"there is no number {shown(path)} in an answer"
            + suggest(path, PATHS, f"there are {', '.join(PATHS)}")
        )
    return Condition(text.strip(), tuple(path.split(".")), sign, _number(number))


def _number(text: str) -> float:
    suffixed = _SUFFIXED.fullmatch(text)
    if suffixed is None:
        return read(text, NUMBER)
    return read(suffixed[1], NUMBER) * _SIZES[suffixed[2]]
