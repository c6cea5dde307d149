"""pass@k from the loss: a beta-binomial, against scipy's and against draws."""

import math

import numpy as np
import pytest
from scipy import stats

from optimizer.analysis.frontier.samples import frontier_over_samples
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan as planned
from optimizer.world.passing import PassRate

MAP = PassRate(2.2, 6.0, 0.9, 1.0, -0.5)
TEXT = """
law: {E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283,
      pass_at_k: {theta0: 2.2, theta1: 6, theta2: 0.9, theta3: 1, theta4: -0.5}}
target: {pass_rate: 70 %}
demand: {requests: 1e10, input_tokens: 500, output_tokens: 300, samples: 4}
"""


def shape(loss):
    mean = 0.9 / (1 + math.exp(6 * (loss - 2.2)))
    size = math.exp(1 - 0.5 * loss)
    return mean * size, (1 - mean) * size


@pytest.mark.parametrize("loss", [1.8, 2.1, 2.6])
@pytest.mark.parametrize("k", [1, 3, 40])
def test_it_is_the_chance_that_one_of_k_samples_passes(loss, k):
    """None of k passing is a beta-binomial with 0 successes."""
    a, b = shape(loss)
    none = stats.betabinom(k, a, b).pmf(0)
    assert MAP.rate(loss, k) == pytest.approx(1 - none, rel=1e-9)
    draws = stats.beta(a, b).rvs(400_000, random_state=1)
    sampled = 1 - np.mean((1 - draws) ** k)
    assert MAP.rate(loss, k) == pytest.approx(sampled, abs=4e-3)


def test_one_sample_passes_with_the_mean():
    assert MAP.rate(2.2, 1) == pytest.approx(0.45, rel=1e-12)


def test_the_loss_of_a_rate_leads_back_to_it():
    for rate in (0.05, 0.5, 0.7, 0.85):
        for k in (1, 4, 64):
            assert MAP.rate(MAP.loss(rate, k), k) == pytest.approx(rate, rel=1e-10)
    with pytest.raises(ValueError, match="must be at most"):
        MAP.loss(0.95, 1)


def test_the_plan_is_that_of_the_loss_which_k_samples_need():
    answer = solve(read_scenario(TEXT))
    loss = MAP.loss(0.7, 4)
    assert answer.target_loss == pytest.approx(loss, rel=1e-12)
    assert answer.plan.samples == 4
    same = TEXT.replace("pass_rate: 70 %", f"loss: {loss!r}")
    assert answer.cost == solve(read_scenario(same)).cost
    assert "perfect-verifier" in {warning.code for warning in answer.warnings}


@pytest.mark.parametrize("seed", range(30))
def test_random_maps_against_a_search(seed):
    """The loss by bisection of scipy's beta-binomial, the plan by a grid of sizes."""
    chance = np.random.default_rng(seed)
    theta = [
        *(chance.uniform(1.9, 2.8), chance.uniform(2, 8), chance.uniform(0.6, 1)),
        *(chance.uniform(-1, 2), chance.uniform(-1, 0.5)),
    ]
    k, T = int(chance.integers(1, 65)), 10 ** chance.uniform(10, 13)

    def rate(loss):
        mean = theta[2] / (1 + math.exp(theta[1] * (loss - theta[0])))
        size = math.exp(theta[3] + theta[4] * loss)
        return 1 - stats.betabinom(k, mean * size, (1 - mean) * size).pmf(0)

    wanted = rate(chance.uniform(1.85, 2.5))
    low, high = 1.7, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rate(middle) > wanted else (low, middle)
    names = ", ".join(f"theta{i}: {value!r}" for i, value in enumerate(theta))
    text = TEXT.replace(
        TEXT[TEXT.index("{theta0") : TEXT.index("}}") + 1], f"{{{names}}}"
    )
    text = (
        text.replace("70 %", repr(float(wanted)))
        .replace("requests: 1e10", (f"requests: {T / 300!r}"))
        .replace("input_tokens: 500", "input_tokens: 0")
    )
    found = solve(read_scenario(text.replace("samples: 4", f"samples: {k}")))
    assert found.target_loss == pytest.approx(low, rel=1e-9)
    s = low - 1.69
    sizes = np.geomspace((406.4 / s) ** (1 / 0.336) * (1 + 1e-9), 1e15, 4001)
    for _ in range(3):
        rest = s - 406.4 * sizes**-0.336
        cost = 6 * sizes * (410.7 / rest) ** (1 / 0.283) + 2 * sizes * k * T
        best = int(np.argmin(cost))
        ends = sizes[max(best - 2, 0)], sizes[min(best + 2, len(sizes) - 1)]
        sizes = np.geomspace(*ends, 4001)
    assert found.cost.total == pytest.approx(float(cost.min()), rel=1e-7)


