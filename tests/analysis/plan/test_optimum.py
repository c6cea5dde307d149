"""Plans: identities, monotonicity, brute force, limits, decisions already taken."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optimizer.analysis.plan.extremes import critical_size
from optimizer.analysis.plan.optimum import solve
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario
from optimizer.world.laws import load_law
from optimizer.world.surface import Surface
from tests.chance import examples

PLAIN = (
    "law: hoffmann-2022-devries\ntarget: {match: {parameters: 13B}}\n"
    "demand: {tokens: 2T}\n"
)

coefficients = st.fixed_dictionaries(
    {
        "E": st.just(0.0) | st.floats(1e-6, 3),  # what is nearly 0 is refused
        "A": st.floats(1, 2e3),
        "B": st.floats(1, 1e4),
        "alpha": st.floats(0.08, 0.6),
        "beta": st.floats(0.08, 0.6),
    }
)


def scenario_of(law, N=1e9, T=1e12, extra=""):
    text = (
        f"law: {{{', '.join(f'{k}: {v!r}' for k, v in law.items())}}}\n"
        f"target: {{match: {{parameters: {N!r}}}}}\ndemand: {{tokens: {T!r}}}\n{extra}"
    )
    return read_scenario(text)


@given(
    coefficients,
    st.floats(7, 12).map(lambda e: 10**e),
    st.floats(0, 18).map(lambda e: 10**e),
    st.floats(0.25, 4),
    st.floats(0.25, 4),
    st.floats(0.8, 20),
)
@settings(max_examples=examples(60))
def test_random_scenarios_are_certified_and_unbeaten(law, N, T, capN, capD, capC):
    """The certificate, never the point; and a random search along the loss surface
    finds nothing cheaper within the limits."""
    surface = Surface(**law)
    D = surface.optimal_tokens(N)
    s = surface.A * N**-surface.alpha + surface.B * D**-surface.beta
    # Beyond this a target is refused, and so near to the irreducible loss.
    assume(D < 1e50)
    assume(s > 1e-6 * surface.E)
    bounds = N * capN, D * capD, 6 * N * D * capC
    assume(bounds[1] >= 1)  # below it a limit is
    answer = solve(
        scenario_of(
            law,
            N,
            T,
            "limits: {parameters: %r, tokens: %r, training_compute: %r}\n" % bounds,
        )
    )
    n = surface.floor(s) * np.exp(np.random.default_rng(0).exponential(1, 20000))
    rest = s - surface.A * n**-surface.alpha
    with np.errstate(all="ignore"):
        d = (surface.B / rest) ** (1 / surface.beta)
        ok = (rest > 0) & (n <= bounds[0]) & (d <= bounds[1])
        ok &= 6 * n * d <= bounds[2]
        costs = (6 * n * d + 2 * n * T)[ok]
    if answer.plan is None:
        assert not ok.any()
        assert answer.infeasibility.reason
        return
    assert passes(answer.certificate)
    assert (costs >= answer.cost.total * (1 - 1e-9)).all()
    for limit in answer.limits:
        assert limit.value <= limit.bound * (1 + 1e-9)
        assert limit.elasticity <= 0


@given(coefficients, st.floats(1.05, 30))
@settings(max_examples=examples(25))
def test_more_demand_never_gives_a_larger_model_or_fewer_tokens_per_parameter(law, k):
    """For limits that do not involve demand (Sardana et al. 2024, section 3)."""
    extra = "limits: {parameters: 800M}\n"
    plans = [solve(scenario_of(law, 1e9, T, extra)).plan for T in (1e11, k * 1e11)]
    if plans[0] is not None:
        assert plans[1].parameters <= plans[0].parameters * (1 + 1e-9)
        assert plans[1].tokens_per_parameter >= plans[0].tokens_per_parameter * (
            1 - 1e-9
        )


def test_zero_demand_is_exactly_the_training_optimum(ask):
    a = ask(PLAIN, "demand.tokens=0")
    assert a.plan.parameters == pytest.approx(a.training_optimal.parameters, rel=1e-12)
    assert a.overtraining.factor == pytest.approx(1, rel=1e-12)
    assert a.savings.fraction == pytest.approx(0, abs=1e-12)
    assert a.cost.inference == 0


def test_a_plain_scenario_is_one_root(ask):
    """α(1−y)/(βy) = 1 + (T/3)·(s·y/B)^(1/β) in y, the share of s left to data, here by
    bisection: an independent way to the same plan."""
    a = ask(PLAIN)
    law = load_law("hoffmann-2022-devries").surface()
    s, T = a.target_loss - law.E, 2e12
    low, high = 1e-12, 1 - 1e-12
    for _ in range(200):
        y = (low + high) / 2
        left = law.alpha * (1 - y) / (law.beta * y)
        right = 1 + T / 3 * (s * y / law.B) ** (1 / law.beta)
        low, high = (y, high) if left > right else (low, y)
    assert a.plan.tokens == pytest.approx((law.B / (s * y)) ** (1 / law.beta), rel=1e-9)


def test_budget_and_target_are_two_sides_of_one_question(ask):
    """The loss that a plan's cost buys is the plan's loss."""
    plan = ask(PLAIN)
    back = ask(
        "law: hoffmann-2022-devries\nbudget: {compute: %r}\ndemand: {tokens: 2T}\n"
        % plan.cost.total
    )
    assert back.plan.parameters == pytest.approx(plan.plan.parameters, rel=1e-8)
    assert back.plan.loss == pytest.approx(plan.target_loss, rel=1e-12)
    assert back.target_loss is None


@pytest.mark.parametrize("law", ["besiroglu-2024-refit", "kaplan-2020", "kumar-2024"])
def test_a_target_by_reference_equals_the_same_target_by_loss(ask, law):
    text = (
        f"law: {law}\ndemand: {{tokens: 2T}}\ntarget: {{match: {{parameters: 13B}}}}\n"
    )
    one = ask(text)
    other = ask(text, f"target.loss={one.target_loss!r}")
    assert other.plan.parameters == pytest.approx(one.plan.parameters, rel=1e-9)
    assert other.reference is None


def test_limits_bind_in_turn_and_their_prices_are_differences(ask):
    for word, bound in (("parameters", 5e9), ("tokens", 8e11)):
        text = PLAIN + f"limits: {{{word}: {bound!r}}}\n"
        a = ask(text)
        limit = a.limits[0]
        assert (limit.name, limit.binding) == (f"limits.{word}", True)
        h = bound * 1e-5
        ends = [
            ask(text, f"limits.{word}={bound + sign * h!r}").cost.total
            for sign in (1, -1)
        ]
        assert limit.shadow_price == pytest.approx(
            (ends[0] - ends[1]) / (2 * h), rel=1e-6
        )
        assert not a.training_optimal.feasible or word == "tokens"
    slack = ask(PLAIN + "limits: {training_compute: 1e24}\n").limits[0]
    assert (slack.binding, slack.elasticity, slack.shadow_price) == (False, 0.0, 0.0)


def test_a_training_optimum_outside_the_limits_is_marked(ask):
    """It ignores limits, so savings against it may be negative."""
    a = ask(PLAIN, "demand.tokens=0", "limits.parameters=5B")
    assert not a.training_optimal.feasible
    assert a.savings.fraction < 0


def test_the_near_optimal_range_is_where_the_cost_says(ask):
    """Cost along the loss surface by arithmetic: 1 % and 5 % at the ends, less
    inside, more outside."""
    a = ask(PLAIN)
    law = load_law("hoffmann-2022-devries").surface()
    s = a.target_loss - law.E

    def extra(N):
        D = law.tokens_for(N, s)
        return (6 * N * D + 2 * N * 2e12) / a.cost.total - 1

    for near in a.near_optimal:
        low, high = near.parameters
        assert extra(low) == pytest.approx(near.within, rel=1e-6)
        assert extra(high) == pytest.approx(near.within, rel=1e-6)
        assert extra(low * 1.01) < near.within < extra(low / 1.01)
        assert near.tokens[0] == pytest.approx(law.tokens_for(low, s), rel=1e-9)
        assert near.tokens_per_parameter[1] == near.tokens[1] / high
    assert [n.within for n in a.near_optimal] == [0.01, 0.05]


def test_the_near_optimal_range_stops_at_a_limit(ask):
    a = ask(PLAIN, "limits.parameters=7B")
    assert a.near_optimal[0].parameters[1] == pytest.approx(7e9, rel=1e-9)
    tight = ask(PLAIN, "limits.parameters=5B")
    assert tight.near_optimal[0].parameters[1] == pytest.approx(5e9, rel=1e-9)
    assert tight.near_optimal[0].parameters[0] < 5e9


def test_the_near_optimal_range_under_a_budget_is_of_the_reducible_loss(ask):
    a = ask("law: besiroglu-2024-refit\nbudget: {training_compute: 1e24}\n")
    law = load_law("besiroglu-2024-refit").surface()
    best = a.plan.loss - law.E
    for near in a.near_optimal:
        for N, D in zip(near.parameters, near.tokens, strict=True):
            assert pytest.approx(1e24, rel=1e-9) == 6 * N * D
            assert law.loss(N, D) - law.E == pytest.approx(
                best * (1 + near.within), rel=1e-8
            )


def test_a_fixed_size_is_compared_with_the_optimum(ask):
    free, a = ask(PLAIN), ask(PLAIN, "fix.parameters=3B")
    assert a.plan.parameters == 3e9
    assert a.plan.loss == pytest.approx(a.target_loss, rel=1e-12)
    assert a.fixed.optimum.parameters == pytest.approx(free.plan.parameters, rel=1e-12)
    assert a.fixed.extra == pytest.approx(a.cost.total - free.cost.total, rel=1e-9)
    assert a.fixed.fraction == pytest.approx(a.fixed.extra / free.cost.total, rel=1e-9)
    suited = ask(PLAIN, f"demand.tokens={a.fixed.implied_demand!r}")
    assert suited.plan.parameters == pytest.approx(3e9, rel=1e-9)


def test_fixing_the_optimum_costs_nothing(ask):
    free = ask(PLAIN)
    a = ask(PLAIN, f"fix.tokens={free.plan.tokens!r}")
    assert a.fixed.fraction == pytest.approx(0, abs=1e-12)
    assert a.fixed.implied_demand == pytest.approx(2e12, rel=1e-7)


def test_an_undertrained_size_suits_no_demand(ask):
    """A size above the training optimum is right for less than none."""
    assert ask(PLAIN, "fix.parameters=20B").fixed.implied_demand < 0


def test_a_fixed_size_under_a_budget(ask):
    a = ask(
        "law: besiroglu-2024-refit\nbudget: {training_compute: 2e23}\n"
        "fix: {parameters: 3B}\ndemand: {tokens: 2T}\n"
    )
    assert a.plan.tokens == pytest.approx(2e23 / 6 / 3e9, rel=1e-12)
    suited = ask(
        "law: besiroglu-2024-refit\ntarget: {loss: %r}\ndemand: {tokens: %r}\n"
        % (a.plan.loss, a.fixed.implied_demand)
    )
    assert suited.plan.parameters == pytest.approx(3e9, rel=1e-7)
    assert a.fixed.extra == pytest.approx(a.plan.loss - a.fixed.optimum.loss, rel=1e-9)


@pytest.mark.parametrize("demand", ["1e30", "1e20", "1", "1e-3"])
def test_extreme_demand_is_certified(ask, demand):
    assert passes(ask(PLAIN, f"demand.tokens={demand}").certificate)


@pytest.mark.parametrize("law", ["sardana-2024-100", "kumar-2024", "kaplan-2020"])
@pytest.mark.parametrize("demand", ["0", "1e6", "1e30"])
def test_exponents_at_the_edges_of_published_laws(ask, law, demand):
    a = ask(
        f"law: {law}\ntarget: {{match: {{parameters: 70B}}}}\n"
        f"demand: {{tokens: {demand}}}\n"
    )
    assert passes(a.certificate)


@pytest.mark.parametrize("excess", [1e-1, 1e-3, 1e-5, 1e-6])
def test_targets_close_to_E_are_certified(ask, excess):
    a = ask(PLAIN, f"target.loss={1.69 * (1 + excess)!r}")
    assert passes(a.certificate)
    assert a.plan.loss == pytest.approx(a.target_loss, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("1.5", "at or below the irreducible loss"),
        ("1.69", "at or below the irreducible loss"),
        ("1.69000001", "double precision cannot certify"),
    ],
)
def test_targets_that_no_model_reaches(ask, loss, words):
    a = ask(PLAIN, f"target.loss={loss}")
    assert a.status.value == "infeasible"
    assert words in a.infeasibility.reason
    assert a.infeasibility.nearest_loss == 1.69


def test_the_refusal_next_to_E_names_a_target_that_works(ask):
    reason = ask(PLAIN, "target.loss=1.69000001").infeasibility.reason
    least = float(reason.rsplit("Choose at least ", 1)[1].split()[0])
    assert passes(ask(PLAIN, f"target.loss={least!r}").certificate)


def test_critical_size_by_bisection_of_the_surface():
    """At the critical size the least tokens for s cost twice the least compute."""
    law = load_law("besiroglu-2024-refit").surface()
    s = 0.3
    N = critical_size(law, s)
    N0, D0 = law.training_optimal(s)
    assert N * law.tokens_for(N, s) == pytest.approx(2 * N0 * D0, rel=1e-9)
    assert law.floor(s) < N < N0


def test_overtraining_factor_is_tokens_over_the_optimal_for_this_size(ask):
    a = ask(PLAIN)
    law = load_law("hoffmann-2022-devries").surface()
    assert a.overtraining.factor == pytest.approx(
        a.plan.tokens / law.optimal_tokens(a.plan.parameters), rel=1e-12
    )
    assert math.isclose(a.overtraining.cost_ratio, 1 - a.savings.fraction)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("law: besiroglu-2024-refit\ntarget: {match: {parameters: 1B}}\n", set()),
        (
            "law: kaplan-2020\ntarget: {match: {parameters: 500M}}\n",
            {"parameter-unit", "kaplan-compute"},
        ),
        (
            "law: sardana-2024-100\ntarget: {match: {parameters: 1B, tokens: 5T}}\n",
            {"extreme-ratio", "outside-range"},
        ),
        (
            "law: besiroglu-2024-refit\ntarget: {match: {parameters: 8B}}\n"
            "fix: {tokens: 40T}\n",
            {"beyond-36T", "outside-range", "extreme-ratio"},
        ),
        (
            "law: sardana-2024-100\nbudget: {training_compute: 1e21}\n",
            {"wide-optimum", "outside-range", "extreme-ratio"},
        ),
    ],
)
def test_warnings(ask, text, codes):
    a = ask(text + "demand: {tokens: 1B}\n")
    found = {w.code for w in a.warnings}
    assert found == codes
    assert all(len(w.message) > 40 for w in a.warnings)
