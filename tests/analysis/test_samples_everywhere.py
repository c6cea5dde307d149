"""A law of samples across the rest: sweeps, frontiers, choices, machines, regret.

Where samples are decided the law is the additive one with G·k^-γ in E, which most of
these hold against; the rest is brute force over whole numbers.
"""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.frontier.samples import frontier_over_samples
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import search
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.analysis.story.case import case
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario
from optimizer.question.portfolio_file import read_portfolio
from optimizer.question.vary import plan as planned
from optimizer.reading.document import load_text

COEFFICIENTS = "A: 400, B: 2000, alpha: 0.34, beta: 0.36"
LAW = f"{{E: 0.2, {COEFFICIENTS}, G: 0.8, gamma: 0.4}}"
OPEN = "{at_least: 1, at_most: 64}"
BASE = (
    f"law: {LAW}\ntarget: {{match: {{parameters: 13B}}}}\n"
    f"demand: {{tokens: 2T, samples: {OPEN}}}\n"
)
SPLIT = BASE.replace(
    "tokens: 2T", "requests: 2e9, input_tokens: 600, output_tokens: 400"
)
DOLLARS = (
    SPLIT + "objective: dollars\n"
    "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}\n"
    "serving: {hardware: h100-sxm, mfu: 20 %, price: $3/h}\n"
)
ROOFLINE = (
    SPLIT.replace("output_tokens: 400", "output_tokens: 400, lifetime: 1 year")
    + "objective: dollars\n"
    "training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}\n"
    "serving: {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, "
    "price: $3/h}\n"
    "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}\n"
)


def decided(text, k, loss):
    """The same with k samples and the loss given, under the additive law."""
    law = f"{{E: {0.2 + 0.8 * k**-0.4!r}, {COEFFICIENTS}}}"
    return (
        text.replace(LAW, law)
        .replace(OPEN, str(k))
        .replace("{match: {parameters: 13B}}", f"{{loss: {loss!r}}}")
    )


@pytest.mark.parametrize(
    "more",
    [
        DOLLARS,
        DOLLARS + "limits: {training_compute: 2e21}\n",
        DOLLARS + "data: {unique_tokens: 300B}\n",
        DOLLARS + "money: {discount_rate: 8 %}\ncosts: {fixed: $100k}\n",
        ROOFLINE,
        ROOFLINE.replace("price: $3/h}", "price: $3/h, idle_paid: true}"),
        ROOFLINE.replace("h100-sxm, mfu: 50", "[h100-sxm, b200], mfu: 50"),
    ],
)
def test_the_plan_is_the_best_of_all_numbers_under_the_additive_law(more):
    def ask(text):
        return solve(read_scenario(text), whole=False)

    answer = ask(more)
    loss = answer.target_loss
    totals = {}
    for k in (1, 2, 4, 5, 6, 7, 8, 9, 64):
        one = ask(decided(more, k, loss))
        if one.plan is not None:
            totals[k] = one.cost.total
    best = min(totals, key=totals.get)
    assert answer.plan.samples == best
    assert answer.cost.total == pytest.approx(totals[best], rel=1e-8)
    assert passes(answer.certificate)
    assert passes(answer.relaxed.certificate)
    assert answer.relaxed.total <= answer.cost.total * (1 + 1e-9)
    again = ask(decided(more, best, loss))
    assert answer.training_optimal.parameters == pytest.approx(
        again.training_optimal.parameters, rel=1e-6
    )
    assert answer.savings.fraction == pytest.approx(again.savings.fraction, rel=1e-6)
    assert answer.critical.floor == pytest.approx(again.critical.floor, rel=1e-6)


def test_a_row_of_a_sweep_is_the_optimum_in_fractions():
    plan = planned(read_scenario(BASE), ("demand.tokens=1e11,1e12,1e13", "law.G=.3,.8"))
    found = rows(plan, 0, plan.count)
    assert (found.status == 0).all()
    for inputs, results in zip(
        found.inputs.tolist(), found.results.tolist(), strict=True
    ):
        row = dict(zip(RESULTS, results, strict=True))
        changes = [f"demand.tokens={inputs[0]!r}", f"law.G={inputs[1]!r}"]
        one = read_scenario(BASE, "scenario.yaml", changes)
        question, solution = search(one)
        assert row["cost_total"] == pytest.approx(solution.value, rel=1e-9)
        assert row["samples"] == pytest.approx(solution.point["k"], rel=1e-5)
        k = row["samples"]
        left = inputs[1] * k**-0.4
        s = question.reducible - left
        assert row["loss"] == pytest.approx(question.target, rel=1e-9)
        N = (400 * (0.34 / 0.36 + 1) / s) ** (1 / 0.34)
        D = (2000 * (0.36 / 0.34 + 1) / s) ** (1 / 0.36)
        optimal = 6 * N * D + 2 * N * k * inputs[0]
        assert row["saving"] == pytest.approx(1 - row["cost_total"] / optimal, rel=1e-6)


