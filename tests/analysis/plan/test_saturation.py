"""Where repeated data give next to nothing more, against brute force in numpy."""

import numpy as np
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, rows
from optimizer.engine import second_opinion
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan

R_D, R_N = 15.387756, 5.309743  # Muennighoff et al. 2023, the authors' repository

BUDGET = """
law: besiroglu-2024-refit
budget: {training_time: 30 days}
training: {hardware: h100-sxm, mfu: 40 %, accelerators: 8}
data: {unique_tokens: 1B}
demand: {tokens: 10B}
"""
TARGET = """
law: muennighoff-2023
target: {loss: 2.76145}
data: {unique_tokens: 1B}
demand: {tokens: 0}
"""
OUT_OF_REACH = """
law: muennighoff-2023
target: {match: {parameters: 7B, tokens: 2T}}
serving: {model: roofline, hardware: h100-sxm, accelerators: 6, mfu: 40 %, mbu: 60 %,
  quantization_penalty: true}
demand: {requests: 1k/day, input_tokens: 100, output_tokens: 300, lifetime: 1 year}
data: {unique_tokens: 10B}
"""
OWN = """
law: besiroglu-2024-refit
objective: dollars
plan: {parameters: 8B, tokens: 15T}
training: {hardware: h100-sxm, mfu: 40 %, price: $2.00/h}
serving: {hardware: h100-sxm, mfu: 30 %, price: $2.00/h}
demand: {tokens: 50T}
limits: {training_cost: $900k}
"""


def answer(text, *overrides):
    return solve(read_scenario(text, "s.yaml", overrides))


def codes(found):
    return {warning.code: warning.message for warning in found.warnings}


def curve(law, unique):
    """Reducible loss of N and D beyond one epoch (eq. 5, 6, 16 and 17)."""
    A, B, a, b = (law.coefficients[x] for x in ("A", "B", "alpha", "beta"))

    def worth(amount, base, star):
        more = np.maximum(amount / base - 1, 0)
        grown = base * (1 - star * np.expm1(-more / star))
        return np.where(amount <= base, amount, grown)

    def reducible(N, D):
        supported = ((a * A / (b * B)) * np.minimum(D, unique) ** b) ** (1 / a)
        return A / worth(N, supported, R_N) ** a + B / worth(D, unique, R_D) ** b

    return reducible


def least_tokens(s_of, N, s, unique):
    """The least D of each N by bisection; infinite beyond 500 epochs."""
    low, high = np.full(N.shape, np.log(unique)), np.full(N.shape, np.log(500 * unique))
    reached = s_of(N, np.exp(high)) <= s
    for _ in range(80):
        middle = (low + high) / 2
        enough = s_of(N, np.exp(middle)) <= s
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached, np.exp(high), np.inf)


@pytest.mark.parametrize(
    "text",
    [
        BUDGET,
        BUDGET.replace("{training_time: 30 days}", "{compute: 1e24}").replace(
            "1B", "10B"
        ),
        BUDGET.replace("training_time: 30 days", "training_time: 300 days"),
    ],
    ids=["a month", "1e24 FLOP", "ten months"],
)
def test_a_budget_that_buys_nothing_more_has_the_cheapest_of_the_equals(text):
    scenario = read_scenario(text, "s.yaml", ())
    found = solve(scenario)
    unique = scenario.spec.data.unique_tokens
    s_of = curve(scenario.law, unique)
    N = np.geomspace(1e8, 1e12, 40_001)
    wall = found.limits[0]
    used = {"s": 6 / (989.4e12 * 0.4 * 8), "FLOP": 6}[wall.unit]
    served = 0 if wall.unit == "s" else 2e10 * N
    most = np.minimum((wall.bound - served) / (used * N), 500 * unique)
    lowest = s_of(N, most).min()
    s = found.plan.loss - scenario.law.coefficients["E"]
    assert lowest <= s * (1 + 1e-9)
    assert s <= lowest * (1 + 1.1e-6)

    D = least_tokens(s_of, N, lowest * (1 + 1e-6), unique)
    cheapest = (6 * N * D + 2 * N * 1e10).min()
    assert found.cost.total == pytest.approx(cheapest, rel=1e-3)
    assert not wall.binding
    assert wall.value < 0.5 * wall.bound
    assert wall.elasticity == wall.shadow_price == 0
    assert passes(found.certificate)
    assert "buys nothing more" in codes(found)["saturated"]


