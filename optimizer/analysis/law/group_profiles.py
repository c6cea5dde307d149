"""Profile likelihood of laws that share exponents: all groups are fitted anew.

An exponent moves in all groups at once, an E in its own alone; every other coefficient
of every group follows.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from optimizer.analysis.law.profiles import (
    POINTS,
    STARTS,
    Profile,
    free_of,
    grid_of,
    risen,
)
from optimizer.fitting.by_group import Grouped
from optimizer.fitting.forms import Centre, Choice, checked, problem
from optimizer.fitting.joint import SHARED, joint
from optimizer.fitting.objective import Array
from optimizer.fitting.objective import Problem as Objective
from optimizer.fitting.rise import rise_scale
from optimizer.fitting.search import FAR, NEAR, Progress, search, silent
from optimizer.records import replace

MOST = 8  # groups of which each has a profile of its own E
APART = ("alpha_N",)  # moves nothing alone


def group_profiles(
    found: Grouped, progress: Progress = silent
) -> list[tuple[Profile, ...]]:
    """The profiles of what each group shares and of its E, group by group.

    Args:
        found: the fits.
        progress: told how many searches were done.
    """
    free = found.fits[0].settings.choice.free
    told: list[list[Profile]] = [[] for _ in found.fits]
    if len(free) < 2:
        return [() for _ in found.fits]
    own = range(len(found.fits)) if len(found.fits) <= MOST else range(0)
    for group in own:
        if "E" in free:
            told[group].append(_profile(found, "E", [group]))
            progress(POINTS * (1 + STARTS))
    for symbol in free:
        if symbol in SHARED and symbol not in APART:
            moved = _profile(found, symbol, range(len(found.fits)))
            for profiles in told:
                profiles.append(moved)
            progress(POINTS * (1 + STARTS))
    return [tuple(profiles) for profiles in told]


def _profile(found: Grouped, symbol: str, groups: Collection[int]) -> Profile:
    """One coefficient of some groups moved."""
    first = found.fits[min(groups)]
    settings, values = first.settings, grid_of(first, symbol)
    near = np.abs(first.draws[symbol][None] - values[:, None]).argsort(1)[:, :STARTS]
    rows = [None] * len(values) + near.ravel().tolist()
    at = np.concatenate([np.arange(len(values)), np.arange(len(values)).repeat(STARTS)])
    mean = float(np.concatenate([fit.runs.weight for fit in found.fits]).mean())
    sides = []
    for group, fit in enumerate(found.fits):
        moved = values if group in groups else None
        asked, centre, symbols = _held(found, group, symbol, moved)
        offset = asked.offset[at] if asked.offset.ndim == 2 else asked.offset
        own = replace(
            asked, weight=fit.runs.weight / mean, offset=offset, over=settings.over
        )
        sides.append((own, symbols, [free_of(fit, symbols, centre, r) for r in rows]))
    asked_of_all, _ = joint([own for own, _, _ in sides], [s for _, s, _ in sides])
    starts = np.zeros((len(rows), asked_of_all.free))
    for (_, _, z), place in zip(sides, asked_of_all.places, strict=True):
        starts[:, place] = np.array(z)
    ends = search(asked_of_all, starts, settings.delta, widest=NEAR, steps=FAR)
    best = np.full(len(values), np.inf)
    np.minimum.at(best, at, ends.value)
    residual = np.concatenate([fit.residual for fit in found.fits])
    least = sum(fit.value for fit in found.fits)
    rise = 2 * np.maximum(best - least, 0.0) * rise_scale(residual, settings.delta)
    return risen(symbol, values, rise, first.coefficients[symbol])


def _held(
    found: Grouped, group: int, symbol: str, values: Array | None
) -> tuple[Objective, Centre, tuple[str, ...]]:
    """The objective of a group, with one coefficient held at each of some values."""
    fit = found.fits[group]
    choice = fit.settings.choice
    if values is None:
        return *problem(fit.runs, choice), choice.free
    told = []
    for value in values.tolist():
        fixed = {**choice.fixed, symbol: value}
        told.append(checked(Choice(choice.form, choice.tie, fixed)))
    asked, centre = problem(fit.runs, told[0])
    offsets = [problem(fit.runs, one)[0].offset for one in told]
    return replace(asked, offset=np.array(offsets)), centre, told[0].free
