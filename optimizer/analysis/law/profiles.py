"""Profile likelihood: how much worse the fit gets as one coefficient is moved.

The others are fitted anew at every value.
"""

from __future__ import annotations

import math

import numpy as np

from optimizer.fitting.fit import Fit
from optimizer.fitting.forms import Centre, Choice, checked, problem
from optimizer.fitting.objective import Array
from optimizer.fitting.rise import CHI2, rise_scale
from optimizer.fitting.search import FAR, NEAR, Progress, search, silent
from optimizer.records import dataclass, replace

POINTS = 21
STARTS = 3  # besides the fit: the draws nearest to the value


@dataclass(frozen=True)
class Profile:
    """One coefficient moved.

    Attributes:
        symbol: of the coefficient.
        values: what it was set to, rising.
        rise: twice the rise of the objective, as χ².
        low: where the rise passes 95 %; None where it does not within `values`.
        high: likewise above the fit.
    """

    symbol: str
    values: tuple[float, ...]
    rise: tuple[float, ...]
    low: float | None
    high: float | None


def profiles(found: Fit, progress: Progress = silent) -> tuple[Profile, ...]:
    """The profile of each fitted coefficient that can be moved alone."""
    choice = found.settings.choice
    if choice.form == "data-constrained" or len(choice.free) < 2:
        return ()
    scale = rise_scale(found.residual, found.settings.delta)
    movable = [s for s in choice.free if s not in ("Nc", "alpha_N")]
    told = []
    for symbol in movable:
        told.append(_profile(found, symbol, scale))
        progress(POINTS * (1 + STARTS))
    return tuple(told)


def _profile(found: Fit, symbol: str, scale: float) -> Profile:
    choice, runs = found.settings.choice, found.runs
    values = grid_of(found, symbol)
    asked = None
    offsets: list[Array] = []
    symbols: tuple[str, ...] = ()
    for value in values:
        moved = checked(
            Choice(choice.form, choice.tie, {**choice.fixed, symbol: float(value)})
        )
        asked, centre = problem(runs, moved)
        offsets.append(asked.offset)
        symbols = moved.free
    if asked is None:
        return Profile(symbol, (), (), None, None)
    starts = [free_of(found, symbols, centre, None)] * len(values)
    members = list(range(len(values)))
    for i, value in enumerate(values):
        near = np.argsort(np.abs(found.draws[symbol] - value))[:STARTS]
        for row in near:
            starts.append(free_of(found, symbols, centre, int(row)))
            members.append(i)
    stacked = replace(
        asked, offset=np.array(offsets)[members], over=found.settings.over
    )
    ends = search(
        stacked, np.array(starts), found.settings.delta, widest=NEAR, steps=FAR
    )
    best = np.full(len(values), np.inf)
    np.minimum.at(best, members, ends.value)
    rise = 2 * np.maximum(best - found.value, 0.0) * scale
    return risen(symbol, values, rise, found.coefficients[symbol])


def risen(symbol: str, values: Array, rise: Array, here: float) -> Profile:
    """A profile with its ends.

    Args:
        symbol: of the coefficient.
        values: what it was set to, rising.
        rise: twice the rise of the objective, as χ².
        here: its value in the fit.
    """
    low = _crossing(values[::-1], rise[::-1], here, -1)
    high = _crossing(values, rise, here, 1)
    return Profile(symbol, tuple(values.tolist()), tuple(rise.tolist()), low, high)


def free_of(
    found: Fit, symbols: tuple[str, ...], centre: Centre, row: int | None
) -> Array:
    """The objective's coefficients of the fit or of one of its draws."""
    x, y, z = centre.x, centre.y, centre.z
    values = {
        s: found.coefficients[s] if row is None else float(v[row])
        for s, v in found.draws.items()
    }
    told = dict(values)
    powers = (("A", "alpha", x), ("B", "beta", y), ("G", "gamma", z))
    for size, exponent, mean in powers:
        if size in values:
            told[size] = math.log(values[size]) - values.get(exponent, 0.0) * mean
    if "Nc" in values:
        alpha = values["alpha_N"] / values["alpha_D"]
        told["Nc"] = alpha * (math.log(values["Nc"]) - x)
        told["Dc"] = math.log(values["Dc"]) - y
        told["alpha_N"] = alpha
    return np.array([told[s] for s in symbols])


def grid_of(found: Fit, symbol: str) -> Array:
    """Values about the fit, half as far again as all but a few of its draws."""
    low, high = np.percentile(found.draws[symbol], [0.5, 99.5])
    here = found.coefficients[symbol]
    low, high = min(float(low), here), max(float(high), here)
    if symbol in ("A", "B", "G", "Dc"):
        a, b, c = np.log([low, high, here])
        ends = max(a - 0.5 * (c - a), -20.0), min(b + 0.5 * (b - c), 68.0)
        inside = np.exp(np.linspace(*ends, POINTS))
    else:
        bottom, top = 0.01, 1.0 if symbol == "k" else 10.0
        if symbol == "E":
            bottom, top = 0.0, float(found.runs.loss.min())
        ends = (
            max(low - 0.5 * (here - low), bottom),
            min(high + 0.5 * (high - here), top),
        )
        inside = np.linspace(*ends, POINTS)
    return np.unique(np.append(inside, here))


def _crossing(values: Array, rise: Array, here: float, side: int) -> float | None:
    """Where the rise passes χ² going away from the fit."""
    for i in range(1, len(values)):
        if side * (values[i] - here) <= 0 or rise[i] < CHI2:
            continue
        before, after = rise[i - 1], rise[i]
        if before >= CHI2:
            return float(values[i - 1])
        share = (CHI2 - before) / (after - before)
        return float(values[i - 1] + share * (values[i] - values[i - 1]))
    return None
