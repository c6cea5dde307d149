"""Mixtures under `serving: {model: measured}`, beside independent scans.

A step reads the share 1 − (1 − k/E)^b of the routed experts; the program tells it by
monomials from above, and must end where the share is exact.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import search
from optimizer.analysis.plan.together import certified, together
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario
from optimizer.world.laws import load_law
from optimizer.world.serving.constants import library
from optimizer.world.summed import Routed, within

MOE = Path(__file__).parents[3] / "scenarios" / "moe-api.yaml"
SCENARIO = """
law: ludziejewski-2025
experts: 32
objective: dollars
target: {loss: 2.2}
training: {hardware: h100-sxm, mfu: 0.4, price: $2.50/h}
architecture: {layers: 32, width: 2048, kv_heads: 4, head_size: 128}
serving: {model: measured, hardware: h200-sxm, precision: fp8, kv: fp8,
          price: $2.50/h, accelerators: 1, max_time_per_output_token: 4 ms}
demand: {requests: 5M/day, input_tokens: 1000, output_tokens: 400, lifetime: 2 years}
"""
REQUESTS = 5e6 * 365.25 * 2
PEAK, MEMORY, BANDWIDTH = 1979e12, 141 * 2**30, 4.8e12  # H200, dense fp8
SIXTEEN = 989.5e12  # in which attention is multiplied
STORED, ROUTED, MISSED = (4 + 9 * 32) / 13, 9 * 32 / 13, 1 - 1 / 32


def scan(N, limit):
    """Serving dollars of the best batch of a grid, on one accelerator."""
    c = library().find("mixture", "h200-sxm", "fp8").constants
    cache = 2 * 32 * 4 * 128
    b = np.linspace(1, 3000, 1_000_001)
    read = N * (STORED - ROUTED * MISSED**b)
    step = (
        (c.layer + c.routed) * 32
        + (read + b * 1200 * cache) / (BANDWIDTH * c.memory)
        + 2 * N * b / (PEAK * c.arithmetic)
        + c.sequence * b
    )
    looks = 2 * 32 * 2048 * 1000 / (SIXTEEN * c.prefill)
    prompt = 1000 * (2 * N / (PEAK * c.prefill) + looks)
    seen = step + c.interleaved * b * prompt / 400
    fits = (N * STORED + b * 1400 * cache <= 0.9 * MEMORY) & (seen <= limit)
    cycle = np.where(fits, (step + b * prompt / 400) / b, np.inf)
    return REQUESTS * 400 * cycle.min() / 3600 * 2.5, b[np.argmin(cycle)]


def fractions(answer):
    """The cost of the optimum with batches in fractions."""
    return answer.cost.total if answer.relaxed is None else answer.relaxed.total


@pytest.mark.parametrize("limit", [3.2e-3, 4e-3, 6e-3, 1.0])
def test_plan_is_the_best_of_a_scan_over_sizes_and_batches(ask, limit):
    answer = ask(SCENARIO, f"serving.max_time_per_output_token={limit} s")
    assert passes(answer.certificate)
    surface = load_law("ludziejewski-2025").surface(32)
    s = surface.reducible(2.2)
    totals = []
    least = surface.training_optimal(s)[0]
    for N in least * np.geomspace(0.06, 1.0, 60):
        left = s - surface.A * N**-surface.alpha
        if left <= 0:
            continue
        D = (surface.B / left) ** (1 / surface.beta)
        training = 6 * N * D / (989.4e12 * 0.4) / 3600 * 2.5
        totals.append(training + scan(N, limit)[0])
    assert fractions(answer) <= min(totals) * (1 + 1e-6)
    assert fractions(answer) >= min(totals) * (1 - 3e-3)  # the scan's steps in N


def test_experts_that_a_given_batch_reads_are_a_number(ask):
    answer = ask(SCENARIO, "serving.batch=4", "fix.parameters=1B")
    c = library().find("mixture", "h200-sxm", "fp8").constants
    read = 1e9 * (STORED - ROUTED * MISSED**4) + 4 * 1200 * 2 * 32 * 4 * 128
    step = (c.layer + c.routed) * 32 + read / (BANDWIDTH * c.memory)
    step += 4 * (2e9 / (PEAK * c.arithmetic) + c.sequence)
    assert answer.serving[0].step_time == pytest.approx(step, rel=1e-9)


def test_a_time_that_only_few_experts_can_keep_has_a_plan(ask):
    """Reading all 22 GB would take 5 ms; a batch of a few reads a small part."""
    answer = ask(
        SCENARIO,
        "serving.max_time_per_output_token=3.2 ms",
        "fix.parameters=1B",
    )
    assert answer.plan is not None
    assert 1 <= answer.serving[0].batch < 32


@pytest.mark.parametrize("limit", ["3.2 ms", "4 ms", "1 s"])
def test_no_finer_grid_of_monomials_is_better(limit):
    """Forty batches to touch at, each a certified program and an upper bound."""
    text = SCENARIO.replace(
        "max_time_per_output_token: 4 ms", f"max_time_per_output_token: {limit}"
    )
    scenario = read_scenario(text)
    _, best = search(scenario)
    suffixes = touching.machines(formulate(scenario))
    grid = [
        formulate(touching.touched(scenario, dict.fromkeys(suffixes, float(at))))
        for at in np.geomspace(1.0, 2000.0, 40)
    ]
    found = together([certified(grid)])[0]
    values = [one.value for one in found if one.status is Status.OPTIMAL]
    assert len(values) > 5
    assert best.value <= min(values) * (1 + 1e-9)


DRAWN = """
law: besiroglu-2024-refit
objective: dollars
target: {{match: {{parameters: {match}}}}}
demand: {{requests: {requests}/day, input_tokens: {prompt}, output_tokens: {output},
         lifetime: 2 years}}
