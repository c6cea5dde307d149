"""What is to be said of a plan with sparse experts."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.priced import Pair
from optimizer.question.scenario import Scenario
from optimizer.question.sparse import beyond

CODES = ("leverage-extrapolated", "sparse-experts")


def levered(plan: Pair, scenario: Scenario) -> Iterator[Warning]:
    """Where the leverage of its experts is guessed, and what it leaves out."""
    sparse = scenario.spec.sparse
    if sparse is None or sparse.dense:
        return
    if told := beyond(scenario, plan.parameters, plan.tokens):
        yield Warning(
            "leverage-extrapolated",
            f"an extrapolation: the leverage of {scenario.law.name} "
            f"{', and '.join(told)}. What the experts save here nobody has measured",
        )
    known = scenario.told_share is not None
    whole = "those of its architecture" if known else "at most N over activation"
    yield Warning(
        "sparse-experts",
        "what sparse experts save was fitted on runs near the training optimum, with "
        "leverages below 6, and is taken to hold as far past it as this plan is. N is "
        f"what a token passes; memory and traffic go by all parameters, {whole}",
    )
