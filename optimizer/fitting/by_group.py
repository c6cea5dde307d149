"""One law a group of runs, whose exponents all groups share.

Losses on other data or tokenizers differ in E, A and B, while the exponents are often
nearly one. Sharing them lets groups of few runs have a law. Whether they may be shared
is asked of the groups alone: how much better does each fit with exponents of its own?
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.fitting import bootstrap, grouping
from optimizer.fitting.fit import Fit, Settings, error_groups
from optimizer.fitting.forms import Choice, checked
from optimizer.fitting.group_point import Best, parts_of, point_fit_by_group
from optimizer.fitting.joint import SHARED
from optimizer.fitting.newton import STATIONARY, STEPS
from optimizer.fitting.objective import Array
from optimizer.fitting.objective import Problem as Objective
from optimizer.fitting.refuse import failed
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import FAR, NEAR, Progress, search, silent
from optimizer.fitting.sharing import Sharing, sharing
from optimizer.fitting.tables.table import Note
from optimizer.records import dataclass, replace

MOST = 40  # groups; the curvature of more takes too long
ALONE = ("data-constrained", "samples")  # forms whose second step is of one law


@dataclass(frozen=True, eq=False)
class Grouped:
    """The laws of all groups.

    Attributes:
        by: the column that has the groups.
        names: of the groups.
        fits: the law of each, their draws in step.
        shared: the symbols of which all have one value.
        sharing: whether they may.
        runs: all of them.
    """

    by: str
    names: tuple[str, ...]
    fits: tuple[Fit, ...]
    shared: tuple[str, ...]
    sharing: Sharing
    runs: Runs


def fit_by_group(
    runs: Runs, settings: Settings, progress: Progress = silent
) -> Grouped:
    """Fits one law a group with shared exponents.

    Args:
        runs: from `read_runs` with a column of groups.
        settings: what to fit and how.
        progress: told how many searches were done.

    Raises:
        InputError: the runs cannot tell the coefficients, whatever the optimiser.
        Defect: no search came to rest at a stationary point.
    """
    choice = _checked(runs, settings.choice)
    settings = replace(settings, choice=choice)
    parts = parts_of(runs)
    best = point_fit_by_group(parts, settings, progress)
    settings, parts = _enough(settings, parts, len(best.names))
    return Grouped(
        by=runs.by,
        names=runs.parts,
        fits=_with_draws(parts, settings, best, progress),
        shared=tuple(s for g, s in best.names if g < 0),
        sharing=sharing(parts, settings, best),
        runs=runs,
    )


def _checked(runs: Runs, asked: Choice) -> Choice:
    try:
        choice = checked(asked)
    except ValueError as error:
        raise failed("--fix", str(error)) from None
    if choice.form in ALONE:
        message = (
            f"fits no laws of the form {choice.form} yet; fit each group alone: "
            f'--exclude "{runs.by} != {runs.parts[0]}"'
        )
        raise failed(f"--by {runs.by}", message)
    if len(runs.parts) < 2:
        message = f'"{runs.by}" has one value, so there is one law: leave --by out'
        raise failed(f"--by {runs.by}", message)
    if len(runs.parts) > MOST:
        message = (
            f'"{runs.by}" has {len(runs.parts)} values; at most {MOST} laws are fitted '
            "as one. Is it the column of runs? That is --group"
        )
        raise failed(f"--by {runs.by}", message)
    return choice


def _enough(
    settings: Settings, parts: list[Runs], free: int
) -> tuple[Settings, list[Runs]]:
    """Residuals in place of pairs where a resample may have too few runs to fit."""
    own = len([s for s in settings.choice.free if s not in SHARED])
    few = [p for p in parts if p.count < bootstrap.PAIRS * own]
    count = sum(p.count for p in parts)
    if settings.resample != "pairs" or (not few and count >= bootstrap.PAIRS * free):
        return settings, parts
    need = bootstrap.PAIRS * own
    message = f"a group of fewer than {need} runs is too small to resample pairs"
    note = Note(0, message, "residuals resampled instead")
    return replace(settings, resample="residuals"), [
        replace(p, notes=(note, *p.notes)) for p in parts
    ]


def _with_draws(
    parts: Sequence[Runs], settings: Settings, best: Best, progress: Progress
) -> tuple[Fit, ...]:
    choice, found, asked = settings.choice, best.found, best.asked
    generator = np.random.default_rng(settings.seed)
    fitted = [
        member.predict(found.z[None][:, at])[0]
        for member, at in zip(asked.members, asked.places, strict=True)
    ]
    members, counts = [], []
    for runs, member, here in zip(parts, asked.members, fitted, strict=True):
        again, groups = _again(runs, member, here, settings, generator)
        members.append(again)
        counts.append(groups)
    drawn = search(
        replace(asked, members=tuple(members)),
        np.repeat(found.z[None], settings.draws, 0),
        settings.delta,
        widest=NEAR,
        steps=STEPS if not any(counts) else FAR // 4,
        progress=progress,
    )
    draws = best.laws(drawn.z, choice)
    middle = best.laws(found.z[None], choice)
    fits = []
    for group, runs in enumerate(parts):
        at = asked.places[group]
        symbols = [best.names[i][1] for i in at]
        held, loose = found.minimum.held[found.best][at], drawn.held[:, at].mean(0)
        member, z = asked.members[group], found.z[None][:, at]
        named = bootstrap.logs(draws[group], choice.fixed)
        why = bootstrap.unfaithful(named)
        point = search(member, z, settings.delta, widest=settings.delta, steps=0)
        fits.append(
            Fit(
                runs=runs,
                settings=settings,
                coefficients={s: float(v[0]) for s, v in middle[group].items()},
                draws=draws[group],
                intervals={
                    s: bootstrap.interval(v, settings.level)
                    for s, v in draws[group].items()
                },
                errors=None,
                errors_withheld="exponents are shared; see the draws",
                covariance=None
                if why
                else (tuple(named), np.cov(np.stack([*named.values()]))),
                covariance_withheld=why,
                predicted=fitted[group],
                value=float(point.value[0]),
                stationarity=float(found.minimum.stationarity[found.best]),
                inside=int(point.inside[0]),
                starts=len(found.minimum.value),
                reached=found.reached,
                others=found.others,
                unstationary=int((drawn.stationarity > STATIONARY).sum()),
                at_bound=tuple(s for s, h in zip(symbols, held, strict=True) if h),
                loose=tuple(s for s, h in zip(symbols, loose, strict=True) if h > 0.05),
                groups=counts[group],
                shared=tuple(s for s in symbols if s in SHARED),
                name=runs.parts[group],
            )
        )
    return tuple(fits)


def _again(
    runs: Runs,
    member: Objective,
    fitted: Array,
    settings: Settings,
    generator: np.random.Generator,
) -> tuple[Objective, int | None]:
    """The resamples of a group, and how many of its rows err apart."""
    everyone = np.ones(runs.count, bool)
    groups = error_groups(runs, everyone, member.target - fitted, settings)
    count = None if groups is None else len(np.unique(groups))
    if groups is None and settings.resample == "residuals":
        targets = bootstrap.resampled(member, fitted, settings.draws, generator)
        return replace(member, target=targets), None
    if groups is None:
        weights = bootstrap.counts(runs, settings.draws, generator)
    else:
        weights = grouping.counts(groups, settings.draws, generator)
    return replace(
        member,
        weight=weights * member.weight,
        target=np.broadcast_to(member.target, weights.shape),
    ), count
