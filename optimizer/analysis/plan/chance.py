"""How sure a plan is: the part of the law's draws in which it reaches its target."""

from __future__ import annotations

from optimizer.analysis.plan.doubts import Chance
from optimizer.analysis.plan.priced import Pair
from optimizer.question.scenario import Scenario

DRAWS, SEED = 1000, 0  # as `uncertainty` takes them unless told otherwise


def chance(
    scenario: Scenario, plan: Pair, reference: Pair | None = None
) -> Chance | None:
    """The part of the draws of a law in which a model reaches the target.

    The target is drawn with the law: as good as a 13B is another loss in every draw.

    Args:
        scenario: without lists.
        plan: the model.
        reference: what the target is to match, if anything.

    Returns:
        None where the law carries neither a covariance nor draws, where there is no
        target, where more tokens may raise the loss, and where the plan is the very
        model to match, which matches itself for sure.
    """
    if reference == plan:
        return None
    law = scenario.law
    if law.covariance is None and law.draws is None:
        return None
    if unasked(scenario):
        return None
    # Most laws have no draws, and need none of this.
    from optimizer.question.law_draws import drawn  # noqa: PLC0415
    from optimizer.question.vary import of_law  # noqa: PLC0415

    found = drawn(of_law(scenario, DRAWS, SEED))
    return Chance(found.reached(plan.parameters, plan.tokens), found.count, SEED)


def unasked(scenario: Scenario) -> str:
    """Why no plan of a scenario reaches a target with a probability, or nothing."""
    if scenario.spec.budget is not None:
        return "a budget has no target to reach with a probability"
    machines = (*scenario.servings, scenario.spec.serving)
    if any(serving.quantization_penalty for serving in machines):
        return (
            "with the quantization penalty more tokens may raise the loss, so that no "
            "number of tokens is enough for sure"
        )
    return ""
