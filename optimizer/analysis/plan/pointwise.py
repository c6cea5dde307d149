"""A model with all that follows from it, for many models at once.

What `Question.complete` finds for one, on arrays of one number a model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from optimizer.algebra.posynomial import Array, Term
from optimizer.question.asked import SAMPLES, Question
from optimizer.world.roofline import Replica
from optimizer.world.summed import Pairs, Sum, within

Point = Mapping[str, Array]


def completed(question: Question, point: Point) -> dict[str, Array]:
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
        whole["u"] = np.asarray(sum(amount(term, whole) for term in question.loss))
        whole["s"] = reached(question, whole)
    for replica in question.replicas:
        b, t = best_batch(replica, point["N"])
        whole[f"step{replica.suffix}"] = t
        if replica.batch is None:
            whole[f"batch{replica.suffix}"] = b
    return whole


def best_batch(replica: Replica, N: Array) -> tuple[Array, Array]:
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


def reached(question: Question, point: Point) -> Array:
    """The reducible loss of each row, all effects included."""
    reached = np.asarray(sum(amount(term, point) for term in question.loss))
    if question.outside:
        k = np.asarray(question.surface.outer, dtype=float)
        added = np.asarray(sum(amount(term, point) for term in question.outside))
        reached = (reached**k + added) ** (1 / k)
    return reached


def amount(term: Term, point: Point) -> Array:
    """A monomial at each point."""
    found = np.asarray(term.coefficient, dtype=float)
    for name, exponent in term.exponents.items():
        power = np.asarray(exponent, dtype=float)
        plain = power.ndim == 0 and power == 1
        found = found * (point[name] if plain else point[name] ** power)
    return found


def column(number: object, size: int) -> Array:
    """One number a row, of one for all or of `Many`."""
    return np.broadcast_to(np.asarray(number, dtype=float), size)
