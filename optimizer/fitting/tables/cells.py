"""What stands in a cell: numbers as people write them, and sizes in names of runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

LOGS = {"log10": 10.0, "ln": math.e, "log2": 2.0}
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([,.'_\u00a0\u202f ])[0-9]{3}(?:\1[0-9]{3})*")
_CERTAIN = re.compile(r"[+-]?[0-9]{1,3}([,.'_\u00a0\u202f ])[0-9]{3}(?:\1[0-9]{3})+")
_SPACED = re.compile(r"[+-]?[0-9]{1,3}(['_\u00a0\u202f ])[0-9]{3}(?:\1[0-9]{3})*")
_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+(?:e[+-]?[0-9]+)?)", re.I)
_SIZE = re.compile(
    r"(?<![a-z0-9.])(?:n|params?)?[=_-]?([0-9]+(?:\.[0-9]+)?)([kmb])(?:params?)?(?![a-z0-9])",
    re.I,
)
_TOKENS = re.compile(
    r"(?<![a-z0-9.])(?:d|tokens?|toks?)?[=_-]?([0-9]+(?:\.[0-9]+)?)([kmbt])"
    r"(?:t|tok|toks|tokens?)?(?![a-z0-9])",
    re.I,
)
_SAID = re.compile(
    r"(?<![a-z0-9.])(?:(?:d|tokens?|toks?)[=_-]?([0-9]+(?:\.[0-9]+)?)([kmbt])|"
    r"([0-9]+(?:\.[0-9]+)?)([kmbt])(?:t|[ _-]?toks?|[ _-]?tokens?))(?![a-z0-9])",
    re.I,
)
_FACTORS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def separators(values: Iterable[object]) -> str:
    """The mark between thousands in a column's numbers, where one number is certain.

    A point, where a number has a decimal comma: 0,05 or 12,5 are no thousands.
    """
    found = ""
    for value in values:
        text = value.strip() if isinstance(value, str) else ""
        if match := _CERTAIN.fullmatch(text):
            return match[1]
        if _COMMA.fullmatch(text) and not (
            _GROUPED.fullmatch(text) and text.lstrip("+-0") == text.lstrip("+-")
        ):
            found = "."
    return found


def cleaned(value: object, thousands: str) -> object:
    """A number as `read` takes it: no marks between thousands, a decimal point.

    Args:
        value: a cell.
        thousands: what `separators` found in its column.
    """
    if not isinstance(value, str):
        return value
    text = value.strip().strip("'\"")
    if thousands == ".":
        pointed = with_point(text.replace(".", "") if "," in text else text)
        if pointed != text:
            return pointed
    if thousands and _GROUPED.fullmatch(text) and thousands in text:
        return text.replace(thousands, "")
    if _SPACED.fullmatch(text):
        return re.sub(r"[^0-9+-]", "", text)
    # Names of units in lower case: 70m parameters are no thousandths.
    if re.fullmatch(r"[0-9.]+\s*m", text):
        return text[:-1] + "M"
    return text


def with_point(value: object) -> object:
    """A number with a decimal comma as one with a point; all else as it is."""
    if isinstance(value, str) and (match := _COMMA.fullmatch(value.strip())):
        return f"{match[1]}.{match[2]}"
    return value


def sized(word: str, text: str) -> float | None:
    """The parameters or the tokens that a name such as `run-70m-1.4B` tells."""
    said = _SAID.search(text)
    if word == "tokens" and said:
        number, size = (said[1], said[2]) if said[1] else (said[3], said[4])
        return float(number) * _FACTORS[size.lower()]
    rest = text[: said.start()] + " " + text[said.end() :] if said else text
    if word == "parameters":
        match = _SIZE.search(rest)
    else:
        found = list(_TOKENS.finditer(rest))
        match = found[1] if len(found) == 2 else None
    return float(match[1]) * _FACTORS[match[2].lower()] if match else None


def evaluated(expression: str, cells: Mapping[str, object]) -> object:
    """What a column, a constant, or a sum of products of these is in a row.

    Args:
        expression: such as `embedding+body` or `step*batch*2048`.
        cells: by column.
    """
    if expression in cells:
        return cells[expression]
    total = 0.0
    for term in expression.split("+"):
        product = 1.0
        for factor in term.split("*"):
            value = _factor(factor.strip(), cells)
            if value is None:
                return ""
            product *= value
        total += product
    return total


def names_in(expression: str) -> list[str]:
    """The parts of an expression that are no numbers."""
    parts = [p.strip() for term in expression.split("+") for p in term.split("*")]
    return [part for part in parts if _plain(part) is None]


def _factor(name: str, cells: Mapping[str, object]) -> float | None:
    if name in cells:
        return _plain(str(cleaned(cells[name], separators([cells[name]]))))
    return _plain(name)


def _plain(text: str) -> float | None:
    match = re.fullmatch(
        r"\s*([0-9.]+(?:[0-9_]*)(?:e[+-]?[0-9]+)?)\s*([kmbt]?)\s*", text, re.I
    )
    try:
        return float(match[1]) * _FACTORS.get(match[2].lower(), 1.0) if match else None
    except ValueError:
        return None
