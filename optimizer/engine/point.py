"""Compiled by numba: a program at a point, with values, gradients and curvature.

A saturating quantity is one more variable of every posynomial, whose logarithm is a
function of the others; the chain rule puts it back to them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from optimizer.engine.linear import compiled
from optimizer.posynomial import Array, Integers


class Program(NamedTuple):
    """One member: the terms of the objective, then of each constraint.

    Attributes:
        logs: ln c, shape `(terms,)`.
        powers: a, shape `(terms, variables + quantities)`.
        starts: first term of each posynomial, then the number of terms.
        reach: of each quantity, shape `(quantities, 1 + variables)`; see `Saturating`.
        level: likewise.
        R: likewise, shape `(quantities,)`.
    """

    logs: Array
    powers: Array
    starts: Integers
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
        gradient: of each, shape `(1 + constraints, variables)`.
        share: of each term in its posynomial, shape `(terms,)`.
        power: exponents of each term by the chain rule, shape `(terms, variables)`.
        quantity: ln of each.
        slope: of each, shape `(quantities, variables)`.
        bend: its second derivative along `reach − level`.
        pull: derivative of each posynomial by each quantity.
    """

    z: Array
    weight: Array
    slack: Array
    value: Array
    gradient: Array
    share: Array
    power: Array
    quantity: Array
    slope: Array
    bend: Array
    pull: Array


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
def room_for(n: int, m: int, terms: int, curves: int) -> tuple[Point, Work]:
    """Room for n variables, m constraints, and some terms and quantities."""
    point = Point(
        np.empty(n),
        np.ones(m + 1),
        np.ones(m + 1),
        np.empty(m + 1),
        np.empty((m + 1, n)),
        np.empty(terms),
        np.empty((terms, n)),
        np.empty(curves),
        np.empty((curves, n)),
        np.empty(curves),
        np.empty((m + 1, curves)),
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
    """Each quantity at z, and every term's exponents by the chain rule."""
    z, slope, n = point.z, point.slope, len(point.z)
    for k in range(len(point.quantity)):
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
        point.quantity[k] = value
        point.bend[k] = bend
        for j in range(n):
            steep, flat = program.reach[k, 1 + j], program.level[k, 1 + j]
            slope[k, j] = rate * steep + (1.0 - rate) * flat
    for t in range(len(program.logs)):
        for j in range(n):
            power = program.powers[t, j]
            for k in range(len(point.quantity)):
                power += program.powers[t, n + k] * slope[k, j]
            point.power[t, j] = power


@compiled
def evaluate(program: Program, point: Point) -> None:  # noqa: PLR0912
    """Values, gradients and shares at z."""
    logs, powers, starts = program.logs, program.powers, program.starts
    z, value, gradient, share = point.z, point.value, point.gradient, point.share
    n, curves = len(z), len(point.quantity)
    power = powers
    if curves > 0:
        _saturate(program, point)
        power = point.power
    for i in range(len(value)):
        first, last = starts[i], starts[i + 1]
        top = -np.inf
        for t in range(first, last):
            exponent = logs[t]
            for j in range(n):
                exponent += powers[t, j] * z[j]
            for k in range(curves):
                exponent += powers[t, n + k] * point.quantity[k]
            share[t] = exponent
            top = max(top, exponent)
        if last - first == 1:
            value[i] = top
            share[first] = 1.0
        else:
            total = 0.0
            for t in range(first, last):
                share[t] = math.exp(share[t] - top)
                total += share[t]
            value[i] = top + math.log(total)
            for t in range(first, last):
                share[t] /= total
        for j in range(n):
            gradient[i, j] = 0.0
        for t in range(first, last):
            for j in range(n):
                gradient[i, j] += share[t] * power[t, j]
        for k in range(curves):
            point.pull[i, k] = 0.0
            for t in range(first, last):
                point.pull[i, k] += share[t] * powers[t, n + k]


@compiled
def _bend(program: Program, point: Point, matrix: Array) -> None:
    """Adds what the quantities bend by themselves; they enter with exponents ≤ 0."""
    weight, n = point.weight, len(point.z)
    for c in range(len(point.bend)):
        mass = 0.0
        for i in range(len(weight)):
            mass += max(weight[i], 0.0) * point.pull[i, c]
        mass *= point.bend[c]
        reach, level = program.reach[c], program.level[c]
        for j in range(n):
            pull = mass * (reach[1 + j] - level[1 + j])
            for k in range(j + 1):
                matrix[j, k] += pull * (reach[1 + k] - level[1 + k])


@compiled
def curvature(program: Program, point: Point, matrix: Array) -> None:
    """The Hessian of F + Σ λ_i G_i, on and below the diagonal of `matrix`.

    Per posynomial it is the covariance of the terms' exponents under their shares, and
    what the quantities bend.
    """
    starts, n, curves = program.starts, len(point.z), len(point.quantity)
    gradient, share, weight = point.gradient, point.share, point.weight
    power = program.powers
    if curves > 0:
        power = point.power
    for j in range(n):
        for k in range(j + 1):
            matrix[j, k] = 0.0
    for i in range(len(weight)):
        first, last = starts[i], starts[i + 1]
        if last - first == 1 or weight[i] <= 0.0:
            continue
        for t in range(first, last):
            mass = weight[i] * share[t]
            for j in range(n):
                pull = mass * (power[t, j] - gradient[i, j])
                for k in range(j + 1):
                    matrix[j, k] += pull * (power[t, k] - gradient[i, k])
    if curves > 0:
        _bend(program, point, matrix)
