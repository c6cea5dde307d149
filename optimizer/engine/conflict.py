"""Why no plan exists: which bounds conflict, and the least relaxation of each.

*Source*: Chinneck, Feasibility and Infeasibility in Optimization (2008), chapter 6
(irreducible infeasible sets).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from optimizer.algebra.posynomial import Posynomial
from optimizer.algebra.program import Certificate, GeometricProgram
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.diagnose import FAR, ROOM, Infimum, least_relaxation
from optimizer.engine.room import SLIVER
from optimizer.errors import Defect
from optimizer.records import dataclass

LEAST = " [at least]"  # the lower side of an equality; no name has such brackets


@dataclass(frozen=True)
class Conflict:
    """A proof that no plan exists, and ways out.

    Attributes:
        names: an irreducible set of bounds that exclude each other: without any
            one of them the rest can be met.
        factors: for each bound of the program, the factor by which it alone must
            grow for a plan to exist; None where no factor does.
        uniform: the factor by which all bounds together must grow.
        certificate: of the program that proves `uniform`.
    """

    names: tuple[str, ...]
    factors: dict[str, float | None]
    uniform: float
    certificate: Certificate


def diagnose(
    program: GeometricProgram,
    equalities: Collection[str] = (),
    given: Collection[str] = (),
    together: Mapping[str, str] = MappingProxyType({}),
) -> Conflict:
    """Explains an infeasible program.

    Args:
        program: the program.
        equalities: names of constraints that come in pairs, `x` and `x [at least]`,
            and hold a variable at a value. They have no room by nature: both sides
            stand or fall together, and only one side is relaxed at a time.
        given: names of constraints that nobody can move, such as physics; they hold
            throughout and are no part of a conflict.
        together: constraint → the bound that it belongs to, where one bound makes
            several constraints; they are relaxed by one factor.

    Raises:
        Defect: the program is feasible with room to spare, so that there is nothing
            to explain.
    """
    parts: dict[str, list[str]] = {}
    for constraint in program.constraints:
        name = constraint.name.removesuffix(LEAST)
        parts.setdefault(together.get(name, name), []).append(constraint.name)
    names = [name for name in parts if name not in given]
    bounds = [name for name in names if name not in equalities]

    values = {name: _value(program, name) for name in names if name not in bounds}

    def relaxed(members: Sequence[str]) -> Infimum:
        # A variable that is held is put in, since a pair of walls has nothing inside.
        held = dict(values[name] for name in members if name in values)
        others = [name for name in (*members, *given) if name not in values]
        kept = [part for name in others for part in parts.get(name, ())]
        give = [part for name in members if name in bounds for part in parts[name]]
        return least_relaxation(_keeping(program, kept).fixing(held), give)

    known = _Known(parts, bounds)

    def excluded(members: Sequence[str]) -> bool:
        if not any(name in bounds for name in members):
            return False
        told = known.says(members)
        try:
            return known.learn(members, relaxed(members)) if told is None else told
        except UncertifiedError:
            return False  # so that no bound is left out without a proof

    whole = relaxed(names)
    known.learn(names, whole)
    if whole.value < 1 - SLIVER or whole.certificate is None:
        raise Defect("the solver found no plan although the bounds leave room")
    conflict = irreducible(excluded, names)
    factors: dict[str, float | None] = {}
    for name in names:
        sides = [parts[name]]
        if name in equalities:
            sides = [[part] for part in parts[name]]
        # Without a bound that is not in it, the conflict is still there.
        stuck = name not in conflict or excluded([n for n in names if n != name])
        for side in sides:
            factor = math.inf
            if not stuck:
                factor = _least_factor(program, side)
            label = side[0] if name in equalities else name
            factors[label] = factor if math.isfinite(factor) else None
    return Conflict(tuple(conflict), factors, whole.value, whole.certificate)


class _Known:
    """What solved relaxations say of other sets of bounds.

    The multipliers of one that shows a conflict show it of every set that has the
    bounds which they weigh; and bounds with room at one point do not conflict.
    """

    def __init__(
        self, parts: Mapping[str, Sequence[str]], bounds: Collection[str]
    ) -> None:
        self.owner = {part: name for name, own in parts.items() for part in own}
        self.bounds = set(bounds)
        self.conflicts: list[set[str]] = []
        self.met: list[set[str]] = []

    def says(self, members: Collection[str]) -> bool | None:
        """Whether bounds exclude each other; None where that is not known."""
        if any(conflict.issubset(members) for conflict in self.conflicts):
            return True
        return False if any(each.issuperset(members) for each in self.met) else None

    def learn(self, members: Collection[str], least: Infimum) -> bool:
        """Takes in the relaxation of some bounds; returns whether they conflict."""
        conflict = least.value > 1 - SLIVER
        met = set(() if conflict else members)
        weighed = set(members if conflict else ())
        if conflict and least.solution is not None:
            program, (z, prices) = least.solution.program, least.solution.optimum
            names = [self.owner[c.name] for c in program.constraints]
            priced = {n for n, p in zip(names, prices, strict=True) if p > 0}
            weighed -= self.bounds - priced
            # Over its bound each is its left-hand side here times the factor.
            top = math.log(1 - SLIVER) - math.log(least.value)
            values = [c.posynomial.log_value(z[None])[0] for c in program.constraints]
            tight = {n for n, v in zip(names, values, strict=True) if v >= top}
            met = set(members) - (tight & self.bounds)
        self.conflicts += [weighed] if conflict else []
        self.met += [met]
        return conflict


def _value(program: GeometricProgram, name: str) -> tuple[str, float]:
    """The variable that an equality holds, and at what."""
    bound = next(c.posynomial for c in program.constraints if c.name == name)
    if not isinstance(bound, Posynomial):
        raise Defect("an equality holds one variable")
    (index,) = np.flatnonzero(bound.exponents[0, 0])
    return bound.variables[index], float(1 / bound.coefficients[0, 0])


def _least_factor(program: GeometricProgram, side: Sequence[str]) -> float:
    """The factor by which some constraints must give way; ∞ where none is certified."""
    try:
        least = least_relaxation(program, side, gap=ROOM / 10)
    except UncertifiedError:
        return math.inf
    return max(least.value, 1.0) * (1 + (ROOM if least.attained else FAR))


def irreducible(
    excluded: Callable[[Sequence[str]], bool],
    names: Sequence[str],
    kept: Sequence[str] = (),
    *,
    fresh: bool = False,
) -> list[str]:
    """Those of some bounds that are needed, beside others, for all to be excluded.

    By halves, so that few of many bounds are found in few solves; the later ones of
    the list are preferred. *Source*: Junker, QuickXplain (AAAI 2004), section 4.

    Args:
        excluded: whether bounds exclude each other.
        names: bounds of which some are needed; with `kept` they exclude each other.
        kept: bounds that stay.
        fresh: whether `kept` has grown since it was last asked about.
    """
    if fresh and excluded(kept):
        return []
    if len(names) == 1:
        return list(names)
    half = len(names) // 2
    early, late = names[:half], names[half:]
    before = irreducible(excluded, early, [*kept, *late], fresh=True)
    after = irreducible(excluded, late, [*kept, *before], fresh=bool(before))
    return [*before, *after]


def _keeping(program: GeometricProgram, names: Collection[str]) -> GeometricProgram:
    kept = tuple(c for c in program.constraints if c.name in names)
    return GeometricProgram(program.objective, kept)
