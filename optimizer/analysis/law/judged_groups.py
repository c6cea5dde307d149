"""Laws of several groups with shared exponents, and how far to trust them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optimizer.analysis.law.contradictions import Contradiction
from optimizer.analysis.law.diagnostics import (
    AGAIN,
    HoldOut,
    predicted,
    unpredicted,
)
from optimizer.analysis.law.form_test import Errors, FormTest, both_ends
from optimizer.analysis.law.group_profiles import group_profiles
from optimizer.analysis.law.judgement import Asked, Given, Judged, judge
from optimizer.analysis.plan.wording import either
from optimizer.errors import Defect, InputError
from optimizer.fitting.by_group import Grouped, fit_by_group
from optimizer.fitting.fit import Settings
from optimizer.fitting.fitlaw import About
from optimizer.fitting.forms import Choice
from optimizer.fitting.group_point import parts_of, point_fit_by_group
from optimizer.fitting.objective import Array
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import Progress, silent
from optimizer.reading.quantity import significant
from optimizer.records import dataclass, replace

FEWEST = 3  # runs of a group that are worth predicting


@dataclass(frozen=True, eq=False)
class JudgedGroups:
    """The laws of all groups, judged.

    Attributes:
        grouped: the fits.
        groups: each judged, in the order of the fits.
        form_tests: over all groups.
    """

    grouped: Grouped
    groups: tuple[Judged, ...]
    form_tests: tuple[FormTest, ...]


def judge_groups(
    found: Grouped,
    about: Callable[[str], About],
    asked: Asked,
    progress: Progress = silent,
) -> JudgedGroups:
    """Judges the laws of several groups.

    Args:
        found: the fits.
        about: what the user says of the law of a group, by its name.
        asked: what to say.
        progress: told how many searches were done, of `judging(settings)`.
    """
    held = _hold_outs(found, asked.hold_out, progress)
    tests: tuple[FormTest, ...] = ()
    settings = found.fits[0].settings
    if asked.hold_out and settings.choice.law != "hestness":
        tests = both_ends(found.runs, asked.hold_out, _errors(settings), progress)
    against = _not_shared(found)
    curves = group_profiles(found, progress)
    groups = tuple(
        judge(fit, about(fit.name), asked, Given(held[i], tests, against, curves[i]))
        for i, fit in enumerate(found.fits)
    )
    return JudgedGroups(found, groups, tests)


def _not_shared(found: Grouped) -> tuple[Contradiction, ...]:
    """The reason why nothing is known, where the groups ask for own exponents."""
    sharing = found.sharing
    if not sharing.contradicted:
        return ()
    alone = [one for one in sharing.groups if one.exponents]
    told = [
        f"{symbol} {either([significant(one.exponents[symbol], 3) for one in alone])}"
        for symbol in found.shared
    ]
    names = either([one.name for one in alone], "and")
    text = (
        f"the groups do not share exponents: alone {names} ask for "
        f"{either(told, 'and')}"
    )
    return (Contradiction(text),)


def _largest(runs: Runs, share: float) -> NDArray[np.bool_]:
    """The largest runs of each group by compute; none of a group of too few."""
    out = np.zeros(runs.count, bool)
    whole = np.zeros(runs.count) if runs.part is None else runs.part
    for group in range(len(runs.parts)):
        own = whole == group
        count = max(1, round(share * own.sum()))
        if own.sum() - count < FEWEST:
            continue
        edge = np.sort(runs.compute[own])[-count]
        out |= own & (runs.compute >= edge * (1 - 1e-12))
    return out


def _hold_outs(
    found: Grouped, share: float, progress: Progress
) -> list[HoldOut | None]:
    """The largest runs of each group, predicted from all others of all groups."""
    runs, settings = found.runs, found.fits[0].settings
    nothing: list[HoldOut | None] = [None] * len(found.fits)
    if not share or settings.choice.form == "hestness":
        return nothing
    out = _largest(runs, share)
    held = parts_of(runs.take(out))
    again = replace(settings, starts=AGAIN[0], draws=AGAIN[1])
    try:
        small = fit_by_group(runs.take(~out), again, progress)
    except (InputError, Defect) as why:
        said = str(why).removeprefix(f"{runs.file}: ")
        return [unpredicted(part, said) if part.count else None for part in held]
    return [
        predicted(fit, part) if part.count else None
        for fit, part in zip(small.fits, held, strict=True)
    ]


def _errors(settings: Settings) -> Errors:
    """The errors of a form over all groups, its exponents shared."""

    def errors(
        rest: Runs, held: Runs, choice: Choice, delta: float, progress: Progress
    ) -> tuple[Array, Array]:
        asked = replace(settings, choice=choice, delta=delta, starts=0)
        best = point_fit_by_group(parts_of(rest), asked, progress)
        z = best.found.z[None]
        far, own = [], []
        sides = zip(
            best.asked.members,
            best.asked.places,
            best.centres,
            parts_of(held),
            strict=True,
        )
        for member, at, centre, part in sides:
            own.append(member.predict(z[:, at])[0] - member.target)
            beyond = replace(
                member,
                x=np.log(part.parameters) - centre.x,
                y=np.log(part.tokens) - centre.y,
            )
            far.append(np.exp(beyond.predict(z[:, at])[0]) / part.loss - 1)
        return np.concatenate(far), np.concatenate(own)

    return errors
