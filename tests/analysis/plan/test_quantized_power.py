"""A quantization penalty outside of a power, L = E + (A·N^-α + B·D^-β)^k + δ.

Brute force over sizes, with the least root in D by bisection; the constants of δ are
those of Kumar et al. 2024, appendix K, table 2.
"""

import math

import numpy as np
import pytest

from optimizer import load_law
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan as planned

C_T, G_D, G_N, G_P = 0.0598, 0.5068, 0.3439, 0.5907
TEXT = """
law: openeurollm-2026
target: {match: {parameters: 3B}}
demand: {tokens: 20T}
serving: {weights: int4, quantization_penalty: true}
"""
LAWS = ("openeurollm-2026", "chinchilla-points-coupled", "kaplan-2020")


@pytest.fixture
def swept():
    """A function from a scenario and what varies to the rows, by column."""

    def found(text, *vary):
        plan = planned(read_scenario(text), vary)
        done = rows(plan, 0, plan.count)
        assert (done.status == 0).all()
        return [dict(zip(RESULTS, row, strict=True)) for row in done.results.tolist()]

    return found


def numbers(law):
    """E, A, B, alpha, beta and the outer exponent."""
    c = load_law(law).coefficients
    if law == "kaplan-2020":
        ratio = c["alpha_N"] / c["alpha_D"]
        return 0.0, c["Nc"] ** ratio, c["Dc"], ratio, 1.0, c["alpha_D"]
    return tuple(c[symbol] for symbol in ("E", "A", "B", "alpha", "beta", "k"))


def delta(N, D):
    return C_T * D**G_D / N**G_N * math.exp(-4 / G_P)


def loss(law, N, D):
    E, A, B, a, b, k = numbers(law)
    return E + (A / N**a + B / D**b) ** k + delta(N, D)


def goal(law):
    """The loss of a training-optimal 3B in full precision."""
    E, A, B, a, b, k = numbers(law)
    D = (b * B * 3e9**a / (a * A)) ** (1 / b)
    return E + (A / 3e9**a + B / D**b) ** k


def least_tokens(law, N, target):
    """The least D that reaches the target; infinite where none does."""
    grid = np.geomspace(1e8, 1e16, 4001)
    reached = loss(law, N[:, None], grid) <= target
    first = reached.argmax(axis=1)
    low, high = np.log(grid[np.maximum(first - 1, 0)]), np.log(grid[first])
    for _ in range(60):
        middle = (low + high) / 2
        enough = loss(law, N, np.exp(middle)) <= target
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached.any(axis=1), np.exp(high), np.inf)


@pytest.mark.parametrize("law", LAWS)
def test_the_plan_is_that_of_brute_force(ask, law):
    target = goal(law)

    def least(demand):
        low, high = math.log(3e8), math.log(3e10)
        for _ in range(9):
            N = np.exp(np.linspace(low, high, 41))
            cost = 6 * N * least_tokens(law, N, target) + 2 * N * demand
            at, step = int(np.argmin(cost)), (high - low) / 40
            low, high = math.log(N[at]) - 2 * step, math.log(N[at]) + 2 * step
        return N[at], cost[at]

    answer = ask(TEXT, f"law={law}")
    N, cost = least(2e13)
    assert passes(answer.certificate)
    assert answer.target_loss == pytest.approx(target, rel=1e-9)
    assert answer.cost.total == pytest.approx(cost, rel=1e-8)
    assert answer.plan.parameters == pytest.approx(N, rel=1e-4)
    assert answer.plan.loss == pytest.approx(target, rel=1e-9)
    _, compute = least(0.0)  # the training-optimal model carries the penalty
    optimal = answer.training_optimal
    assert 6 * optimal.parameters * optimal.tokens == pytest.approx(compute, rel=1e-8)


def test_every_elasticity_is_a_finite_difference(ask):
    h = 1e-4
    for move in ask(TEXT).sensitivities:
        ends = [
            ask(TEXT, f"{move.input}={move.value * math.exp(sign * h)!r}").cost.total
            for sign in (1, -1)
        ]
        slope = math.log(ends[0] / ends[1]) / (2 * h)
        assert move.elasticity == pytest.approx(slope, rel=3e-6, abs=1e-7), move.input


def test_a_fixed_size_takes_the_least_root_and_says_which_demand_suits(ask):
    N = 2e9
    law = "openeurollm-2026"
    (D,) = least_tokens(law, np.array([N]), goal(law))
    answer = ask(TEXT, f"fix.parameters={N!r}")
    assert answer.plan.tokens == pytest.approx(D, rel=1e-8)
    _, A, B, a, b, k = numbers(law)
    slope = k * (A / N**a + B / D**b) ** (k - 1)
    w = (slope * a * A / N**a + G_N * delta(N, D)) / (
        slope * b * B / D**b - G_D * delta(N, D)
    )
    assert answer.fixed.implied_demand == pytest.approx(3 * D * (w - 1), rel=1e-6)
    small = ask(TEXT, "fix.parameters=1B").infeasibility
    assert set(small.conflict) == {"target", "fix.parameters"}


def test_a_budget_buys_the_loss_of_the_plan_that_costs_as_much(ask):
    plan = ask(TEXT)
    budget = TEXT.replace(
        "target: {match: {parameters: 3B}}",
        f"budget: {{compute: {plan.cost.total!r}}}",
    )
    bought = ask(budget)
    assert bought.plan.loss == pytest.approx(plan.plan.loss, rel=1e-9)
    assert bought.plan.parameters == pytest.approx(plan.plan.parameters, rel=1e-4)


def test_repeated_data_enter_under_the_power(ask):
    """With as many unique tokens as the plan reads nothing repeats; with fewer the
    plan is larger, and its loss is that of repeated data by their own formula."""
    plain = ask(TEXT)
    enough = ask(TEXT, f"data.unique_tokens={plain.plan.tokens * 3!r}")
    assert enough.cost.total == pytest.approx(plain.cost.total, rel=1e-9)
    few = ask(TEXT, "data.unique_tokens=100B")
    assert few.plan.parameters > plain.plan.parameters
    assert few.plan.tokens > 1e11
    R = load_law("muennighoff-2023").extras["R_D_star"]
    D = 1e11 * (1 + R * (1 - math.exp(-(few.plan.tokens / 1e11 - 1) / R)))
    E, A, B, a, b, k = numbers("openeurollm-2026")
    # N' = N as long as the data support the size.
    N = few.plan.parameters
    reached = E + (A / N**a + B / D**b) ** k + delta(N, few.plan.tokens)
    if (a * A * 1e11**b / (b * B)) ** (1 / a) >= N:
        assert reached == pytest.approx(goal("openeurollm-2026"), rel=1e-9)


def test_a_row_of_a_sweep_is_the_plan(ask, swept):
    rows = swept(TEXT, "demand.tokens=2T,20T,200T")
    for row, tokens in zip(rows, ("2T", "20T", "200T"), strict=True):
        one = ask(TEXT, f"demand.tokens={tokens}")
        assert row["parameters"] == pytest.approx(one.plan.parameters, rel=1e-5)
        assert row["cost_total"] == pytest.approx(one.cost.total, rel=1e-8)
        assert row["saving"] == pytest.approx(one.savings.fraction, rel=1e-6)
        assert row["loss"] == pytest.approx(one.plan.loss, rel=1e-9)
