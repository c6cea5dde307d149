"""What a sweep will take, told before it starts: rows, bytes and time."""

from __future__ import annotations

import time
from collections.abc import Iterable

from optimizer.analysis.sweep.sweep import results_of, told
from optimizer.engine.batch import BLOCK, FEW, cores
from optimizer.engine.solve import cvxpy_asked
from optimizer.question.scenario import Scenario
from optimizer.question.vary import Plan
from optimizer.records import dataclass

PROBED = 2 * FEW  # rows that compile what is to be compiled, from the middle
SLOW = 64  # rows that cvxpy answers to be timed
SCANNED = 8  # rows of which students are scanned to be timed
BYTES = {
    ".parquet": 8.0,
    ".csv": 19.0,
    ".json": 38.0,
    ".jsonl": 38.0,
}  # of a number, as files of rows turn out
LONG = 100_000  # rows from which on it is said beforehand what they will take
SCANS = 300  # of the students of a teacher, likewise


def lengthy(scenarios: Iterable[Scenario], rows: int) -> bool:
    """Whether so many rows of scenarios take long enough to be told beforehand."""
    taught = (one.spec.distillation for one in scenarios)
    scans = (rows * len(words.teachers) for words in taught if words is not None)
    return rows > LONG or any(count > SCANS for count in scans)


@dataclass(frozen=True)
class Forecast:
    """What a sweep will take.

    Attributes:
        rows: in all.
        bytes: of the file [B]; None where no rows are kept.
        seconds: on this machine's processors [s], to a factor of about two.
    """

    rows: int
    bytes: float | None
    seconds: float


def forecast(plan: Plan, ending: str | None) -> Forecast:
    """Times a few rows of a sweep.

    Args:
        plan: what varies.
        ending: of the file of rows, such as `.csv`; None where there is none.
    """
    alone = cvxpy_asked()  # milliseconds a row, and nothing that is done once
    taught = plan.scenario.spec.distillation is not None  # some 20 ms a row, likewise
    some = min(1 if alone or taught else PROBED, plan.count)
    first = (plan.count - some) // 2
    told(plan, first, first + some)  # what is done once is done before
    step = min(SCANNED if taught else SLOW if alone else BLOCK, plan.count)
    first = (plan.count - step) // 2
    start = time.perf_counter()
    told(plan, first, first + step)
    each = (time.perf_counter() - start) / step
    width = len(plan.numbers) + len(results_of(plan.scenario)) + 1
    size = None if ending is None else plan.count * width * BYTES.get(ending, 19.0)
    hands = 1 if alone or taught else cores()
    return Forecast(plan.count, size, each * plan.count / hands)
