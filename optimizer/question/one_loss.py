"""Questions that need the loss to stay, and budgets that choose it anew."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.errors import InputError, Problem
from optimizer.question.scenario import Scenario


def refuse_chosen_loss(scenarios: Sequence[Scenario], what: str) -> None:
    """Refuses a budget that is best for the life where its loss would have to stay.

    Args:
        scenarios: any.
        what: asks, for the message.

    Raises:
        InputError: each of them.
    """
    problems = []
    for scenario in scenarios:
        budget = scenario.spec.budget
        if budget is not None and budget.best_for == "lifetime":
            place = scenario.place("budget.best_for")
            message = (
                f"{what} does not choose the loss anew; give the one that solve "
                "finds as target: {loss: }, and the budget as a limit"
            )
            problems.append(Problem(place, "budget.best_for", message))
    if problems:
        raise InputError(problems)
