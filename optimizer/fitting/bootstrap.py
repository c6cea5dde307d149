"""How far a fit may be trusted: resamples, intervals, and when a covariance will do."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np

from optimizer.fitting.objective import Array, Problem
from optimizer.fitting.runs import Runs

Generator = np.random.Generator
PAIRS = 3  # runs for each coefficient that resampling pairs needs
FAITHFUL = 0.25  # of a standard deviation: how far a normal may miss the draws
LEVELS = (0.025, 0.16, 0.5, 0.84, 0.975)
NORMAL = (-1.959964, -0.994458, 0.0, 0.994458, 1.959964)


def counts(runs: Runs, draws: int, generator: Generator) -> Array:
    """How often each run stands in a resample of pairs, (draws, runs).

    Runs on repeated data and runs on fresh data are drawn apart.
    """
    repeated = np.zeros(runs.count, bool)
    if runs.unique is not None:
        repeated = runs.tokens > runs.unique
    found = np.zeros((draws, runs.count))
    for group in (repeated, ~repeated):
        size = int(group.sum())
        if size:
            shares = np.full(size, 1 / size)
            found[:, group] = generator.multinomial(size, shares, draws)
    return found


def resampled(
    problem: Problem, fitted: Array, draws: int, generator: Generator
) -> Array:
    """The fitted losses with resampled residuals, (draws, runs), as logarithms.

    A fit of k coefficients passes through about k of the runs, whose residuals say
    nothing of the scatter: the k smallest (at most half) are left out, the rest
    widened by √(n/(n − k)).
    """
    residual = problem.target - fitted
    count, free = len(residual), problem.free
    telling = residual[np.argsort(np.abs(residual))[min(free, count // 2) :]]
    wider = math.sqrt(count / max(count - free, 1))
    drawn = generator.integers(0, len(telling), (draws, count))
    return np.asarray(fitted + wider * telling[drawn])


def interval(values: Array, level: float) -> tuple[float, float]:
    """The percentiles that leave out (1 − level)/2 on either side."""
    tail = 50 * (1 - level)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def logs(draws: Mapping[str, Array], fixed: Collection[str]) -> dict[str, Array]:
    """The draws as a covariance has them: sizes as logarithms, E of 0 as it is."""
    found = {}
    for symbol, values in draws.items():
        if symbol in fixed:
            continue
        if symbol in ("A", "B", "G", "E", "Nc", "Dc") and (values > 0).all():
            found[f"ln_{symbol}"] = np.log(values)
        else:
            found[symbol] = values
    return found


def unfaithful(named: Mapping[str, Array]) -> str:
    """Why a normal distribution does not match the draws; empty where it does."""
    for name, values in named.items():
        spread = float(values.std())
        if spread == 0:
            continue
        expected = values.mean() + spread * np.array(NORMAL)
        off = np.abs(np.quantile(values, LEVELS) - expected).max() / spread
        if off > FAITHFUL:
            return f"the draws of {name} are {off:.2f} standard deviations off a normal"
    return ""
