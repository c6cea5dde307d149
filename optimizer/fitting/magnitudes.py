"""Units from the numbers themselves: sizes of 70 to 6,900 are in millions.

All of a column has one unit. The units proposed are the fewest by which sizes, tokens
and their ratio are such as people train, and by which the compute is 6·N·D.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from statistics import median

UNITS: Mapping[str, Mapping[str, float]] = {
    "parameters": {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9},
    "tokens": {"": 1.0, "M": 1e6, "B": 1e9, "T": 1e12},
    "compute": {
        **{"": 1.0, "GFLOP": 1e9, "TFLOP": 1e12, "PFLOP": 1e15, "EFLOP": 1e18},
        **{"ZFLOP": 1e21, "PF-days": 8.64e19},
    },
}
SIZES = (1e4, 1e13)
TOKENS = (1e6, 1e15)
RATIOS = (0.3, 1e4)  # tokens per parameter, in the middle of a table
USUAL, SIZE = 20.0, 3e8  # of a table's tokens per parameter, and parameters
OFF = 2.5  # the factor by which compute may differ from 6·N·D


def units_of(
    rows: Sequence[Mapping[str, float]], known: Collection[str]
) -> dict[str, str]:
    """The units that would make the numbers of a table plausible.

    Args:
        rows: the numbers as they stand, by our words.
        known: words whose unit was given.

    Returns:
        our word → its unit; empty where they are plausible, or no units help.
    """
    words = [w for w in UNITS if rows and all(w in row for row in rows)]
    if len(words) < 2:
        return {}
    middle = {word: median(row[word] for row in rows) for word in words}
    best: tuple[tuple[float, float], dict[str, str]] | None = None
    choices = [[""] if word in known else list(UNITS[word]) for word in words]
    for chosen in itertools.product(*choices):
        units = dict(zip(words, chosen, strict=True))
        size = {w: middle[w] * UNITS[w][u] for w, u in units.items()}
        away = _away(size)
        if away is None:
            continue
        changed = sum(bool(unit) for unit in chosen)
        if best is None or (changed, away) < best[0]:
            best = (changed, away), units
    return {w: u for w, u in best[1].items() if u} if best else {}


def _away(size: Mapping[str, float]) -> float | None:
    """How far ratio and size lie from the usual; None for numbers of no run."""
    N, D, C = (size.get(word, 0.0) for word in ("parameters", "tokens", "compute"))
    N = N or C / 6 / D
    D = D or C / 6 / N
    if not (SIZES[0] <= N <= SIZES[1] and TOKENS[0] <= D <= TOKENS[1]):
        return None
    if not RATIOS[0] <= D / N <= RATIOS[1]:
        return None
    if C and abs(math.log(C / (6 * N * D))) > math.log(OFF):
        return None
    return abs(math.log(D / N / USUAL)) + 0.3 * abs(math.log(N / SIZE))


def other_units(
    odd: Sequence[Mapping[str, float]],
    good: int,
    there: Collection[str],
    known: Collection[str],
    command: str,
) -> str:
    """Where most numbers are in another unit: which, with the command that says so.

    Args:
        odd: rows whose numbers are implausible.
        good: how many others there are.
        there: our words for which the table has a column.
        known: those whose unit is told.
        command: what was typed.

    Returns:
        A sentence; empty where no unit makes them plausible.
    """
    if good > len(odd):
        return ""
    words = {"parameters": "parameters", "tokens": "tokens", "compute": "stated"}
    rows = [
        {
            word: row[name]
            for word, name in words.items()
            if word in there and not math.isnan(row[name])
        }
        for row in odd
    ]
    units = units_of(rows, known)
    if not units:
        return ""
    flags = " ".join(f"--unit {word}={unit}" for word, unit in units.items())
    told = " and ".join(f"{word} in {unit}" for word, unit in units.items())
    first = odd[0]
    return (
        f"the numbers of {len(odd)} runs look like {told} (the first has "
        f"{first['parameters']:g} parameters on {first['tokens']:g} tokens). If they "
        f"are: {command} {flags}"
    )