def test_elasticities_pass_through_the_map():
    told = {
        m.input: (m.value, m.elasticity)
        for m in solve(read_scenario(TEXT)).sensitivities
    }
    h = 1e-5
    for word in ("target.pass_rate", "demand.samples", "law.alpha"):
        value, slope = told[word]
        ends = [
            solve(
                read_scenario(
                    TEXT, "s.yaml", [f"{word}={value * math.exp(sign * h)!r}"]
                ),
                whole=False,
            ).cost.total
            for sign in (1, -1)
        ]
        found = math.log(ends[0] / ends[1]) / (2 * h)
        assert slope == pytest.approx(found, rel=1e-5), word


def test_samples_are_compared_and_swept():
    scenario = read_scenario(TEXT)
    steps = frontier_over_samples(scenario, 64).steps
    assert [step.samples for step in steps] == [1, 2, 4, 8, 16, 32, 64]
    for step in steps:
        one = solve(
            read_scenario(TEXT, "s.yaml", [f"demand.samples={step.samples}"]),
            whole=False,
        )
        assert step.total == pytest.approx(one.cost.total, rel=1e-10)
        assert step.loss == pytest.approx(one.plan.loss, rel=1e-10)
    totals = {step.samples: step.total for step in steps}
    assert min(totals, key=totals.get) == 8
    plan = planned(scenario, ("demand.samples=1,8",))
    found = rows(plan, 0, 2).results[:, list(RESULTS).index("cost_total")]
    assert found.tolist() == pytest.approx([totals[1], totals[8]], rel=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("target.pass_rate=95%", "must be at most 0.9"),
        ("theta1: 6", "law.pass_at_k.theta1: must be above 0"),
        ("law=besiroglu-2024", "needs a law that maps loss to pass@k"),
    ],
)
def test_what_cannot_be_is_told(change, told):
    text, changes = TEXT.replace("samples: 4", "samples: 1"), [change]
    if change in text:
        text, changes = text.replace(change, "theta1: -1"), []
    with pytest.raises(InputError) as caught:
        read_scenario(text, "s.yaml", changes)
    assert told in str(caught.value)


def test_the_map_itself_moves_the_plan():
    """Its numbers were in no sensitivity, and no --vary reached them."""
    answer = solve(read_scenario(TEXT))
    moves = {move.input: move for move in answer.sensitivities}

    def total(name, value):
        return solve(read_scenario(TEXT, "s.yaml", [f"{name}={value!r}"])).cost.total

    for index in range(5):
        name = f"law.pass_at_k.theta{index}"
        value = moves[name].value
        up, down = (total(name, value * f) for f in (1.0001, 0.9999))
        slope = math.log(up / down) / math.log(1.0001 / 0.9999)
        assert moves[name].elasticity == pytest.approx(slope, rel=1e-5)
        assert moves[name].line == 3
    vary = [f"law.pass_at_k.theta0={MAP.theta0},2.4"]
    found = rows(planned(read_scenario(TEXT), vary), 0, 2).results
    place = list(RESULTS).index("cost_total")
    assert found[0, place] == pytest.approx(answer.cost.total, rel=1e-9)
    want = total("law.pass_at_k.theta0", 2.4)
    assert found[1, place] == pytest.approx(want, rel=1e-9)
    asked = TEXT.replace("target: {pass_rate: 70 %}", "target: {loss: 2.1}")
    plain = solve(read_scenario(asked))
    assert not any("pass_at_k" in move.input for move in plain.sensitivities)
