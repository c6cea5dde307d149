"""One law a group of runs, whose exponents all groups share.

Losses on other data or tokenizers differ in E, A and B, while the exponents are often
nearly one. Sharing them lets groups of few runs have a law. Whether they may be shared
is asked of the groups alone: how much better does each fit with exponents of its own?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimizer.errors import Defect, InputError
from optimizer.fitting import bootstrap, grouping
from optimizer.fitting.fit import Fit, Settings, error_groups, point_fit
from optimizer.fitting.forms import Centre, Choice, checked, coefficients, problem
from optimizer.fitting.joint import SHARED, Joint, joint
from optimizer.fitting.newton import STATIONARY, STEPS
from optimizer.fitting.objective import Array
from optimizer.fitting.objective import Problem as Objective
from optimizer.fitting.refuse import (
    failed,
    refuse_flat,
    refuse_no_reach,
    refuse_unstationary,
    refuse_vanished,
)
from optimizer.fitting.rise import CERTAIN, quantile, rise_scale
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import (
    FAR,
    NEAR,
    Found,
    Progress,
    best_of,
    explore,
    finished,
    part,
    search,
    silent,
)
from optimizer.fitting.starts import starts as spread_starts
from optimizer.fitting.tables.table import Note
from optimizer.records import dataclass

MOST = 40  # groups; the curvature of more takes too long
ALONE = ("data-constrained", "samples")  # forms whose second step is of one law


@dataclass(frozen=True)
class Alone:
    """A group under exponents of its own.

    Attributes:
        name: of the group.
        exponents: symbol → value; empty where the group alone tells none.
        rise: of twice the objective, as χ², under those that are shared.
        refused: why there are none.
    """

    name: str
    exponents: dict[str, float]
    rise: float = 0.0
    refused: str = ""


@dataclass(frozen=True)
class Sharing:
    """Whether the groups may share their exponents.

    Attributes:
        groups: each alone.
        rise: the sum of their rises.
        limit: what chance exceeds in one case of a hundred; infinite where fewer than
            two groups tell exponents of their own.
    """

    groups: tuple[Alone, ...]
    rise: float
    limit: float

    @property
    def contradicted(self) -> bool:
        """Whether the groups ask for exponents of their own."""
        return self.rise > self.limit


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


@dataclass(frozen=True, eq=False)
class Best:
    """The best of many minima, without error bars.

    Attributes:
        asked: the objective of all groups.
        names: the group and symbol of each coefficient; −1 is shared.
        centres: of each group.
        found: the searches.
    """

    asked: Joint
    names: tuple[tuple[int, str], ...]
    centres: tuple[Centre, ...]
    found: Found

    def laws(self, z: Array, choice: Choice) -> list[dict[str, Array]]:
        """The coefficients of each group, (batch,), from those of all (batch, free)."""
        sides = zip(self.asked.members, self.asked.places, self.centres, strict=True)
        return [
            coefficients(member.full(z[:, at]), choice, centre)
            for member, at, centre in sides
        ]


def parts_of(runs: Runs) -> list[Runs]:
    """The runs of each group."""
    whole = np.zeros(runs.count, np.int64) if runs.part is None else runs.part
    return [runs.take(whole == g) for g in range(len(runs.parts))]


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
        sharing=_sharing(parts, settings, best),
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


def point_fit_by_group(
    parts: Sequence[Runs], settings: Settings, progress: Progress = silent
) -> Best:
    """The best of many minima over all groups, without error bars.

    Raises:
        InputError: the runs cannot tell the coefficients, whatever the optimiser.
        Defect: no search came to rest at a stationary point.
    """
    choice = settings.choice
    for group, runs in enumerate(parts):
        _refuse_small(runs, choice, _name(runs, group))
    _refuse_no_reach(parts, choice)
    mean = float(np.concatenate([runs.weight for runs in parts]).mean())
    pairs = [problem(runs, choice) for runs in parts]
    members = tuple(
        replace(own, weight=runs.weight / mean, over=settings.over)
        for (own, _), runs in zip(pairs, parts, strict=True)
    )
    centres = tuple(centre for _, centre in pairs)
    asked, names = joint(members, choice.free)
    starts = np.zeros((0, asked.free))
    for member, at, centre in zip(members, asked.places, centres, strict=True):
        some = spread_starts(part(member), choice, centre, settings.starts)
        if not len(starts):
            starts = np.zeros((len(some), asked.free))
        starts[:, at] = some
    starts = np.clip(starts, asked.low, asked.high)
    ends = explore(asked, starts, settings.delta, steps=FAR, progress=progress)
    found = best_of(ends)
    if found.minimum.stationarity[found.best] > STATIONARY:
        found = best_of(finished(asked, ends, settings.delta))
    whole = parts[0]
    told = [s if g < 0 else f"{s} of {_name(parts[g], g)}" for g, s in names]
    refuse_flat(asked, found, told, whole)
    refuse_unstationary(found)
    held = found.minimum.held[found.best]
    for runs, at in zip(parts, asked.places, strict=True):
        refuse_vanished(held[at], choice, runs)
    return Best(asked, names, centres, found)


def _name(runs: Runs, group: int) -> str:
    number = group if runs.part is None or not runs.count else int(runs.part[0])
    return f'{runs.by} "{runs.parts[number]}"'


def _refuse_small(runs: Runs, choice: Choice, name: str) -> None:
    """Refuses a group that has too few runs for what is its own."""
    own = [s for s in choice.free if s not in SHARED]
    rule = f'--exclude "{name.replace(chr(34), "").replace(" ", " = ", 1)}"'
    told = f"has {runs.count} usable runs"
    if runs.count <= len(own):
        message = (
            f"{name} {told}, which cannot give {', '.join(own)} of its own an error "
            f"bar: {len(own) + 1} are needed. Add runs, fix one for all (--fix E=1.7) "
            f"or leave the group out: {rule}"
        )
        raise failed(runs.file, message)
    for values, word, symbol in (
        (runs.parameters, "parameters", "A"),
        (runs.tokens, "tokens", "B"),
    ):
        if symbol in own and "E" in own and len(np.unique(values)) < 2:
            message = (
                f"{name} {told}, all of {values[0]:.4g} {word}, which cannot tell its "
                f"{symbol} from its E. Add runs, or leave the group out: {rule}"
            )
            raise failed(runs.file, message)
    least = int(np.argmin(runs.loss))
    if choice.fixed.get("E", 0.0) >= runs.loss[least]:
        message = (
            f"E is not below the least loss of {name}, {runs.loss[least]:.6g} in line "
            f"{runs.line[least]}: give a smaller E"
        )
        raise failed(f"--fix E={choice.fixed['E']:g}", message)


def _refuse_no_reach(parts: Sequence[Runs], choice: Choice) -> None:
    """One group that tells k tells it for all."""
    told: InputError | None = None
    for runs in parts:
        try:
            refuse_no_reach(runs, choice)
        except InputError as error:
            told = told or error
        else:
            return
    if told is not None:
        raise told


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


def _sharing(parts: Sequence[Runs], settings: Settings, best: Best) -> Sharing:
    """How much better each group fits under exponents of its own.

    *Source*: the likelihood-ratio test of nested models, with Huber's rise for that of
    the likelihood (Ronchetti 1982).
    """
    shared = [s for g, s in best.names if g < 0]
    alone = []
    for group, runs in enumerate(parts):
        member = best.asked.members[group]
        z = best.found.z[None][:, best.asked.places[group]]
        residual = member.target - member.predict(z)[0]
        # The fit takes as many runs for itself as it has coefficients.
        spent = len(settings.choice.free) - len(shared) * (1 - 1 / len(parts))
        left = max(runs.count - spent, 1) / runs.count
        scale = left * rise_scale(residual, settings.delta)
        here = search(member, z, settings.delta, widest=settings.delta, steps=0)
        name = runs.parts[group]
        try:
            asked, centre, found = point_fit(
                runs, settings.choice, settings.delta, 0, over=settings.over
            )
        except (InputError, Defect) as why:
            said = str(why).removeprefix(f"{runs.file}: ")
            alone.append(Alone(name, {}, refused=said))
            continue
        law = coefficients(asked.full(found.z[None]), settings.choice, centre)
        own = float(found.minimum.value[found.best]) * float(np.mean(member.weight))
        rise = max(0.0, 2 * (float(here.value[0]) - own) * scale)
        alone.append(Alone(name, {s: float(law[s][0]) for s in shared}, rise))
    told = [one for one in alone if one.exponents]
    degrees = (len(told) - 1) * len(shared)
    left = sum(p.count for p in parts) - len(best.names)
    limit = quantile(CERTAIN, degrees, left) if degrees > 0 else math.inf
    return Sharing(tuple(alone), sum(one.rise for one in told), limit)
