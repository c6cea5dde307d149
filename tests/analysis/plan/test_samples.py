"""Samples as a variable: L = E + A·N^-α + B·D^-β + G·k^-γ, at 6·N·D + 2·N·k·T.

The form and its cost are those of arXiv 2604.01411; identities and the table of fixed
samples were derived and evaluated apart from the product.
"""

import math

import numpy as np
import pytest

from optimizer import load_law
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import search
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario

LAW = {"E": 0.2, "A": 400, "B": 2000, "alpha": 0.34, "beta": 0.36, "G": 0.8}
LAW["gamma"] = 0.4


def text(law=LAW, target="{match: {parameters: 13B}}", tokens=2e12, samples=(1, 64)):
    if isinstance(samples, tuple):
        samples = f"{{at_least: {samples[0]}, at_most: {samples[1]}}}"
    numbers = ", ".join(f"{s}: {v!r}" for s, v in law.items())
    return (
        f"law: {{{numbers}}}\ntarget: {target}\n"
        f"demand: {{tokens: {tokens!r}, samples: {samples}}}\n"
    )


def test_the_three_identities_hold_at_the_optimum_in_fractions():
    """With P = αA·N^-α, Q = βB·D^-β and R = γG·k^-γ: P = Q·(1 + kT/3D),
    R = Q·kT/3D, and so P = Q + R."""
    _, found = search(read_scenario(text()))
    N, D, k = (found.point[name] for name in ("N", "D", "k"))
    P = LAW["alpha"] * LAW["A"] * N ** -LAW["alpha"]
    Q = LAW["beta"] * LAW["B"] * D ** -LAW["beta"]
    R = LAW["gamma"] * LAW["G"] * k ** -LAW["gamma"]
    ratio = k * 2e12 / (3 * D)
    assert pytest.approx(Q * (1 + ratio), rel=1e-8) == P
    assert pytest.approx(Q * ratio, rel=1e-8) == R
    assert pytest.approx(Q + R, rel=1e-8) == P
    assert passes(found.certificate)


# law: k → N*, D* of the same loss at 2e12 tokens a sample
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
def test_a_number_of_samples_multiplies_the_demand_under_any_law(ask, law):
    for k, (N, D) in FIXED[law].items():
        answer = ask(
            f"law: {law}\ntarget: {{match: {{parameters: 13B}}}}\n"
            "demand: {requests: 4e9, input_tokens: 0, output_tokens: 500, "
            f"samples: {k}}}\n"
        )
        assert answer.plan.parameters == pytest.approx(N, rel=2e-3)
        assert answer.plan.tokens == pytest.approx(D, rel=5e-3)
        assert answer.demand.tokens == 2e12 * k
        assert answer.plan.samples is None


# Parameters → samples that 2e9 FLOP a served token pay for, at 2.56e19 FLOP of training
# (arXiv 2604.01411, table 1).
MEASURED = {37e6: 27.0, 84e6: 11.9, 149e6: 6.7, 455e6: 2.2, 901e6: 1.1}


@pytest.mark.parametrize("N", MEASURED)
def test_what_the_paper_measured_costs_what_it_says(ask, N):
    """Each model with its samples serves at 2e9 FLOP a token; 37M had 1.15e11."""
    k = MEASURED[N]
    answer = ask(
        f"law: besiroglu-2024\nfix: {{parameters: {N!r}}}\n"
        "budget: {training_compute: 2.56e19}\n"
        "demand: {requests: 1e6, input_tokens: 0, output_tokens: 100, "
        f"samples: {k}}}\n"
    )
    assert answer.cost.inference / 1e8 == pytest.approx(2e9, rel=0.03)
    assert answer.plan.tokens == pytest.approx(2.56e19 / 6 / N, rel=1e-6)
    if N < 40e6:
        assert f"{answer.plan.tokens:.2e}" == "1.15e+11"


def brute(law, target, T, low, high):
    """The least cost over whole samples and a fine grid of sizes, in numpy."""
    best = None
    for k in range(low, high + 1):
        s = target - law["E"] - law["G"] * k ** -law["gamma"]
        if s <= 0:
            continue
        start, end = math.log((law["A"] / s) ** (1 / law["alpha"])), math.log(1e14)
        for _ in range(5):
            N = np.exp(np.linspace(start, end, 400))
            rest = np.maximum(s - law["A"] * N ** -law["alpha"], 1e-30)
            D = (law["B"] / rest) ** (1 / law["beta"])
            cost = 6 * N * D + 2 * N * k * T
            at, step = int(cost.argmin()), (end - start) / 399
            start, end = math.log(N[at]) - step, math.log(N[at]) + step
        if best is None or cost[at] < best[0]:
            best = (float(cost[at]), k, float(N[at]))
    return best


