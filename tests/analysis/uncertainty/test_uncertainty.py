"""Draws, their intervals and the robust plan, against brute force on the draws."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optimizer.analysis.comparison.regret import cost_of
from optimizer.analysis.plan.chance import unasked
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.uncertainty.robust import robust_plan
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.law_draws import Drawn, drawn
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan as varied
from optimizer.world.law import Covariance

TRIAL = """
law: besiroglu-2024-refit
target: {loss: 2.0}
demand: {tokens: 1e13}
"""
SPREAD = TRIAL.replace("1e13", "{low: 1T, expected: 3T, high: 20T}")
EXACT = SPREAD.replace("besiroglu-2024-refit", "hoffmann-2022-devries")
REPEATED = TRIAL + "data: {unique_tokens: 1T}\n"
WORDS = ("parameters", "tokens", "tokens_per_parameter", "cost_total", "saving")


def read(text, *overrides):
    return read_scenario(text, overrides=overrides)


def laws(scenario, count=300, seed=0):
    return drawn(varied(scenario, (), count, seed))


def scaled(scenario, factor):
    """The scenario with a law whose covariance is so many times as large."""
    known = scenario.law.covariance
    matrix = tuple(tuple(factor * x for x in row) for row in known.matrix)
    covariance = Covariance(known.order, matrix)
    return replace(scenario, law=replace(scenario.law, covariance=covariance))


def worth(amount, unique, star):
    """What an amount is worth of which `unique` is new; Muennighoff et al., eq. 5."""
    more = np.maximum(amount / unique - 1, 0)
    return np.where(
        amount <= unique, amount, unique + unique * star * -np.expm1(-more / star)
    )


def reaching(law, N, D, unique=None):
    """The part of the draws in which models reach their target, `(models,)`."""
    N, D = N[:, None], D[:, None]
    if unique is not None:
        read_ = np.minimum(D, unique)
        ratio = law.alpha * law.A / (law.beta * law.B)
        N = worth(N, (ratio * read_**law.beta) ** (1 / law.alpha), 5.309743)
        D = worth(D, unique, 15.387756)
    s = law.A * N**-law.alpha + law.B * D**-law.beta
    return (s <= law.s * (1 + 1e-12)).mean(axis=1)


# The trial figures of the request


def test_the_trial_of_the_request():
    """400 draws put the right size at 13B to 43B; their bootstrap has longer tails.

    The normal distribution of the covariance has the same 5th percentile, and 43B
    beyond its 95th: between the 97th and the 99.5th.
    """
    found = uncertainty(read(TRIAL), draws=400)
    size = found.intervals["parameters"]
    assert round(size.p5 / 1e9) == 13
    assert 33e9 < size.p95 < 43e9
    wide = uncertainty(read(TRIAL), draws=4000)
    assert wide.intervals["parameters"].p95 == pytest.approx(size.p95, rel=0.1)
    assert found.unreachable == found.left_out == 0
    assert found.varied == tuple(f"law.{s}" for s in ("A", "B", "E", "alpha", "beta"))


def test_planning_for_no_demand_and_serving_much(ask):
    """2.84 times the optimum in the request; 2.85 by these coefficients."""
    question = formulate(read(TRIAL, "demand.tokens=1e14"))
    none = ask(TRIAL, "demand.tokens=0").plan
    cost = cost_of(question, {"N": none.parameters, "D": none.tokens})
    best = ask(TRIAL, "demand.tokens=1e14").cost.total
    assert cost / best == pytest.approx(2.84, abs=0.02)


# Intervals


def test_a_small_covariance_has_the_point_answer_in_the_middle():
    scenario = scaled(read(TRIAL), 1e-6)
    found, plan = uncertainty(scenario, draws=200), solve(scenario)
    for word in WORDS:
        ends = found.intervals[word]
        expected = getattr(found.plan, word)
        assert ends.p5 < expected < ends.p95
        assert ends.p50 == pytest.approx(expected, rel=2e-4)
        assert ends.p95 / ends.p5 < 1.01
    assert found.plan.parameters == plan.plan.parameters
    assert found.robust.parameters == pytest.approx(plan.plan.parameters, rel=2e-3)


def test_a_wider_covariance_has_wider_intervals():
    """Half the standard errors, half the interval of ln N, to first order."""
    spans = []
    for factor in (1, 1 / 4, 1 / 16):
        ends = uncertainty(scaled(read(TRIAL), factor)).intervals["parameters"]
        spans.append(math.log(ends.p95 / ends.p5))
    assert spans[0] / spans[1] == pytest.approx(2, rel=0.1)
    assert spans[1] / spans[2] == pytest.approx(2, rel=0.03)


def test_each_draw_is_the_plan_of_its_own_scenario(ask):
    """With 10 draws the median is the mean of the middle two, each solved alone."""
    plan = varied(read(TRIAL), (), 10, 3)
    columns = plan.columns(0, 10)
    sizes = []
    for row in columns.tolist():
        law = ", ".join(
            f"{n.name.removeprefix('law.')}: {x!r}"
            for n, x in zip(plan.numbers, row, strict=True)
        )
        sizes.append(ask(TRIAL.replace("besiroglu-2024-refit", f"{{{law}}}")).plan)
    middle = sorted(plan.parameters for plan in sizes)[4:6]
    found = uncertainty(read(TRIAL), draws=10, seed=3).intervals["parameters"]
    assert found.p50 == pytest.approx(sum(middle) / 2, rel=1e-6)


def test_a_matched_reference_narrows_the_intervals(ask):
    """The reference's loss moves with the law: what is wrong is wrong for both.

    The size and the cost are then known better; the tokens are not.
    """
    same = solve(read(TRIAL, "demand.tokens=0")).plan.parameters  # of loss 2.0
    spans = []
    for overrides in ((), (f"target.match.parameters={same!r}",)):
        found = uncertainty(read(TRIAL, *overrides), draws=400)
        assert found.plan.loss == pytest.approx(2.0, rel=1e-9)
        ends = [found.intervals[word] for word in ("parameters", "cost_total")]
        spans.append([math.log(end.p95 / end.p5) for end in ends])
    (size, cost), (matched_size, matched_cost) = spans
    assert matched_size < 0.35 * size
    assert matched_cost < 0.75 * cost


def test_the_demand_is_log_normal_between_its_percentiles():
    """Of an exact law ln N falls with demand alone: quantiles go over to the plans."""
    scenario = read(EXACT, "target.loss=2.1")
    found = uncertainty(scenario, draws=4000)
    middle = math.sqrt(1e12 * 2e13)
    step = math.log(20) / 2 / 1.2815515655446004 * 1.6448536269514722
    for percent, demand in (
        ("p95", middle * math.exp(-step)),
        ("p50", middle),
        ("p5", middle * math.exp(step)),
    ):
        plan = solve(read(EXACT, "target.loss=2.1", f"demand.tokens={demand!r}")).plan
        ends = found.intervals["parameters"]
        assert getattr(ends, percent) == pytest.approx(plan.parameters, rel=0.03)


def test_an_exact_law_says_that_only_the_demand_varies():
    found = uncertainty(read(EXACT), draws=50)
    assert found.varied == ("demand.tokens",)
    assert found.notes[0] == (
        "hoffmann-2022-devries carries neither a covariance nor draws, so only the "
        "demand and the prices that are given as ranges vary: the law's own error is "
        "not in these numbers."
    )
    # It said "whatever is drawn reaches the target" and "reaches it 100 %".
    assert found.plan.reached is found.robust is None
    assert found.reason.startswith("hoffmann-2022-devries says nothing of its own")


def test_nothing_uncertain_is_refused():
    with pytest.raises(InputError, match=r"^uncertainty: nothing is uncertain: give"):
        uncertainty(read(TRIAL, "law=hoffmann-2022-devries"))


def test_the_least_tokens_of_a_size_just_reach_the_target():
    """Also of sizes that their own tokens do not support, where N' depends on D."""
    random = np.random.default_rng(4)
    count, unique = 300, 8e11
    alpha, beta = random.uniform(0.3, 0.38, (2, count))
    A, B = random.uniform(300, 500, count), random.uniform(1000, 2500, count)
    s = A / 8e9**alpha + B / 4e11**beta
    stars = random.uniform(5, 20, count), random.uniform(3, 9, count)
    law = Drawn(A, B, alpha, beta, s, unique, *stars)
    sizes = np.geomspace(6e9, 4e11, 12)
    with np.errstate(all="ignore"):
        found = law.tokens(sizes)
    reached = np.isfinite(found)
    N, D = np.broadcast_to(sizes[:, None], found.shape), np.where(reached, found, 1e12)
    known = np.minimum(D, unique)
    supported = (alpha * A * known**beta / (beta * B)) ** (1 / alpha)
    size, tokens = worth(N, supported, stars[1]), worth(D, unique, stars[0])
    loss = A / size**alpha + B / tokens**beta
    np.testing.assert_allclose((loss / s)[reached], 1, rtol=1e-9)
    beyond = reached & (unique > D) & (supported < N)
    assert beyond.sum() > 500
    assert (reached & (unique < D)).sum() > 20


