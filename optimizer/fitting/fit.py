"""Training runs in, a scaling law out, with its error bars.

runs  →  the best of many minima  →  the same on resampled runs  →  a law.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from optimizer.fitting import bootstrap, grouping
from optimizer.fitting.downstream import fit_error
from optimizer.fitting.fitted import Fit, Settings
from optimizer.fitting.forms import (
    Centre,
    Choice,
    checked,
    coefficients,
    problem,
)
from optimizer.fitting.newton import STATIONARY, STEPS, Minimum
from optimizer.fitting.objective import Array
from optimizer.fitting.objective import Problem as Objective
from optimizer.fitting.refuse import (
    failed,
    refuse_flat,
    refuse_hopeless,
    refuse_no_reach,
    refuse_rising,
    refuse_unstationary,
    refuse_vanished,
    seen_once,
)
from optimizer.fitting.repeats import fit_repeats
from optimizer.fitting.runs import Runs
from optimizer.fitting.sampled import by_model, refuse_no_samples
from optimizer.fitting.sandwich import standard_errors, withheld
from optimizer.fitting.search import (
    DELTA,
    FAR,
    NEAR,
    Found,
    Progress,
    best_of,
    explore,
    finished,
    part,
    promising,
    search,
    silent,
)
from optimizer.fitting.starts import starts as spread_starts
from optimizer.fitting.tables.table import Note
from optimizer.records import replace

__all__ = ["Fit", "Settings", "error_groups", "fit", "point_fit", "work"]


def fit(runs: Runs, settings: Settings, progress: Progress = silent) -> Fit:
    """Fits a law to training runs.

    Args:
        runs: from `read_runs`.
        settings: what to fit and how.
        progress: told how many searches were done, of `work(settings)`.

    Raises:
        InputError: the runs cannot tell the coefficients, whatever the optimiser.
        Defect: no search came to rest at a stationary point.
    """
    try:
        choice = checked(settings.choice)
    except ValueError as error:
        raise failed("--fix", str(error)) from None
    settings = replace(settings, choice=choice)
    if not choice.free:
        return _repeats_alone(runs, settings)
    if choice.form == "samples":
        runs = by_model(runs)
    base = seen_once(runs, choice)
    settings, runs = _enough_pairs(settings, _repeats_told(runs, choice), base)
    asked, centre, found = point_fit(
        base, choice, settings.delta, settings.starts, progress, settings.over
    )
    return _told(runs, base, settings, asked, centre, found, progress)


def _repeats_alone(runs: Runs, settings: Settings) -> Fit:
    """R_D* and R_N* to all runs, where the law of fresh data is given."""
    choice = settings.choice
    seen_once(runs, choice)
    generator = np.random.default_rng(settings.seed)
    groups = None if settings.apart else runs.group
    if groups is None:
        weights = bootstrap.counts(runs, settings.draws, generator)
    else:
        weights = grouping.counts(groups, settings.draws, generator)
    law = dict(choice.fixed)
    draws = {symbol: np.full(settings.draws, value) for symbol, value in law.items()}
    found = fit_repeats(runs, law, draws, weights, settings.delta)
    intervals = {
        s: bootstrap.interval(v, settings.level)
        for s, v in {**draws, **found.draws}.items()
    }
    return Fit(
        runs=runs,
        settings=settings,
        coefficients=law,
        draws=draws,
        intervals=intervals,
        errors=None,
        errors_withheld="the law is given",
        covariance=None,
        covariance_withheld="the law is given",
        predicted=found.predicted,
        value=found.value,
        stationarity=found.stationarity,
        inside=int((abs(found.predicted - np.log(runs.loss)) <= settings.delta).sum()),
        starts=found.starts,
        reached=found.reached,
        others=found.others,
        alike=found.alike,
        unstationary=0,
        at_bound=(),
        loose=(),
        extras=found.coefficients,
        extra_draws=found.draws,
        groups=None if groups is None else len(np.unique(groups)),
    )


def point_fit(
    runs: Runs,
    choice: Choice,
    delta: float = DELTA,
    starts: int = 500,
    progress: Progress = silent,
    over: float = 1.0,
) -> tuple[Objective, Centre, Found]:
    """The best of many minima, without error bars.

    Args:
        runs: those that the law itself is fitted to.
        choice: from `checked`.
        delta: of Huber's loss.
        starts: of Hoffmann's lattice; without them the best of the grid are enough.
        progress: told how many searches were done.
        over: of the settings.

    Raises:
        InputError: the runs cannot tell the coefficients, whatever the optimiser.
        Defect: no search came to rest at a stationary point.
    """
    refuse_hopeless(runs, choice)
    refuse_no_reach(runs, choice)
    if choice.form == "samples":
        refuse_no_samples(runs)
    asked, centre = problem(runs, choice)
    asked = replace(asked, over=over)
    begin = spread_starts(part(asked), choice, centre, starts)
    ends = explore(
        asked,
        begin if starts else promising(asked, begin),
        delta,
        steps=FAR,
        progress=progress,
    )
    found = best_of(ends)
    if found.minimum.stationarity[found.best] > STATIONARY:
        found = best_of(finished(asked, ends, delta))
    refuse_flat(asked, found, choice.free, runs)
    refuse_rising(found, runs)
    refuse_unstationary(found)
    refuse_vanished(found.minimum.held[found.best], choice, runs)
    return asked, centre, found


def _repeats_told(runs: Runs, choice: Choice) -> Runs:
    """Says where runs repeat their data and the form takes no notice."""
    if runs.unique is None or choice.form == "data-constrained":
        return runs
    repeated = int((runs.tokens > runs.unique * (1 + 1e-9)).sum())
    if not repeated:
        return runs
    message = f"{repeated} of {runs.count} runs repeat their data, unknown to this form"
    done = "kept; --form data-constrained, or --exclude 'epochs > 1'"
    return replace(runs, notes=(Note(0, message, done), *runs.notes))


def _enough_pairs(settings: Settings, runs: Runs, base: Runs) -> tuple[Settings, Runs]:
    """Residuals in place of pairs where a resample may have too few runs to fit."""
    need = bootstrap.PAIRS * len(checked(settings.choice).free)
    if settings.resample != "pairs" or base.count >= need:
        return settings, runs
    message = f"{base.count} runs are too few to resample pairs, which needs {need}"
    note = Note(0, message, "residuals resampled instead")
    changed = replace(runs, notes=(note, *runs.notes))
    return replace(settings, resample="residuals"), changed


def work(settings: Settings) -> int:
    """How many searches a fit takes, about."""
    return settings.starts + 300 + settings.draws


def _told(
    runs: Runs,
    base: Runs,
    settings: Settings,
    asked: Objective,
    centre: Centre,
    found: Found,
    progress: Progress,
) -> Fit:
    choice = checked(settings.choice)
    generator = np.random.default_rng(settings.seed)
    fitted = asked.predict(found.z[None])[0]
    member = np.isin(runs.row, base.row)
    groups = error_groups(runs, member, asked.target - fitted, settings)
    if groups is None:
        weights = bootstrap.counts(runs, settings.draws, generator)
    else:
        settings, runs = _by_group(settings, runs, groups)
        weights = grouping.counts(groups, settings.draws, generator)
    again = _resample(asked, settings, fitted, weights[:, member], generator)
    first = np.repeat(found.z[None], settings.draws, 0)
    # A resample of few groups may lack what tells a coefficient and never rest.
    steps = STEPS if groups is None else FAR // 4
    drawn = search(
        again, first, settings.delta, widest=NEAR, steps=steps, progress=progress
    )
    draws = coefficients(asked.full(drawn.z), choice, centre)
    best = coefficients(asked.full(found.z[None]), choice, centre)
    here = {symbol: float(values[0]) for symbol, values in best.items()}
    extras: Mapping[str, float] = {}
    extra_draws: Mapping[str, Array] = {}
    alike: tuple[Mapping[str, float], ...] = ()
    predicted = fitted
    if choice.form == "data-constrained":
        repeated = fit_repeats(runs, here, draws, weights, settings.delta)
        extras, extra_draws = repeated.coefficients, repeated.draws
        predicted, alike = repeated.predicted, repeated.alike
    named = bootstrap.logs(draws, choice.fixed)
    why = bootstrap.unfaithful(named)
    errors = None
    if settings.over == 1.0:
        errors = standard_errors(asked, found, settings.delta, choice)
    level = settings.level
    everything = {**draws, **extra_draws}
    inside = int(found.minimum.inside[found.best])
    return Fit(
        runs=runs,
        settings=settings,
        coefficients=here,
        draws=draws,
        intervals={s: bootstrap.interval(v, level) for s, v in everything.items()},
        errors=errors,
        errors_withheld="" if errors else withheld(inside, choice),
        covariance=None if why else (tuple(named), np.cov(np.stack([*named.values()]))),
        covariance_withheld=why,
        predicted=predicted,
        value=float(found.minimum.value[found.best]),
        stationarity=float(found.minimum.stationarity[found.best]),
        inside=inside,
        starts=len(found.minimum.value),
        reached=found.reached,
        others=found.others,
        unstationary=int((drawn.stationarity > STATIONARY).sum()),
        at_bound=_at_bound(found.minimum, choice, found.best),
        loose=_loose(drawn, choice),
        extras=extras,
        extra_draws=extra_draws,
        error=None if runs.error is None else fit_error(runs, weights, level),
        alike=alike,
        groups=None if groups is None else len(np.unique(groups)),
    )


def error_groups(
    runs: Runs, member: NDArray[np.bool_], residual: Array, settings: Settings
) -> grouping.Groups | None:
    """The rows that err together: as a column says, or as their residuals do."""
    if settings.apart:
        return None
    if runs.group is not None:
        return runs.group
    groups = grouping.by_size(runs)
    if groups is None or not grouping.together(groups[member], residual):
        return None
    return groups


def _by_group(
    settings: Settings, runs: Runs, groups: grouping.Groups
) -> tuple[Settings, Runs]:
    """Resamples whole groups, and says so."""
    count = len(np.unique(groups))
    stated = runs.group is not None
    what = (
        "models, several of which were sampled several times"
        if runs.samples is not None
        else "runs with checkpoints"
        if stated
        else "sizes whose errors go together, as checkpoints' do"
    )
    message = f"{runs.count} rows are {count} {what}"
    done = (
        "resampled by run; --group none where each row is a run of its own"
        if stated
        else (
            "resampled by size; --group NAME for the column of the run, "
            "--group none where each row is a run of its own"
        )
    )
    note = Note(0, message, done)
    told = tuple(n for n in runs.notes if n.done != "residuals resampled instead")
    return replace(settings, resample="pairs"), replace(runs, notes=(note, *told))


def _resample(
    asked: Objective,
    settings: Settings,
    fitted: Array,
    weights: Array,
    generator: np.random.Generator,
) -> Objective:
    if settings.resample == "pairs":
        return replace(asked, weight=weights * asked.weight)
    targets = bootstrap.resampled(asked, fitted, settings.draws, generator)
    return replace(asked, target=targets)


def _at_bound(ends: Minimum, choice: Choice, best: int) -> tuple[str, ...]:
    held = ends.held[best]
    return tuple(s for s, h in zip(choice.free, held, strict=True) if h)


def _loose(drawn: Minimum, choice: Choice) -> tuple[str, ...]:
    share = drawn.held.mean(0)
    return tuple(s for s, h in zip(choice.free, share, strict=True) if h > 0.05)
