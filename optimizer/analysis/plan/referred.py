"""The model that a target names, as the answer tells it."""

from __future__ import annotations

from optimizer.analysis.plan.priced import Pair
from optimizer.question.asked import Question
from optimizer.question.sampling import compared, knows
from optimizer.question.scenario import Scenario
from optimizer.records import replace
from optimizer.world.surface import Surface


def referred(scenario: Scenario, question: Question) -> Pair | None:
    """The model to match, with the samples that it draws, of the target's loss."""
    if question.reference is None or question.target is None:
        return None
    drawn = compared(scenario) if knows(scenario) else None
    found = pair(question.published, *question.reference)
    return replace(found, loss=question.target, samples=drawn)


def pair(surface: Surface, N: float, D: float) -> Pair:
    """The record of a model under a law."""
    return Pair(N, D, D / N, surface.loss(N, D))
