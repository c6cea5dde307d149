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
    End,
    end_program,
    near_to,
    pairs,
    ranged,
)
from optimizer.analysis.plan.rounded import whole_batches
from optimizer.analysis.plan.whole import Solved, WholePlan
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
    outer, prices = pairs(middle.solution, value, measured), plan.solution.optimum[1]
    ends = {
        within: [*pair] for within, pair in pairs(plan.solution, None, measured).items()
    }
    asked = []
    for within, own in ends.items():
        most = value * (1 + within) ** (1 / measured)
        for side, end in enumerate(outer.get(within, own)):
            asked += [(within, side, *one) for one in _asked(middle, end, most, side)]
    starts = [start for *_, start in asked]
    found = attempt_each([program for *_, program, _ in asked], starts, DIGITS)
    for (within, side, program, *_), one in zip(asked, found, strict=True):
        if one is not None and one.status is Status.OPTIMAL:
            end, power = End(one, program, prices), POWERS[side]
            if power * end.size < power * ends[within][side].size:
                ends[within][side] = end
    return ranged(ends)


def _asked(
    middle: Solved, end: End, most: float, side: int
) -> Iterator[tuple[GeometricProgram, GeometricProgram, Array]]:
    """For each of the batches beside the best of a size, what it asks for.

    Returns:
        The program, that of the last N within a cost, and ln of where to start.
    """
    for scenario in whole_batches(middle.scenario, middle.question, end.size):
        program = formulate(scenario).program
        z = np.log([end.found.point[name] for name in program.variables])
        yield program, end_program(program, most, POWERS[side]), z
