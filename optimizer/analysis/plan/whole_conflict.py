"""Which bounds exclude each other in whole numbers, and the least change of each.

Each combination of whole batches and replicas has a proof of its own that it has no
plan, and bounds of its own that exclude each other there. What holds for all of them is
asked of the search itself: which bounds it takes to exclude every combination that it
tries, and how far one must move for the first of them to have a plan.
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

At = Callable[[str, float], bool]  # whether there is a plan with one bound moved
Without = Callable[[Collection[str]], bool]  # the same without some of the bounds


def of_all(
    why: Infeasibility,
    made_whole: str,
    surface_of: Callable[[Relaxation], Surface],
    movable: Callable[[Relaxation], bool],
    at: At,
    without: Without,
) -> Infeasibility:
    """What holds for all whole numbers, in place of what does for the nearest ones.

    Args:
        why: there is no plan, of the nearest ones.
        made_whole: what is in whole numbers.
        surface_of: tells that of the model whose bound it is.
        movable: whether a word moves a bound.
        at: whether there is a plan with one bound moved.
        without: whether there is one without some of them.
    """
    free = [way for way in why.relaxations if movable(way)]
    conflict, ways = _excluding(free, surface_of, at, without) or (why.beside, free)
    other = {way.name: way for way in ways}
    held = {name for name in why.beside if name not in other}
    names = tuple(w.name for w in why.relaxations if w.name in {*conflict, *held})
    ways = [other.get(way.name, way) for way in why.relaxations]
    shown = sorted(ways, key=lambda way: change(way, surface_of(way)))
    return replace(
        why,
        opening=f"in whole {made_whole} {unmet(names, ways)}",
        conflict=names,
        relaxations=tuple(ways),
        cure=cure(shown),
        certificate=None,
    )


def _excluding(
    ways: Sequence[Relaxation],
    surface_of: Callable[[Relaxation], Surface],
    at: At,
    without: Without,
) -> tuple[Sequence[str], list[Relaxation]] | None:
    """An irreducible set of bounds without a plan, and how far each must move alone.

    None where there is no plan without all of them either.
    """
    names = [way.name for way in ways]
    if not without(names):
        return None

    def excluded(kept: Sequence[str]) -> bool:
        return not without([name for name in names if name not in kept])

    conflict = irreducible(excluded, names)
    found = []
    for way in ways:
        alone = way.name in conflict and without([way.name])
        after = least(way, surface_of(way), at) if alone else None
        found.append(replace(way, after=after))
    return conflict, found


def least(way: Relaxation, surface: Surface, at: At) -> float | None:
    """Where a bound must go at least, up or else down where it is held from both."""
    fixed = way.name.rpartition(": ")[2].startswith("fix.")
    signs = [1, -1] if fixed else [1]
    found = []
    for sign in signs:
        bound = along(way, way.before, surface, sign)

        def there(log: float, bound: Callable[[float], float] = bound) -> bool:
            return at(way.name, bound(log))

        log = first(there)
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


def first(there: Callable[[float], bool]) -> float | None:
    """The first place above 0 where something holds, to `NEAR`, from above."""
    low, high = 0.0, FIRST
    while not there(high):
        low, high = high, 2 * high
        if high > math.log(FARTHEST):
            return None
    while high - low > NEAR:
        middle = (low + high) / 2
        low, high = (low, middle) if there(middle) else (middle, high)
    return high