def test_a_target_just_above_what_the_data_can_give():
    """The floor is 2.7614488; 2.76147 was answered, 2.76146 was not."""
    scenario = read_scenario(TARGET, "s.yaml", ())
    found = solve(scenario)
    s_of = curve(scenario.law, 1e9)
    s = 2.76145 - scenario.law.coefficients["E"]
    N = np.geomspace(2.5e9, 5e9, 40_001)
    cost = 6 * N * least_tokens(s_of, N, s, 1e9)
    assert found.cost.total == pytest.approx(cost.min(), rel=1e-5)
    assert found.plan.parameters == pytest.approx(N[cost.argmin()], rel=1e-3)
    assert passes(found.certificate)

    # The last thousandth of s takes most of the cost, and the page says how much.
    small = np.geomspace(5e8, 5e9, 40_001)
    easier = (6 * small * least_tokens(s_of, small, 1.001 * s, 1e9)).min()
    said = codes(found)["saturated"]
    assert f"{100 * (1 - easier / cost.min()):.2g} % less" in said


def test_out_of_reach_with_penalty_and_repetition_is_told():
    """The least of the loss is 2.2653, by brute force."""
    found = answer(OUT_OF_REACH)
    assert found.infeasibility.nearest_loss == pytest.approx(2.2653, abs=5e-5)
    assert found.infeasibility.conflict == ("target", "data.unique_tokens")


@pytest.mark.parametrize("text", [BUDGET, TARGET])
def test_a_sweep_says_the_same(text):
    scenario = read_scenario(text, "s.yaml", ())
    varied = plan(scenario, ["data.unique_tokens=0.95B,1B,1.2B"])
    block = rows(varied, 0, varied.count)
    names = list(RESULTS)
    for row, unique in enumerate(("0.95B", "1B", "1.2B")):
        alone = answer(text, f"data.unique_tokens={unique}")
        if STATUSES[block.status[row]] == "infeasible":
            assert alone.plan is None
            continue
        said = dict(zip(names, block.results[row], strict=True))
        assert said["loss"] == pytest.approx(alone.plan.loss, rel=1e-9)
        assert said["cost_total"] == pytest.approx(alone.cost.total, rel=1e-6)
        assert said["saving"] == pytest.approx(alone.savings.fraction, abs=1e-6)


def test_no_answer_depends_on_what_was_asked_before():
    """Near saturation a solver that starts where the last one ended ends elsewhere."""
    files = [
        read_scenario(BUDGET, "s.yaml", [f"training.accelerators={n}", f"{u}"])
        for n, u in (
            (2, "data.unique_tokens=1B"),
            (3, "data.unique_tokens=1B"),
            (4, "data.unique_tokens=1B"),
            (3, "data.unique_tokens=900M"),
        )
    ]
    forth = {i: solve(files[i]) for i in (0, 1, 2, 3)}
    back = {i: solve(files[i]) for i in (3, 2, 1, 0)}
    assert [forth[i].plan for i in range(4)] == [back[i].plan for i in range(4)]


@pytest.mark.parametrize("unique", ["1B", "1M", "100"])
def test_a_plan_of_ones_own_at_the_least_loss_needs_no_second_opinion(
    monkeypatch, unique
):
    """15T tokens are enough to wear any of these out: its loss is the lowest there is.

    Each of the programs around it used to try everything, for half a minute in all.
    """
    monkeypatch.setattr(second_opinion, "_search", lambda *_: pytest.fail("asked"))
    scenario = read_scenario(OWN, "s.yaml", (f"data.unique_tokens={unique}",))
    why = solve(scenario).infeasibility
    assert why.conflict == ("target", "data.unique_tokens")
    assert "leave a single point" in why.opening
    s_of = curve(scenario.law, scenario.spec.data.unique_tokens)
    E = scenario.law.coefficients["E"]
    lowest = E + s_of(np.geomspace(1, 1e13, 1000), 1e30).min()
    assert why.nearest_loss == pytest.approx(lowest, rel=1e-9)
