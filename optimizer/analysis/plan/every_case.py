"""Which bounds exclude each other in every case, and the least change of each.

Each combination of whole batches and replicas, and each choice from lists, has a proof
of its own that it has no plan, and bounds of its own that exclude each other there.
What holds for all of them is asked of the search itself: which bounds it takes to
exclude every combination that it tries, and how far one must move for the first of them
to have a plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from optimizer.analysis.plan.explain import unmet
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.reach import change, cure
from optimizer.engine.conflict import irreducible
from optimizer.records import replace
from optimizer.world.surface import Surface

FARTHEST = 2.0**40  # how far a bound is moved
FIRST = 0.02  # step in the logarithm of a bound
NEAR = 1e-3  # in the logarithm of a bound that whole machines need

Without = Callable[[Collection[str]], bool]  # whether there is a plan without some
Least = Callable[[Relaxation], float | None]  # where a bound alone must go


def of_all(
    why: Infeasibility,
    where: str,
    surface_of: Callable[[Relaxation], Surface],
    movable: Callable[[Relaxation], bool],
    without: Without,
    least: Least,
) -> Infeasibility:
    """What holds in every case, in place of what does in the nearest one.

    Args:
        why: there is no plan, in the nearest case; `beside` are the bounds that exclude
            each other there.
        where: there is none, such as `in whole batches`.
        surface_of: tells that of the model whose bound it is.
        movable: whether a word moves a bound.
        without: whether there is a plan without some of them.
        least: where one must go for a plan.
    """
    names = [way.name for way in why.relaxations if movable(way)]
    free, ways = {*why.beside}, list(why.relaxations)
    if without(names):

        def excluded(kept: Sequence[str]) -> bool:
            return not without([name for name in names if name not in kept])

        free = set(irreducible(excluded, names))
        for place, way in enumerate(ways):
            if way.name in names:
                alone = way.name in free and without([way.name])
                ways[place] = replace(way, after=least(way) if alone else None)
    held = {*why.beside}.difference(names)
    conflict = tuple(way.name for way in ways if way.name in free | held)
    shown = sorted(ways, key=lambda way: change(way, surface_of(way)))
    return replace(
        why,
        opening=f"{where} {unmet(conflict, ways)}",
        conflict=conflict,
        relaxations=tuple(ways),
        cure=cure(shown),
        certificate=None,
    )


def held_from_both(name: str) -> bool:
    """Whether a bound holds a value, so that it may go up or down."""
    return name.rpartition(": ")[2].startswith("fix.")


def nearest(
    way: Relaxation,
    start: float,
    surface: Surface,
    at: Callable[[float], bool],
    most: float = math.inf,
    known: float | None = None,
) -> float | None:
    """Where a bound must go at least, up or else down where it is held from both.

    Args:
        way: the bound.
        start: a value nearer than which none will do.
        surface: of the model whose bound it is.
        at: whether there is a plan with the bound at a value.
        most: how far it is moved from the start, in logarithms.
        known: a value of one that is held from both with which there is a plan, since
            those that will do may be few and far.
    """
    found = []
    signs = [1, -1] if held_from_both(way.name) else [1]
    if start != way.before:
        signs = [1 if start > way.before else -1]
    for sign in signs:
        bound = along(way, start, surface, sign)

        def there(log: float, bound: Callable[[float], float] = bound) -> bool:
            return at(bound(log))

        far = math.nan if known is None else sign * math.log(known / start)
        log = first(there, most, far)
        if log is not None:
            found.append((log, bound(log)))
    return min(found)[1] if found else None


def along(
    way: Relaxation, start: float, surface: Surface, sign: int
) -> Callable[[float], float]:
    """A bound by how far it is moved from a start, in logarithms."""
    if way.unit == "nats":
        base = surface.reducible(start)
        return lambda log: surface.loss_of(base * math.exp(log))
    return lambda log: start * math.exp(sign * log)


def first(
    there: Callable[[float], bool], most: float = math.inf, known: float = math.nan
) -> float | None:
    """The first place above 0 where something holds, to `NEAR`, from above.

    Args:
        there: whether it holds.
        most: where to look at most.
        known: a place above 0 where it holds, if there is one.
    """
    most = min(most, math.log(FARTHEST))
    low, high = 0.0, min(FIRST, most)
    while not there(high):
        if low < known <= 2 * high:
            high = known
            break
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > NEAR:
        middle = (low + high) / 2
        low, high = (low, middle) if there(middle) else (middle, high)
    return high
