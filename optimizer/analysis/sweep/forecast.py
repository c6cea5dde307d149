"""What a sweep will take, told before it starts: rows, bytes and time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence

from optimizer.analysis.sweep.beside import further
from optimizer.analysis.sweep.sweep import Rows, results_of, told
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
BESIDE = 5_000  # rows with a plan of one's own beside each, likewise
SCANS = 300  # of the students of a teacher, or rows solved one by one, likewise


def lengthy(scenarios: Sequence[Scenario], rows: int) -> bool:
    """Whether so many rows take long enough to be told beforehand.

    Args:
        scenarios: of the rows; none of a portfolio, whose rows are solved one by one.
        rows: how many.
    """
    taught = (one.spec.distillation for one in scenarios)
    scans = (rows * len(words.teachers) for words in taught if words is not None)
    slow = cvxpy_asked() or not scenarios
    beside = any(map(further, scenarios))
    long = SCANS if slow else BESIDE if beside else LONG
    return rows > long or any(count > SCANS for count in scans)


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


def forecast(
    plan: Plan, ending: str | None, kept: Callable[[Rows], object] = lambda _: None
) -> Forecast:
    """Times a few rows of a sweep.

    Args:
        plan: what varies.
        ending: of the file of rows, such as `.csv`; None where there is none.
        kept: what is done with rows that are solved, such as writing them.
    """
    slow = _timed(plan.scenario) < BLOCK  # milliseconds a row, nothing done once
    step = min(_timed(plan.scenario), plan.count)
    some = min(1 if slow else PROBED, plan.count)
    first = (plan.count - some) // 2
    kept(told(plan, first, first + some))  # what is done once is done before
    first = (plan.count - step) // 2
    start = time.perf_counter()
    found = told(plan, first, first + step)
    solved = time.perf_counter()
    kept(found)
    after = (time.perf_counter() - solved) / step
    each = (solved - start) / step
    width = len(plan.numbers) + len(results_of(plan.scenario)) + 1
    size = None if ending is None else plan.count * width * BYTES.get(ending, 19.0)
    hands = 1 if slow else cores()
    return Forecast(plan.count, size, (each / hands + after) * plan.count)


def extrapolated(
    work: Callable[[int], object], scenario: Scenario, count: int
) -> float:
    """The time that work on many draws takes [s], by that on some and on half of them.

    Args:
        work: on so many draws of the scenario.
        scenario: that is drawn.
        count: of the draws.
    """
    some = min(_timed(scenario), count)
    half = some // 2 or 1
    times = []
    for few in (half, half, some):  # what is done once is done in the first
        start = time.perf_counter()
        work(few)
        times.append(time.perf_counter() - start)
    each = max(times[2] - times[1], 0.0) / max(some - half, 1)
    return times[2] + each * (count - some)


def _timed(scenario: Scenario) -> int:
    """How many rows are enough to be timed."""
    if scenario.spec.distillation is not None:
        return SCANNED
    return SLOW if cvxpy_asked() or further(scenario) else BLOCK


def forecast_joint(blocks: Iterator[Rows], count: int, ending: str | None) -> Forecast:
    """Times the first rows of a portfolio.

    Args:
        blocks: of rows, at least two.
        count: of the rows in all.
        ending: of the file of rows, such as `.csv`; None where there is none.
    """
    first = next(blocks)  # what is done once is done in it
    start = time.perf_counter()
    more = sum(len(rows.status) for rows in itertools.islice(blocks, SCANNED))
    width = first.inputs.shape[1] + first.results.shape[1] + 1
    size = None if ending is None else count * width * BYTES.get(ending, 19.0)
    return Forecast(count, size, (time.perf_counter() - start) / more * count)