def test_thirty_random_cases_are_those_of_brute_force(ask):
    draw = np.random.default_rng(7)
    seen = set()
    for _ in range(30):
        law = {
            "E": draw.uniform(0, 1),
            "A": 10 ** draw.uniform(1.5, 3.5),
            "B": 10 ** draw.uniform(1.5, 4),
            "alpha": draw.uniform(0.25, 0.5),
            "beta": draw.uniform(0.25, 0.5),
            "G": 10 ** draw.uniform(-1.5, 0.5),
            "gamma": draw.uniform(0.1, 1.2),
        }
        T = 10 ** draw.uniform(10, 13)
        low = int(draw.choice([1, 1, 1, 2, 5]))
        high = low + int(draw.choice([1, 15, 63]))
        N, D, k = (10 ** draw.uniform(*r) for r in ((9, 11), (10, 12), (0, 1.5)))
        target = law["E"] + law["A"] * N ** -law["alpha"]
        target += law["B"] * D ** -law["beta"] + law["G"] * (low * k) ** -law["gamma"]
        best = brute(law, target, T, low, high)
        answer = ask(text(law, f"{{loss: {target!r}}}", T, (low, high)))
        if best is None:
            assert answer.plan is None
            assert "demand.samples.at_most" in answer.infeasibility.conflict
            continue
        cost, k, N = best
        seen.add(k in (low, high))
        assert answer.plan.samples == k
        assert answer.cost.total == pytest.approx(cost, rel=1e-7)
        assert answer.plan.parameters == pytest.approx(N, rel=1e-3)
        assert answer.plan.loss == pytest.approx(target, rel=1e-9)
        assert passes(answer.certificate)
        assert answer.relaxed.total <= answer.cost.total * (1 + 1e-9)
        assert passes(answer.relaxed.certificate)
    assert seen == {True, False}


@pytest.mark.parametrize("tokens", [2e10, 2e12])
def test_the_near_range_is_of_whole_samples(ask, tokens):
    """That of fractions left out the plan where its whole number costs 1 % more."""
    best = ask(text(tokens=tokens))
    loss = f"target: {{loss: {best.plan.loss!r}}}"
    asked = text(tokens=tokens).replace("target: {match: {parameters: 13B}}", loss)
    for near in best.near_optimal:
        assert near.parameters[0] < best.plan.parameters < near.parameters[1]
        for N, D in zip(near.parameters, near.tokens, strict=True):
            most = best.cost.total * (1 + near.within)
            its = ask(asked, f"fix.parameters={N!r}").cost.total
            assert its == pytest.approx(most, rel=1e-6)
            k = (most / (2 * N) - 3 * D) / tokens
            assert k == pytest.approx(round(k), abs=1e-6)


def test_one_sample_is_the_additive_law_with_its_term_in_e(ask):
    plain = {s: LAW[s] for s in ("A", "B", "alpha", "beta")}
    one = ask(text(samples=1).replace("tokens: 2000000000000.0", REQUESTS))
    same = ask(
        text({"E": LAW["E"] + LAW["G"], **plain}, samples=1).replace(
            "tokens: 2000000000000.0", REQUESTS
        )
    )
    assert one.plan.parameters == same.plan.parameters
    assert one.cost == same.cost
    assert one.plan.samples == 1


REQUESTS = "requests: 4e9, input_tokens: 0, output_tokens: 500"


def test_the_range_closed_on_one_number_is_that_number(ask):
    closed = ask(text(target="{loss: 1.2}", samples=(6, 6)))
    given = ask(
        text(target="{loss: 1.2}", samples=6).replace(
            "tokens: 2000000000000.0", REQUESTS
        )
    )
    assert closed.plan == given.plan
    assert closed.cost.total == pytest.approx(given.cost.total, rel=1e-12)
    assert closed.demand.tokens == given.demand.tokens == 1.2e13


def test_every_elasticity_is_the_slope_of_the_optimum_in_fractions():
    base = text()
    scenario = read_scenario(base)
    h = 1e-5
    for move in solve(scenario).sensitivities:
        if "samples" in move.input:
            continue  # whole numbers in the file
        ends = []
        for sign in (1, -1):
            change = f"{move.input}={move.value * math.exp(sign * h)!r}"
            _, found = search(read_scenario(base, "scenario.yaml", [change]))
            ends.append(found.value)
        slope = math.log(ends[0] / ends[1]) / (2 * h)
        assert move.elasticity == pytest.approx(slope, rel=1e-5, abs=1e-7), move.input


