"""Compiled by numba: a program at a point, with values, gradients and curvature."""

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
        powers: a, shape `(terms, variables)`.
        starts: first term of each posynomial, then the number of terms.
    """

    logs: Array
    powers: Array
    starts: Integers


class Point(NamedTuple):
    """Where the method stands, and what the program is there; overwritten in place.

    Attributes:
        z: ln x, shape `(variables,)`.
        weight: 1 for the objective, then λ, shape `(1 + constraints,)`.
        slack: s of each constraint; the first is idle.
        value: ln of each posynomial.
        gradient: of each, shape `(1 + constraints, variables)`.
        share: of each term in its posynomial, shape `(terms,)`.
    """

    z: Array
    weight: Array
    slack: Array
    value: Array
    gradient: Array
    share: Array


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
def room_for(n: int, m: int, terms: int) -> tuple[Point, Work]:
    """A point and working room for n variables, m constraints and some terms."""
    point = Point(
        np.empty(n),
        np.ones(m + 1),
        np.ones(m + 1),
        np.empty(m + 1),
        np.empty((m + 1, n)),
        np.empty(terms),
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
def evaluate(program: Program, point: Point) -> None:
    """Values, gradients and shares at z."""
    logs, powers, starts = program.logs, program.powers, program.starts
    z, value, gradient, share = point.z, point.value, point.gradient, point.share
    n = len(z)
    for i in range(len(value)):
        first, last = starts[i], starts[i + 1]
        if last - first == 1:
            value[i] = logs[first]
            share[first] = 1.0
            for j in range(n):
                value[i] += powers[first, j] * z[j]
                gradient[i, j] = powers[first, j]
            continue
        top = -np.inf
        for t in range(first, last):
            exponent = logs[t]
            for j in range(n):
                exponent += powers[t, j] * z[j]
            share[t] = exponent
            top = max(top, exponent)
        total = 0.0
        for t in range(first, last):
            share[t] = math.exp(share[t] - top)
            total += share[t]
        value[i] = top + math.log(total)
        for j in range(n):
            gradient[i, j] = 0.0
        for t in range(first, last):
            share[t] /= total
            for j in range(n):
                gradient[i, j] += share[t] * powers[t, j]


@compiled
def curvature(program: Program, point: Point, matrix: Array) -> None:
    """The Hessian of F + Σ λ_i G_i, on and below the diagonal of `matrix`.

    Per posynomial it is the covariance of the terms' exponents under their shares.
    """
    powers, starts = program.powers, program.starts
    gradient, share, weight = point.gradient, point.share, point.weight
    n = len(point.z)
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
                pull = mass * (powers[t, j] - gradient[i, j])
                for k in range(j + 1):
                    matrix[j, k] += pull * (powers[t, k] - gradient[i, k])