# k → N*, D*: the same loss at 2e12 tokens a sample
FIXED = {
    "besiroglu-2024": {
        **{1: (6.10e9, 7.37e11), 4: (4.45e9, 1.51e12), 16: (3.48e9, 3.46e12)},
        **{64: (2.90e9, 8.48e12), 256: (2.55e9, 2.17e13)},
    },
    "openeurollm-2026": {
        **{1: (8.21e9, 1.17e12), 4: (6.04e9, 2.09e12), 16: (4.63e9, 4.39e12)},
        **{64: (3.80e9, 1.02e13), 256: (3.29e9, 2.50e13)},
    },
}


@pytest.mark.parametrize("law", FIXED)
def test_a_frontier_over_samples_under_laws_that_do_not_know_them(law):
    """Figures evaluated apart from the product, from the laws' printed constants."""
    text = f"law: {law}\ntarget: {{match: {{parameters: 13B}}}}\ndemand: {{tokens: 2T}}"
    steps = {
        s.samples: s for s in frontier_over_samples(read_scenario(text), 256).steps
    }
    assert sorted(steps) == [2.0**i for i in range(9)]
    for k, (N, D) in FIXED[law].items():
        assert steps[k].parameters == pytest.approx(N, rel=2e-3)
        assert steps[k].tokens == pytest.approx(D, rel=5e-3)
        cost = 6 * steps[k].parameters * steps[k].tokens
        cost += 2 * steps[k].parameters * k * 2e12
        assert steps[k].total == pytest.approx(cost, rel=1e-9)
        assert passes(steps[k].certificate)


def test_a_frontier_over_samples_keeps_requests_and_the_loss_to_match():
    """A scenario that draws four is its own row, and reads its prompts once."""
    text = (
        "law: besiroglu-2024\ntarget: {match: {parameters: 13B}}\ndemand: {tokens: 2T, "
        "input_tokens: 500, output_tokens: 500, samples: 4}"
    )
    scenario = read_scenario(text)
    steps = {s.samples: s for s in frontier_over_samples(scenario, 8).steps}
    own = solve(scenario)
    assert steps[4].total == pytest.approx(own.cost.total, rel=1e-12)
    N, D = steps[8].parameters, steps[8].tokens
    requests = 2e12 / 2500
    assert steps[8].total == pytest.approx(
        6 * N * D + 2 * N * requests * (500 + 8 * 500), rel=1e-9
    )


def test_the_frontier_of_losses_passes_through_the_plan():
    """Its points have samples in whole numbers, as the plan."""
    scenario = read_scenario(BASE)
    found = frontier(scenario, points=5, span=1.1)
    own = solve(scenario, whole=False)
    assert found.plan.cost_total == pytest.approx(own.cost.total, rel=1e-9)
    assert found.plan.samples == own.plan.samples
    end = found.points[-1]
    again = solve(
        read_scenario(BASE, "scenario.yaml", [f"target.loss={end.loss!r}"]), whole=False
    )
    assert end.cost_total == pytest.approx(again.cost.total, rel=1e-8)
    assert end.samples == again.plan.samples


def test_regret_draws_what_the_built_model_then_needs():
    """The other demand comes: N and D stand, samples do not."""
    scenarios = [
        read_scenario(BASE, "scenario.yaml", [f"demand.tokens={t}", f"name={t}"])
        for t in ("2T", "20T")
    ]
    found = compare(scenarios)
    first, second = found.plans
    plan = first.plan
    rest = second.target_loss - 0.2 - 400 / plan.parameters**0.34
    rest -= 2000 / plan.tokens**0.36
    k = (0.8 / rest) ** (1 / 0.4)
    cost = 6 * plan.parameters * plan.tokens + 2 * plan.parameters * k * 2e13
    assert found.regret.table[0][1] == pytest.approx(cost / second.cost.total, rel=1e-6)