def test_only_what_is_generated_is_paid_for_each_sample():
    """Input is read once for all samples of a request."""
    asked = text().replace(
        "tokens: 2000000000000.0",
        "requests: 1e9, input_tokens: 900, output_tokens: 100",
    )
    cost = {t.label: t for t in formulate(read_scenario(asked)).cost}
    assert cost["output"].exponents == {"N": 1.0, "k": 1.0}
    assert cost["output"].coefficient == 2 * 1e11
    assert cost["input"].exponents == {"N": 1.0}
    assert cost["input"].coefficient == 2 * 9e11


def test_a_budget_buys_the_loss_of_the_plan_that_costs_as_much(ask):
    plan = ask(text())
    budget = text().replace(
        "target: {match: {parameters: 13B}}", "budget: {compute: X}"
    )
    bought = ask(budget.replace("X", repr(plan.cost.total)))
    assert bought.plan.samples == plan.plan.samples
    assert bought.plan.loss == pytest.approx(plan.plan.loss, rel=1e-9)
    assert bought.plan.parameters == pytest.approx(plan.plan.parameters, rel=1e-4)


def test_a_fixed_size_draws_what_the_target_then_needs(ask):
    answer = ask(text(), "fix.parameters=1B")
    assert answer.plan.parameters == 1e9
    s = answer.target_loss - LAW["E"] - LAW["A"] / 1e9 ** LAW["alpha"]
    costs = {}
    for k in range(1, 65):
        rest = s - LAW["G"] * k ** -LAW["gamma"]
        if rest > 0:
            D = (LAW["B"] / rest) ** (1 / LAW["beta"])
            costs[k] = 6e9 * D + 2e9 * k * 2e12
    best = min(costs, key=costs.get)
    assert answer.plan.samples == best
    assert answer.cost.total == pytest.approx(costs[best], rel=1e-9)
    assert answer.fixed.optimum.samples == ask(text()).plan.samples


def test_the_answer_says_it_and_warns_of_the_verifier(ask):
    answer = ask(text())
    codes = {warning.code for warning in answer.warnings}
    assert "perfect-verifier" in codes
    steps = {step.samples: step for step in answer.samples.steps}
    assert set(steps) == {1, 2, 4, 6, 8, 16, 32, 64}
    assert answer.samples.number == answer.plan.samples == 6
    assert steps[6].total == pytest.approx(answer.cost.total, rel=1e-12)
    assert min(step.total for step in steps.values()) == steps[6].total
    law = load_law("besiroglu-2024")
    assert law.form == "chinchilla"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("law=besiroglu-2024", "does not say what samples are worth"),
        ("demand.samples.at_most=0", "above 0"),
        ("demand.samples.at_least=65", "must be at least at_least, 65, got 64"),
        ("law.G=0", "law.G: must be above 0"),
        ("law.gamma=20", "law.gamma: must be between 0.01 and 10"),
    ],
)
def test_what_cannot_be_is_told(ask, change, told):
    with pytest.raises(InputError) as caught:
        ask(text(), change)
    assert told in str(caught.value)


def test_streams_draw_as_many(ask):
    two = text().replace(
        "demand: {tokens: 2000000000000.0, samples: {at_least: 1, at_most: 64}}",
        "demand:\n  - {name: chat, tokens: 1T, samples: {at_most: 64}}\n"
        "  - {name: code, tokens: 1T}\n",
    )
    with pytest.raises(InputError, match="must be that of the stream chat"):
        ask(two)
    both = two.replace("code, tokens: 1T", "code, tokens: 1T, samples: {at_most: 64}")
    assert ask(both).cost.total == pytest.approx(ask(text()).cost.total, rel=1e-9)


def test_more_samples_as_a_cure_say_what_they_cost(root):
    """A bound of samples was told how far it must go, and not to what it leads."""
    path = root / "scenarios/verified-code.yaml"
    tight = ("limits.parameters=1.72B", "limits.tokens=3.23T")
    why = solve(load_scenario(path, tight)).infeasibility
    (way,) = (w for w in why.relaxations if w.name == "demand.samples.at_most")
    number = math.ceil(way.after)
    answer = solve(load_scenario(path, (*tight, f"{way.name}={number}")))
    assert answer.plan.samples == number
    assert answer.cost.total == pytest.approx(way.cost, rel=1e-9)
    fewer = solve(load_scenario(path, (*tight, f"{way.name}={number - 1}")))
    assert fewer.plan is None
