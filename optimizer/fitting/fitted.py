"""A fit and how it was asked for, as values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optimizer.fitting.downstream import ErrorFit
from optimizer.fitting.forms import Choice
from optimizer.fitting.objective import Array
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import DELTA
from optimizer.fitting.tables.table import Note
from optimizer.records import dataclass, field

Interval = tuple[float, float]


@dataclass(frozen=True)
class Settings:
    """How to fit.

    Attributes:
        choice: the form, and what is tied or fixed.
        delta: of Huber's loss, on ln L.
        starts: of Hoffmann's lattice, besides those of the projection.
        draws: resamples.
        resample: `pairs` of inputs and loss, or `residuals`.
        seed: of the resamples.
        level: of the intervals.
        apart: every row is a run of its own, whatever the residuals say.
        over: how much more a prediction above the measured loss counts than one below.
    """

    choice: Choice = field(default_factory=Choice)
    delta: float = DELTA
    starts: int = 500
    draws: int = 1000
    resample: str = "pairs"
    seed: int = 0
    level: float = 0.95
    apart: bool = False
    over: float = 1.0


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted law.

    Attributes:
        runs: what it was fitted to.
        settings: how.
        coefficients: symbol → value.
        draws: symbol → values on resampled runs, in step, (draws,).
        intervals: symbol → percentiles of its draws.
        errors: symbol → standard error by the sandwich formula, or None.
        errors_withheld: why there are none.
        covariance: the order and matrix, where a normal matches the draws.
        covariance_withheld: why there is none.
        predicted: the fitted ln L of each run.
        value: of the objective, as Hoffmann's sum over runs.
        stationarity: the scaled gradient at the fit.
        inside: how many residuals lie inside δ.
        starts: how many searches there were.
        reached: how many ended at the best minimum.
        others: how many other minima were found.
        alike: other pairs of the constants of repetition that the runs cannot tell
            from those of the fit, each with the share by which it fits better.
        unstationary: draws whose gradient did not vanish.
        at_bound: symbols that came to rest at a bound of the search.
        loose: symbols at a bound in more than one draw of twenty.
        extras: coefficients of further terms, as the repeated data's.
        extra_draws: their draws.
        error: the law of the downstream error, where the runs have one.
        groups: how many groups of rows err together; None where each stands alone.
        shared: the symbols that other groups of runs have as well, fitted as one.
        name: of the group that has this law; empty where all runs have it.
    """

    runs: Runs
    settings: Settings
    coefficients: Mapping[str, float]
    draws: Mapping[str, Array]
    intervals: Mapping[str, Interval]
    errors: Mapping[str, float] | None
    errors_withheld: str
    covariance: tuple[tuple[str, ...], Array] | None
    covariance_withheld: str
    predicted: Array
    value: float
    stationarity: float
    inside: int
    starts: int
    reached: int
    others: int
    unstationary: int
    at_bound: tuple[str, ...]
    loose: tuple[str, ...]
    extras: Mapping[str, float] = field(default_factory=dict)
    extra_draws: Mapping[str, Array] = field(default_factory=dict)
    error: ErrorFit | None = None
    alike: tuple[Mapping[str, float], ...] = ()
    groups: int | None = None
    shared: tuple[str, ...] = ()
    name: str = ""

    @property
    def own(self) -> tuple[str, ...]:
        """The symbols that these runs alone tell."""
        return tuple(s for s in self.settings.choice.free if s not in self.shared)

    @property
    def residual(self) -> Array:
        """Ln of measured over fitted loss, (runs,)."""
        return np.asarray(np.log(self.runs.loss) - self.predicted)

    @property
    def scale(self) -> float:
        """The scatter of ln L: 1.4826 of the residuals' median size, as if normal.

        The k smallest are left out: k coefficients pass through about k of the runs.
        """
        free = len(self.settings.choice.free)
        sizes = np.sort(np.abs(self.residual))
        return float(1.4826 * np.median(sizes[min(free, len(sizes) // 2) :]))

    @property
    def notes(self) -> tuple[Note, ...]:
        """Whatever was odd about the runs."""
        return self.runs.notes
