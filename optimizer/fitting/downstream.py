"""From the loss to the error on downstream tasks: Err = ε − k·exp(−γ·L).

For a given γ the law is linear in ε and k, which least squares gives exactly
(variable projection); what is left is a search along one line.

*Source*: Gadre et al. 2024, eq. 5.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.bootstrap import interval
from optimizer.fitting.objective import Array
from optimizer.fitting.runs import Runs
from optimizer.records import dataclass

FEWEST = 5
GAMMA = (0.02, 20.0)


@dataclass(frozen=True, eq=False)
class ErrorFit:
    """A law of the downstream error.

    Attributes:
        coefficients: epsilon, k and gamma.
        draws: their values on resampled runs, in step with the loss law's.
        intervals: percentiles of the draws.
        scatter: root mean square of the residuals of the error.
        count: how many runs have an error.
        failed: resamples without a slope, whose draw is the fit itself.
    """

    coefficients: Mapping[str, float]
    draws: Mapping[str, Array]
    intervals: Mapping[str, tuple[float, float]]
    scatter: float
    count: int
    failed: int = 0


def fit_error(runs: Runs, weights: Array, level: float) -> ErrorFit:
    """Fits the error of the runs that have one.

    Args:
        runs: with `error`, NaN where a run has none.
        weights: of each run in each resample, (draws, runs).
        level: of the intervals.

    Raises:
        InputError: too few runs have an error, or it does not rise with the loss.
    """
    if runs.error is None:
        raise InputError([Problem(Mark(runs.file), "error", "no run has one")])
    known = np.isfinite(runs.error)
    count = int(known.sum())
    loss, error = runs.loss[known], runs.error[known]
    if count < FEWEST or len(np.unique(loss)) < 4:
        message = f"{count} runs have one; the error law needs {FEWEST}"
        raise InputError([Problem(Mark(runs.file), "error", message)])
    one = _fitted(loss, error, np.ones((1, count)))
    draws = _fitted(loss, error, weights[:, known])
    coefficients = {name: float(value[0]) for name, value in one.items()}
    if not coefficients["k"] > 0:
        message = "does not rise with the loss, so the loss says nothing about it"
        raise InputError([Problem(Mark(runs.file), "error", message)])
    good = (draws["k"] > 0) & np.isfinite(draws["k"])
    for name, value in draws.items():
        value[~good] = coefficients[name]
    fitted = coefficients["epsilon"] - coefficients["k"] * np.exp(
        -coefficients["gamma"] * loss
    )
    return ErrorFit(
        coefficients=coefficients,
        draws=draws,
        intervals={name: interval(value, level) for name, value in draws.items()},
        scatter=float(np.sqrt(np.mean((error - fitted) ** 2))),
        count=count,
        failed=int((~good).sum()),
    )


def _fitted(loss: Array, error: Array, weight: Array) -> dict[str, Array]:
    """ε, k and γ of least squares, (batch,): a grid of γ, then golden sections."""
    grid = np.geomspace(*GAMMA, 60)
    values = np.stack([_projected(loss, error, weight, g)[0] for g in grid], 1)
    best = values.argmin(1)
    low = grid[np.maximum(best - 1, 0)]
    high = grid[np.minimum(best + 1, len(grid) - 1)]
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        lower = (
            _projected(loss, error, weight, left)[0]
            < _projected(loss, error, weight, right)[0]
        )
        low, high = np.where(lower, low, left), np.where(lower, right, high)
    gamma = (low + high) / 2
    _, epsilon, k = _projected(loss, error, weight, gamma)
    return {"epsilon": epsilon, "k": k, "gamma": gamma}


def _projected(
    loss: Array, error: Array, weight: Array, gamma: Array
) -> tuple[Array, Array, Array]:
    """The least sum of squares for given γ, with its ε and k, each (batch,)."""
    falling = np.exp(-np.reshape(gamma, (-1, 1)) * (loss - loss.mean()))
    total = weight.sum(1)
    mean = (weight * falling).sum(1) / total
    middle = (weight * error).sum(1) / total
    apart = falling - mean[:, None]
    square = (weight * apart**2).sum(1)
    slope = (weight * apart * error).sum(1) / np.maximum(square, 1e-300)
    rest = error - middle[:, None] - slope[:, None] * apart
    value = (weight * rest**2).sum(1)
    k = -slope * np.exp(np.reshape(gamma, (-1,)) * loss.mean())
    return value, middle - slope * mean, k
