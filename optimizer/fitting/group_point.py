"""The best of many minima over several groups of runs that share exponents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.errors import InputError
from optimizer.fitting.fit import Settings
from optimizer.fitting.forms import Centre, Choice, coefficients, problem
from optimizer.fitting.joint import SHARED, Joint, joint
from optimizer.fitting.newton import STATIONARY
from optimizer.fitting.objective import Array
from optimizer.fitting.refuse import (
    failed,
    refuse_flat,
    refuse_no_reach,
    refuse_unstationary,
    refuse_vanished,
)
from optimizer.fitting.runs import Runs
from optimizer.fitting.search import (
    FAR,
    Found,
    Progress,
    best_of,
    explore,
    finished,
    part,
    silent,
)
from optimizer.fitting.starts import starts as spread_starts
from optimizer.records import dataclass, replace


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
    asked, names = joint(members, [choice.free] * len(members))
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
