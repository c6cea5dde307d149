"""The near-optimal range where batches, or the samples of a request, are whole.

With these decided a program is convex, and its range is found as any other. Each size
has batches and samples of its own that suit it best: at both ends those beside the best
in fractions are tried, and those of the plan itself. An end that is told is so reached
by a plan in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Constraint, GeometricProgram, Status
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
from optimizer.analysis.plan.rounded import whole_batches, whole_samples
from optimizer.analysis.plan.touching import machines
from optimizer.analysis.plan.whole import Solved, WholePlan
from optimizer.engine.solve import attempt_each
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario


def near_whole(made: WholePlan) -> tuple[NearOptimal, ...]:
    """The sizes whose best plan in whole numbers is near the plan's cost or loss.

    A range that cannot be certified is left out.
    """
    plan, middle = made.plan, made.standing
    batches = [one for one in plan.scenario.whole.values() if one.batch is not None]
    drawn = middle.question.between is not None
    if drawn and plan.question.reducible is None:
        # A budget's losses have the term of the samples or not: those of the plan.
        return near_to(plan.question, plan.solution)
    if not (batches or drawn) or plan.question.fixed:
        return near_to(middle.question, middle.solution)
    value, measured = plan.solution.value, plan.question.measured
    outer, prices = pairs(middle.solution, value, measured), plan.solution.optimum[1]
    ends = {
        within: [*pair]
        for within, pair in pairs(plan.solution, None, measured).items()
        if within in outer or not drawn  # other numbers of samples are beside it
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
    """For each of the whole numbers beside the best of a size, what it asks for.

    Returns:
        The program, that of the last N within a cost, and ln of where to start.
    """
    beside = [(middle.scenario, middle.question)]
    if middle.question.between is not None:
        drawn = whole_samples(middle.scenario, end.found.point[SAMPLES])
        asked = [(scenario, formulate(scenario)) for scenario in drawn]
        beside = [one for one in asked if (one[1].reducible or 0.0) > 0]
    programs = [
        _batched(one, question) if one is not scenario else question.program
        for scenario, question in beside
        for one in whole_batches(scenario, question, end.size)
        or ([] if question.replicas else [scenario])
    ]
    for program in programs:
        z = np.log([end.found.point[name] for name in program.variables])
        yield program, end_program(program, most, POWERS[side]), z


def _batched(scenario: Scenario, question: Question) -> GeometricProgram:
    """The program of whole batches, by that with them open.

    Of a mixture a monomial that touches at a batch is the share that it reads.
    """
    # One that is whole already where it is best stays open.
    found = {r.suffix: scenario.whole.get(r.suffix) for r in question.replicas}
    batches = {suffix: one.batch for suffix, one in found.items() if one and one.batch}
    least = {f"serving.batch{suffix}" for suffix in batches}  # one sequence
    told = {
        wall.name: wall
        for r in question.replicas
        if r.suffix in batches and r.suffix in machines(question)
        for wall in r.touching(batches[r.suffix]).physics()
    }
    program = question.program
    kept = tuple(
        Constraint(c.name, question.under(told[c.name])) if c.name in told else c
        for c in program.constraints
        if c.name not in least
    )
    whole = {f"batch{suffix}": batch for suffix, batch in batches.items()}
    return GeometricProgram(program.objective, kept).fixing(whole)
