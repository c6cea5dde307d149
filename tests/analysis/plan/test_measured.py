"""`serving: {model: measured}` in the certified program, beside independent scans."""

import numpy as np
import pytest

from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan
from optimizer.world.serving.constants import library

SCENARIO = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
demand: {requests: 5M/day, input_tokens: 1000, output_tokens: 500, lifetime: 2 years}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
architecture: {layers: 80, width: 8192, kv_heads: 8, head_size: 128}
serving: {model: measured, hardware: h200-sxm, precision: fp8, kv: fp8,
          price: $2/h, accelerators: 4, max_time_per_output_token: 25 ms}
"""
REQUESTS = 5e6 * 365.25 * 2
H200 = (1979e12, 141 * 2**30, 4.8e12, 450e9)  # dense fp8, memory, bandwidth, link
SIXTEEN = 989.5e12  # the peak in which attention is multiplied


def scan(N, g, limit):
    """Serving dollars of the best whole grid of batches, from sheet and constants."""
    peak, memory, bandwidth, link = H200
    c = library().find("dense", "h200-sxm", "fp8").constants
    cache = 2 * 80 * 8 * 128
    b = np.linspace(1, 5000, 2_000_001)
    sent = 4 * 80 * 8192 / link
    rounds, ring = np.log2(g) * sent, 2 * (g - 1) / g * sent
    step = (
        c.layer * 80
        + (N + b * 1250 * cache) / (g * bandwidth * c.memory)
        + 2 * N * b / (g * peak * c.arithmetic)
        + rounds * b / c.link
        + c.sequence * b
    )
    looks = 2 * 80 * 8192 * 1000 / (g * SIXTEEN * c.prefill)
    prompt = 1000 * (2 * N / (g * peak * c.prefill) + looks + ring / c.prefill_link)
    seen = step + c.interleaved * b * prompt / 500
    fits = (N + b * 1500 * cache <= 0.9 * g * memory) & (seen <= limit)
    cycle = np.where(fits, g * (step + b * prompt / 500) / b, np.inf)
    return REQUESTS * 500 * cycle.min() / 3600 * 2, b[np.argmin(cycle)]


@pytest.mark.parametrize("g", [1, 4])
@pytest.mark.parametrize("limit", [15e-3, 25e-3, 1.0])
def test_serving_costs_what_a_scan_over_batches_finds(ask, g, limit):
    answer = ask(
        SCENARIO + "fix: {parameters: 20B}\n",
        f"serving.accelerators={g}",
        f"serving.max_time_per_output_token={limit} s",
    )
    assert passes(answer.certificate)
    told = next(x.amount for x in answer.cost.lines if x.name != "training")
    dollars, batch = scan(20e9, g, limit)
    assert told == pytest.approx(dollars, rel=1e-5 + 1 / batch)
    assert told >= dollars * (1 - 1e-5)
    assert answer.serving[0].batch == int(batch)
    if answer.relaxed is not None:
        assert answer.relaxed.batches == (pytest.approx(batch, abs=0.01),)


def test_the_smallest_replica_that_is_fast_enough_is_cheapest(ask):
    """The roofline ends at the largest, which measured engines make the dearest."""
    answer = ask(SCENARIO, "serving.accelerators=[1, 2, 4, 8]")
    totals = {
        row.choice["serving.accelerators"]: row.total for row in answer.alternatives
    }
    assert answer.choice == {"serving.accelerators": "1"}
    assert totals["1"] < totals["2"] < totals["4"] < totals["8"]


def test_layers_and_width_follow_the_size_where_no_shape_is_stated(ask):
    text = "\n".join(x for x in SCENARIO.splitlines() if not x.startswith("arch"))
    answer = ask(text, "serving.batch=32")
    assert passes(answer.certificate)
    stated = ask(SCENARIO, "serving.batch=32")
    assert answer.serving[0].step_time < stated.serving[0].step_time


def fractions(answer):
    """The cost of the optimum with batches in fractions."""
    relaxed = answer.relaxed
    return answer.cost.total if relaxed is None else relaxed.total


def test_the_batch_engine_agrees(ask):
    scenario = read_scenario(SCENARIO)
    found = rows(plan(scenario, ["demand.input_tokens=100,1000,4000"]), 0, 3)
    totals = found.results[:, list(RESULTS).index("cost_total")]
    for total, length in zip(totals, (100, 1000, 4000), strict=True):
        answer = ask(SCENARIO, f"demand.input_tokens={length}")
        alone = fractions(answer)
        assert total == pytest.approx(alone, rel=1e-7)


def test_sensitivities_are_finite_differences(ask):
    answer = ask(SCENARIO)
    for move in answer.sensitivities:
        if move.input == "serving.max_time_per_output_token":
            h = 1e-4
            up, down = (
                fractions(ask(SCENARIO, f"{move.input}={0.025 * (1 + s)!r} s"))
                for s in (h, -h)
            )
            slope = (np.log(up) - np.log(down)) / (2 * h)
            assert move.elasticity == pytest.approx(slope, rel=1e-3)
            return
    raise AssertionError("the limit moves nothing")


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("serving.mfu=0.4", "is measured already"),
        ("serving.hardware=l4", "no link between accelerators"),
        ("serving.hardware=a100-80-sxm", "no fp8 peak"),
    ],
)
def test_what_cannot_be_is_refused(ask, override, why):
    with pytest.raises(InputError, match=why):
        ask(SCENARIO, override)


def test_a_time_below_the_floor_of_layers_has_no_plan(ask):
    answer = ask(SCENARIO, "serving.max_time_per_output_token=3 ms")
    assert answer.plan is None
    assert "serving.max_time_per_output_token" in answer.infeasibility.conflict


@pytest.mark.parametrize(
    "model", ["measured", "roofline, mfu: 0.5, mbu: 0.7", "mfu, mfu: 0.4"]
)
def test_prompts_that_are_found_are_not_computed(ask, model):
    """Input tokens cost what is left of them; answers cost no more than before.

    Those that are left look at the found ones too, so that a token's own cost rises
    with the share that is found, along a line, where attention is counted.
    """
    text = SCENARIO.replace("model: measured", f"model: {model}")
    if model.startswith("mfu"):
        text = text.replace(", max_time_per_output_token: 25 ms", "")
    text += "fix: {parameters: 20B}\n"
    shares = (0.0, 0.25, 0.5)
    found = [
        ask(text, f"serving.prefix_cache={share}", "serving.batch=32").unit_cost
        for share in shares
    ]
    none, some, half = (
        one.input / (1 - share) for one, share in zip(found, shares, strict=True)
    )
    assert half == pytest.approx(none + 2 * (some - none))
    assert none <= half * (1 + 1e-9) < 1.05 * none
    assert found[2].output == pytest.approx(found[0].output)


def test_a_share_of_prompts_needs_prompts(ask):
    text = SCENARIO.replace("model: measured", "model: mfu, mfu: 0.4").replace(
        ", max_time_per_output_token: 25 ms", ""
    )
    text = text.replace(
        "{requests: 5M/day, input_tokens: 1000, output_tokens: 500, lifetime: 2 years}",
        "{tokens: 2T}",
    )
    with pytest.raises(InputError, match="share of prompts"):
        ask(text, "serving.prefix_cache=50 %")


def test_accelerators_beyond_the_kv_heads_hold_copies(ask):
    """Sixteen accelerators hold each of eight heads twice, four hold each once."""
    four, sixteen = (
        ask(SCENARIO, f"serving.accelerators={g}", "fix.parameters=20B").serving[0]
        for g in (4, 16)
    )
    assert four.cache == pytest.approx(2 * 80 * 8 * 128)
    assert sixteen.cache == pytest.approx(2 * four.cache)
