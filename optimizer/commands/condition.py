"""Conditions of `--fail-on`: a number of the JSON answer, or the warnings of a plan.

`cost.total > $2M` compares a number, with units as files have them; `warnings` holds
where a plan has any warning, and `outside-range` where it has that one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import suggest
from optimizer.reading.quantity import (
    BUDGET,
    COMPUTE,
    DURATION,
    ENERGY,
    FRACTION,
    NUMBER,
    PARAMETERS,
    TOKENS,
    Kind,
    read,
    shown,
)
from optimizer.records import dataclass, replace

if TYPE_CHECKING:
    from optimizer.question.portfolio import Portfolio
    from optimizer.question.scenario import Scenario

T = TypeVar("T")

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
CONDITION_HELD = 4  # the exit code where one holds
ANY = "warnings"
SAME = 1e-9  # relative; a tenth of what a certificate leaves open
FORM = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|==|!=|<|>)\s*(\S.*?)\s*")
_SUFFIXED = re.compile(r"(.*[0-9.])\s*([kKMBT])")
_SIZES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}

_CARBON = Kind(
    name="an amount of carbon",
    example="5 t",
    unit="kgCO2e",
    units={
        f"{mass}{of}": size
        for mass, size in (("g", 1e-3), ("kg", 1.0), ("t", 1e3))
        for of in ("", "CO2", "CO2e", " CO2", " CO2e")
    },
)
# What each unit of a cost is written in.
_COSTS = {"USD": BUDGET, "FLOP": COMPUTE, "kWh": ENERGY, "kgCO2e": _CARBON}
_COST = ""  # stands for the unit of the objective
# Every number of a plan that has one place, as `docs/json.md` names it, by its kind.
_PAIR = {
    "parameters": PARAMETERS,
    "tokens": TOKENS,
    **dict.fromkeys(("tokens_per_parameter", "loss"), NUMBER),
}
_BILL = dict.fromkeys(("training", "inference", "other", "total"), _COST)
_SECTIONS: Mapping[str, Mapping[str, Kind | str]] = {
    "demand": dict.fromkeys(("tokens", "counted_tokens", "effective_tokens"), TOKENS),
    "plan": _PAIR,
    "training_optimal": {**_PAIR, **{f"cost.{word}": _COST for word in _BILL}},
    "overtraining": dict.fromkeys(
        (
            *("factor", "parameters_ratio", "tokens_ratio", "cost_ratio"),
            "optimal_factor",
        ),
        NUMBER,
    ),
    "critical": {
        "floor": PARAMETERS,
        "size": PARAMETERS,
        "training_overhead": FRACTION,
    },
    "cost": _BILL,
    "amounts": _COSTS,
    "unit_cost": dict.fromkeys(("input", "output", "total", "with_training"), BUDGET),
    "training_run": {"accelerator_hours": NUMBER, "time": DURATION},
    "savings": {"amount": _COST, "fraction": FRACTION},
    "fixed": {
        **{"extra": _COST, "fraction": FRACTION},
        **{"implied_demand": TOKENS, "implied_within": FRACTION},
    },
    "own": {
        **{f"cost.{word}": _COST for word in _BILL},
        **{"extra": _COST, "fraction": FRACTION},
        **{"overtraining": NUMBER, "implied_demand": TOKENS},
        "implied_within": FRACTION,
    },
    "post_training": dict.fromkeys(
        ("share", "generation_hours", "training_hours"), NUMBER
    ),
    "parties": dict.fromkeys(("lab", "community", "social"), _COST),
    "certificate": dict.fromkeys(("stationarity", "violation", "gap"), NUMBER),
    "infeasibility": {"nearest_loss": NUMBER},
}
_KINDS: Mapping[str, Kind | str] = {
    "target_loss": NUMBER,
    **{
        f"{section}.{word}": kind
        for section, words in _SECTIONS.items()
        for word, kind in words.items()
    },
}
PATHS = tuple(_KINDS)


@dataclass(frozen=True)
class Condition:
    """`path sign number`, or a warning.

    Attributes:
        text: as it was written.
        path: keys of a plan in the JSON contract; `warnings`, or the code of one.
        sign: a comparison; empty for a warning.
        number: what to compare with, in the base unit.
        unit: of a cost, where the number names one.
    """

    text: str
    path: tuple[str, ...]
    sign: str = ""
    number: float = math.nan
    unit: str = ""

    def holds(self, plan: Mapping[str, Any]) -> bool:
        """Whether it holds of a plan; of a value that is null nothing holds."""
        if not self.sign:
            codes = [warning["code"] for warning in plan[ANY]]
            return bool(codes) if self.path == (ANY,) else self.path[0] in codes
        node: Any = plan
        for step in self.path:
            if node is None:
                return False
            node = node[step]
        if node is None:
            return False
        # A plan on a bound is the bound: rounding sets off no condition.
        same = math.isclose(node, self.number, rel_tol=SAME)
        return OPERATORS[self.sign](self.number if same else node, self.number)


def read_conditions(texts: Sequence[str]) -> list[Condition]:
    """Reads conditions such as `cost.total > $2M` and `outside-range`.

    Raises:
        InputError: every mistake in them.
    """
    return every(texts, read_condition)


def every(texts: Sequence[str], read_one: Callable[[str], T]) -> list[T]:
    """Reads conditions as they were typed.

    Args:
        texts: as typed.
        read_one: reads one, or raises a ValueError that says what is wrong with it.

    Raises:
        InputError: every mistake in them.
    """
    conditions, problems = [], []
    for text in texts:
        try:
            conditions.append(read_one(text))
        except ValueError as error:
            problems.append(Problem(Mark("--fail-on"), "", str(error)))
    if problems:
        raise InputError(problems)
    return conditions


def refuse_unlike(
    conditions: Sequence[Condition], read: Sequence[Scenario | Portfolio]
) -> None:
    """Refuses costs in another unit than the one that a scenario counts.

    Raises:
        InputError: each of them.
    """
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415 - heavy
    from optimizer.world.costs import UNITS  # noqa: PLC0415

    problems = []
    for condition in conditions:
        for one in read if condition.unit else ():
            for each in one.members if isinstance(one, Portfolio) else (one,):
                counts = UNITS[each.spec.objective]
                if counts == condition.unit:
                    continue
                message = (
                    f"{condition.text}: {each.name} counts {counts}; compare "
                    f"amounts.{condition.unit}, or choose another objective"
                )
                problems.append(Problem(Mark("--fail-on"), "", message))
    if problems:
        raise InputError(dict.fromkeys(problems))


def read_condition(text: str) -> Condition:
    """Reads one.

    Raises:
        ValueError: with what is wrong.
    """
    from optimizer.analysis.plan.warn import CODES  # noqa: PLC0415 - heavy

    match = FORM.fullmatch(text)
    word = text.strip()
    if match is None and word in (ANY, *CODES):
        return Condition(word, (word,))
    if match is None:
        raise ValueError(
            f"must be a path, one of {', '.join(OPERATORS)}, and a number, such as "
            f"'cost.total > $2M'; or {ANY}, or the code of one, such as "
            f"outside-range; got {shown(text)}{suggest(word, (ANY, *CODES))}"
        )
    path, sign, given = match.groups()
    if path not in PATHS:
        raise ValueError(
            f"there is no number {shown(path)} in an answer"
            + suggest(path, PATHS, f"there are {', '.join(PATHS)}")
        )
    number, unit = _number(given, _KINDS[path])
    return Condition(word, tuple(path.split(".")), sign, number, unit)


def _number(text: str, kind: Kind | str) -> tuple[float, str]:
    """A number in its base unit, and the unit of a cost where it names one."""
    suffixed = _SUFFIXED.fullmatch(text)
    try:
        if suffixed is None:
            return read(text, NUMBER), ""
        return read(suffixed[1], NUMBER) * _SIZES[suffixed[2]], ""
    except ValueError:
        if kind is NUMBER:
            raise
    kinds = {"": kind} if isinstance(kind, Kind) else _COSTS
    for unit, wanted in kinds.items():
        free = replace(wanted, low=-math.inf, high=math.inf, whole=False)
        try:
            return read(text, free), unit
        except ValueError as error:
            if len(kinds) == 1:
                raise error from None
    raise ValueError(
        f"must be a cost such as $2M, 1e24 FLOP or 5 GWh, got {shown(text)}"
    )