def test_draws_have_plans_and_the_safe_one_is_surer():
    text = BASE.replace("gamma: 0.4", "gamma: 0.4, covariance: " + COVARIANCE).replace(
        "tokens: 2T", "tokens: {low: 1T, expected: 2T, high: 4T}"
    )
    found = uncertainty(read_scenario(text), draws=200)
    assert {"law.G", "law.gamma", "law.A"} <= set(found.varied)
    assert found.unreachable == found.left_out == 0
    assert 0.3 < found.plan.reached < 0.7
    assert found.robust.reached >= 0.9
    assert found.robust.cost_total > found.plan.cost_total
    # The robust model at as many samples, in draws made here.
    draw = np.random.default_rng(3)
    A = 400 * np.exp(draw.normal(0, 0.001**0.5, 4000))
    G = 0.8 * np.exp(draw.normal(0, 0.001**0.5, 4000))
    gamma = draw.normal(0.4, 0.02, 4000)
    D13 = (0.36 * 2000 / (0.34 * A) * 13e9**0.34) ** (1 / 0.36)
    target = A / 13e9**0.34 + 2000 / D13**0.36 + G
    k = solve(read_scenario(text), whole=False).plan.samples
    N, D = found.robust.parameters, found.robust.tokens
    reached = A / N**0.34 + 2000 / D**0.36 + G * k**-gamma <= target
    assert reached.mean() == pytest.approx(0.9, abs=0.04)


COVARIANCE = (
    "{order: [ln_A, ln_G, gamma], matrix: [[.001, 0, 0], [0, .001, 0], [0, 0, .0004]]}"
)


def joined(first, second, shared):
    """Two models under a law of samples; a number of them is that many times T."""

    def member(name, loss, T, number):
        if number == OPEN:
            words = f"law: {LAW}, demand: {{tokens: {T!r}, samples: {OPEN}}}"
        else:
            law = f"{{E: {0.2 + 0.8 * number**-0.4!r}, {COEFFICIENTS}}}"
            words = f"law: {law}, demand: {{tokens: {number * T!r}}}"
        return f"  - {{name: {name}, target: {{loss: {loss}}}, {words}}}\n"

    text = (
        "objective: compute\nmodels:\n"
        f"{member('one', 0.9, 5e11, first)}{member('two', 1.0, 5e12, second)}"
        f"shared: {{training_compute: {shared!r}}}\n"
    )
    return read_portfolio(load_text(text, "p.yaml"), Path())


@pytest.mark.parametrize("shared", [5e22, 1.5e22, 1.2e22])
def test_a_portfolio_draws_the_best_whole_numbers_for_all_together(shared):
    """Every pair about the answer, under the additive law of as many samples."""
    found = solve_portfolio(joined(OPEN, OPEN, shared))
    pair = tuple(round(answer.plan.samples) for answer in found.members)
    around = [range(max(n - 2, 1), n + 3) for n in pair]
    totals = {}
    for other in itertools.product(*around):
        one = solve_portfolio(joined(*other, shared), whole=False)
        if one.total is not None:
            totals[other] = one.total
    assert min(totals, key=totals.get) == pair
    assert found.total == pytest.approx(totals[pair], rel=1e-8)
    assert passes(found.certificate)
    assert 0.99 * found.total < found.relaxed < found.total


def test_what_is_shared_moves_the_samples_of_a_portfolio():
    """Less training compute is made good by more samples, until none is enough."""
    few = solve_portfolio(joined(OPEN, OPEN, 5e22), whole=False)
    many = solve_portfolio(joined(OPEN, OPEN, 1.2e22), whole=False)
    assert many.members[1].plan.samples > few.members[1].plan.samples
    none = solve_portfolio(joined(OPEN, OPEN, 1e19))
    assert none.infeasibility.relaxations


def test_pictures_and_sliders_of_a_report():
    scenario = read_scenario(BASE)
    answer = solve(scenario)
    found = case(scenario, answer, laws=())
    assert found.contour is not None
    assert found.tornado is not None
    place, at = found.explorer.here
    here = found.explorer.points[place][at]
    assert here.samples == pytest.approx(answer.samples.relaxed, rel=1e-6)
    assert here.cost_total == pytest.approx(answer.relaxed.total, rel=1e-8)
    assert math.isfinite(found.overhead.sizes[0])
