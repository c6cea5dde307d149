"""Read and write numbers with the units of the field: `2T`, `$2.50/h`, `30 days`.

A `Kind` says what a number means; the table of them is in `kinds` and importable
from here. What is read is in the kind's base unit: tokens, FLOP, s, bytes, kWh, USD.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from decimal import Decimal

from optimizer.reading.kinds import *  # noqa: F403
from optimizer.reading.kinds import DURATION, REQUESTS, Kind
from optimizer.records import dataclass

# One door for both: whoever reads a number also names its kind.


class OutOfBoundsError(ValueError):
    """A number of the right kind that lies outside its bounds."""


@dataclass(frozen=True)
class Flow:
    """An amount in all, or an amount per period.

    Attributes:
        amount: how many.
        per: the period [s]; None where the amount is a total.
    """

    amount: float
    per: float | None = None


def read(value: object, kind: Kind) -> float:
    """Return a value in the base unit of its kind.

    Args:
        value: a number, or a text such as `2T` or `$2.50/h`.
        kind: what the number means.

    Raises:
        OutOfBoundsError: the number lies outside the kind's bounds.
        ValueError: it is no such number; the message says what is.
    """
    return _read(value, kind, value)


def read_flow(value: object, kind: Kind | None = None) -> Flow:
    """Return a total (`2B`) or an amount per period (`5M/day`).

    Args:
        value: a number, or a text that may end in `/day`, `per month` and the like.
        kind: what is counted; requests unless given.

    Raises:
        ValueError: it is neither; the message says what is.
    """
    if isinstance(value, Flow):
        return value
    kind = kind or REQUESTS
    if isinstance(value, str) and len(value) <= _LONG:
        head, slash, period = _slashed(value).rpartition("/")
        if slash:
            seconds = _factor(period, DURATION) if period else None
            if seconds is None:
                raise ValueError(f"must be {_wanted(kind)}, got {shown(value)}")
            return Flow(_read(head, kind, value), seconds)
    return Flow(read(value, kind))


def write(value: float, kind: Kind, keep: bool = False, digits: int = 3) -> str:
    """Return a number for people: three significant digits and its unit.

    Dollars below a thousand have cents (`$12.30`); at 1e15 and beyond a number with
    a suffix reads `1.2e18`. A number below zero has a true minus, which `read` takes.

    Args:
        value: in the base unit of its kind.
        kind: what it means.
        keep: zeros that a column needs to line up: `7.00B` where a sentence has `7B`.
        digits: of a number with a suffix.
    """
    if not math.isfinite(value):
        return f"{value:g}"
    size = abs(value)
    if kind.currency:
        text = f"${_dollars(size, keep)}{kind.unit}"
    elif kind.percent:
        text = f"{significant(100 * size, keep=keep)} {kind.unit}"
    elif kind.whole and size < 1e15:
        text = f"{size:.0f}"
    elif kind.suffixes:
        text = _suffixed(size, keep, digits)
    elif kind.scale:
        text = _scaled(size, kind, keep)
    else:
        text = f"{significant(size, keep=keep)} {kind.unit}".strip()
    return f"{MINUS}{text}" if value < 0 else text


def significant(value: float, digits: int = 3, keep: bool = False) -> str:
    """Return a number rounded to some significant digits.

    Below 1e-4, and from 1e6 on, it reads `2.3e-5` and `3.2e23`. The sign is a true
    minus; that of an exponent is as files have it.

    Args:
        value: any.
        digits: that count.
        keep: whether zeros at the end stay, as in a column.
    """
    whole = isinstance(value, int) and abs(value) > sys.float_info.max
    if not whole and (not math.isfinite(value) or value == 0):
        return f"{value + 0.0:g}"
    if value < 0:
        return f"{MINUS}{significant(-value, digits, keep)}"
    exact = Decimal(value) if whole else value  # beyond what a float holds
    mantissa, exponent = f"{exact:.{digits - 1}e}".split("e")
    power = int(exponent)
    if -4 <= power < 6:
        text = f"{_rounded(value, digits):.{max(digits - 1 - power, 0)}f}"
        return text if keep else _bare(text)
    return f"{mantissa if keep else _bare(mantissa)}e{power}"


def _bare(text: str) -> str:
    """Return a number without the zeros that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(value: object) -> str:
    """Return how a value of a file is quoted in messages, cut where it is long."""
    text = "something else"
    if isinstance(value, str):
        short = value if len(value) <= 60 else value[:57] + "..."
        # What cannot be seen, or would steer a terminal, is shown by its code.
        text = json.dumps(short, ensure_ascii=not short.isprintable())
    elif value is None:
        text = "nothing"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int) and abs(value) >= 10**15:
        text = f"{value:.3g}" if abs(value) < 10**300 else "a number too large"
    elif isinstance(value, (int, float)):
        text = repr(value)
    elif isinstance(value, Mapping):
        text = "a mapping"
    elif isinstance(value, (list, tuple)):
        text = "a list"
    return text


