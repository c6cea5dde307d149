"""The plan under the law of the other form that was fitted to the same runs."""

from __future__ import annotations

from collections.abc import Callable

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.doubts import OtherForm
from optimizer.errors import Defect, InputError
from optimizer.question.scenario import Scenario
from optimizer.question.under_laws import with_law
from optimizer.world.laws import load_law


def other_form(
    scenario: Scenario, solve: Callable[[Scenario], Answer]
) -> OtherForm | None:
    """The plan under the law's pair; None where the law has none."""
    if scenario.law.pair is None:
        return None
    law = load_law(scenario.law.pair)
    try:
        answer = solve(with_law(scenario, law))
    except (InputError, Defect) as error:
        return OtherForm(law.name, law.form, reason=str(error))
    if answer.plan is None:
        why = "" if answer.infeasibility is None else answer.infeasibility.reason
        return OtherForm(law.name, law.form, reason=why)
    plan, saved = answer.plan, answer.savings
    size = plan.parameters, plan.tokens, plan.loss
    share = None if saved is None else saved.fraction
    return OtherForm(law.name, law.form, *size, share)
