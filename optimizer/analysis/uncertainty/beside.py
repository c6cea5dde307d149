"""What stands beside the plan of each draw: the user's own plan, and a student."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from optimizer.algebra.batch_value import Mask
from optimizer.algebra.posynomial import Array
from optimizer.analysis.sweep.beside import further
from optimizer.question.scenario import Scenario
from optimizer.records import dataclass

PERCENTS = (5, 50, 95)
UNSAID = ("teacher", "student_gap", "own_breaks", "own_loss")  # of a row, not of draws


@dataclass(frozen=True)
class Interval:
    """The 5th, 50th and 95th percentile of the draws that have a plan."""

    p5: float
    p50: float
    p95: float


@dataclass(frozen=True)
class Beside:
    """The draws of what stands beside each plan.

    Attributes:
        intervals: of costs and sizes, by the names of a sweep's columns.
        pays: the part of the draws in which the best teacher pays; None without one.
        fails: the part in which the user's own plan breaks a limit or misses the
            target; None without one.
    """

    intervals: Mapping[str, Interval]
    pays: float | None
    fails: float | None


def intervals(
    results: Mapping[str, Array], words: Iterable[str], known: Mask
) -> dict[str, Interval]:
    """Of some columns; those of which no draw has a number are not.

    Args:
        results: by the names of columns, `(draws,)` each.
        words: the columns.
        known: the draws that have a plan.
    """
    found = {}
    for word in words:
        column = results[word][known]
        numbers = column[np.isfinite(column)]
        if numbers.size:
            found[word] = Interval(*np.percentile(numbers, PERCENTS).tolist())
    return found


def beside(
    scenario: Scenario, results: Mapping[str, Array], known: Mask
) -> Beside | None:
    """Of draws with a plan; None where there is none, or nothing stands beside it.

    Args:
        scenario: whose rows they are.
        results: by the names of columns, `(draws,)` each.
        known: the draws that have a plan.
    """
    words = further(scenario)
    if not words or not known.any():
        return None
    pays = fails = None
    if "student_ratio" in words:
        pays = float((results["student_ratio"][known] < 1).mean())
    if "own_breaks" in words:
        fails = float((results["own_breaks"][known] > 0).mean())
    said = [word for word in words if word not in UNSAID]
    return Beside(intervals(results, said, known), pays, fails)