def test_a_seed_repeats_the_answer_and_another_does_not():
    one, again = (uncertainty(read(SPREAD), draws=300, seed=7) for _ in range(2))
    assert one == again
    other = uncertainty(read(SPREAD), draws=300, seed=8)
    assert one.intervals["parameters"] != other.intervals["parameters"]
    assert one.robust.parameters != other.robust.parameters


def test_draws_out_of_reach_are_counted_by_their_own_E():
    """E of the law is log-normal: the target is out of reach where E exceeds it."""
    scenario = read(TRIAL, "target.loss=1.83")
    found = uncertainty(scenario, draws=1000)
    plan = varied(scenario, (), 1000, 0)
    E = plan.columns(0, 1000)[:, [n.name for n in plan.numbers].index("law.E")]
    assert found.unreachable == pytest.approx((E >= 1.83).mean(), abs=1.5e-3)
    assert 0.2 < found.unreachable < 0.4
    assert found.robust is None
    sure = uncertainty(scenario, draws=1000, probability=0.5)
    assert sure.robust.reached >= 0.5


def test_a_budget_has_intervals_and_no_robust_plan():
    text = TRIAL.replace("target: {loss: 2.0}", "budget: {training_compute: 1e24}")
    found = uncertainty(read(text), draws=100)
    assert found.robust is None
    assert found.reason == "a budget has no target to reach with a probability"
    loss = found.intervals["loss"]
    assert loss.p5 < found.plan.loss < loss.p95


