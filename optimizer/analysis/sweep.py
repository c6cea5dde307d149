"""A sweep: one row for each combination of what varies, each with its certificate.

A row is what `solve` says of the scenario with the row's numbers, in the columns of
`RESULTS`. A row without a plan has a status that says why and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from optimizer.analysis.optimum import solve
from optimizer.analysis.reach import unreachable
from optimizer.engine import batch
from optimizer.errors import Defect
from optimizer.formulate import Question
from optimizer.posynomial import Array, Integers, Term
from optimizer.program import GeometricProgram, Status
from optimizer.scenario import Scenario
from optimizer.vary import Group, Plan, groups, member

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
    "stationarity": "",
    "violation": "",
    "gap": "",
}
STATUSES = ("optimal", "infeasible", "failed", "invalid")
INVALID = STATUSES.index("invalid")
AHEAD = 2  # blocks in work or waiting to be read, for each worker

View = GeometricProgram | None  # None: the law puts the target out of reach


@dataclass(frozen=True, eq=False)
class Rows:
    """Some consecutive rows.

    Attributes:
        inputs: what varies, `(rows, numbers)`.
        status: index into `STATUSES`, `(rows,)`.
        results: in the order of `RESULTS`, `(rows, results)`; NaN without a plan.
        alone: how many rows were answered one by one.
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

    plan: Plan
    start: int
    inputs: Array
    status: Integers
    results: Array
    alone: int = 0
    problems: dict[str, None] = field(default_factory=dict)


def block_of(plan: Plan) -> int:
    """How many rows are worked out together."""
    columns = plan.columns(0, 1)
    first = next(groups(plan, columns, _view))
    quick = first.view is None or batch.swift(first.view)
    return batch.BLOCK if quick else batch.SMALL