training: {{hardware: h100-sxm, mfu: 0.4, price: $2/h}}
architecture: {{layers: 40, width: 5120, kv_heads: 8, head_size: 128, parameters:
  {{total: {total}, active: 10B}}, experts: {experts}, active_experts: {active}}}
serving: {{model: measured, hardware: h200-sxm, precision: fp8, price: $2/h,
          accelerators: {accelerators}, max_time_per_output_token: {limit} ms}}
"""


@pytest.mark.parametrize("seed", range(8))
def test_what_is_followed_ends_as_low_as_any_start(seed):
    """Monomials at batches from 1 to all experts, each a start that may end lower."""
    draw = np.random.default_rng(seed)
    active, routed = int(draw.integers(1, 9)), draw.uniform(0.3, 0.9)
    experts = active * int(draw.integers(2, 65))
    text = DRAWN.format(
        match=f"{10 ** draw.uniform(9.5, 11):.4g}",
        requests=f"{10 ** draw.uniform(4, 8):.4g}",
        prompt=int(10 ** draw.uniform(2, 4)),
        output=int(10 ** draw.uniform(1.5, 3.5)),
        total=f"{10 * (1 - routed + routed * experts / active):.4g}B",
        experts=experts,
        active=active,
        accelerators=draw.choice([2, 4, 8]),
        limit=f"{10 ** draw.uniform(0.8, 2):.3g}",
    )
    scenario = read_scenario(text)
    question, followed = search(scenario)
    starts = list(touching.ways(scenario, formulate(scenario)))
    found = together([certified([asked for _, asked in starts])])[0]
    values = []
    for start, one in zip(starts, found, strict=True):
        if one.status is Status.OPTIMAL:
            _, _, ended = together([touching.settled((*start, one))])[0]
            assert ended.value <= one.value * (1 + 1e-12)
            values.append(ended.value)
    if not values:
        assert isinstance(followed, Infeasibility)
        return
    assert followed.value == pytest.approx(min(values), rel=1e-9)
    true = question.complete(question.size(followed.point))  # by the share itself
    assert followed.point["step"] == pytest.approx(true["step"], rel=1e-8)


def test_sensitivities_are_finite_differences(ask):
    answer = ask(SCENARIO)
    moves = {move.input: move.elasticity for move in answer.sensitivities}
    h = 1e-3
    for name, unit, value in (
        ("serving.max_time_per_output_token", " s", 0.004),
        ("demand.input_tokens", "", 1000),
    ):
        up, down = (
            fractions(ask(SCENARIO, f"{name}={value * (1 + sign)!r}{unit}"))
            for sign in (h, -h)
        )
        slope = (np.log(up) - np.log(down)) / (2 * h)
        assert moves[name] == pytest.approx(slope, rel=5e-3)


CONFIG = """{model_type: qwen3_moe, hidden_size: 2048, num_hidden_layers: 48,
  num_attention_heads: 32, num_key_value_heads: 4, head_dim: 128, num_experts: 128,
  num_experts_per_tok: 8, moe_intermediate_size: 768, intermediate_size: 6144,
  vocab_size: 151936, tie_word_embeddings: false, decoder_sparse_step: 1,
  mlp_only_layers: []}"""


@pytest.mark.parametrize(
    "shape",
    [
        CONFIG,
        "{layers: 48, width: 2048, kv_heads: 4, head_size: 128, "
        "parameters: {total: 30.5B, active: 3.35B}, experts: 128, active_experts: 8}",
    ],
)
def test_experts_come_from_a_config_or_from_words(ask, shape):
    text = "\n".join(
        f"architecture: {shape}" if line.startswith("architecture") else line
        for line in SCENARIO.splitlines()
        if not line.startswith(("experts", "law"))
    )
    text = text.replace("4 ms", "40 ms") + "\nlaw: besiroglu-2024-refit"
    small, large = (
        ask(text, f"serving.batch={b}", "fix.parameters=3.35B").serving[0].step_time
        for b in (1, 64)
    )
    assert large > 2 * small  # nearly all experts against an eighth of them


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ("parameters: {total: 30B, active: 3B}", "needs the experts"),
        ("parameters: {total: 30B, active: 3B}, experts: 8", "half of a mixture"),
        ("experts: 8, active_experts: 9", "at most the 8 experts"),
        (
            "parameters: {total: 30B, active: 3B}, experts: 8, active_experts: 8",
            "tokens pass all",
        ),
    ],
)
def test_half_a_mixture_is_refused(shape, why):
    text = SCENARIO.replace("head_size: 128}", f"head_size: 128, {shape}}}")
    text = text.replace("experts: 32\n", "").replace(
        "ludziejewski-2025", "besiroglu-2024-refit"
    )
    with pytest.raises(InputError, match=why):
        read_scenario(text)


@pytest.mark.parametrize("at", [1.0, 3.7, 26.0, 400.0])
def test_a_monomial_touches_from_above(at):
    routed = Routed(1.0, 1 - 8 / 256, at)
    factor, power = routed.monomial()
    assert factor * at**power == pytest.approx(routed.share(at))
    b = np.geomspace(1, 5000, 400)
    assert (factor * b**power >= routed.share(b) * (1 - 1e-12)).all()


def test_the_batch_within_a_time_is_found():
    routed = Routed(1.0, 1 - 4 / 128)
    for b in (1.0, 2.5, 60.0, 3000.0):
        time = 2e-3 + 9e-3 * routed.share(b) + 4e-6 * b
        assert within(time, 2e-3, 4e-6, 9e-3, routed) == pytest.approx(b, rel=1e-9)


def test_a_time_below_the_floor_holds_nobody():
    routed = Routed(1.0, 1 - 4 / 128)
    for time in (1.9e-3, -1.0):
        assert within(time, 2e-3, 4e-6, 9e-3, routed) == pytest.approx(0.0, abs=1e-12)


def test_a_complex_step_of_the_time_is_the_slope_of_the_batch():
    routed = Routed(1.0, 1 - 4 / 128)
    for b in (1.0, 60.0, 3000.0):
        time = 2e-3 + 9e-3 * routed.share(b) + 4e-6 * b
        slope = 4e-6 + 9e-3 * routed.fades * routed.missed**b
        moved = within(time + 1e-30j, 2e-3, 4e-6, 9e-3, routed)
        assert moved.imag / 1e-30 == pytest.approx(1 / slope, rel=1e-9)


def test_the_cheapest_plan_with_a_budgets_loss_is_that_of_the_loss():
    """The monomial of the budget's own plan, of four times the size, costs more."""
    sets = ["experts=32", "serving.accelerators=1", "demand.requests=1M/day"]
    sets += ["demand.input_tokens=200", "serving.max_time_per_output_token=12 ms"]
    answer = solve(load_scenario(MOE, [*sets, "budget.training_compute=3e21"]))
    same, loss = answer.same_loss, answer.plan.loss
    apart = solve(load_scenario(MOE, [*sets, f"target.loss={loss!r}"]))
    assert same.total == pytest.approx(apart.cost.total, rel=1e-8)
    assert same.parameters == pytest.approx(apart.plan.parameters, rel=1e-5)
