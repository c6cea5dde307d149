"""A portfolio without a joint plan, in the user's own numbers, with its proof."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from optimizer.algebra.program import GeometricProgram
from optimizer.analysis.plan.explain import (
    FIELD,
    holding,
    nearest_first,
    told,
    touch,
    ways,
)
from optimizer.analysis.plan.explain import notes as notes_of
from optimizer.analysis.plan.infeasibility import Infeasibility, Relaxation
from optimizer.analysis.plan.reach import beyond_law, cure, raised
from optimizer.analysis.plan.wording import either, nats
from optimizer.engine.conflict import diagnose
from optimizer.engine.diagnose import Infimum, infimum
from optimizer.question.portfolio import JointQuestion, Portfolio, own, variable
from optimizer.records import replace

NONE = Infimum(math.inf, attained=False, certificate=None)  # nothing is allowed


def explain_portfolio(portfolio: Portfolio, joint: JointQuestion) -> Infeasibility:
    """Explains why the models have no plan together, as `explain` does for one.

    Each relaxation is the least change that alone makes a plan for all of them: of a
    model's target, limits or fixed value, or of what they share.

    Raises:
        Defect: the relaxation programs find that there is a plan.
    """
    beyond = {
        member.name: reason
        for member, question in zip(portfolio.members, joint.questions, strict=True)
        if (reason := beyond_law(member, question))
    }
    if beyond:
        return _beyond(portfolio, joint, beyond)
    held = {
        variable(v, name): (own(name, FIELD[v]), value)
        for name, question in joint.models
        for v, value in question.fixed.items()
    }
    conflict = diagnose(
        holding(joint.free, held),
        equalities=[name for name, _ in held.values()],
        given=joint.given,
        together={limit.name: _word(limit.name) for limit in joint.shared},
    )
    found = _ways(portfolio, joint, conflict.factors)
    nearest = {
        name: _loss(joint, name, _lowest(joint, name))
        for name in joint.names
        if own(name, "target") in conflict.names
    }
    left = [f"{nats(loss)} to {name}" for name, loss in nearest.items() if loss]
    lowest = f"the rest leaves a loss of at least {either(left, 'and')}" if left else ""
    return Infeasibility(
        opening=told(conflict, found),
        conflict=conflict.names,
        relaxations=found,
        nearest_loss=None,
        uniform=conflict.uniform,
        certificate=conflict.certificate,
        nearest_losses=nearest,
        lowest="" if touch(conflict) else lowest,
        notes=tuple(notes(joint, found, conflict.names)),
        cure=cure(nearest_first(found, conflict)),
    )


def _beyond(
    portfolio: Portfolio, joint: JointQuestion, beyond: Mapping[str, str]
) -> Infeasibility:
    """Targets that their laws exclude: one can be raised alone, several cannot."""
    found = []
    reasons: list[str] = []
    nearest: dict[str, float | None] = {}
    for name, reason in beyond.items():
        index = joint.names.index(name)
        within = _lowest(joint, name) if len(beyond) == 1 else NONE
        way, nearest[name] = raised(
            portfolio.members[index], joint.questions[index], within
        )
        found.append(replace(way, name=own(name, way.name)))
        told_ = reason.replace("the target", f"the target ({name})", 1)
        reasons.append(told_[0].upper() + told_[1:] if reasons else told_)
    return Infeasibility(
        opening=". ".join(reasons),
        conflict=tuple(way.name for way in found),
        relaxations=tuple(found),
        nearest_loss=None,
        uniform=None,
        certificate=None,
        nearest_losses=nearest,
        cure=cure(found),
    )


def _lowest(joint: JointQuestion, name: str) -> Infimum:
    """The lowest reducible loss of a model that all other bounds allow."""
    loss = joint.loss(name, whole=True)
    program = GeometricProgram(loss, joint.constraints(untargeted=[name]))
    return infimum(program.fixing(joint.fixed))


def _loss(joint: JointQuestion, name: str, least: Infimum) -> float | None:
    if not math.isfinite(least.value):
        return None
    return joint.questions[joint.names.index(name)].surface.loss_of(least.value)


def _word(name: str) -> str:
    """The user's word for a shared bound; that on data stands once for each model."""
    return name.partition(" (")[0]


def _ways(
    portfolio: Portfolio, joint: JointQuestion, factors: Mapping[str, float | None]
) -> tuple[Relaxation, ...]:
    found: list[Relaxation] = []
    for member, question in zip(portfolio.members, joint.questions, strict=True):
        prefix = own(member.name, "")
        alone = {
            name.removeprefix(prefix): factor
            for name, factor in factors.items()
            if name.startswith(prefix)
        }
        found += (
            replace(way, name=own(member.name, way.name))
            for way in ways(member, question, alone)
        )
    for name, limit in {_word(limit.name): limit for limit in joint.shared}.items():
        factor = factors[name]
        after = None if factor is None else limit.bound * factor
        place = portfolio.place(name)
        found.append(Relaxation(name, limit.bound, after, place, limit.unit))
    return tuple(found)


def notes(
    joint: JointQuestion, found: Sequence[Relaxation], names: Sequence[str]
) -> Iterator[str]:
    """What is behind the conflicts of each model with its own machines and data."""
    for model, question in joint.models:
        prefix = own(model, "")
        mine = [
            replace(way, name=way.name.removeprefix(prefix))
            for way in found
            if way.name.startswith(prefix)
        ]
        words = tuple(n.removeprefix(prefix) for n in names if n.startswith(prefix))
        for note in notes_of(question, mine, words):
            yield f"{model}: {note}"
