"""Elasticities against re-solved problems, and against closed forms."""

import math

import numpy as np
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.question.inputs import inputs
from optimizer.question.load import read_scenario
from optimizer.world.laws import load_law

LAWS = [
    "hoffmann-2022-devries",
    "besiroglu-2024-refit",
    "sardana-2024-500",
    "kumar-2024",
    "kaplan-2020",
    "ludziejewski-2025",
]

QUESTIONS = {
    "plain": "target: {match: {parameters: 13B}}\ndemand: {tokens: 2T}\n",
    "as trained": (
        "target: {match: {parameters: 8B, tokens: 15T}}\ndemand: {tokens: 2T}\n"
    ),
    "limit": (
        "target: {match: {parameters: 13B}}\ndemand: {tokens: 2T}\n"
        "limits: {parameters: 9B, tokens: 1e20}\n"
    ),
    "compute limit": (
        "target: {match: {parameters: 13B}}\ndemand: {tokens: 2e15}\n"
        "limits: {training_compute: 1e24}\n"
    ),
    "fixed size": (
        "target: {match: {parameters: 13B}}\ndemand: {tokens: 2T}\n"
        "fix: {parameters: 9B}\n"
    ),
    "fixed tokens": (
        "target: {match: {parameters: 13B}}\ndemand: {tokens: 2T}\nfix: {tokens: 3T}\n"
    ),
    "lifetime budget": "budget: {compute: 1e24}\ndemand: {tokens: 2T}\n",
    "training budget": "budget: {training_compute: 1e24}\ndemand: {tokens: 2T}\n",
    "fixed size and budget": (
        "budget: {compute: 1e24}\ndemand: {tokens: 2T}\nfix: {parameters: 30B}\n"
    ),
}
STEP = 1e-4


def optimum(answer, text):
    """ln of what was minimised: the lifetime cost, or the reducible loss."""
    if answer.target_loss is not None:
        return math.log(answer.cost.total)
    law = answer.law
    p = answer.plan
    parts = law.A * p.parameters**-law.alpha + law.B * p.tokens**-law.beta
    return law.outer * math.log(parts)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("case", QUESTIONS)
def test_every_elasticity_is_a_central_difference_of_solves(law, case):
    """Total derivatives at smooth points, the reference's own dependence included."""
    text = f"law: {law}\n" + QUESTIONS[case]
    if law == "ludziejewski-2025":
        text += "experts: 8\n"
    scenario = read_scenario(text)
    answer = solve(scenario)
    found = {s.input: s for s in answer.sensitivities}
    assert set(found) == {i.name for i in inputs(scenario)}
    for item in inputs(scenario):
        ends = []
        for sign in (1, -1):
            moved = item.value * math.exp(sign * STEP)
            again = read_scenario(text, overrides=[f"{item.name}={moved!r}"])
            ends.append(optimum(solve(again), text))
        slope = (ends[0] - ends[1]) / (2 * STEP)
        sign = math.copysign(1, item.value)
        if item.value == 0:
            assert found[item.name].elasticity is None
        else:
            assert found[item.name].elasticity == pytest.approx(
                slope, rel=2e-5, abs=2e-6
            ), (item.name, sign)


@pytest.mark.parametrize("law", ["besiroglu-2024-refit", "sardana-2024-all"])
def test_exact_values_at_zero_demand(ask, law):
    """At zero demand C ∝ s^(-1/γ), γ = αβ/(α+β) (Hoffmann et al. 2022, eq. 4): the
    elasticity to the loss is −(1/γ)·L/s; to a compute-optimal reference's size it is
    (α+β)/β, and to E zero."""
    surface = load_law(law).surface()
    loss = surface.loss(1e9, 2e10)
    a = ask(f"law: {law}\ntarget: {{loss: {loss!r}}}\ndemand: {{tokens: 0}}\n")
    moves = {s.input: s.elasticity for s in a.sensitivities}
    s = loss - surface.E
    assert moves["target.loss"] == pytest.approx(-loss / s / surface.gamma, rel=1e-9)
    assert moves["demand.tokens"] is None
    b = ask(
        f"law: {law}\ntarget: {{match: {{parameters: 13B}}}}\ndemand: {{tokens: 0}}\n"
    )
    moves = {s.input: s.elasticity for s in b.sensitivities}
    exact = (surface.alpha + surface.beta) / surface.beta
    assert moves["target.match.parameters"] == pytest.approx(exact, rel=1e-10)
    assert moves["law.E"] == 0


def test_the_elasticity_to_demand_is_the_share_of_serving(ask):
    """Envelope theorem: d ln C*/d ln T is what serving is of C*."""
    a = ask("law: besiroglu-2024-refit\n" + QUESTIONS["plain"])
    moves = {s.input: s.elasticity for s in a.sensitivities}
    assert moves["demand.tokens"] == pytest.approx(
        a.cost.inference / a.cost.total, rel=1e-12
    )


def test_a_limit_that_the_free_optimum_just_meets_has_no_price(ask):
    free = ask("law: besiroglu-2024-refit\n" + QUESTIONS["plain"])
    a = ask(
        "law: besiroglu-2024-refit\n"
        + QUESTIONS["plain"]
        + f"limits: {{parameters: {free.plan.parameters!r}}}\n"
    )
    assert a.limits[0].binding
    assert a.limits[0].elasticity == pytest.approx(0, abs=1e-9)


def test_left_and_right_where_bounds_meet_in_one_point(ask):
    """Limits on N and D that meet the target exactly: looser gains at a rate, tighter
    leaves no plan. The right slopes equal one-sided differences of solves."""
    text = "law: besiroglu-2024-refit\n" + QUESTIONS["plain"]
    free = ask(text, "fix.parameters=5B")
    N, D = free.plan.parameters, free.plan.tokens
    corner = text + f"limits: {{parameters: {N!r}, tokens: {D!r}}}\n"
    a = ask(corner)
    assert a.plan.parameters == pytest.approx(N, rel=1e-9)
    moves = {s.input: s for s in a.sensitivities}
    for name in ("limits.parameters", "limits.tokens"):
        move = moves[name]
        assert move.elasticity is None
        assert move.left is None
        value = move.value
        wide = ask(corner, f"{name}={value * math.exp(1e-6)!r}")
        gain = (math.log(wide.cost.total) - math.log(a.cost.total)) / 1e-6
        assert move.right == pytest.approx(gain, abs=1e-4)
        assert (
            ask(corner, f"{name}={value * (1 - 1e-6)!r}").status.value == "infeasible"
        )
    used = {limit.name: limit.elasticity for limit in a.limits}
    assert used["limits.parameters"] == moves["limits.parameters"].right


def test_lines_point_into_the_file(ask):
    text = "law: besiroglu-2024-refit\n\ntarget:\n  loss: 2.2\ndemand:\n  tokens: 1T\n"
    lines = {s.input: s.line for s in ask(text).sensitivities}
    assert lines["target.loss"] == 4
    assert lines["demand.tokens"] == 6
    assert lines["law.alpha"] is None


def test_sensitivities_are_finite_next_to_E(ask):
    moves = ask(
        "law: hoffmann-2022-devries\ntarget: {loss: 1.690001}\ndemand: {tokens: 1T}\n"
    ).sensitivities
    assert np.isfinite([m.elasticity for m in moves]).all()