def test_the_quantization_penalty_has_no_robust_plan():
    text = TRIAL + "serving: {weights: int4, quantization_penalty: true}\n"
    assert unasked(read(text)).startswith("with the quantization penalty more tokens")
    assert not unasked(read(TRIAL))


def test_of_lists_each_draw_takes_the_best_choice():
    """fp8 serves at half the price of bf16 here, whatever the draw."""
    text = TRIAL + (
        "objective: dollars\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}\n"
        "serving: {hardware: h100-sxm, mfu: 40 %, price: $2/h, precision: bf16}\n"
    )
    both = uncertainty(read(text.replace("bf16", "[bf16, fp8]")), draws=50)
    best = uncertainty(read(text, "serving.precision=fp8"), draws=50)
    assert both.intervals == best.intervals
    assert both.robust == best.robust
    assert both.plan == best.plan


# The robust plan


@pytest.mark.parametrize("text", [TRIAL, REPEATED])
@pytest.mark.parametrize("probability", [0.5, 0.9, 0.99])
def test_the_robust_plan_is_the_cheapest_of_a_grid_that_is_sure_enough(
    text, probability
):
    """Brute force over (N, D): none of 10,000 models is as sure and cheaper."""
    scenario = read(text)
    law, question = laws(scenario, 200), formulate(scenario)
    found = robust_plan(scenario, law, probability)
    unique = 1e12 if text is REPEATED else None
    own = np.array([found.parameters]), np.array([found.tokens])
    assert reaching(law, *own, unique)[0] >= probability
    assert found.reached == reaching(law, *own, unique)[0]
    # One thousandth fewer tokens are not enough.
    assert reaching(law, own[0], own[1] * 0.999, unique)[0] < probability
    best = math.inf
    steps = np.exp(np.linspace(-1.2, 1.2, 100))
    for N in found.parameters * steps:
        D = found.tokens * steps
        cost = np.array([cost_of(question, {"N": N, "D": d, "U": 1.0}) for d in D])
        sure = reaching(law, np.full(100, N), D, unique) >= probability
        best = min(best, cost[sure].min(initial=math.inf))
    assert found.cost_total <= best
    assert best < 1.03 * found.cost_total  # the grid comes close


