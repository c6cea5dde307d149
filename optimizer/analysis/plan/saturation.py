"""Where repeated data give next to nothing more.

Tokens read for the hundredth time are worth so little that the loss hardly falls: a
target there costs a multiple for its last thousandth, and a budget buys the same loss
at sizes far apart. Two things follow. A program at such a target is entered by easier
ones, each the start of the next; and of models that are equally good under a budget
the cheapest is the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import GeometricProgram, Solution, Status
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.own import hemmed
from optimizer.engine.solve import refine, solve
from optimizer.question.asked import Question
from optimizer.records import dataclass, replace

# By how much easier the targets are, one after the other.
EASIER = (1.0, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.0)
EQUAL = 1e-6  # of the reducible loss: models closer than this are equally good
IDLE = EQUAL / 0.01  # d ln s / d ln budget where the last 1 % buys less than that
LAST = 1e-3  # of the reducible loss, in "the last thousandth"
STEEP = 0.2  # the part of the cost that it must take to be told


@dataclass(frozen=True)
class LastThousandth:
    """What the last thousandth of a target's reducible loss costs.

    Attributes:
        loss: that is enough without it.
        saved: the part of the cost that this saves.
    """

    loss: float
    saved: float


def approach(
    easier: Callable[[float], GeometricProgram], start: Array
) -> Solution | None:
    """Enters a program by easier ones; None where one of them has no certified plan.

    Args:
        easier: from a relative slack to the program that has it; at 0 the one asked.
        start: ln of a point near the optimum of the easiest.

    *Source*: continuation, as in Nocedal & Wright, Numerical Optimization (2006),
    section 11.3.
    """
    if hemmed(easier(EASIER[-1])):
        return None
    found: Solution | None = None
    for slack in EASIER:
        program = easier(slack)
        try:
            if found is None:
                found = solve(program, start)
            else:
                found = refine(program, *found.optimum)
        except UncertifiedError:
            return None
        if found.status is not Status.OPTIMAL:
            return None
    return found


def of_target(question: Question) -> Solution | None:
    """The plan of a target, entered by easier ones; None where that fails."""
    s = question.reducible
    if s is None or not question.quantities:
        return None

    def easier(slack: float) -> GeometricProgram:
        return replace(question, reducible=s * (1 + slack)).program

    program = easier(EASIER[0])
    return approach(easier, question.start(program))


def cheapest(question: Question, lowest: Solution) -> Solution | None:
    """The cheapest of the models that a budget makes equally good.

    Args:
        question: with a budget.
        lowest: the certified lowest loss under it.

    Returns:
        The certified plan of least cost with that loss, or None where the budget
        still buys something, so that its optimum is the plan.
    """
    if question.reducible is not None or not question.quantities:
        return None
    names = [constraint.name for constraint in lowest.program.constraints]
    budget = next(i for i, name in enumerate(names) if name.startswith("budget."))
    if lowest.optimum[1][budget] > IDLE:
        return None
    return of_target(replace(question, reducible=lowest.value * (1 + EQUAL)))


def last_thousandth(question: Question, plan: Solution) -> LastThousandth | None:
    """What the last thousandth of a target costs, where that is much."""
    s = question.reducible
    if s is None or not question.quantities or plan.optimum[1][0] * LAST < STEEP:
        return None
    enough = s * (1 + LAST) ** (1 / question.surface.outer)
    easier = refine(replace(question, reducible=enough).program, *plan.optimum)
    if easier.status is not Status.OPTIMAL:
        return None
    saved = -math.expm1(math.log(easier.value / plan.value))
    return LastThousandth(question.surface.loss_of(enough), saved)
