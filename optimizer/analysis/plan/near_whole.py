"""The near-optimal range where batches are whole.

With its batches decided a program is convex, and its range is found as any other. Each
size has batches of its own that suit it best: at both ends those beside the best in
fractions are tried, and those of the plan itself. An end that is told is so reached by
a plan in whole machines.
"""

from __future__ import annotations

import numpy as np

from optimizer.algebra.program import Status
from optimizer.analysis.plan.answer import NearOptimal
from optimizer.analysis.plan.near_optimal import (
    DIGITS,
    best_at,
    end_program,
    near_optimal,
    near_to,
    ranged,
)
from optimizer.analysis.plan.whole import Solved, WholePlan, whole_batches
from optimizer.engine.solve import attempt
from optimizer.question.formulate import formulate


def near_whole(made: WholePlan) -> tuple[NearOptimal, ...]:
    """The sizes whose best plan in whole batches is near the plan's cost or loss.

    A range that cannot be certified is left out.
    """
    plan, middle = made.plan, made.standing
    batches = [one for one in plan.scenario.whole.values() if one.batch is not None]
    if not batches or plan.question.fixed or middle.question.between is not None:
        return near_to(middle.question, middle.solution)
    value = plan.solution.value
    outer = {near.within: near for near in near_optimal(middle.solution, value)}
    found = []
    for own in near_optimal(plan.solution):
        ends = [dict(zip("ND", pair, strict=True)) for pair in _pairs(own)]
        for side, pair in enumerate(_pairs(outer.get(own.within, own))):
            size = dict(zip("ND", pair, strict=True))
            power = (1.0, -1.0)[side]
            for end in _reached(middle, size, value * (1 + own.within), power):
                if power * end["N"] < power * ends[side]["N"]:
                    ends[side] = end
        found.append(ranged(own.within, ends))
    return tuple(found)


def _pairs(near: NearOptimal) -> list[tuple[float, float]]:
    """N and D of the lower end, and of the upper."""
    return list(zip(near.parameters, near.tokens, strict=True))


def _reached(
    middle: Solved, size: dict[str, float], most: float, power: float
) -> list[dict[str, float]]:
    """The last N and D within a cost, with each of the batches beside the best."""
    found = []
    for scenario in whole_batches(middle.scenario, middle.question, size["N"]):
        question = formulate(scenario)
        program = question.program
        asked = end_program(program, most, power)
        point = question.complete(size)
        z = np.log([point.get(name, 1.0) for name in program.variables])
        unknown = np.zeros(len(program.constraints))
        end = attempt(asked, z, np.append(unknown, 0.0), DIGITS)
        if end is not None and end.status is Status.OPTIMAL:
            found.append(best_at(program, end, unknown))
    return found
