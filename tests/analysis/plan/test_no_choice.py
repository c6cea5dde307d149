"""Lists without a plan: what is needed is the least of all choices, tried alone."""

import math

import pytest

from optimizer.analysis.plan.loosened import moved
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.reach import printed
from optimizer.analysis.plan.search import planned
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario

MOE = "moe-api"
FAST = "latency-bound-assistant"
ONE = ("experts=32", "serving.accelerators=1", "limits.parameters=1B")
IMPOSSIBLE = (
    # What was needed was of the dense choice: $263k, and $127k would do.
    (MOE, ("limits.parameters=1B", "limits.total_cost=98k")),
    # No total cost would do alone, since the dense choice is too large for any.
    (
        MOE,
        ("limits.parameters=2B", "limits.tokens=700B", "limits.total_cost=110k"),
    ),
    (
        FAST,
        (
            "serving.max_time_per_output_token=4ms",
            "limits.tokens=2T",
            "limits.total_cost=600k",
        ),
    ),
    # In whole replicas 1.4T to 2T tokens will do, and the steps went over them.
    (FAST, ("fix.tokens=500B", "limits.total_cost=450k")),
    # One choice, whose experts were told at one batch.
    (MOE, (*ONE, "limits.total_cost=98k")),
    (MOE, (*ONE, "limits.total_cost=110k")),
)
LESS = 0.01  # of a bound, which is rounded to three digits, or of a reducible loss


def tried(scenario, name, value):
    ways = (moved(one, name, value) for one in scenario.singles)
    return [way for way in ways if way is not None and planned(way) is not None]


def nearer(way, surface, part):
    """A bound a part of its own less far from where it stands."""
    if way.unit == "nats":
        before, after = map(surface.reducible, (way.before, way.after))
        return surface.loss_of(max(after * math.exp(-part), before))
    sign = 1 if way.after > way.before else -1
    return way.after * math.exp(-sign * part)


@pytest.mark.parametrize(("name", "overrides"), IMPOSSIBLE)
def test_what_is_needed_is_the_least_of_all_choices(root, name, overrides):

    scenario = load_scenario(root / f"scenarios/{name}.yaml", overrides)
    why = solve(scenario).infeasibility
    surface = formulate(scenario.singles[0]).surface
    helped = [way for way in why.relaxations if way.after is not None]
    assert len(helped) >= 2
    for way in helped:
        assert way.name in why.conflict
        typed = printed(way, way.after)
        assert tried(scenario, way.name, typed), (way.name, typed)
        assert not tried(scenario, way.name, nearer(way, surface, LESS)), way.name
    for way in why.relaxations:
        if way.after is None and not way.name.startswith("serving.memory"):
            for factor in (2.0, 3.0, 100.0):
                assert not tried(scenario, way.name, way.before * factor), way.name


def test_the_reason_is_of_every_choice(root):
    """It was that of dense models, which experts meet for $128k."""
    tight = ("limits.parameters=2B", "limits.tokens=700B", "limits.total_cost=110k")
    scenario = load_scenario(root / "scenarios/moe-api.yaml", tight)

    why = solve(scenario).infeasibility
    assert why.reason.startswith("whichever of the 9 choices is taken, ")
    assert "limits.total_cost" in why.conflict
    # Each of what conflicts is needed for it: without it a choice has a plan.
    for name in why.conflict:
        kept = [o for o in tight if not o.startswith(name)]
        if name == "target":
            kept.append("target.loss=2.4")
        other = load_scenario(root / "scenarios/moe-api.yaml", kept)
        assert any(planned(one) is not None for one in other.singles), name


def test_a_cost_that_a_plan_keeps_takes_no_plan_away(root):
    """With experts told at the batch of another cost, limits above it had no plan."""

    def cost(*limits):
        scenario = load_scenario(root / "scenarios/moe-api.yaml", (*ONE, *limits))
        answer = solve(scenario)
        return None if answer.cost is None else answer.cost.total

    free = cost()
    assert free is not None
    for above in (1e-6, 1e-3, 0.1):
        held = cost(f"limits.total_cost={free * (1 + above):.10g}")
        assert held is not None, above
        assert held <= free * (1 + 1e-6), above
