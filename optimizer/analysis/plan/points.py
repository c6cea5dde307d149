"""A point of a program as its reader knows it: a model, and the bounds it breaks."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.analysis.plan.bindings import BINDING
from optimizer.analysis.plan.priced import Pair
from optimizer.question.asked import SAMPLES, Question
from optimizer.world.costs import value


def pair_of(question: Question, size: Mapping[str, float]) -> Pair:
    """The record of a model, with all effects on its loss."""
    N, D = size["N"], size["D"]
    samples = size.get(SAMPLES, question.samples)
    return Pair(N, D, D / N, question.loss_at(size), samples)


def broken(question: Question, point: Mapping[str, float]) -> tuple[str, ...]:
    """Names of the limits, and of the bounds of serving, that a point breaks."""
    return tuple(
        limit.name
        for limit in question.breakable
        if sum(value(t, point) for t in limit.terms) > limit.bound * (1 + BINDING)
    )


def as_fixed(question: Question, point: Mapping[str, float]) -> bool:
    """Whether a point has the values that the scenario fixes."""
    return all(
        math.isclose(point[name], fixed, rel_tol=BINDING)
        for name, fixed in question.fixed.items()
    )
