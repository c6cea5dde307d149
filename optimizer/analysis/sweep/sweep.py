"""A sweep: one row for each combination of what varies, each with its certificate.

A row is what `solve` says of the scenario with the row's numbers, in the columns of
`RESULTS`. A row without a plan has a status that says why and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import cast

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Array, Integers
from optimizer.algebra.program import GeometricProgram
from optimizer.analysis.plan.reach import out_of_reach
from optimizer.analysis.plan.touching import machines
from optimizer.analysis.sweep.beside import beside, further
from optimizer.analysis.sweep.rows import answers, near
from optimizer.analysis.sweep.saturated import settled
from optimizer.analysis.sweep.touched import touched
from optimizer.engine import batch
from optimizer.engine.solve import closed, cvxpy_asked
from optimizer.engine.stacking import shape, stacked
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.scenario import Scenario
from optimizer.question.vary import Also, Group, Plan, as_it_is, groups, placed
from optimizer.records import dataclass, field, replace

# What each row says, with its unit; `cost` stands for the unit of the objective.
RESULTS: Mapping[str, str] = {
    "parameters": "parameters",
    "tokens": "tokens",
    "tokens_per_parameter": "tokens per parameter",
    "overtraining_factor": "",
    "loss": "nats per token",
    "cost_training": "cost",
    "cost_inference": "cost",
    "cost_total": "cost",
    "saving": "fraction",
    "samples": "",
    "stationarity": "",
    "violation": "",
    "gap": "",
}
STATUSES = ("optimal", "infeasible", "failed", "invalid")
INVALID = STATUSES.index("invalid")
REASONS = 3  # of invalid rows that are kept
SLOW = 64  # rows of a block where more stands beside each than its plan
AHEAD = 2  # blocks in work or waiting to be read, for each worker

View = GeometricProgram | None  # None: the law puts the target out of reach


@dataclass(frozen=True, eq=False)
class Rows:
    """Some consecutive rows.

    Attributes:
        inputs: what varies, `(rows, numbers)`.
        status: index into `STATUSES`, `(rows,)`.
        results: in the order of `RESULTS`, `(rows, results)`; NaN without a plan.
        alone: how many rows cvxpy had to answer, one by one.
        problems: why rows are invalid, each reason once.
    """

    inputs: Array
    status: Integers
    results: Array
    alone: int = 0
    problems: tuple[str, ...] = ()


@dataclass
class _Work:
    """Rows while they are worked out."""

    inputs: Array
    status: Integers
    results: Array
    fast: bool
    alone: int = 0
    problems: dict[str, None] = field(default_factory=dict)


@dataclass
class Summary:
    """What is known of the rows so far; it does not grow with them.

    Attributes:
        unit: of the cost.
        counts: rows of each status.
        low: the least of each result.
        high: the greatest.
        alone: rows that were answered one by one.
        problems: reasons of invalid rows.
    """

    unit: str
    counts: Array = field(default_factory=lambda: np.zeros(len(STATUSES), dtype=int))
    low: Array = field(default_factory=lambda: np.full(len(RESULTS), np.inf))
    high: Array = field(default_factory=lambda: np.full(len(RESULTS), -np.inf))
    alone: int = 0
    problems: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: str, results: int) -> Summary:
        """Of rows that have some results."""
        return cls(unit, low=np.full(results, np.inf), high=np.full(results, -np.inf))

    def add(self, rows: Rows) -> None:
        """Takes rows in."""
        self.counts += np.bincount(rows.status, minlength=len(STATUSES))
        self.low = np.fmin(self.low, np.fmin.reduce(rows.results))
        self.high = np.fmax(self.high, np.fmax.reduce(rows.results))
        self.alone += rows.alone
        for problem in rows.problems:
            if len(self.problems) < REASONS:
                self.problems[problem] = None

    def join(self, other: Summary) -> None:
        """Takes in the summary of other rows."""
        self.counts += other.counts
        self.low = np.fmin(self.low, other.low)
        self.high = np.fmax(self.high, other.high)
        self.alone += other.alone
        for problem in other.problems:
            if len(self.problems) < REASONS:
                self.problems[problem] = None

    @property
    def done(self) -> int:
        """How many rows."""
        return int(self.counts.sum())


def compiles_first(plan: Plan) -> bool:
    """Whether a sweep is long enough to wait for a compiler, and has to."""
    if cvxpy_asked() or not batch.compiling_pays(plan.count) or batch.compiled():
        return False
    last = plan.count - 1
    return any(not _settled(plan, row) for row in {0, last // 2, last})


def _settled(plan: Plan, row: int) -> bool:
    """Whether a row needs no method that is compiled."""
    one = next(groups(plan, plan.columns(row, row + 1), _view))
    if one.question is None or one.view is None:
        return True
    (start,) = near(one.question, one.view.variables, 1)
    return closed(one.view, start) is not None


def sweep(
    plan: Plan,
    stopped: Callable[[], bool],
    workers: int | None = None,
    work: Callable[[Plan, int, int], Rows] | None = None,
) -> Iterator[Rows]:
    """Works out the rows of a sweep, block by block and in their order.

    Args:
        plan: what varies.
        stopped: asked between blocks; rows already begun are finished.
        workers: threads; one a core if None.
        work: what works out the rows from one up to another; `told` if None.
    """
    work = work or told
    workers = workers or batch.cores()
    slow = cvxpy_asked() or further(plan.scenario)
    block = SLOW if slow else batch.BLOCK  # a wish to stop is heard between blocks
    starts = iter(range(0, plan.count, block))
    waiting: deque[Future[Rows]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        while True:
            while len(waiting) < AHEAD * workers and not stopped():
                start = next(starts, None)
                if start is None:
                    break
                stop = min(start + block, plan.count)
                # A thread does not know by itself that cvxpy was asked for.
                one = copy_context().run
                waiting.append(pool.submit(one, work, plan, start, stop))
            if not waiting:
                return
            yield waiting.popleft().result()


def results_of(scenario: Scenario) -> Mapping[str, str]:
    """The columns of the rows of a scenario, with their units."""
    return {**RESULTS, **further(scenario)}


def told(plan: Plan, start: int, stop: int) -> Rows:
    """The rows from `start` up to `stop` with all that a scenario asks for.

    A student of a teacher and the user's own plan stand beside each plan, and where
    no plan keeps the limits too.
    """
    found, picked = _picked(plan, start, stop)
    if not further(plan.scenario):
        return found
    totals = found.results[:, list(RESULTS).index("cost_total")]
    more = beside(plan, start, totals, picked)
    more[found.status > batch.INFEASIBLE] = np.nan
    return replace(found, results=np.concatenate([found.results, more], axis=1))


def rows(plan: Plan, start: int, stop: int) -> Rows:
    """Works out the rows from `start` up to `stop`, in this thread.

    Where the scenario holds lists of choices, each row is that of its best choice.
    """
    return _picked(plan, start, stop)[0]


def _picked(plan: Plan, start: int, stop: int) -> tuple[Rows, Integers]:
    """The rows, and which combination of the lists each takes."""
    inputs = plan.columns(start, stop)
    singles = plan.scenario.singles
    parts = [single_rows(replace(plan, scenario=one), inputs) for one in singles]
    return cheapest(parts, least(plan.scenario))


def least(scenario: Scenario) -> str:
    """The result that the best choice of a row has least of."""
    return "cost_total" if scenario.spec.seeks else "loss"


def cheapest(parts: Sequence[Rows], by: str) -> tuple[Rows, Integers]:
    """Of each row the best of several, and which that is.

    Args:
        parts: the same rows, each with other choices.
        by: the result that is to be least.
    """
    if len(parts) == 1:
        return parts[0], np.zeros(len(parts[0].status), dtype=int)
    by_ = list(RESULTS).index(by)
    value = np.array([part.results[:, by_] for part in parts])
    value[np.array([part.status for part in parts]) != batch.OPTIMAL] = np.inf
    best = np.where(np.isnan(value), np.inf, value).argmin(axis=0)
    row = np.arange(len(best))
    taken = Rows(
        inputs=parts[0].inputs,
        status=np.array([part.status for part in parts])[best, row],
        results=np.array([part.results for part in parts])[best, row],
        alone=sum(part.alone for part in parts),
        problems=tuple(dict.fromkeys(p for part in parts for p in part.problems)),
    )
    return taken, best


def single_rows(plan: Plan, inputs: Array, also: Also = as_it_is) -> Rows:
    """The rows of a scenario without choices.

    Args:
        plan: the sweep.
        inputs: the values of what varies, `(rows, numbers)`.
        also: decides more of each row.
    """
    count = len(inputs)
    work = _Work(
        inputs,
        np.full(count, INVALID),
        np.full((count, len(RESULTS)), np.nan),
        batch.compiling_pays(plan.count),
    )
    with np.errstate(all="ignore"):
        together: dict[Hashable, list[Group[View]]] = {}
        for group in groups(plan, inputs, _view, also):
            if group.question is None:
                work.problems[group.problem] = None
            elif group.view is None:
                work.status[group.rows] = batch.INFEASIBLE
            else:
                mixed = () if group.question is None else machines(group.question)
                key = shape(group.view), tuple(mixed)
                together.setdefault(key, []).append(group)

        def alone(row: int) -> Scenario:
            rows = np.array([row])
            return also(placed(plan, inputs, rows), rows)

        for alike in together.values():
            _together(work, alike, alone)
    return Rows(inputs, work.status, work.results, work.alone, tuple(work.problems))


def _view(scenario: Scenario, question: Question) -> View:
    return None if out_of_reach(scenario, question) else question.program


def _together(
    work: _Work, alike: Sequence[Group[View]], alone: Callable[[int], Scenario]
) -> None:
    """Solves groups whose programs have one shape as one batch.

    Args:
        work: to put the rows in.
        alike: the groups.
        alone: the scenario of a row.
    """
    sizes = [len(group.rows) for group in alike]
    programs = [group.view for group in alike if group.view is not None]
    program = stacked(programs, sizes)
    starts = [
        near(group.question, program.variables, size)
        for group, size in zip(alike, sizes, strict=True)
        if group.question is not None
    ]
    origins = np.concatenate(starts)
    solved = batch.solve_block(program, sum(sizes), origins, fast=work.fast)
    work.alone += solved.alone
    asked = [group.question for group in alike if group.question is not None]
    if machines(asked[0]):
        places = np.concatenate([group.rows for group in alike]).tolist()
        asked = touched(asked, sizes, solved, origins, lambda row: alone(places[row]))
    first = 0
    for group, found, size, start in zip(alike, asked, sizes, starts, strict=True):
        question = found
        mine = settled(question, solved, slice(first, first + size), start)
        point = dict(zip(program.variables, mine.z.T, strict=True))
        proof = (mine.stationarity, mine.violation, mine.gap)
        if question.between is not None:
            # What is said of a plan is of models that draw as many samples.
            question = question.drawing(cast("float", Many(np.exp(point[SAMPLES]))))
        said = answers(question, point, size)
        ended = mine.ended.copy()
        if question.fitted is not None:
            for row in np.flatnonzero(ended == batch.OPTIMAL):
                why = question.fitted.beyond(float(said[0][row]), float(said[1][row]))
                if why:
                    ended[row] = INVALID
                    work.problems[why] = None
                    for column in (*said, *proof):
                        column[row] = np.nan
        work.status[group.rows] = ended
        work.results[group.rows] = np.stack([*said, *proof], axis=1)
        first += size
