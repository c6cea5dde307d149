"""Charts of uncertainty and of fits, by name; each None where it has nothing to show.

They stand apart from those of `chart_of` because their numbers are asked for alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.analysis.plan.own_unit import said
from optimizer.report.charts import uncertainty_words as chancetext
from optimizer.report.formats.elements import Chart

if TYPE_CHECKING:
    from optimizer.analysis.frontier.band import Banded
    from optimizer.analysis.law.judgement import Judged
    from optimizer.analysis.uncertainty.uncertainty import Uncertainty

CHANCES = {
    "frontier": "Loss against lifetime cost",
    "uncertainty": "The best size, drawn many times",
}
FITS = {
    "residuals": "Residuals",
    "profiles": "Profile likelihood",
    "isoflop": "Loss over size at one compute",
    "holdout": "The largest runs, predicted",
}


def frontier_of(figure: Banded | None) -> Chart | None:
    """The frontier of loss against lifetime cost, with its band."""
    if figure is None:
        return None
    unit = figure.frontier.loss_unit
    words = said(chancetext.frontier(figure), unit)
    return Chart("frontier", CHANCES["frontier"], words, figure, unit)


def uncertainty_of(figure: Uncertainty | None) -> Chart | None:
    """The distribution of N."""
    if figure is None:
        return None
    words = chancetext.uncertainty(figure)
    return Chart("uncertainty", CHANCES["uncertainty"], words, figure)


def fit_charts(judged: Judged) -> Iterator[Chart]:
    """The pictures of a fit, those that have something to show."""
    yield Chart("residuals", FITS["residuals"], chancetext.residuals(judged), judged)
    if judged.profiles:
        words = chancetext.profiles(judged.profiles)
        yield Chart("profiles", FITS["profiles"], words, judged)
    if judged.iso_flops:
        from optimizer.analysis.law.isocurves import iso_curves  # noqa: PLC0415 - fits only

        curves = iso_curves(judged.fit, judged.iso_flops)
        yield Chart("isoflop", FITS["isoflop"], chancetext.isoflop(curves), curves)
    held = judged.hold_out
    if held is not None and held.predicted:
        words = chancetext.holdout((held, judged))
        yield Chart("holdout", FITS["holdout"], words, (held, judged))