def test_being_surer_costs_more():
    scenario = read(TRIAL)
    law = laws(scenario, 1000)
    plans = [robust_plan(scenario, law, p) for p in np.linspace(0.05, 0.995, 20)]
    costs = [plan.cost_total for plan in plans]
    assert costs == sorted(costs)
    assert costs[-1] > 2 * costs[0]
    for plan in plans:
        assert plan.probability <= plan.reached < plan.probability + 1.5e-3


def test_the_plan_for_the_expected_numbers_is_a_toss_of_a_coin():
    found = uncertainty(read(TRIAL), draws=2000)
    assert found.plan.reached == pytest.approx(0.5, abs=0.05)
    assert found.robust.cost_total > found.plan.cost_total


def test_limits_hold_for_the_robust_plan():
    scenario = read(TRIAL, "limits.parameters=25B")
    law = laws(scenario)
    assert robust_plan(read(TRIAL), law, 0.9).parameters > 26e9
    held = robust_plan(scenario, law, 0.9)
    assert held.parameters == pytest.approx(25e9, rel=1e-6)
    assert held.parameters <= 25e9 * (1 + 1e-9)
    # So little room that a coarse grid alone would miss it.
    need = np.sort(law.tokens(np.array([25e9]))[0])[269].item()
    tight = read(TRIAL, "limits.parameters=25B", f"limits.tokens={1.0001 * need!r}")
    found = robust_plan(tight, law, 0.9)
    assert found.parameters == pytest.approx(25e9, rel=1e-3)
    none = read(TRIAL, "limits.parameters=25B", f"limits.tokens={0.999 * need!r}")
    assert robust_plan(none, law, 0.9) is None


def test_what_is_fixed_stays_in_the_robust_plan():
    law = laws(read(TRIAL))
    size = robust_plan(read(TRIAL, "fix.parameters=40B"), law, 0.9)
    assert size.parameters == 40e9
    assert reaching(law, np.array([40e9]), np.array([size.tokens * 0.999]))[0] < 0.9
    data = robust_plan(read(TRIAL, "fix.tokens=8T"), law, 0.9)
    assert data.tokens == 8e12
    assert reaching(law, np.array([data.parameters]), np.array([8e12]))[0] >= 0.9
    less = np.array([data.parameters * 0.999])
    assert reaching(law, less, np.array([8e12]))[0] < 0.9


def test_the_robust_plan_of_enormous_demand_is_found_near_the_floor():
    """With almost all cost in serving, N goes to the quantile of the floors."""
    scenario = read(TRIAL, "demand.tokens=1e22")
    law = laws(scenario)
    found = robust_plan(scenario, law, 0.9)
    floor = np.sort((law.A / law.s) ** (1 / law.alpha))[269].item()
    assert floor < found.parameters < 1.05 * floor


def test_few_draws_beyond_the_quantile_are_told():
    found = uncertainty(read(TRIAL), draws=200, probability=0.99)
    assert found.notes[-1] == (
        "Of 200 draws, 2 lie beyond the robust plan, too few to trust it: take more "
        "draws."
    )
