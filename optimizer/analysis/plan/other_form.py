"""The plan under the law of the other form that was fitted to the same runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optimizer.analysis.plan.against import against
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.doubts import OtherForm
from optimizer.analysis.plan.own_unit import said
from optimizer.analysis.plan.ranges import beyond
from optimizer.analysis.plan.search import End, searching, unless_refused
from optimizer.analysis.plan.settle import onto
from optimizer.analysis.plan.together import Search, together
from optimizer.analysis.plan.whole import WholePlan
from optimizer.errors import Defect, InputError
from optimizer.question.scenario import Scenario
from optimizer.question.under_laws import with_law
from optimizer.world.law import Law
from optimizer.world.laws import load_law


def under_pair(scenario: Scenario) -> Scenario | None:
    """The scenario under its law's pair; None where the law has none."""
    pair = scenario.law.pair
    return None if pair is None else with_law(scenario, load_law(pair))


def beside(
    scenario: Scenario, other: Scenario | None
) -> tuple[list[End], list[End | Defect]]:
    """What is found of each of a scenario's `singles`, and of another's beside it.

    The searches of both go hand in hand: their programs are much alike.

    Raises:
        Defect: of the scenario itself.
    """
    if other is not None:
        mine, theirs = scenario.singles, other.singles
        asked = (*map(unless_refused, mine), *map(_unless_failed, theirs))
        try:
            found = together(asked)
        except Defect as error:
            # Whose it is shows when the scenario goes alone.
            return beside(scenario, None)[0], [error]
        cut = len(mine)
        return [one for one in found[:cut] if not isinstance(one, Defect)], found[cut:]
    return together([unless_refused(one) for one in scenario.singles]), []


def _unless_failed(scenario: Scenario) -> Search[End | Defect]:
    try:
        return (yield from searching(scenario))
    except (InputError, Defect) as error:
        return error


def of_ends(other: Scenario, ends: Sequence[End | Defect]) -> OtherForm:
    """What is told of the plan under the pair.

    Args:
        other: the scenario under it.
        ends: what was found of each of its `singles`.
    """
    law = other.law
    plans, reasons = [], []
    for one, end in zip(other.singles, ends, strict=False):
        if isinstance(end, Exception):
            reasons.append(str(end))
            continue
        question, found = end
        if isinstance(found, WholePlan):
            plans.append((one, question, found))
        else:
            reasons.append(said(found.reason, law.loss_unit))
    if not plans:
        return OtherForm(law.name, law.form, reason=reasons[0])
    one, question, made = min(plans, key=lambda plan: plan[2].plan.total)
    try:
        weighed = against(one, question, made)
    except (InputError, Defect) as error:
        return OtherForm(law.name, law.form, reason=str(error))
    target = made.plan.question.target
    loss = onto([] if target is None else [target])(weighed.plan.loss)
    size = weighed.plan.parameters, weighed.plan.tokens, loss
    return _planned(law, *size, weighed.saved / weighed.base.total)


def of_answer(other: Scenario, solve: Callable[[Scenario], Answer]) -> OtherForm:
    """The same, by the answer of a scenario that is solved in a way of its own."""
    law = other.law
    try:
        answer = solve(other)
    except (InputError, Defect) as error:
        return OtherForm(law.name, law.form, reason=str(error))
    if answer.plan is None:
        why = "" if answer.infeasibility is None else answer.infeasibility.reason
        return OtherForm(law.name, law.form, reason=why)
    plan, saved = answer.plan, answer.savings
    size = plan.parameters, plan.tokens, plan.loss
    share = None if saved is None else saved.fraction
    return _planned(law, *size, share)


def _planned(
    law: Law, N: float, D: float, loss: float, saving: float | None
) -> OtherForm:
    far = beyond(law, N, D)
    return OtherForm(law.name, law.form, N, D, loss, saving, extrapolation=far)
