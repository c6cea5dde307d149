"""What speaks against a fit as a whole, so that none of its coefficients is known.

A resample asks how far the scatter of the runs moves a fit, and takes the form for
true. Whether it is true is asked of runs that the fit has not seen, of repeats, and of
other forms. Where the runs held out fall outside their intervals more often than chance
would have it, every interval is widened by the factor that would have held them.

*Source*: the binomial test of coverage (Christoffersen 1998); the lack-of-fit test of
repeats against residuals (Draper & Smith 1998, chapter 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.analysis.law.diagnostics import HoldOut
from optimizer.analysis.law.form_test import FormTest
from optimizer.analysis.plan.wording import percent
from optimizer.fitting import bootstrap
from optimizer.fitting.fit import Fit
from optimizer.fitting.objective import Array
from optimizer.fitting.repeats import fresh_offset
from optimizer.records import dataclass, replace

CHANCE = 0.01  # of so few inside, under which the hold-out contradicts
INSIDE = 0.95  # of predictions that their interval holds
WIDEST = 10.0  # factor of widened intervals
LEAST = 0.5  # R² under which a law explains nothing worth a plan
EXACT = 1e-4  # of ln L; no interval of measured losses is narrower
REPEATS = 4  # pairs of runs of one size and tokens that tell a scatter
LACK = 4.0  # scatter about the law over that of repeats
BETTER = 3.0  # times by which another form foresees far runs better
BIASED = 2.0  # of the scatter that the mean miss of a form must exceed


@dataclass(frozen=True)
class Contradiction:
    """One reason why nothing is known, and how much wider intervals should be.

    Attributes:
        text: the reason, as the end of a sentence.
        factor: by which intervals are widened; 1 where that would not help.
    """

    text: str
    factor: float = 1.0


def contradictions(
    found: Fit, r_squared: float, held: HoldOut | None, tests: Sequence[FormTest]
) -> tuple[Contradiction, ...]:
    """All that speaks against a fit.

    Args:
        found: the fit.
        r_squared: of ln L.
        held: the hold-out by compute.
        tests: the forms against each other.
    """
    told = [
        _explained(r_squared),
        None if held is None else _held_out(found, held),
        _repeated(found),
        *(_other_form(found, test) for test in tests),
        _given(found),
    ]
    return tuple(one for one in told if one is not None)


def widened(found: Fit, factor: float) -> Fit:
    """A fit with its draws, intervals and covariance about it made wider.

    Sizes are stretched as logarithms, so that the tie between A and alpha stays.
    """
    if factor == 1.0:
        return found
    draws = {
        symbol: _stretched(symbol, values, found.coefficients[symbol], factor)
        for symbol, values in found.draws.items()
    }
    level = found.settings.level
    intervals = dict(found.intervals)
    intervals |= {s: bootstrap.interval(v, level) for s, v in draws.items()}
    covariance = found.covariance
    if covariance is not None:
        covariance = covariance[0], factor**2 * covariance[1]
    errors = found.errors
    if errors is not None:
        errors = {symbol: factor * error for symbol, error in errors.items()}
    return replace(
        found, draws=draws, intervals=intervals, covariance=covariance, errors=errors
    )


def _stretched(symbol: str, values: Array, middle: float, factor: float) -> Array:
    if symbol in ("A", "B", "Nc", "Dc"):
        with np.errstate(over="ignore"):
            return np.asarray(middle * (values / middle) ** factor)
    wide = middle + factor * (values - middle)
    if symbol == "k":
        return np.clip(wide, 0.01, 1.0)
    # A law file holds no exponent below a hundredth, and no E below 0.
    return np.maximum(wide, 0.0 if symbol == "E" else 0.01)


def _explained(r_squared: float) -> Contradiction | None:
    if r_squared >= LEAST:
        return None
    share = percent(max(r_squared, 0.0))
    return Contradiction(f"the law explains {share} of the variance of ln L")


def _held_out(found: Fit, held: HoldOut) -> Contradiction | None:
    """Fewer of the runs held out inside their intervals than chance would have."""
    if held.inside is None or not held.predicted:
        return None
    place = {row: i for i, row in enumerate(found.runs.row.tolist())}
    at = [place[row] for row in held.rows]
    measured = np.log(found.runs.loss[at])
    middle, low, high = (
        np.log(np.array(side)) for side in (held.predicted, held.low, held.high)
    )
    off = measured - middle
    half = np.where(off > 0, high - middle, middle - low)
    need = np.abs(off) / np.maximum(half, EXACT)
    if found.groups is not None and found.runs.group is not None:
        # Checkpoints of one run are one run.
        groups = found.runs.group[at]
        need = np.array([np.median(need[groups == g]) for g in np.unique(groups)])
    count, inside = len(need), int((need <= 1).sum())
    if _at_most(inside, count) >= CHANCE:
        return None
    factor = min(float(np.quantile(need, INSIDE)), WIDEST)
    what = "runs" if found.groups is None else "runs with their checkpoints"
    text = f"of the {count} largest {what}, held out, {inside} lie in their intervals"
    return Contradiction(text, max(factor, 1.0))


def _at_most(inside: int, count: int) -> float:
    """The chance of so few inside, or fewer."""
    return sum(
        math.comb(count, i) * INSIDE**i * (1 - INSIDE) ** (count - i)
        for i in range(inside + 1)
    )


def _repeated(found: Fit) -> Contradiction | None:
    """Repeats agree far better with each other than with the law."""
    runs = found.runs
    keys = np.stack([runs.parameters, runs.tokens], 1)
    if runs.unique is not None:
        keys = np.concatenate([keys, runs.unique[:, None]], 1)
    _, place, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    place = place.ravel()
    free = int((counts - 1).sum())
    if free < REPEATS or found.groups is not None:
        return None
    logs = np.log(runs.loss)
    means = np.bincount(place, logs) / counts
    inner = math.sqrt(float(((logs - means[place]) ** 2).sum()) / free)
    outer = math.sqrt(float((found.residual**2).mean()))
    if outer <= LACK * max(inner, 1e-9):
        return None
    return Contradiction(
        f"runs of one size on the same tokens differ by {percent(inner)}, and from "
        f"the law by {percent(outer)}: the form does not hold for them"
    )


def _other_form(found: Fit, test: FormTest) -> Contradiction | None:
    """Another form foresees far runs several times better."""
    own = test.result.forms.get(found.settings.choice.shape)
    best = test.best
    if own is None or best in (None, found.settings.choice.shape, "tied"):
        return None
    other = test.result.forms[str(best)]
    scatter = max(test.scatter or 0.0, found.settings.delta)
    if abs(own.mean) <= max(BIASED * scatter, BETTER * abs(other.mean), 0.005):
        return None
    what = "larger runs" if test.result.by == "compute" else "far overtraining"
    return Contradiction(
        f"the {best} form foresees {what} better, off by {percent(abs(other.mean))} in "
        f"the mean where this form is off by {percent(abs(own.mean))}"
    )


def _given(found: Fit) -> Contradiction | None:
    """A law that was given, and does not pass through its own runs."""
    if not found.extras or found.settings.choice.free:
        return None
    offset = fresh_offset(found.runs, found.coefficients)
    if offset is None or abs(offset) < 0.02:
        return None
    side = "below" if offset > 0 else "above"
    return Contradiction(
        f"the law that is given lies {percent(abs(offset))} {side} the runs of fresh "
        "data, for which the constants of repetition stand in"
    )
