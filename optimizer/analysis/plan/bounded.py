"""The least of several, working out those alone that a bound says may be it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from optimizer.records import dataclass

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Bounded:
    """One of several that stand for a place.

    Attributes:
        place: its number.
        least: what it costs at least.
        index: of it among all, for whoever works it out.
    """

    place: int
    least: float
    index: int


def least_of_each(
    places: int,
    bounded: Sequence[Bounded],
    made: Callable[[Sequence[int]], Sequence[T | None]],
    cost: Callable[[T], float],
) -> list[T | None]:
    """For each place the cheapest of those that stand for it; None where none is any.

    The one whose bound is least is worked out first, and then those that may still be
    cheaper, each time of all places at once.

    Args:
        places: how many.
        bounded: those that stand for them, in any order.
        made: works out those of some indices; None where it comes to nothing.
        cost: of one, at least its bound.
    """
    best: list[T | None] = [None] * places
    left = sorted(bounded, key=lambda one: one.least)
    for last in (False, True):
        left = [
            one
            for one in left
            if (known := best[one.place]) is None or one.least < cost(known)
        ]
        first = {one.place: one for one in reversed(left)}
        trying = left if last else list(first.values())
        tried = {one.index for one in trying}
        left = [one for one in left if one.index not in tried]
        found = made([one.index for one in trying])
        for one, each in zip(trying, found, strict=True):
            known = best[one.place]
            if each is not None and (known is None or cost(each) < cost(known)):
                best[one.place] = each
    return best
