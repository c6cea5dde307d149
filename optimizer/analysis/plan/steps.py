"""Scenarios in whole numbers that lie one step from another."""

from __future__ import annotations

import itertools

from optimizer.question.scenario import Scenario
from optimizer.records import replace

MOST = 16  # combinations of whole numbers
ROUNDS = 20  # of steps by one
EQUAL = 1e-9  # of the cost, below which nothing is gained


def around(scenario: Scenario, least: int = 1) -> list[Scenario]:
    """With the batches of its machines one more and one less, in all mixtures.

    Args:
        scenario: with its batches made whole.
        least: as many machines as are worth it; none for fewer.
    """
    batches = {s: w.batch for s, w in scenario.whole.items() if w.batch is not None}
    if len(batches) < max(least, 1):
        return []
    steps = list(itertools.product((-1.0, 0.0, 1.0), repeat=len(batches)))
    if len(steps) > MOST:  # one after another
        steps = [
            tuple(step * (i == j) for j in range(len(batches)))
            for i in range(len(batches))
            for step in (-1.0, 1.0)
        ]
    found = []
    for step in steps:
        moved = {s: b + by for (s, b), by in zip(batches.items(), step, strict=True)}
        if any(step) and min(moved.values()) >= 1:
            whole = {s: replace(scenario.whole[s], batch=b) for s, b in moved.items()}
            found.append(replace(scenario, whole={**scenario.whole, **whole}))
    return found
