"""An answer read from its JSON, of which a part may be missing or not as it was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

SAME = 1e-6  # relative; far above what a certificate leaves open, far below a change


def at(answer: Mapping[str, Any], path: str) -> Any:
    """What stands at `cost.total`; None where nothing does."""
    node: Any = answer
    for step in path.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def number(answer: Mapping[str, Any], path: str) -> float | None:
    """The number at a place; None where none is."""
    value = at(answer, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def word(answer: Mapping[str, Any], path: str) -> str | None:
    """The word at a place, of yes and no too; None where none is."""
    value = at(answer, path)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) and value else None


def rows(answer: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """The objects of a list; empty where there is none."""
    found = at(answer, path)
    if not isinstance(found, list | tuple):
        return []
    return [row for row in found if isinstance(row, Mapping)]


def valued(
    listed: Sequence[Mapping[str, Any]], name: str, value: str
) -> dict[str, float]:
    """Numbers of a list by the name that each row has."""
    found: dict[str, float] = {}
    for row in listed:
        key, amount = word(row, name), number(row, value)
        if key is not None and amount is not None:
            found.setdefault(key, amount)
    return found


def names(answer: Mapping[str, Any], path: str) -> list[str]:
    """The words of a list, in its order."""
    found = at(answer, path)
    listed = found if isinstance(found, list | tuple) else ()
    return [one for one in listed if isinstance(one, str)]


def alike(one: Any, other: Any) -> bool:
    """Whether two values are one, numbers but for rounding."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-12)
    return bool(one == other)
