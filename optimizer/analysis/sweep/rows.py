"""What a plan says of itself, for many plans at once: loss, costs, saving.

The same sums as `bills` and `optimum` make for one, on arrays of one number a row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from optimizer.algebra.batch_value import Many
from optimizer.algebra.posynomial import Array, Term, build, merge
from optimizer.algebra.program import GeometricProgram
from optimizer.analysis.plan.extremes import bounds
from optimizer.analysis.sweep.saturated import enter
from optimizer.engine import batch
from optimizer.question.asked import SAMPLES, Question
from optimizer.world.roofline import Replica
from optimizer.world.summed import Pairs, Sum, within
from optimizer.world.surface import Surface

Point = Mapping[str, Array]


def near(question: Question, variables: tuple[str, ...], size: int) -> Array:
    """Ln of a point of reasonable size for each row, `(rows, variables)`."""
    point = {"N": np.full(size, 1e9), "D": np.full(size, 2e10)}
    if question.reducible is not None:
        N, D = question.surface.training_optimal(question.reducible)
        point = {"N": _column(N, size), "D": _column(D, size)}
    point = _completed(question, point)
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
    chosen |= {name: _column(value, size) for name, value in question.fixed.items()}
    for limit in question.limits:
        if limit.name in BOUNDED:
            name, bound = BOUNDED[limit.name], _column(limit.bound, size)
            near = np.abs(chosen[name] / bound - 1) <= ON_BOUND
            chosen[name] = np.where(near, bound, chosen[name])
    point = _completed(question, {"N": chosen["N"], "D": chosen["D"]})
    N, D = point["N"], point["D"]
    surface = _rowwise(question.surface, size)
    reached = _reached(question, point)
    s = reached if question.reducible is None else _column(question.reducible, size)
    if question.closed:
        best = dict(zip(("N", "D"), surface.training_optimal(s), strict=True))
    else:
        best = _training_optimal(question, s)
    attention = np.asarray(question.attention, dtype=float)
    costs = _costs(question, point, size)
    base = sum(_costs(question, _completed(question, best), size).values())
    total = sum(costs.values())
    known = np.where(np.isfinite(N + logs[next(iter(logs))]), 1.0, np.nan)
    found = (
        N,
        D,
        D / N,
        D / surface.optimal_tokens(N, N / (N + attention)),
        surface.loss_of(reached),
        costs["training"],
        costs["inference"],
        total,
        1 - total / base,
        _column(math.nan if question.samples is None else question.samples, size),
    )
    return [np.asarray(answer) * known for answer in found]


def _rowwise(surface: Surface, size: int) -> Any:
    """The surface with one number a row in each of its fields, whose laws hold so too.

    A delta of 0 stays one number, which says that it is none.
    """
    names = ("E", "A", "B", "alpha", "beta", "outer")
    columns: dict[str, Any] = {n: _column(getattr(surface, n), size) for n in names}
    if surface.mixed:
        columns["delta"] = _column(surface.delta, size)
    return Surface(**columns)


def _reached(question: Question, point: Point) -> Array:
    """The reducible loss of each row, all effects included."""
    reached = np.asarray(sum(_amount(term, point) for term in question.loss))
    if question.outside:
        k = np.asarray(question.surface.outer, dtype=float)
        added = np.asarray(sum(_amount(term, point) for term in question.outside))
        reached = (reached**k + added) ** (1 / k)
    return reached


def _column(number: object, size: int) -> Array:
    return np.broadcast_to(np.asarray(number, dtype=float), size)


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


def _completed(question: Question, point: Point) -> dict[str, Array]:
    """N and D with all that follows from them, as `Question.complete` finds it.

    That is unique tokens, what repeated data are worth, and the best serving choices.
    """
    whole = dict(point)
    if question.unique is not None:
        whole["U"] = np.minimum(point["D"], np.asarray(question.unique, dtype=float))
    if question.between is not None and SAMPLES not in whole:
        middle = math.sqrt(question.between[0] * question.between[1])
        whole[SAMPLES] = np.full(point["N"].shape, middle)
    for quantity in question.quantities:
        made = np.stack([whole[name] for name in quantity.variables], axis=1)
        whole[quantity.name] = np.exp(quantity.tangent(np.log(made))[0])
    if question.outside:
        whole["u"] = np.asarray(sum(_amount(term, whole) for term in question.loss))
        whole["s"] = _reached(question, whole)
    for replica in question.replicas:
        b, t = _best(replica, point["N"])
        whole[f"step{replica.suffix}"] = t
        if replica.batch is None:
            whole[f"batch{replica.suffix}"] = b
    return whole


def _best(replica: Replica, N: Array) -> tuple[Array, Array]:
    """The least batch of least cost and its step time; see `Replica.best`."""
    compute, traffic, memory, context, coefficient = (
        np.asarray(number, dtype=float)
        for number in (
            replica.compute,
            replica.traffic,
            replica.memory,
            replica.context,
            replica.kv[0],
        )
    )
    if replica.bound is not None:
        memory = np.minimum(memory, np.asarray(replica.bound, dtype=float))
    cache = context * coefficient * N ** replica.kv[1]
    weights = np.asarray(replica.weights, dtype=float) * N
    each = 2.0 * N / compute
    if replica.sum is not None:
        return _best_sum(replica, replica.sum, N, (each, cache, weights, memory))
    slope = each - cache / traffic
    knee = np.where(slope > 0, weights / traffic / slope, np.inf)
    b = np.minimum(knee, (memory - weights) / cache)
    if replica.time_per_token is not None:
        longest = np.asarray(replica.time_per_token, dtype=float)
        b = np.minimum(b, longest / each)
        b = np.minimum(b, (longest * traffic - weights) / cache)
    b = np.maximum(b, 1.0)
    if replica.batch is not None:
        b = np.broadcast_to(np.asarray(replica.batch, dtype=float), N.shape)
    return b, np.maximum(each * b, (weights + b * cache) / traffic)


def _best_sum(
    replica: Replica, parts: Sum, N: Array, sizes: tuple[Array, Array, Array, Array]
) -> tuple[Array, Array]:
    """The same where the parts of a step add up; see `Replica.best`."""

    def at(pairs: Pairs) -> Array:
        made = [np.asarray(c, dtype=float) * N**power for c, power in pairs]
        return np.asarray(sum(made), dtype=float)

    each, cache, weights, memory = sizes
    traffic = np.asarray(replica.traffic, dtype=float)
    routed = parts.routed
    size = 0.0 if routed is None else np.asarray(routed.size, dtype=float)
    moved = size * N / traffic
    floor = np.asarray(parts.read, dtype=float) * N / traffic + at(parts.floor)
    each = each + np.asarray(parts.mean, dtype=float) * cache / traffic + at(parts.each)
    b = (memory - weights) / cache
    if replica.time_per_token is not None:
        longest = np.asarray(replica.time_per_token, dtype=float)
        slope = each + np.asarray(parts.share, dtype=float) * at(parts.token)
        b = np.minimum(b, within(longest, floor, slope, moved, routed))
    b = np.maximum(b, 1.0)
    if replica.batch is not None:
        b = np.broadcast_to(np.asarray(replica.batch, dtype=float), N.shape)
    if routed is not None:
        floor = floor + moved * np.asarray(routed.share(b), dtype=float)
    return b, floor + b * each


def _costs(question: Question, point: Point, size: int) -> dict[str, Array]:
    """The counted lifetime cost by group, `(rows,)` each."""
    sums = {name: np.zeros(size) for name in ("training", "inference", "other")}
    for line in question.bill:
        share = np.asarray(line.share, dtype=float)
        for term in line.terms.get(question.unit, ()):
            sums[line.group] = sums[line.group] + share * _amount(term, point)
    return sums


def _amount(term: Term, point: Point) -> Array:
    amount = np.asarray(term.coefficient, dtype=float)
    for name, exponent in term.exponents.items():
        power = np.asarray(exponent, dtype=float)
        plain = power.ndim == 0 and power == 1
        amount = amount * (point[name] if plain else point[name] ** power)
    return amount
