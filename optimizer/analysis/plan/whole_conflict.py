"""Which bounds exclude each other in whole numbers, and the least change of each.

Each combination of whole batches and replicas has a proof of its own that it has no
plan, and bounds of its own that exclude each other there. What holds for all of them is
asked of the search itself: which bounds it takes to exclude every combination that it
tries, and how far one must move for the first of them to have a plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from optimizer.analysis.plan.infeasibility import Relaxation
from optimizer.engine.conflict import irreducible
from optimizer.records import replace
from optimizer.world.surface import Surface

FARTHEST = 2.0**40  # how far a bound is moved
FIRST = 0.02  # step in the logarithm of a bound
NEAR = 1e-3  # in the logarithm of a bound that whole machines need

At = Callable[[str, float], bool]  # whether there is a plan with one bound moved
Without = Callable[[Collection[str]], bool]  # the same without some of the bounds


def in_whole_numbers(
    ways: Sequence[Relaxation], surface: Surface, at: At, without: Without
) -> tuple[tuple[str, ...], tuple[Relaxation, ...]] | None:
    """An irreducible set of bounds without a plan, and how far each must move alone.

    Args:
        ways: each bound that somebody can move, as the nearest combination needs it.
        surface: of the model whose target it is, if it is one.
        at: whether there is a plan with one bound moved.
        without: whether there is one without some of them.

    Returns:
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
        after = least(way, surface, at) if alone else None
        found.append(replace(way, after=after))
    return tuple(conflict), tuple(found)


def least(way: Relaxation, surface: Surface, at: At) -> float | None:
    """Where a bound must go at least, up or else down where it is held from both."""
    signs = [1] if way.name.rpartition(": ")[2][:4] != "fix." else [1, -1]
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
