"""A model that exists on a roofline, against a scan of whole batches."""

import numpy as np
import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.optimum import solve
from optimizer.engine.certify import passes
from optimizer.question.load import read_scenario

BASE = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, price: $2/h}
demand: {requests: 1k/day, input_tokens: 1000, output_tokens: 300, lifetime: 1 year}
energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}
"""
LLAMA = "existing: {model: llama-3-8b}\n"
# Llama 3 8B by its configuration: parameters, and bytes of a token's cache in bf16.
SIZE, TOKEN = 8030261248, 2 * 32 * 8 * 128 * 2
H100 = (
    989.4e12,
    80 * 2**30,
    3350e9,
)  # NVIDIA's datasheet: dense bf16, memory, bandwidth
REQUESTS = 1000 * 365.25


def dollars(batch=None, size=SIZE, weights=2.0, token=TOKEN, active=None, g=1):
    """The least of a scan over batches, from the datasheet's figures alone."""
    peak, memory, bandwidth = (figure * g for figure in H100)
    active = active or size
    b = np.arange(1.0, 1e4) if batch is None else np.array([float(batch)])
    held = weights * size + b * 1300 * token
    step = np.maximum(2 * active * b / (peak * 0.5), held / (bandwidth * 0.6))
    each = np.where(held <= 0.9 * memory, g * step / b, np.inf)
    seconds = REQUESTS * (1000 * 2 * active / (peak / g * 0.5) + 300 * each.min())
    return seconds / 3600 * 2


def test_what_a_model_that_exists_costs_to_serve(ask):
    (kept,) = ask(BASE + LLAMA).others
    assert kept.total == pytest.approx(dollars(), rel=1e-5)
    assert kept.total == pytest.approx(13.10, abs=0.005)
    assert passes(kept.certificate)
    (use,) = kept.serving
    room = 0.9 * 80 * 2**30
    assert use.batch == (room - 2 * SIZE) // (1300 * TOKEN)
    assert use.step_time == pytest.approx(room / (0.6 * 3350e9), rel=1e-2)


@pytest.mark.parametrize(
    ("override", "known"),
    [
        ("serving.batch=16", {"batch": 16}),
        ("serving.weights=fp8", {"weights": 1.0}),
        ("serving.kv=fp8", {"token": TOKEN / 2}),
        ("serving.accelerators=4", {"g": 4}),
        # Its own shape is what it is served with, whatever the scenario plans.
        ("architecture={layers: 80, width: 8192, kv_heads: 64, head_size: 128}", {}),
    ],
)
def test_it_is_served_with_its_own_shape_on_the_machines_that_are_given(
    ask, override, known
):
    (kept,) = ask(BASE + LLAMA, override).others
    assert kept.total == pytest.approx(dollars(**known), rel=1e-5)


def test_a_mixture_computes_with_a_part_and_is_stored_whole(ask):
    """Qwen3 30B A3B: 30.5B stored, 3.3B pass a token (its card)."""
    text = BASE + "existing: {model: qwen3-30b-a3b}\n"
    (kept,) = ask(text, "serving.accelerators=2").others
    whole = {"size": 30.5e9, "active": 3.3e9, "token": 2 * 48 * 4 * 128 * 2}
    assert kept.total == pytest.approx(dollars(**whole, g=2), rel=2e-3)
    (alone,) = ask(text, "serving.memory_fill=70 %").others
    assert alone.total is None
    assert alone.overtaken_at is None
    assert alone.reason.startswith("cannot keep serving.memory of 60.1 GB (it takes 61")


@pytest.mark.parametrize(
    "change",
    [
        ("objective=energy",),
        ("objective=carbon",),
        ("objective=compute",),
        ("existing.parameters=70B", "serving.accelerators=4"),
        ("existing.parameters=1B", "existing.tokens=2T"),
        ("serving.model=mfu", "demand.serving={model: roofline}"),
        ("serving.max_time_per_output_token=20 ms",),
        ("demand.cost_share=0",),
        ("serving.weights=[bf16, fp8]", "serving.accelerators=[1, 2]"),
    ],
)
def test_every_variation_has_a_price_that_no_other_batch_beats(change):
    scenario = read_scenario(BASE + LLAMA, "s.yaml", change)
    (kept,) = solve(scenario).others
    assert kept.total >= 0
    for use in kept.serving:
        assert use.batch >= 1
    if kept.certificate is not None:
        assert passes(kept.certificate)
    if kept.overtaken_at:
        at = kept.overtaken_at / solve(scenario, whole=False).demand.tokens
        new = solve(scaled_all(scenario, at), whole=False).cost.total
        assert new == pytest.approx(kept.total * at, rel=1e-6)


def scaled_all(scenario, factor):
    return scenario.every(lambda one: scaled(one, factor))


def test_lists_are_chosen_for_the_model_that_exists_and_not_for_the_plan(ask):
    """In fp8 the same batch is cheaper; int4 weights in bf16 arithmetic cost less."""
    text = BASE + LLAMA
    (kept,) = ask(text, "serving.weights=[bf16, int4]").others
    (narrow,) = ask(text, "serving.weights=int4").others
    assert kept.total == pytest.approx(narrow.total, rel=1e-9)
    assert kept.choice == {"serving.weights": "int4"}


def test_what_cannot_be_served_says_what_it_takes(ask):
    for override, told in [
        ("limits.parameters=5B", "limits.parameters of 5B (it takes 8.03B)"),
        ("serving.max_time_per_output_token=2 ms", "max_time_per_output_token of 2 ms"),
        ("serving.max_time_to_first_token=5 ms", "max_time_to_first_token of 5 ms"),
    ]:
        text = BASE.replace("13B", "3B") + LLAMA
        answer = ask(text, override, "serving.weights=int4")
        (kept,) = answer.others
        assert kept.total is None
        assert told in kept.reason


def test_limits_of_training_do_not_bind_a_model_that_is_trained(ask):
    text = BASE + LLAMA + "limits: {tokens: 2T, total_cost: $29k}\n"
    assert ask(text).others[0].total == pytest.approx(dollars(), rel=1e-5)


def test_scenarios_with_a_model_that_exists_are_compared():
    first = read_scenario(BASE + LLAMA, "a.yaml")
    second = read_scenario(BASE + LLAMA, "b.yaml", ("demand.requests=2k/day",))
    plans = compare((first, second)).plans
    one, two = (plan.others[0].total for plan in plans)
    assert two == pytest.approx(2 * one, rel=1e-9)
