"""The cheapest student of a model of a portfolio, all other models as planned."""

from __future__ import annotations

from optimizer.analysis.plan.students import Distillation
from optimizer.analysis.portfolio.whole_joint import JointlySolved
from optimizer.question.portfolio import left_to
from optimizer.world.costs import value


def taught(found: JointlySolved, index: int) -> Distillation | None:
    """The best student of each teacher of a model, beside its plan without one.

    It keeps the model's own limits, and of what is shared what the others leave.
    Machines are in fractions on both sides.

    Args:
        found: the joint plan in fractions.
        index: of the model.
    """
    member, question = found.portfolio.members[index], found.question.questions[index]
    if member.spec.distillation is None:
        return None
    from optimizer.analysis.plan.distill import distil  # noqa: PLC0415 - rare

    point = found.point
    mine = found.question.of_model(index, point)
    supervised = sum(value(term, mine) for term in question.cost)
    shared = left_to(found.portfolio, found.question, index, point)
    return distil(member, supervised, shared)
