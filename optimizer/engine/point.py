"""Compiled by numba: a program at a point, with values, gradients and curvature.

A saturating quantity is one more variable of every posynomial, whose logarithm is a
function of the others; the chain rule puts it back to them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.engine.linear import compiled


class Shape(NamedTuple):
    """What all members share: which variables and quantities stand where.

    Most terms have one or two of them, so loops over these alone take half the time.

    Attributes:
        starts: first term of each posynomial, then the number of terms.
        used: columns that each term uses, the first `reads[t]` of a row.
        reads: how many those are.
        mine: variables that each posynomial depends on, ascending, the first
            `width[i]` of a row.
        width: how many those are.
    """

    starts: Integers
    used: Integers
    reads: Integers
    mine: Integers
    width: Integers


class Program(NamedTuple):
    """One member: the terms of the objective, then of each constraint.

    Attributes:
        shape: what it shares with the others.
        logs: ln c, shape `(terms,)`.
        powers: a, shape `(terms, variables + quantities)`.
        reach: of each quantity, shape `(quantities, 1 + variables)`; see `Saturating`.
        level: likewise.
        R: likewise, shape `(quantities,)`.
    """

    shape: Shape
    logs: Array
    powers: Array
    reach: Array
    level: Array
    R: Array


class Point(NamedTuple):
    """Where the method stands, and what the program is there; overwritten in place.

    Attributes:
        z: ln x, shape `(variables,)`.
        weight: 1 for the objective, then λ, shape `(1 + constraints,)`.
        slack: s of each constraint; the first is idle.
        value: ln of each posynomial.
        gradient: of each by variables and then by quantities, which the derivatives by
            variables contain, shape `(1 + constraints, variables + quantities)`.
        share: of each term in its posynomial, shape `(terms,)`.
        log: of variables and quantities.
        slope: of each quantity, shape `(quantities, variables)`.
        bend: its second derivative along `reach − level`.
        apart: of a term's exponents from their mean, by `mine`.
    """

    z: Array
    weight: Array
    slack: Array
    value: Array
    gradient: Array
    share: Array
    log: Array
    slope: Array
    bend: Array
    apart: Array


class Work(NamedTuple):
    """Room for linear algebra, made once and used by every member.

    Attributes:
        matrix: square, for variables and constraints together.
        right: right-hand side and solution of the same length.
        step: of z.
        slack_step: of s.
        weight_step: of λ.
        aim: what s·λ is steered to, less second-order terms.
        kept: the z and λ of the best point so far.
        active: 1 for a constraint that is taken as binding.
    """

    matrix: Array
    right: Array
    step: Array
    last: Array
    reach: Array
    slack_step: Array
    weight_step: Array
    aim: Array
    kept: Array
    active: Integers


@compiled
def shape_of(pattern: Array, links: Array, starts: Integers) -> Shape:
    """The lists of a program.

    Args:
        pattern: not 0 where a term uses a variable or quantity, as `powers`.
        links: likewise where a quantity does, shape `(quantities, variables)`.
        starts: first term of each posynomial, then the number of terms.
    """
    terms, columns = pattern.shape
    curves, n = links.shape
    used, reads = np.zeros((terms, columns), np.int64), np.zeros(terms, np.int64)
    sides = len(starts) - 1
    mine, width = np.zeros((sides, n), np.int64), np.zeros(sides, np.int64)
    for t in range(terms):
        for j in range(columns):
            if pattern[t, j] != 0.0:
                used[t, reads[t]] = j
                reads[t] += 1
    for i in range(sides):
        for j in range(n):
            found = False
            for t in range(starts[i], starts[i + 1]):
                found = found or pattern[t, j] != 0.0
                for k in range(curves):
                    linked = pattern[t, n + k] != 0.0 and links[k, j] != 0.0
                    found = found or linked
            if found:
                mine[i, width[i]] = j
                width[i] += 1
    return Shape(starts, used, reads, mine, width)


@compiled
def room_for(n: int, m: int, terms: int, curves: int) -> tuple[Point, Work]:
    """Room for n variables, m constraints, and some terms and quantities."""
    point = Point(
        np.empty(n),
        np.ones(m + 1),
        np.ones(m + 1),
        np.empty(m + 1),
        np.zeros((m + 1, n + curves)),
        np.empty(terms),
        np.empty(n + curves),
        np.empty((curves, n)),
        np.empty(curves),
        np.empty(n),
    )
    work = Work(
        np.empty((n + m, n + m)),
        np.empty(n + m),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(m + 1),
        np.empty(m + 1),
        np.empty(m + 1),
        np.empty(n + m),
        np.zeros(m + 1, np.int64),
    )
    return point, work


@compiled
def _saturate(program: Program, point: Point) -> None:
    """Each quantity at z, with its derivatives."""
    z, n = point.z, len(point.z)
    for k in range(len(program.R)):
        x, v, R = program.reach[k, 0], program.level[k, 0], program.R[k]
        for j in range(n):
            x += program.reach[k, 1 + j] * z[j]
            v += program.level[k, 1 + j] * z[j]
        value, rate, bend = x, 1.0, 0.0
        if x > v:
            ratio = math.exp(min(x - v, 300.0))
            left = math.exp(-min((ratio - 1.0) / R, 700.0))
            grown = 1.0 + R * (1.0 - left)
            value = v + math.log(grown)
            rate = ratio * left / grown
            bend = rate * (1.0 - ratio / R - rate)
        point.log[n + k] = value
        point.bend[k] = bend
        for j in range(n):
            steep, flat = program.reach[k, 1 + j], program.level[k, 1 + j]
            point.slope[k, j] = rate * steep + (1.0 - rate) * flat


@compiled
def evaluate(program: Program, point: Point) -> None:
    """Values, gradients and shares at z."""
    starts, used, reads, _, _ = program.shape
    value, gradient, share, log = point.value, point.gradient, point.share, point.log
    n, curves = len(point.z), len(program.R)
    for j in range(n):
        log[j] = point.z[j]
    _saturate(program, point)
    for i in range(len(value)):
        first, last = starts[i], starts[i + 1]
        top = -np.inf
        for t in range(first, last):
            exponent = program.logs[t]
            for u in range(reads[t]):
                exponent += program.powers[t, used[t, u]] * log[used[t, u]]
            share[t] = exponent
            top = max(top, exponent)
        total = 0.0
        for t in range(first, last):
            share[t] = math.exp(share[t] - top) if last - first > 1 else 1.0
            total += share[t]
        value[i] = top + math.log(total) if last - first > 1 else top
        for j in range(n + curves):
            gradient[i, j] = 0.0
        for t in range(first, last):
            share[t] /= total
            for u in range(reads[t]):
                gradient[i, used[t, u]] += share[t] * program.powers[t, used[t, u]]
        for k in range(curves):
            if gradient[i, n + k] != 0.0:
                for j in range(n):
                    gradient[i, j] += gradient[i, n + k] * point.slope[k, j]


@compiled
def curvature(program: Program, point: Point, matrix: Array) -> None:
    """The Hessian of F + Σ λ_i G_i, on and below the diagonal of `matrix`.

    Per posynomial it is the covariance of the terms' exponents under their shares, and
    what the quantities bend, which enter with exponents ≤ 0.
    """
    starts, _, _, mine, width = program.shape
    weight, gradient, apart = point.weight, point.gradient, point.apart
    n, curves = len(point.z), len(program.R)
    for j in range(n):
        for k in range(j + 1):
            matrix[j, k] = 0.0
    for i in range(len(weight)):
        first, last = starts[i], starts[i + 1]
        if last - first == 1 or weight[i] <= 0.0:
            continue
        for t in range(first, last):
            mass = weight[i] * point.share[t]
            for u in range(width[i]):
                power = program.powers[t, mine[i, u]]
                for c in range(curves):
                    power += program.powers[t, n + c] * point.slope[c, mine[i, u]]
                apart[u] = power - gradient[i, mine[i, u]]
                pull = mass * apart[u]
                for v in range(u + 1):
                    matrix[mine[i, u], mine[i, v]] += pull * apart[v]
    for c in range(curves):
        mass = 0.0
        for i in range(len(weight)):
            mass += max(weight[i], 0.0) * gradient[i, n + c] * point.bend[c]
        for j in range(n):
            pull = mass * (program.reach[c, 1 + j] - program.level[c, 1 + j])
            for k in range(j + 1):
                away = program.reach[c, 1 + k] - program.level[c, 1 + k]
                matrix[j, k] += pull * away