MINUS = "−"
_NUMBER = re.compile(
    rf"\s*([+{MINUS}-]?)\s*(\$|USD)?\s*([+{MINUS}-]?)"
    r"((?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"(?![0-9_.,])\s*(.*?)\s*",
    re.DOTALL,
)
FAR = 1e60  # beyond it, or as near to zero, products of numbers leave what can be
# calculated with, and no figure of this field lies there
_LONG = 100  # [characters] no number with a unit is longer
_SUFFIX = re.compile(r"([A-Za-z]+)\s*(.*)", re.DOTALL)
_SUFFIXES = {
    **{"K": 1e3, "k": 1e3, "M": 1e6, "B": 1e9, "b": 1e9, "T": 1e12, "t": 1e12},
    **{"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12},
}
_PERIODS = {"/month": 12, "/mo": 12, "/quarter": 4, "/year": 1, "/yr": 1}


def _read(value: object, kind: Kind, given: object) -> float:
    """Return what `read` returns; messages quote `given`, the whole of the text."""
    if isinstance(value, str):
        number, unit = _split(value, kind, given)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        number, unit = _finite(value, given), ""
    else:
        raise ValueError(f"must be {_wanted(kind)}, got {shown(given)}")
    if not unit and not kind.plain and number:
        hint = f"add a unit: {_some(kind)}"
        raise ValueError(f"must be {_wanted(kind)}, got {shown(given)}; {hint}")
    result = _based(number, unit, given, kind)
    _check_bounds(result, given, kind)
    return result


def _split(text: str, kind: Kind, given: object) -> tuple[float, str]:
    """Return the number, its suffix applied, and the unit after it."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONG else None
    if match is None or (match[2] and not kind.currency) or (match[1] and match[3]):
        raise ValueError(f"must be {_wanted(kind)}, got {shown(given)}")
    sign = (match[1] or match[3]).replace(MINUS, "-")
    number, unit = float(sign + match[4]), _slashed(match[5])
    suffix = _SUFFIX.fullmatch(unit)
    if kind.suffixes and suffix and _factor(unit, kind) is None:
        word = suffix[1] if len(suffix[1]) == 1 else suffix[1].lower()
        if word in _SUFFIXES:
            number, unit = number * _SUFFIXES[word], suffix[2]
    if kind.currency:
        unit = re.sub(r"^(?:\$|USD|dollars?)\s*", "", unit, flags=re.IGNORECASE)
    return _finite(number, given), unit


def _slashed(text: str) -> str:
    """Return a text with ` per ` and ` / ` written as `/`, and single spaces."""
    text = re.sub(r"\s*(?:/|(?<![A-Za-z])per(?![A-Za-z]))\s*", "/", text)
    return " ".join(text.split())


def _based(number: float, unit: str, value: object, kind: Kind) -> float:
    """Return a number in base units, a rate compounded to the year."""
    periods = 1
    if kind.yearly and "/" in unit:
        unit, _, period = unit.partition("/")
        periods = _PERIODS.get("/" + period, 0)
        unit = unit.strip()
    factor = _factor(unit, kind)
    if factor is None or not periods:
        raise ValueError(f"must be {_wanted(kind)}, got {shown(value)}")
    # 57 / 100 is 0.57 where 57 * 0.01 is not.
    result = number / 100 if unit == "%" else number * factor
    if periods > 1:
        _check_bounds(result, value, kind)
        try:
            sign = -1 if kind.falls else 1
            result = sign * ((1 + sign * result) ** periods - 1)
        except OverflowError:
            result = math.inf
    return _finite(result, value)


def _factor(unit: str, kind: Kind) -> float | None:
    """Return the size of a unit; letter case is free only for whole words."""
    if not unit:
        return 1.0
    if unit in kind.units:
        return kind.units[unit]
    for spelling, factor in kind.units.items():
        word = spelling.strip("/").partition("/")[0]
        # Gb is not GB and mW is not MW, but Tokens are tokens.
        if len(word) > 3 and spelling.lower() == unit.lower():
            return factor
    return None


def _finite(number: float, given: object) -> float:
    if isinstance(number, float) and not number > -math.inf:
        raise ValueError(f"must be a finite number, got {number}")
    try:
        result = float(number)
    except OverflowError:
        result = math.inf
    if math.isinf(result):
        raise ValueError(f"must be a number below 1e308, got {shown(given)}")
    return result


def _check_bounds(result: float, value: object, kind: Kind) -> None:
    limit = hint = ""
    if result < kind.low or (result == kind.low and not kind.low_inclusive):
        word = "at least" if kind.low_inclusive else "above"
        limit = f"{word} {_bound(kind.low, kind)}"
    elif result > kind.high:
        limit = f"at most {_bound(kind.high, kind)}"
        if kind.percent and isinstance(value, (int, float)) and value <= 100:
            hint = f"; did you mean {value} %?"
    elif kind.whole and not result.is_integer():
        limit = "a whole number"
    elif abs(result) > FAR or 0 < abs(result) < 1 / FAR:
        limit = f"0, or between {significant(1 / FAR)} and {significant(FAR)} in size"
    if limit:
        raise OutOfBoundsError(f"must be {limit}, got {shown(value)}{hint}")


def _bound(bound: float, kind: Kind) -> str:
    if kind.scale and bound:
        return write(bound, kind)
    return f"{100 * bound:g} %" if kind.percent and bound else significant(bound)


def _wanted(kind: Kind) -> str:
    if kind.plain and not (kind.unit or kind.suffixes):
        return kind.name
    return f"{kind.name} such as {kind.example}"


def _some(kind: Kind) -> str:
    return ", ".join(kind.scale or tuple(kind.units)[:3])


def _rounded(value: float, digits: int = 3) -> float:
    return float(f"{value:.{digits - 1}e}")


def _suffixed(size: float, keep: bool, digits: int = 3) -> str:
    """Return `6.97B` for 6.97e9."""
    if _rounded(size, digits) < 1e15:
        for factor, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
            # Rounding at most makes 1 of 0.95, and takes a while.
            if size < 0.9 * factor:
                continue
            if (amount := _rounded(size / factor, digits)) >= 1:
                return f"{significant(amount, digits, keep)}{letter}"
    return significant(size, digits, keep)


def _scaled(size: float, kind: Kind, keep: bool) -> str:
    """Return a number in the largest unit of which there is at least one."""
    unit = kind.scale[0] if size else kind.unit
    for larger in kind.scale:
        # Rounding first: 59.99 s is a minute, not "60 s".
        if _rounded(size / kind.units[larger]) >= 1:
            unit = larger
    digits = significant(size / kind.units[unit], keep=keep)
    one = digits in ("1", "1.00") and unit in ("days", "years")
    return f"{digits} {unit[:-1] if one else unit}"


def _dollars(size: float, keep: bool) -> str:
    if round(size, 2) >= 1000:
        return _suffixed(size, keep)
    return f"{size:.2f}" if size >= 0.1 else significant(size)
