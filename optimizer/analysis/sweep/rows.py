"""What a plan says of itself, for many plans at once: loss, costs, saving.

The same sums as `bills` and `optimum` make for one, on arrays of one number a row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Array, build, merge
from optimizer.algebra.program import GeometricProgram
from optimizer.analysis.plan.extremes import bounds
from optimizer.analysis.plan.pointwise import (
    Point,
    amount,
    column,
    completed,
    reached,
)
from optimizer.analysis.sweep.saturated import enter
from optimizer.engine import batch
from optimizer.question.asked import Question
from optimizer.world.surface import Surface


def near(question: Question, variables: tuple[str, ...], size: int) -> Array:
    """Ln of a point of reasonable size for each row, `(rows, variables)`."""
    point = {"N": np.full(size, 1e9), "D": np.full(size, 2e10)}
    if question.reducible is not None:
        N, D = question.surface.training_optimal(question.reducible)
        point = {"N": column(N, size), "D": column(D, size)}
    point = completed(question, point)
    ones = np.ones(size)
    return np.log(np.stack([point.get(name, ones) for name in variables], axis=1))


# Limits of one variable, whose bound a plan on it has to the last digit.
BOUNDED = {"limits.parameters": "N", "limits.tokens": "D"}
ON_BOUND = 1e-9


def answers(question: Question, logs: Point, size: int) -> list[Array]:
    """From parameters to samples, in the order of `sweep.RESULTS`.

    Args:
        question: with `Many` where rows differ.
        logs: ln of what was chosen, by variable; NaN in rows without a plan.
        size: how many rows.
    """
    chosen = {name: np.exp(column) for name, column in logs.items()}
    chosen |= {name: column(value, size) for name, value in question.fixed.items()}
    for limit in question.limits:
        if limit.name in BOUNDED:
            name, bound = BOUNDED[limit.name], column(limit.bound, size)
            near = np.abs(chosen[name] / bound - 1) <= ON_BOUND
            chosen[name] = np.where(near, bound, chosen[name])
    point = completed(question, {"N": chosen["N"], "D": chosen["D"]})
    N, D = point["N"], point["D"]
    surface = _rowwise(question.surface, size)
    got = reached(question, point)
    best = training_optimal(question, point, size)
    attention = np.asarray(question.attention, dtype=float)
    costs = _costs(question, point, size)
    base = sum(_costs(question, completed(question, best), size).values())
    total = sum(costs.values())
    known = np.where(np.isfinite(N + logs[next(iter(logs))]), 1.0, np.nan)
    found = (
        N,
        D,
        D / N,
        D / surface.optimal_tokens(N, N / (N + attention)),
        surface.loss_of(got),
        costs["training"],
        costs["inference"],
        total,
        1 - total / base,
        column(math.nan if question.samples is None else question.samples, size),
    )
    return [np.asarray(answer) * known for answer in found]


def training_optimal(question: Question, point: Point, size: int) -> dict[str, Array]:
    """N and D of least training compute for the loss of each row.

    Args:
        question: with `Many` where rows differ.
        point: N, D and all that follows from them; NaN in rows without a plan.
        size: how many rows.
    """
    s = reached(question, point)
    if question.reducible is not None:
        s = column(question.reducible, size)
    if not question.closed:
        return _training_optimal(question, s)
    surface = _rowwise(question.surface, size)
    return dict(zip(("N", "D"), surface.training_optimal(s), strict=True))


def _rowwise(surface: Surface, size: int) -> Any:
    """The surface with one number a row in each of its fields, whose laws hold so too.

    A delta of 0 stays one number, which says that it is none.
    """
    names = ("E", "A", "B", "alpha", "beta", "outer")
    columns: dict[str, Any] = {n: column(getattr(surface, n), size) for n in names}
    if surface.mixed:
        columns["delta"] = column(surface.delta, size)
    return Surface(**columns)


def _training_optimal(question: Question, s: Array) -> dict[str, Array]:
    """The least training compute for a reducible loss, where that is no formula."""
    known = np.isfinite(s)
    compute = build(question.core, merge(question.training))

    def easier(slack: float) -> GeometricProgram:
        target: Any = Many(np.where(known, s, 1.0) * (1 + slack))
        return GeometricProgram(compute, bounds(question, target))

    start = near(question, question.core, len(s))
    solved = batch.solve_block(easier(0.0), len(s), start)
    failed = np.flatnonzero(known & (solved.ended == batch.FAILED))
    z = enter(easier, failed, solved, start).z
    return {"N": np.exp(z[:, 0]), "D": np.exp(z[:, 1])}


def _costs(question: Question, point: Point, size: int) -> dict[str, Array]:
    """The counted lifetime cost by group, `(rows,)` each."""
    sums = {name: np.zeros(size) for name in ("training", "inference", "other")}
    for line in question.bill:
        share = np.asarray(line.share, dtype=float)
        for term in line.terms.get(question.unit, ()):
            sums[line.group] = sums[line.group] + share * amount(term, point)
    return sums
