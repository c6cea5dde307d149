"""The near-optimal range where batches, or the samples of a request, are whole.

With these decided a program is convex, and its range is found as any other. Each size
has batches and samples of its own that suit it best: at both ends those beside the best
in fractions are tried, and those of the plan itself. An end that is told is so reached
by a plan in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Constraint, GeometricProgram, Status
from optimizer.analysis.plan.answer import NearOptimal
from optimizer.analysis.plan.near_optimal import (
    DIGITS,
    POWERS,
    WITHIN,
    End,
    Outer,
    Pairs,
    end_program,
    near_to,
    pairs,
    ranged,
)
from optimizer.analysis.plan.rounded import whole_batches, whole_samples
from optimizer.analysis.plan.touching import machines
from optimizer.analysis.plan.whole import MANY, Solved, WholePlan
from optimizer.engine.solve import attempt_each
from optimizer.question.asked import SAMPLES, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.records import replace

Ends: TypeAlias = "dict[float, list[End]]"
RESTOOD = 4  # replicas more or fewer


def near_whole(
    made: WholePlan, others: Sequence[WholePlan] = ()
) -> tuple[NearOptimal, ...]:
    """The sizes whose best plan in whole numbers is near the plan's cost or loss.

    With more or fewer replicas that stand, or with another choice of a scenario's
    lists, other sizes may be near it, too; they are told as far as they lie side by
    side with those of the plan. A range that cannot be certified is left out.

    Args:
        made: the plan.
        others: those of other choices, whose sizes are counted alike.
    """
    plan, middle = made.plan, made.standing
    if plan.question.fixed:
        return near_to(middle.question, middle.solution)
    if plan.question.reducible is None:
        if middle.question.between is not None:
            # The losses have the term of the samples or not: those of the plan.
            return near_to(plan.question, plan.solution)
        others = ()
    value = plan.solution.value
    most = value * (1 + max(WITHIN)) ** (1 / plan.question.measured)
    found = [_ends(middle, plan, value)]
    for one in (made, *others):
        if one.standing.solution.value > most:
            continue
        if one is not made:
            found.append(_ends(one.standing, one.plan, value))
        if one.fractions is not None and one.replicas > MANY:
            # Of so many, one more costs next to nothing: all but that may be spent.
            found.append(_ends(one.fractions, None, value * (1 - 1 / one.replicas)))
        else:
            stands = _restood(one.standing, most)
            found += [_ends(standing, None, value) for standing in stands]
    return ranged(*_joined(found))


def _restood(middle: Solved, most: float) -> Iterator[Solved]:
    """The same on more or fewer replicas of one machine, as long as it is worth it."""
    for suffix, whole in middle.scenario.whole.items():
        for step in (1.0, -1.0) if whole.replicas is not None else ():
            count = whole.replicas or 0.0
            for _ in range(RESTOOD):
                count += step
                if count < 1:
                    break
                stands = {
                    **middle.scenario.whole,
                    suffix: replace(whole, replicas=count),
                }
                scenario = replace(middle.scenario, whole=stands)
                question = formulate(scenario)
                start = middle.solution.optimum[0]
                (found,) = attempt_each([question.program], [start])
                if found is None or found.status is not Status.OPTIMAL:
                    break
                if found.value > most:
                    break
                yield Solved(scenario, question, found)


def _joined(found: Sequence[tuple[Ends, Pairs]]) -> tuple[Ends, Outer]:
    """The ends of ranges that overlap with the first, and those in fractions."""
    ends = {within: [*pair] for within, pair in found[0][0].items()}
    outer: dict[float, list[End | None]] = {k: [*v] for k, v in found[0][1].items()}
    for within, mine in ends.items():
        rest = [pair for pair in found[1:] if within in pair[0]]
        grown = True
        while grown:
            grown = False
            for new, wide in rest:
                low, high = new[within]
                if low.size > mine[1].size or high.size < mine[0].size:
                    continue
                for side, end in enumerate((low, high)):
                    if POWERS[side] * end.size < POWERS[side] * mine[side].size:
                        mine[side], grown = end, True
                        outer.setdefault(within, [*mine])[side] = wide.get(
                            within, (low, high)
                        )[side]
        for new, _ in rest:
            # What lies apart from them is not cut off by a limit.
            for side, power in enumerate(POWERS):
                past = power * new[within][side].size < power * mine[side].size
                if past and within in outer:
                    outer[within][side] = None
    return ends, outer


def _ends(middle: Solved, plan: Solved | None, value: float) -> tuple[Ends, Pairs]:
    """Both ends of each range of one choice, in whole numbers and in fractions.

    Args:
        middle: with batches in fractions.
        plan: with whole ones, if it is known.
        value: of the best plan.
    """
    measured = middle.question.measured
    outer = pairs(middle.solution, value, measured)
    whole = middle.scenario if plan is None else plan.scenario
    batches = [one for one in whole.whole.values() if one.batch is not None]
    drawn = middle.question.between is not None
    if plan is not None and not (batches or drawn):
        return {within: [*pair] for within, pair in outer.items()}, outer
    ends: Ends = {}
    if plan is not None:
        own = None if plan.solution.value == value else value
        for within, pair in pairs(plan.solution, own, measured).items():
            if within in outer or not drawn:  # other numbers of samples are beside it
                ends[within] = [*pair]
    asked = []
    for within in {**outer, **ends}:
        most = value * (1 + within) ** (1 / measured)
        for side, end in enumerate(outer.get(within) or ends[within]):
            asked += [(within, side, *one) for one in _asked(middle, end, most, side)]
    starts = [start for *_, start in asked]
    found = attempt_each([program for *_, program, _ in asked], starts, DIGITS)
    reached: dict[float, list[End | None]] = {w: [*pair] for w, pair in ends.items()}
    for (within, side, program, *_), one in zip(asked, found, strict=True):
        if one is not None and one.status is Status.OPTIMAL:
            priced = one if plan is None else plan.solution
            guess = priced.optimum[1][: len(program.constraints)]
            end, power = End(one, program, guess), POWERS[side]
            sides = reached.setdefault(within, [None, None])
            known = sides[side]
            if known is None or power * end.size < power * known.size:
                sides[side] = end
    return {
        within: [low, high]
        for within, (low, high) in reached.items()
        if low is not None and high is not None
    }, outer


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
