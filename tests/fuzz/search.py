"""Searches: what is drawn, and what must hold of it; a sample each day, or for hours.

The suite draws a fixed sample of each. `python -m tests.fuzz.thorough` draws the same
things for hours, in batches, and goes on where it stopped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.chance import examples

SEARCHES = {}


@dataclass(frozen=True)
class Search:
    """What is drawn, and a function of it that raises where something is wrong."""

    drawn: Mapping[str, SearchStrategy]
    holds: Callable[..., None]

    def batch(self, number: int, count: int, tried: Callable[..., Any]) -> None:
        """Draws anew and hands each to `tried`, with nothing made smaller.

        Args:
            number: the seed, by which the batch is had again.
            count: of what is drawn.
            tried: takes what was drawn by its names.
        """
        plain = settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        seed(number)(plain(given(**self.drawn)(tried)))()


def search(daily: int, **drawn: SearchStrategy):
    """Makes a test of a function: it holds of each of some that are drawn.

    Args:
        daily: how many the suite draws.
        drawn: a strategy for each argument of the function.
    """

    def made(holds):
        SEARCHES[holds.__name__.removeprefix("test_")] = Search(drawn, holds)
        allowed = settings(
            max_examples=examples(daily), suppress_health_check=list(HealthCheck)
        )
        return allowed(given(**drawn)(holds))

    return made
