"""What makes scenarios ask different questions, so that no plan answers them together.

Demands, prices and limits may be futures of one model. Another quality, another law or
another unit is not: no future decides which of them comes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import MANY, lifetime, nats, several
from optimizer.reading.loss_words import said_in
from optimizer.world.costs import UNITS

SAME = 1e-9  # relative difference of targets that count as one


def unlike(answers: Sequence[Answer]) -> tuple[str, ...]:
    """What differs in the questions, in words; empty where it is one question."""
    found = []
    asked = list(dict.fromkeys(answer.question for answer in answers))
    if len(asked) > 1:
        found.append("some ask for a target, and others for the best of a budget")
    laws = list(dict.fromkeys(answer.law.name for answer in answers))
    if len(laws) > 1:
        many = len(laws) > MANY
        told = (
            f"they have {len(laws)} laws" if many else f"the laws are {several(laws)}"
        )
        found.append(told)
    kinds = list(dict.fromkeys(answer.law.loss_unit for answer in answers))
    if len(kinds) > 1:
        found.append(f"their losses are in {several(kinds)}")
    losses: list[float] = []
    for loss in (answer.target_loss for answer in answers):
        if loss is not None and not any(
            math.isclose(loss, known, rel_tol=SAME) for known in losses
        ):
            losses.append(loss)
    if len(losses) > 1 and len(laws) == 1:
        said = several([said_in(nats(loss), kinds[0]) for loss in losses])
        found.append(f"the targets are {said}")
    units = dict.fromkeys(UNITS[answer.objective] for answer in answers)
    if len(units) > 1:
        found.append(f"they count {several([lifetime(unit) for unit in units])}")
    return tuple(found)
