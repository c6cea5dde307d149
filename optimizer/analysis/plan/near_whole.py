"""The near-optimal range where batches are whole.

With its batches decided a program is convex, and its range is found as any other. Each
size has batches of its own that suit it best: at both ends those beside the best in
fractions are tried, and those of the plan itself. An end that is told is so reached by
a plan in whole machines.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram, Status
from optimizer.analysis.plan.answer import NearOptimal
from optimizer.analysis.plan.near_optimal import (
    DIGITS,
    POWERS,
    best_at,
    end_program,
    near_optimal,
    near_to,
    ranged,
)
from optimizer.analysis.plan.whole import Solved, WholePlan, whole_batches
from optimizer.engine.solve import attempt_each
from optimizer.question.formulate import formulate


def near_whole(made: WholePlan) -> tuple[NearOptimal, ...]:
    """The sizes whose best plan in whole batches is near the plan's cost or loss.

    A range that cannot be certified is left out.
    """
    plan, middle = made.plan, made.standing
    batches = [one for one in plan.scenario.whole.values() if one.batch is not None]
    if not batches or plan.question.fixed or middle.question.between is not None:
        return near_to(middle.question, middle.solution)
    value, measured = plan.solution.value, plan.question.measured
    around = near_optimal(middle.solution, value, measured)
    outer = {near.within: near for near in around}
    inner = near_optimal(plan.solution, measured=measured)
    asked = []
    for row, own in enumerate(inner):
        most = value * (1 + own.within) ** (1 / measured)
        for side, size in enumerate(_sizes(outer.get(own.within, own))):
            asked += [(row, side, *one) for one in _asked(middle, size, most, side)]
    starts = [start for *_, start in asked]
    found = attempt_each([program for *_, program, _ in asked], starts, DIGITS)
    ends = [_sizes(own) for own in inner]
    for (row, side, program, *_), end in zip(asked, found, strict=True):
        if end is not None and end.status is Status.OPTIMAL:
            point, power = best_at(program, end), POWERS[side]
            if power * point["N"] < power * ends[row][side]["N"]:
                ends[row][side] = point
    return tuple(
        ranged(own.within, pair) for own, pair in zip(inner, ends, strict=True)
    )


def _sizes(near: NearOptimal) -> list[dict[str, float]]:
    """N and D of the lower end, and of the upper."""
    ends = zip(near.parameters, near.tokens, strict=True)
    return [{"N": N, "D": D} for N, D in ends]


def _asked(
    middle: Solved, size: dict[str, float], most: float, side: int
) -> Iterator[tuple[GeometricProgram, GeometricProgram, Array]]:
    """For each of the batches beside the best of a size, what it asks for.

    Returns:
        The program, that of the last N within a cost, and ln of where to start.
    """
    for scenario in whole_batches(middle.scenario, middle.question, size["N"]):
        question = formulate(scenario)
        program = question.program
        point = question.complete(size)
        z = np.log([point.get(name, 1.0) for name in program.variables])
        yield program, end_program(program, most, POWERS[side]), z
