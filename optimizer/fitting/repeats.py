"""The law of repeated data: how much a token still teaches when it is seen again.

    D' = U + U·R*·(1 − e^(−R/R*)),  U = min(D, unique),  R = D/U − 1,

and likewise N' from the size that is compute-optimal for U. The law itself comes from
the runs that saw their data once; here are the two R*, by the same objective.

*Source*: Muennighoff et al. 2023, eq. 5 and 6, fitted in the same two steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.newton import STATIONARY, Minimum, minimise
from optimizer.fitting.objective import Array, Point, Rows
from optimizer.fitting.rise import CHI2, rise_scale
from optimizer.fitting.runs import Runs
from optimizer.records import dataclass

LOW, HIGH = np.log([0.1, 0.1]), np.log([1e4, 1e4])
STARTS = np.geomspace(0.4, 4000, 9)  # of either constant, each with each
PLACES = 3  # decimals of ln R* to which ends agree at one minimum
NAMES = ("R_D_star", "R_N_star")
BLOCK = 300
MOST = 300.0  # ln of an excess of parameters, beyond which there is none to gain


@dataclass(frozen=True, eq=False)
class Repeats:
    """The two constants of repetition.

    Attributes:
        coefficients: R_D_star and R_N_star.
        draws: on resampled runs.
        predicted: the fitted ln L of every run.
        value: of the objective.
        stationarity: the scaled gradient.
        starts: how many searches there were.
        reached: how many ended there.
        others: how many other minima were found.
        alike: those of them that the runs cannot tell from it, and by which share of
            the objective each is better (worse where it is negative).
    """

    coefficients: Mapping[str, float]
    draws: Mapping[str, Array]
    predicted: Array
    value: float
    stationarity: float
    starts: int
    reached: int
    others: int
    alike: tuple[Mapping[str, float], ...]


def fresh_offset(runs: Runs, law: Mapping[str, float]) -> float | None:
    """The median of ln measured over predicted loss of the runs on fresh data."""
    if runs.unique is None:
        return None
    fresh = runs.tokens <= runs.unique * (1 + 1e-9)
    if not fresh.any():
        return None
    N, D = runs.parameters[fresh], runs.tokens[fresh]
    terms = law["A"] * N ** -law["alpha"], law["B"] * D ** -law["beta"]
    return float(np.median(np.log(runs.loss[fresh] / (law["E"] + terms[0] + terms[1]))))


@dataclass(frozen=True, eq=False)
class _Data:
    """Laws (batch, 1) and runs (runs,) with the excess of each over fresh data."""

    law: tuple[Array, Array, Array, Array, Array]
    log_n: Array
    log_d: Array
    excess_n: Array
    excess_d: Array
    target: Array
    weight: Array

    def take(self, rows: Rows) -> _Data:
        return _Data(
            tuple(c[rows] for c in self.law),  # type: ignore[arg-type]
            self.log_n[rows],
            self.log_d,
            self.excess_n[rows],
            self.excess_d,
            self.target,
            self.weight[rows],
        )


def fit_repeats(
    runs: Runs,
    law: Mapping[str, float],
    draws: Mapping[str, Array],
    weights: Array,
    delta: float,
) -> Repeats:
    """Fits R_D* and R_N* to all runs, given the law of fresh data.

    Args:
        runs: with `unique`.
        law: the coefficients of fresh data.
        draws: theirs on resampled runs, (draws,).
        weights: of each run in each resample, (draws, runs).
        delta: of Huber's loss.

    Raises:
        InputError: there are too few runs on repeated data.
    """
    unique = runs.unique
    repeated = 0 if unique is None else int((runs.tokens > unique).sum())
    if unique is None or repeated < 3:
        message = f"{repeated} runs repeat their data; R_D_star and R_N_star need 3"
        raise InputError([Problem(Mark(runs.file), "", message)])
    grid = np.log(STARTS)
    starts = np.array([(d, n) for d in grid for n in grid])
    many = {s: np.full(2 * len(starts), value) for s, value in law.items()}
    data = _data(runs, unique, many, np.ones((2 * len(starts), runs.count)))
    # A wide δ finds the broad valley; with the narrow one each start has its own.
    width = np.repeat([1.0, delta], len(starts))
    ends = _minimised(data, np.tile(starts, (2, 1)), delta, width)
    one = data.take(np.array([0]))
    minima = _minima(ends)
    best = _cautious(minima, one, delta)
    z = ends.z[best]
    again = _data(runs, unique, draws, weights)
    near = np.full(len(weights), 0.03)
    drawn = _minimised(again, np.repeat(z[None], len(weights), 0), delta, near)
    value = float(ends.value[best])
    return Repeats(
        coefficients=_named(z),
        draws=dict(zip(NAMES, np.exp(drawn.z).T, strict=True)),
        predicted=_evaluate(one, z[None], np.array([delta]))[1][0],
        value=value,
        stationarity=float(ends.stationarity[best]),
        starts=len(ends.value),
        reached=int((np.abs(ends.z - z).max(1) < 10.0**-PLACES).sum()),
        others=len(minima.rows) - 1,
        alike=tuple(
            {**_named(ends.z[i]), "better": 1 - float(ends.value[i]) / value}
            for i in _alike(minima, one, delta)
            if i != best
        ),
    )


def _named(z: Array) -> dict[str, float]:
    return dict(zip(NAMES, map(float, np.exp(z)), strict=True))


@dataclass(frozen=True, eq=False)
class _Minima:
    """One search of each minimum, the best first."""

    ends: Minimum
    rows: tuple[int, ...]


def _minima(ends: Minimum) -> _Minima:
    order = np.argsort(ends.value, kind="stable")
    rest = [int(i) for i in order if ends.stationarity[i] <= STATIONARY]
    found: list[int] = []
    for i in rest or [int(order[0])]:
        apart = [np.abs(ends.z[i] - ends.z[j]).max() for j in found]
        if not apart or min(apart) > 10.0**-PLACES:
            found.append(i)
    return _Minima(ends, tuple(found))


def _alike(minima: _Minima, one: _Data, delta: float) -> list[int]:
    """The minima that the runs cannot tell from the best, but those at a bound."""
    ends, best = minima.ends, minima.rows[0]
    fitted = _evaluate(one, ends.z[best][None], np.array([delta]))[1][0]
    scale = rise_scale(one.target - fitted, delta)
    near = [
        i for i in minima.rows if 2 * (ends.value[i] - ends.value[best]) * scale < CHI2
    ]
    inside = [i for i in near if not ends.held[i].any()]
    return inside or [best]


def _cautious(minima: _Minima, one: _Data, delta: float) -> int:
    """Of the minima that the runs cannot tell apart that of least R_D*.

    Under it repeated data is worth least: a plan should not count on more than is
    known. The published pair of Muennighoff et al. is such a minimum of their 182
    runs: others at R_D* of 47 to 161 are better by a thousandth of the objective.
    """
    return min(_alike(minima, one, delta), key=lambda i: float(minima.ends.z[i][0]))


def _minimised(data: _Data, starts: Array, delta: float, wide: Array) -> Minimum:
    ends = []
    for first in range(0, len(starts), BLOCK):
        rows = np.arange(first, min(first + BLOCK, len(starts)))
        part = data.take(rows)

        def at(members: Rows, z: Array, width: Array, part: _Data = part) -> Point:
            return _evaluate(part.take(members), z, width)[0]

        ends.append(minimise(at, starts[rows], LOW, HIGH, delta, wide[rows]))
    fields = Minimum.__dataclass_fields__
    joined = {f: np.concatenate([getattr(e, f) for e in ends]) for f in fields}
    return Minimum(**joined)


def _data(runs: Runs, unique: Array, laws: Mapping[str, Array], weight: Array) -> _Data:
    E, A, B, alpha, beta = (laws[s][:, None] for s in ("E", "A", "B", "alpha", "beta"))
    seen = np.minimum(runs.tokens, unique)
    # ln of the size that is compute-optimal for the unique tokens; in a wild draw that
    # size itself would be 0 or beyond all numbers.
    with np.errstate(divide="ignore"):
        logs = np.log(A), np.log(B), np.log(E)
    ratio = np.log(alpha / beta) + logs[0] - logs[1]
    optimal = (ratio + beta * np.log(seen)) / alpha
    whole = np.log(runs.parameters)
    size = np.minimum(whole, optimal)
    return _Data(
        (*logs, alpha, beta),
        size,
        np.log(seen),
        np.expm1(np.minimum(whole - size, MOST)),
        runs.tokens / seen - 1,
        np.log(runs.loss),
        weight * runs.weight / runs.weight.mean(),
    )


def _gain(excess: Array, rho: Array) -> tuple[Array, Array, Array]:
    """ln(D'/U) for R and ρ = ln R*, with its first and second derivative in ρ."""
    star = np.exp(rho)
    q = excess / star
    fading = np.exp(-q)
    h = 1 - star * np.expm1(-q)
    first = star * (-np.expm1(-q) - q * fading) / h
    second = star * (-np.expm1(-q) - q * fading - q * q * fading) / h - first**2
    return np.log(h), first, second


def _evaluate(data: _Data, z: Array, delta: Array) -> tuple[Point, Array]:
    a, b, e, alpha, beta = data.law
    gain_d, d1, d2 = _gain(data.excess_d, z[:, :1])
    gain_n, n1, n2 = _gain(data.excess_n, z[:, 1:])
    terms = np.stack(
        np.broadcast_arrays(
            a - alpha * (data.log_n + gain_n), b - beta * (data.log_d + gain_d), e
        )
    )
    top = terms.max(0)
    parts = np.exp(terms - top)
    fitted = top + np.log(parts.sum(0))
    w0, w1, _ = parts / parts.sum(0)
    bound = delta[:, None]
    residual = fitted - data.target
    clipped = np.clip(residual, -bound, bound)
    flat = data.weight * (clipped == residual)
    pull = data.weight * clipped
    slope = np.stack([-beta * w1 * d1, -alpha * w0 * n1], 2)
    gradient = np.einsum("br,brk->bk", pull, slope)
    hessian = np.einsum("br,brj,brk->bjk", flat, slope, slope)
    bent_d = -beta * w1 * d2 + beta**2 * w1 * (1 - w1) * d1**2
    bent_n = -alpha * w0 * n2 + alpha**2 * w0 * (1 - w0) * n1**2
    cross = -alpha * beta * w0 * w1 * n1 * d1
    hessian[:, 0, 0] += (pull * bent_d).sum(1)
    hessian[:, 1, 1] += (pull * bent_n).sum(1)
    hessian[:, 0, 1] += (pull * cross).sum(1)
    hessian[:, 1, 0] += (pull * cross).sum(1)
    point = Point(
        value=(pull * (residual - clipped / 2)).sum(1),
        gradient=gradient,
        hessian=hessian,
        damping=np.einsum("br,brk->bk", data.weight, slope**2),
        reach=np.einsum("br,brk->bk", data.weight, np.abs(slope)),
        inside=flat.sum(1),
    )
    return point, fitted
