"""What the pictures of uncertainty and of fits show, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optimizer.analysis.plan.wording import amount, either, lifetime, nats, percent
from optimizer.reading.quantity import significant

if TYPE_CHECKING:
    from optimizer.analysis.frontier.band import Banded
    from optimizer.analysis.law.diagnostics import HoldOut
    from optimizer.analysis.law.isocurves import IsoCurve
    from optimizer.analysis.law.judgement import Judged
    from optimizer.analysis.law.profiles import Profile
    from optimizer.analysis.uncertainty.uncertainty import Uncertainty


def frontier(figure: Banded) -> str:
    """The frontier and its band in words."""
    found, band = figure.frontier, figure.band
    first, last = found.points[0], found.points[-1]
    thing = lifetime(found.unit)
    told = (
        f"The least {thing} from {nats(first.loss)}, "
        f"{amount(first.cost_total, found.unit)}, to {nats(last.loss)}, "
        f"{amount(last.cost_total, found.unit)}."
    )
    if band is None:
        return f"{told} No error of {figure.law} is drawn here, so there is no band."
    told += (
        f" The band holds 90 % of {band.draws} draws of {figure.law}, each with its "
        "own least cost at these losses"
    )
    low = None if found.own is None else band.low[found.own]
    if found.own is None or low is None:
        return f"{told}."
    high = band.high[found.own]
    upward = "upwards, for more than 5 % of the draws never reach it"
    if high is not None:
        upward = f"to {amount(high, found.unit)}"
    loss = nats(found.points[found.own].loss)
    return f"{told}: at the plan's {loss} from {amount(low, found.unit)} {upward}."


def uncertainty(figure: Uncertainty) -> str:
    """The distribution of N in words."""
    size = figure.intervals["parameters"]
    low, middle, high = (amount(v, "parameters") for v in (size.p5, size.p50, size.p95))
    told = (
        f"The best size in {len(figure.sizes)} draws that have a plan: 5 % below "
        f"{low}, half below {middle}, 5 % above {high}."
    )
    if figure.plan is not None:
        told += f" The plan has {amount(figure.plan.parameters, 'parameters')}"
        if figure.robust is not None:
            robust = amount(figure.robust.parameters, "parameters")
            sure = percent(figure.robust.probability)
            told += f", the robust plan, which is sure to {sure}, {robust}"
        told += "."
    if figure.unreachable:
        told += f" {percent(figure.unreachable)} of the draws have no plan."
    return told


def residuals(judged: Judged) -> str:
    """How far the runs lie from the law."""
    notable = [
        f"the {('lowest', 'middle', 'highest')[i % 3]} third of {_axis(trend.axis)}"
        for i, trend in enumerate(judged.trends)
        if trend.notable
    ]
    tail = "None of the thirds lies notably off."
    if notable:
        tail = f"Notably off: {either(notable, 'and')}."
    worst = max(judged.residuals, key=lambda r: abs(r.residual))
    off = percent(abs(math.expm1(worst.residual)))
    return (
        f"Measured over fitted loss of {len(judged.residuals)} runs, against size, "
        f"tokens, and tokens per parameter. The farthest, line {worst.line}, is {off} "
        f"off. {tail}"
    )


def _axis(word: str) -> str:
    return word.replace("_", " ")


def profiles(figure: Sequence[Profile]) -> str:
    """The intervals of the profile likelihood in words."""
    told = [f"{p.symbol} {_ends(p)}" for p in figure]
    return (
        "How much worse the fit gets as one coefficient is moved and the others are "
        f"fitted anew; 95 % intervals: {either(told, 'and')}."
    )


def _ends(profile: Profile) -> str:
    low = "no lower end" if profile.low is None else significant(profile.low)
    high = "no upper end" if profile.high is None else significant(profile.high)
    return f"{low} to {high}"


def isoflop(figure: Sequence[IsoCurve]) -> str:
    """Where loss is least at each compute, in words."""
    told = []
    for curve in figure:
        best = amount(curve.best[0], "parameters")
        found = "no bottom among the runs"
        if curve.bottom is not None:
            found = f"{amount(curve.bottom[0], 'parameters')} by the runs"
        told.append(f"{found} and {best} by the law at {amount(curve.compute, 'FLOP')}")
    return f"Loss over size at one compute. The best size: {'; '.join(told)}."


def holdout(figure: tuple[HoldOut, Judged]) -> str:
    """How well small runs predict the large ones."""
    held, _ = figure
    return (
        f"The {len(held.lines)} largest runs, from {amount(held.beyond, 'FLOP')}, "
        f"predicted from the smaller ones: {held.inside} lie inside their 95 % "
        f"interval, and the worst is off by {percent(abs(held.worst_error or 0.0))}."
    )
