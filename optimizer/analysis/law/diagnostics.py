"""How good a fit is, as numbers: residuals, profiles, hold-out, isoFLOP, verdicts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from optimizer.analysis.law.profiles import Profile
from optimizer.errors import Defect, InputError
from optimizer.fitting.fit import Fit, Settings, fit
from optimizer.fitting.grouping import FEW
from optimizer.fitting.objective import Array
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import Progress, silent
from optimizer.reading.quantity import significant
from optimizer.records import dataclass, replace
from optimizer.world.law import Law
from optimizer.world.surface import Surface

AGAIN = (100, 200)  # starts and draws of a fit to what is not held out
HELD_OUT = 0.2  # the share of runs, the largest by compute
NARROW = 30.0  # a span of sizes or tokens under which exponents are hard to tell
EXPONENTS = ("alpha", "beta", "alpha_N", "alpha_D", "k", "gamma")
APART = "E apart from k"
CONFOUNDED = 0.5  # a correlation of E and k from which they are hard to tell apart
STARRED = 3.0  # a span of R* from which it is not known
ENDLESS = 1e4  # where the search for R* ends; its other end is a tenth
COLLINEAR = 4.0  # a span of D/N under which N and D are hard to tell apart


@dataclass(frozen=True)
class Residual:
    """One run against the law; `residual` is ln of measured over fitted loss."""

    line: int
    parameters: float
    tokens: float
    loss: float
    fitted: float
    residual: float


@dataclass(frozen=True)
class Trend:
    """The residuals of a third of the runs, in the order of one axis.

    Attributes:
        axis: `parameters`, `tokens` or `tokens_per_parameter`.
        low: the least value in this third.
        high: the largest.
        count: runs.
        median: of the residuals of ln L.
        notable: whether chance hardly explains it (two standard errors).
    """

    axis: str
    low: float
    high: float
    count: int
    median: float
    notable: bool


@dataclass(frozen=True)
class HoldOut:
    """The largest runs, predicted from the smaller ones.

    Attributes:
        lines: the runs held out.
        rows: their numbers.
        beyond: from this compute on [FLOP].
        median_error: of predicted over measured loss, less 1.
        worst_error: the largest in size.
        inside: how many fall in the 95 % interval of the prediction.
        failed: why there is no such fit; empty where there is.
        predicted: the loss of each run held out, in the order of `lines`.
        low: where its 95 % interval begins.
        high: where it ends.
    """

    lines: tuple[int, ...]
    rows: tuple[int, ...]
    beyond: float
    median_error: float | None = None
    worst_error: float | None = None
    inside: int | None = None
    failed: str = ""
    predicted: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether the runs tell a coefficient, in a sentence."""

    symbol: str
    identified: bool
    text: str


def residuals(found: Fit) -> tuple[Residual, ...]:
    """Every run against the law."""
    runs = found.runs
    rows = zip(
        runs.line,
        runs.parameters,
        runs.tokens,
        runs.loss,
        np.exp(found.predicted),
        found.residual,
        strict=True,
    )
    return tuple(Residual(line, *map(float, rest)) for line, *rest in rows)


def trends(found: Fit) -> tuple[Trend, ...]:
    """The residuals by thirds of N, of D and of D/N."""
    runs = found.runs
    axes = {"parameters": runs.parameters, "tokens": runs.tokens}
    axes["tokens_per_parameter"] = runs.tokens / runs.parameters
    if found.settings.choice.law == "hestness":
        axes = {"tokens": runs.tokens}
    rows = []
    for axis, values in axes.items():
        # Runs of one value stay together, so that a third is never cut by chance.
        edges = np.quantile(values, [1 / 3, 2 / 3])
        part = np.searchsorted(edges, values, side="left")
        for third in range(3):
            members = part == third
            count = int(members.sum())
            if not count:
                continue
            median = float(np.median(found.residual[members]))
            error = 1.2533 * found.scale / math.sqrt(count)
            low, high = values[members].min(), values[members].max()
            notable = abs(median) > 2 * error and count > 2
            rows.append(Trend(axis, float(low), float(high), count, median, notable))
    return tuple(rows)