def sweep(
    plan: Plan, stopped: Callable[[], bool], workers: int | None = None
) -> Iterator[Rows]:
    """Works out the rows of a sweep, block by block and in their order.

    Args:
        plan: what varies.
        stopped: asked between blocks; rows already begun are finished.
        workers: threads; one a core if None.
    """
    step = block_of(plan)
    workers = workers or batch.cores()
    starts = iter(range(0, plan.count, step))
    waiting: deque[Future[Rows]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        while True:
            while len(waiting) < AHEAD * workers and not stopped():
                start = next(starts, None)
                if start is None:
                    break
                stop = min(start + step, plan.count)
                waiting.append(pool.submit(rows, plan, start, stop))
            if not waiting:
                return
            yield waiting.popleft().result()


def rows(plan: Plan, start: int, stop: int) -> Rows:
    """Works out the rows from `start` up to `stop`, in this thread."""
    inputs = plan.columns(start, stop)
    count = stop - start
    work = _Work(
        plan,
        start,
        inputs,
        np.full(count, INVALID),
        np.full((count, len(RESULTS)), np.nan),
    )
    with np.errstate(all="ignore"):
        together: dict[Hashable, list[Group[View]]] = {}
        for group in groups(plan, inputs, _view):
            if group.question is None:
                work.problems[group.problem] = None
            elif group.view is None:
                work.status[group.rows] = batch.INFEASIBLE
            elif (key := batch.shape(group.view)) is not None:
                together.setdefault(key, []).append(group)
            else:
                for row in group.rows.tolist():
                    _alone(work, row)
        for alike in together.values():
            _together(work, alike)
    return Rows(inputs, work.status, work.results, work.alone, tuple(work.problems))


def _view(scenario: Scenario, question: Question) -> View:
    return None if unreachable(scenario, question) else question.program


def _together(work: _Work, alike: Sequence[Group[View]]) -> None:
    """Solves groups whose programs have one shape as one batch."""
    sizes = [len(group.rows) for group in alike]
    programs = [group.view for group in alike if group.view is not None]
    program = batch.stacked(programs, sizes)
    starts = [_start(group, program.variables) for group in alike]
    solved = batch.solve_block(program, sum(sizes), np.concatenate(starts))
    work.alone += solved.alone
    first = 0
    for group, size in zip(alike, sizes, strict=True):
        part = slice(first, first + size)
        work.status[group.rows] = solved.ended[part]
        proof = (solved.stationarity[part], solved.violation[part], solved.gap[part])
        work.results[group.rows] = np.stack(
            [*_answers(group, program.variables, solved.z[part]), *proof], axis=1
        )
        first += size


def _start(group: Group[View], variables: tuple[str, ...]) -> Array:
    """ln of a point of reasonable size for each member."""
    point: dict[str, object] = {"N": 1e9, "D": 2e10}
    question = group.question
    if question is not None and question.reducible is not None:
        N, D = question.surface.training_optimal(question.reducible)
        point = {"N": N, "D": D}
    columns = [np.asarray(point.get(name, 1.0)) for name in variables]
    size = len(group.rows)
    return np.log(
        np.stack([np.broadcast_to(column, size) for column in columns], axis=1)
    )


def _answers(group: Group[View], variables: tuple[str, ...], z: Array) -> list[Array]:
    """The columns of `RESULTS` up to the certificate; NaN where z is."""
    question = group.question
    if question is None:
        raise Defect("a member without a question has no answer")
    size = len(group.rows)

    def column(number: object) -> Array:
        return np.broadcast_to(np.asarray(number, dtype=float), size)

    point = {name: column(value) for name, value in question.fixed.items()}
    point |= dict(zip(variables, np.exp(z).T, strict=True))
    surface = question.surface
    N, D = point["N"], point["D"]
    A, B, alpha, beta, E, outer = (
        column(getattr(surface, name))
        for name in ("A", "B", "alpha", "beta", "E", "outer")
    )
    reached = A * N**-alpha + B * D**-beta
    s = reached if question.reducible is None else column(question.reducible)
    optimum = {
        "N": (A * (alpha / beta + 1) / s) ** (1 / alpha),
        "D": (B * (beta / alpha + 1) / s) ** (1 / beta),
    }
    optimal_tokens = (beta * B / (alpha * A) * N**alpha) ** (1 / beta)
    costs = _costs(question, point, size)
    base = sum(_costs(question, optimum, size).values())
    total = sum(costs.values())
    known = np.where(np.isfinite(N), 1.0, np.nan)
    return [
        np.asarray(answer) * known
        for answer in (
            N,
            D,
            D / N,
            D / optimal_tokens,
            (E + reached) ** outer,
            costs["training"],
            costs["inference"],
            total,
            1 - total / base,
        )
    ]


def _costs(
    question: Question, point: Mapping[str, Array], size: int
) -> dict[str, Array]:
    """The counted lifetime cost by group, `(members,)` each."""
    sums = {name: np.zeros(size) for name in ("training", "inference", "other")}
    for line in question.bill:
        share = np.asarray(line.share, dtype=float)
        for term in line.terms.get(question.unit, ()):
            sums[line.group] = sums[line.group] + share * _amount(term, point)
    return sums


def _amount(term: Term, point: Mapping[str, Array]) -> Array:
    amount = np.asarray(term.coefficient, dtype=float)
    for name, power in term.exponents.items():
        amount = amount * (point[name] if power == 1 else point[name] ** power)
    return amount


def _alone(work: _Work, row: int) -> None:
    """Answers one row as `solve` does."""
    work.alone += 1
    try:
        answer = solve(member(work.plan, work.start + row))
    except Defect:
        work.status[row] = batch.FAILED
        return
    if answer.status is Status.INFEASIBLE:
        work.status[row] = batch.INFEASIBLE
    plan, over, cost = answer.plan, answer.overtraining, answer.cost
    saved, proof = answer.savings, answer.certificate
    if not (plan and over and cost and saved and proof):
        return
    work.status[row] = batch.OPTIMAL
    work.results[row] = (
        plan.parameters,
        plan.tokens,
        plan.tokens_per_parameter,
        over.factor,
        plan.loss,
        cost.training,
        cost.inference,
        cost.total,
        saved.fraction,
        proof.stationarity,
        proof.violation,
        proof.gap,
    )
