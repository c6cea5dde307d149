"""A model that exists, in a scenario: with data of its own, and its shape or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from optimizer.analysis.plan.own_plan import cheapest
from optimizer.question.sampling import settled
from optimizer.question.scenario import Scenario
from optimizer.records import replace

SAME = 1e-9  # of the cost, within which two shapes cost the same


def alike(
    scenarios: Sequence[Scenario],
    others: Sequence[Scenario],
    size: Mapping[str, float],
) -> bool:
    """Whether a model costs the same, and keeps the same, in each pair of scenarios."""
    ways = [
        [cheapest([one], size, whole=False) for one in each]
        for each in (scenarios, others)
    ]
    return len(scenarios) == len(others) and all(
        math.isclose(one.cost.total, other.cost.total, rel_tol=SAME)
        and [limit.name for limit, _ in one.breaks]
        == [limit.name for limit, _ in other.breaks]
        for one, other in zip(*ways, strict=True)
    )


def with_own_data(scenario: Scenario) -> Scenario:
    """A scenario for a model that exists, and has read data of its own."""
    data = scenario.spec.data.model_copy(update={"unique_tokens": None})
    return replace(scenario, spec=scenario.spec.model_copy(update={"data": data}))


def all_settled(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """The scenarios with as many samples drawn as a model to match draws."""
    return tuple(settled(one) for one in scenarios)
