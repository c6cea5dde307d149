"""The cheapest student of a teacher at each loss of a frontier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from optimizer.analysis.plan.distill import distil
from optimizer.analysis.plan.lifetime import at_loss
from optimizer.analysis.plan.students import Distilled
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario


class OnFrontier(Protocol):
    """What is asked of a point of a frontier."""

    @property
    def choice(self) -> Mapping[str, str]:
        """Of the scenario's lists."""

    @property
    def loss(self) -> float:
        """That it reaches."""

    @property
    def relaxed(self) -> float:
        """Its cost without a teacher, machines in fractions."""


def student_at(scenario: Scenario, point: OnFrontier) -> Distilled | None:
    """The best student of all teachers at a point; None where there is no teacher.

    Args:
        scenario: with all its lists.
        point: whose loss the student reaches.
    """
    if scenario.spec.distillation is None:
        return None
    one = scenario.chosen(point.choice)
    question = formulate(one)
    aimed = at_loss(one, question, question.surface.reducible(point.loss), None)
    found = distil(aimed, point.relaxed)
    return None if found is None else found.ways[0]
