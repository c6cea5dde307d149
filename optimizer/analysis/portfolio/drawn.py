"""Whole numbers of samples for the models of a portfolio that leave them open."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping

from optimizer.algebra.program import Status
from optimizer.analysis.portfolio.whole_joint import (
    JointlySolved,
    cheapest,
    jointly,
)
from optimizer.question.asked import SAMPLES
from optimizer.question.portfolio import variable
from optimizer.question.sampling import left_open
from optimizer.records import replace
from optimizer.world.roofline import NEAR

MOST = 6  # models of which every rounding is tried; of more, each as is nearest


def decided(found: JointlySolved) -> JointlySolved:
    """The cheapest joint plan with whole numbers beside those of the optimum.

    Several numbers are rounded together, where the best may lie farther off: what the
    optimum in fractions proves is how much that could save at most.

    Args:
        found: with samples in fractions.

    Returns:
        The same where no model leaves its samples open, or where it has no plan;
        without a plan where no rounding has one.
    """
    portfolio = found.portfolio
    if found.solution.status is not Status.OPTIMAL:
        return found
    at = {
        member.name: found.point[variable(SAMPLES, member.name)]
        for member in portfolio.members
        if left_open(member) is not None
    }
    if not at:
        return found
    tried = []
    for numbers in _roundings(at):
        members = tuple(
            replace(member, samples=numbers.get(member.name, member.samples))
            for member in portfolio.members
        )
        tried.append(jointly(replace(portfolio, members=members)))
    return cheapest(tried)


def _roundings(at: Mapping[str, float]) -> Iterator[dict[str, float]]:
    """The whole numbers beside each, in every combination."""
    ends = [
        sorted({max(math.floor(k * (1 + NEAR)), 1), math.ceil(k * (1 - NEAR))})
        for k in at.values()
    ]
    if len(at) > MOST:
        ends = [[round(k)] for k in at.values()]
    for picked in itertools.product(*ends):
        yield dict(zip(at, map(float, picked), strict=True))
