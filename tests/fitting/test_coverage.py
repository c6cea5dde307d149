"""Intervals hold the truth as often as they say, on runs that tell the law.

A stated rate of 90 % in 60 trials: fewer than 48 or more than 60 hits has a chance of
about 1 % under the binomial law, for each of the five coefficients.
"""

import pytest

from optimizer.fitting.fit import Settings, fit
from optimizer.fitting.forms import Choice
from optimizer.world.laws import load_law

TRIALS, LEVEL = 60, 0.9
LEAST = 48  # the binomial's 0.5 % quantile, rounded down


@pytest.mark.parametrize("resample", ["pairs", "residuals"])
def test_intervals_cover(made, resample):
    law = load_law("besiroglu-2024-refit")
    hits = dict.fromkeys(law.coefficients, 0)
    for trial in range(TRIALS):
        runs = made.runs(law.surface().loss, *made.grid(6, 6), 0.005, seed=trial)
        settings = Settings(
            Choice(), starts=0, draws=150, resample=resample, seed=trial, level=LEVEL
        )
        found = fit(runs, settings)
        for symbol, value in law.coefficients.items():
            low, high = found.intervals[symbol]
            hits[symbol] += low <= value <= high
    assert min(hits.values()) >= LEAST, hits
    assert sum(hits.values()) < 5 * TRIALS, hits  # no interval that holds everything
