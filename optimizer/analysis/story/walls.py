"""Where the limits that hold a plan are reached, as lines over size and tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from optimizer.analysis.plan.answer import Answer
from optimizer.question.asked import Question
from optimizer.records import dataclass
from optimizer.world.costs import value
from optimizer.world.limits import Limit

Box = tuple[float, float, float, float]
POINTS = 13  # of a line
HALVINGS = 24
THROUGH = 1e-3  # of a limit, between it and the plan that it holds
BEYOND = 1.02  # times the plan, where it is broken


@dataclass(frozen=True)
class Wall:
    """A limit that binds.

    Attributes:
        name: the user's word for it.
        line: N and D at which all of it is used, within a box.
    """

    name: str
    line: tuple[tuple[float, float], ...]


def walls(question: Question, answer: Answer, box: Box) -> tuple[Wall, ...]:
    """The limits that hold a plan, where they cross a box of N and D.

    Args:
        question: the plan's own.
        answer: to it.
        box: N from, N to, D from, D to.
    """
    lines = (
        Wall(limit.name, _line(partial(_used, question, limit), box))
        for limit in held(question, answer)
    )
    return tuple(wall for wall in lines if len(wall.line) > 1)


def held(question: Question, answer: Answer) -> tuple[Limit, ...]:
    """The limits on N and D that hold a plan.

    A limit that a smaller batch can keep as well is none of size and tokens alone:
    it does not end at the plan, and is left out.
    """
    binding = {limit.name for limit in answer.limits if limit.binding}
    plan = answer.plan
    if plan is None:
        return ()
    here = plan.parameters, plan.tokens
    beyond = [each * BEYOND for each in here]
    return tuple(
        limit
        for limit in question.breakable
        if limit.name in binding
        and abs(_used(question, limit, *here) - 1) < THROUGH
        and _used(question, limit, *beyond) > 1 + THROUGH
    )


def _used(question: Question, limit: Limit, N: float, D: float) -> float:
    """The part of a limit that a model uses."""
    point = question.complete({"N": N, "D": D})
    return sum(value(term, point) for term in limit.terms) / limit.bound


def _line(
    used: Callable[[float, float], float], box: Box
) -> tuple[tuple[float, float], ...]:
    """Across all tokens the size at which it is used up; else across all sizes."""
    across = [
        (N, D)
        for D in np.geomspace(box[2], box[3], POINTS).tolist()
        for N in _end(partial(_at_tokens, used, D), box[0], box[1])
    ]
    if len(across) > 1:
        return tuple(across)
    return tuple(
        (N, D)
        for N in np.geomspace(box[0], box[1], POINTS).tolist()
        for D in _end(partial(used, N), box[2], box[3])
    )


def _at_tokens(used: Callable[[float, float], float], D: float, N: float) -> float:
    return used(N, D)


def _end(used: Callable[[float], float], low: float, high: float) -> list[float]:
    """Where it is used up, by bisection; nothing where that is not between."""
    if used(low) > 1 or used(high) <= 1:
        return []
    a, b = math.log(low), math.log(high)
    for _ in range(HALVINGS):
        middle = (a + b) / 2
        a, b = (middle, b) if used(math.exp(middle)) <= 1 else (a, middle)
    return [math.exp(a)]