def hold_out(
    found: Fit, share: float = HELD_OUT, progress: Progress = silent
) -> HoldOut | None:
    """Fits the smaller runs and predicts the largest; None where a share is 0."""
    runs = found.runs
    count = max(1, round(share * runs.count))
    if not share or found.settings.choice.form in ("hestness", "data-constrained"):
        return None
    edge = float(np.sort(runs.compute)[-count])
    large = runs.compute >= edge * (1 - 1e-12)
    held = runs.take(large)
    settings = replace(found.settings, starts=AGAIN[0], draws=AGAIN[1])
    try:
        small = fit(replace(runs.take(~large), error=None), settings, progress)
    except (InputError, Defect) as why:
        return unpredicted(held, str(why))
    return predicted(small, held)


def unpredicted(held: Runs, why: str) -> HoldOut:
    """The runs held out, where the others cannot be fitted."""
    beyond = float(held.compute.min())
    return HoldOut(held.line, tuple(held.row.tolist()), beyond, failed=why)


def predicted(small: Fit, held: Runs) -> HoldOut:
    """The runs held out, as a fit to the others predicts them."""
    here = _losses(small.settings, small.coefficients, held)
    error = here / held.loss - 1
    generator = np.random.default_rng(small.settings.seed)
    noise = generator.normal(0, small.scale, (small.settings.draws, held.count))
    many = _draw_losses(small, held) * np.exp(noise)
    low, high = np.percentile(many, [2.5, 97.5], axis=0)
    inside = int(((low <= held.loss) & (held.loss <= high)).sum())
    worst = error[np.argmax(np.abs(error))]
    return HoldOut(
        lines=held.line,
        rows=tuple(held.row.tolist()),
        beyond=float(held.compute.min()),
        median_error=float(np.median(error)),
        worst_error=float(worst),
        inside=inside,
        predicted=tuple(here.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def surface_of(settings: Settings, coefficients: Mapping[str, float]) -> Surface:
    """The loss surface of some coefficients."""
    return Law("", settings.choice.law, dict(coefficients)).surface()


def _losses(settings: Settings, values: Mapping[str, float], runs: Runs) -> Array:
    surface = surface_of(settings, values)
    pairs = zip(runs.parameters.tolist(), runs.tokens.tolist(), strict=True)
    return np.array([surface.loss(N, D) for N, D in pairs])


def _draw_losses(found: Fit, runs: Runs) -> Array:
    rows = range(len(next(iter(found.draws.values()))))
    return np.array([_losses(found.settings, draw(found, i), runs) for i in rows])


def draw(found: Fit, row: int) -> dict[str, float]:
    """The coefficients of one draw."""
    return {symbol: float(values[row]) for symbol, values in found.draws.items()}


def verdicts(
    found: Fit,
    profiles: Sequence[Profile],
    against: Sequence[str] = (),
    wider: float = 1.0,
) -> tuple[Verdict, ...]:
    """Whether the runs tell each fitted coefficient, with the reason if not.

    Args:
        found: the fit.
        profiles: of its coefficients.
        against: what speaks against all of it.
        wider: the factor by which its intervals were widened.
    """
    open_ends = {p.symbol for p in profiles if p.low is None or p.high is None}
    told = []
    for symbol in found.settings.choice.free:
        if symbol not in (*EXPONENTS, "E"):
            continue  # a size follows its exponent
        low, high = found.intervals[symbol]
        level = f"{100 * found.settings.level:g} %"
        span = f"its {level} interval is {significant(low)} to {significant(high)}"
        if wider > 1:
            span += f", widened {significant(wider, 2)} times"
        why = _unknown(symbol, found, against, open_ends)
        if why:
            told.append(Verdict(symbol, False, why.format(span=span)))
        else:
            told.append(Verdict(symbol, True, f"the runs identify {symbol}: {span}"))
    if {"E", "k"} <= set(found.settings.choice.free):
        told.append(_confounded(found))
    told += _of_repetition(found, against)
    return tuple(told)


def _unknown(
    symbol: str, found: Fit, against: Sequence[str], open_ends: Collection[str]
) -> str:
    """Why a coefficient is not known, with a place for its span; empty if it is."""
    low, high = found.intervals[symbol]
    lost = f"the runs do not identify {symbol}: "
    if symbol == "k" and found.coefficients["k"] == 1:
        return "the runs ask for no k below 1, the additive form: {span}"
    if symbol == "k" and high >= 1:
        return "the additive form (k = 1) is not ruled out by the runs: {span}"
    if against:
        return lost + against[0] + "; {span}"
    if too_few(found):
        return lost + _few_runs(found) + "; {span}"
    if symbol == "E":
        good = high - low <= 0.2 * float(found.runs.loss.min())
    else:
        good = low > 0 and high / low <= 2
    bound = symbol in found.at_bound or symbol in found.loose
    if good and not bound and symbol not in open_ends:
        return ""
    end = ""
    if symbol in found.at_bound:
        end = f", and the fit itself rests at its bound{_below_one(found)}"
    elif bound:
        end = ", and some draws rest at its bound"
    return lost + _why(symbol, found.runs) + "; {span}" + end


def _below_one(found: Fit) -> str:
    """Where a fit rests at its bound, whether runs below one token are why."""
    few = int((found.runs.tokens < found.runs.parameters).sum())
    if not few:
        return ""
    return (
        f": the form does not hold below about one token per parameter, where {few} "
        "of the runs lie (--exclude 'tokens_per_parameter < 1')"
    )


def _of_repetition(found: Fit, against: Sequence[str]) -> Iterator[Verdict]:
    """Whether the runs tell the constants of repeated data."""
    for symbol in found.extras:
        low, high = found.intervals[symbol]
        level = f"{100 * found.settings.level:g} %"
        span = f"its {level} interval is {significant(low)} to {significant(high)}"
        open_ = high >= 0.999 * ENDLESS or low <= 0.1001
        if found.alike:
            others = [significant(other[symbol], 3) for other in found.alike]
            span += (
                f", and {' or '.join(others)} fits as well; the pair of least R_D_star "
                "is taken, under which repeated data is worth least"
            )
        if against:
            text = f"the runs do not identify {symbol}: {against[0]}; {span}"
        elif open_:
            text = f"the runs do not identify {symbol}: it has no end to one side; "
            text += span
        elif high > STARRED * low:
            text = f"the runs do not identify {symbol}: {span}"
        else:
            yield Verdict(symbol, True, f"the runs identify {symbol}: {span}")
            continue
        yield Verdict(symbol, False, text)


def too_few(found: Fit) -> bool:
    """Whether so few groups of rows err apart that nothing can be called known."""
    return found.groups is not None and found.groups < FEW * len(found.own)


def _few_runs(found: Fit) -> str:
    need = FEW * len(found.own)
    return (
        f"{found.runs.count} rows that err together are {found.groups} runs, and "
        f"{need} would be needed"
    )


def _confounded(found: Fit) -> Verdict:
    """How far E and k stand in for each other, by the draws."""
    E, k = (np.asarray(found.draws[symbol]) for symbol in ("E", "k"))
    still = E.std() == 0 or k.std() == 0
    together = 0.0 if still else float(np.corrcoef(E, k)[0, 1])
    text = f"E and k have a correlation of {together:+.2f} over the draws"
    return Verdict(
        APART,
        abs(together) < CONFOUNDED,
        f"{text.replace('-', '−')}: one stands in for the other, and E is no "
        "irreducible loss",
    )


def _why(symbol: str, runs: Runs) -> str:
    """What the design of the runs lacks."""
    spans = {
        "N": float(runs.parameters.max() / runs.parameters.min()),
        "D": float(runs.tokens.max() / runs.tokens.min()),
    }
    ratio = runs.tokens / runs.parameters
    apart = float(ratio.max() / ratio.min())
    if symbol == "gamma" and runs.samples is not None:
        return f"{len(np.unique(runs.samples))} numbers of samples leave it open"
    wanted = {"alpha": "N", "alpha_N": "N", "beta": "D", "alpha_D": "D"}.get(symbol)
    if wanted and spans[wanted] < NARROW:
        return f"{wanted} spans a factor {significant(spans[wanted], 2)}"
    if wanted and apart < COLLINEAR and min(spans.values()) > 1:
        return (
            f"D/N spans only a factor {significant(apart, 2)}, so N and D rise as one"
        )
    if not wanted:
        narrow = min(spans, key=lambda name: spans[name])
        return (
            f"E is what is left at infinite N and D, and {narrow} spans a factor "
            f"{significant(spans[narrow], 2)}"
        )
    values = runs.parameters if wanted == "N" else runs.tokens
    return f"{len(np.unique(values))} values of {wanted} and the scatter leave it open"
