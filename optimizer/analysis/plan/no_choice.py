"""Why none of several choices has a plan, and the least change that gives one to any.

Each choice has its own proof that it has none, with the least change of each bound in
fractions of machines. Those are where the search for the least of all begins: nothing
below them can have a plan.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from optimizer.analysis.plan.every_case import held_from_both, of_all
from optimizer.analysis.plan.explain import notes
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.reach import beyond_law, change, only_near
from optimizer.analysis.plan.search import made_whole
from optimizer.analysis.plan.tried import Tried
from optimizer.records import replace
from optimizer.world.surface import Surface


def of_choices(tried: Sequence[Tried], first_of: Tried) -> Infeasibility | None:
    """What holds for every choice, in place of what does for the nearest one.

    Args:
        tried: the choices, none with a plan.
        first_of: the one of them that is nearest to a plan.

    Returns:
        The reason; None where that of the nearest says all: it stands alone, or no
        bound that a word moves gives any choice a plan.
    """
    named: dict[str, Relaxation] = {}
    for one in (first_of, *tried):
        for name, way in one.ways.items():
            named.setdefault(name, way)
    known: dict[frozenset[str], bool] = {}

    def without(names: Collection[str]) -> bool:
        key = frozenset(names)
        if key not in known:
            known[key] = any(one.without(names) for one in tried)
        return known[key]

    if len(tried) == 1 or beyond_law(first_of.scenario, first_of.question):
        return None
    if not without(named):
        return None
    proofs = [{*(one.why.beside or one.why.conflict)} for one in tried]
    held = set.intersection(*proofs).difference(named)
    ways = [w for w in first_of.why.relaxations if w.name in {*named, *held}]
    ways += [way for way in named.values() if way not in ways]
    why = replace(first_of.why, beside=tuple(held), relaxations=tuple(ways))

    def surface_of(_: Relaxation) -> Surface:
        return first_of.question.surface

    why = of_all(
        why,
        _where(tried),
        surface_of,
        lambda way: way.name in named,
        without,
        lambda way: _least(tried, way, surface_of(way)),
    )
    told = notes(first_of.question, why.relaxations, why.conflict)
    why = replace(
        why,
        notes=tuple(told),
        beside=(),
        choices=len(tried),
        certificate=first_of.why.certificate,
        uniform=_uniform(tried),
    )
    return _with_lowest(tried, why)


def _where(tried: Sequence[Tried]) -> str:
    """In which cases there is no plan, in words."""
    told = f"whichever of the {len(tried)} choices is taken,"
    whole = [made_whole(one.question) for one in tried if one.why.beside]
    return f"{told} in whole {whole[0]}" if whole else told


def _least(tried: Sequence[Tried], way: Relaxation, surface: Surface) -> float | None:
    """Where a bound must go at least for any choice to have a plan."""
    name = way.name
    found, most = None, math.inf
    mine = [one for one in tried if name in one.ways]
    for one in sorted(mine, key=lambda one: one.least_change(name)):
        if one.least_change(name) >= most or not one.without([name]):
            continue
        loosened = found is not None and not held_from_both(name)
        if loosened and not one.at(name, found or 0.0):
            continue  # what is looser keeps a plan, so that nothing tighter has one
        if (value := one.least(name, most)) is not None:
            moved_by = change(replace(way, after=value), surface)
            found, most = min((found, most), (value, moved_by), key=lambda f: f[1])
    return found


def _uniform(tried: Sequence[Tried]) -> float | None:
    """The factor by which all bounds must give way together for any of them."""
    factors = [one.why.uniform for one in tried]
    if any(factor is None for factor in factors) or any(t.why.beside for t in tried):
        return None
    return min(factor for factor in factors if factor is not None)


def _with_lowest(tried: Sequence[Tried], why: Infeasibility) -> Infeasibility:
    """The same with the lowest loss of all choices, where it is known."""
    known = [one.why for one in tried if one.why.nearest_loss is not None]
    if not known or "target" not in why.conflict or any(t.why.beside for t in tried):
        return replace(why, nearest_loss=None, nearest_reached=True, lowest="")
    low = min(known, key=lambda its: its.nearest_loss or 0.0)
    found, own = (_to(of.relaxations, "target") for of in (why, low))
    if found != own:
        low = only_near(low)
    return replace(
        why,
        nearest_loss=low.nearest_loss,
        nearest_reached=low.nearest_reached,
        lowest=low.lowest,
    )


def _to(ways: Sequence[Relaxation], name: str) -> float | None:
    """Where a bound must go."""
    return next((way.after for way in ways if way.name == name), None)
