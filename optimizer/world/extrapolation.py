"""How far off each form of law was on runs beyond those it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from optimizer.records import dataclass

Axis = Literal["tokens_per_parameter", "compute"]
ADDITIVE = "chinchilla"  # the form that everybody plans with
NAMES = {ADDITIVE: "additive", "tied": "additive, one exponent"}


@dataclass(frozen=True)
class Miss:
    """Predicted over measured loss, less 1; below 0 the form was too optimistic.

    Attributes:
        mean: over the runs held out.
        largest: the one of largest size, with its sign; None where not known.
    """

    mean: float
    largest: float | None = None


@dataclass(frozen=True)
class Extrapolation:
    """Runs held out at the far end of an axis, and what each form said of them.

    Attributes:
        by: the axis.
        fitted_to: the largest value among the runs that were fitted.
        up_to: the largest value among those held out.
        runs: how many were held out.
        forms: the form → how far it was off.
    """

    by: Axis
    fitted_to: float
    up_to: float
    runs: int
    forms: Mapping[str, Miss]


@dataclass(frozen=True)
class Record:
    """What a form did in public sets of runs, fitted to low D/N and held to high.

    Attributes:
        sets: of runs, in which it did so.
        among: so many sets.
        low: the least it was off, signed as in `Miss`.
        high: the most.
    """

    sets: int
    among: int
    low: float
    high: float


# The runs of OpenEuroLLM, Sardana et al. (2024), Gemstones, Besiroglu et al. (2024),
# Gadre et al. (2024) and others; the page "Which law should I take?" has them.
RECORDS: Mapping[str, Record] = {
    ADDITIVE: Record(11, 12, -0.007, -0.06),
    "coupled": Record(8, 12, -0.017, 0.017),
}
