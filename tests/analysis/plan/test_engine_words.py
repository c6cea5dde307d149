"""What engines do: prefill apart, drafts, cached prompts, idle power, own constants."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import load_scenario, read_scenario
from optimizer.world.serving.constants import library

SCENARIO = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
fix: {parameters: 20B}
demand: {requests: 5M/day, input_tokens: 1000, output_tokens: 500, lifetime: 2 years}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
architecture: {layers: 80, width: 8192, kv_heads: 8, head_size: 128}
serving: {model: measured, hardware: h200-sxm, precision: fp8, kv: fp8,
          price: $2/h, accelerators: 4, max_time_per_output_token: 20 ms}
"""
PEAK, BANDWIDTH, LINK = 1979e12, 4.8e12, 450e9  # H200, dense fp8
CACHE = 2 * 80 * 8 * 128


def test_prompts_read_apart_leave_the_time_per_token_to_decoding(ask):
    """The bound is then held against a step alone, which takes just 20 ms."""
    apart = ask(SCENARIO, "serving.prefill=apart")
    together = ask(SCENARIO)
    assert passes(apart.certificate)
    use = apart.serving[0]
    assert use.bound_by == "latency"
    assert use.step_time == pytest.approx(0.020, rel=1e-2)
    assert use.batch > together.serving[0].batch
    assert apart.cost.inference < together.cost.inference


@pytest.mark.parametrize(("accepted", "drafted"), [(0.85, 1), (1.8, 3)])
def test_a_step_with_drafts_is_the_sum_of_its_parts(ask, accepted, drafted):
    """Weights once and the draft's `drafted` times, arithmetic for every position."""
    told = f"{{accepted: {accepted}, drafted: {drafted}, draft: 2 %}}"
    answer = ask(SCENARIO, f"serving.speculation={told}", "serving.batch=8")
    c = library().find("dense", "h200-sxm", "fp8").constants
    N, b, g = 20e9, 8, 4
    reads, computes = 1 + 0.02 * drafted, 1 + drafted * 1.02
    sent = 2 * 4 * 80 * 8192 / LINK  # two rounds among four
    step = (
        c.layer * 80 * reads
        + (N + b * 1250 * CACHE) * reads / (g * BANDWIDTH * c.memory)
        + 2 * N * b * computes / (g * PEAK * c.arithmetic)
        + sent * b * computes / c.link
        + c.sequence * b
    )
    assert answer.serving[0].step_time == pytest.approx(step / (1 + accepted))
    assert passes(answer.certificate)


def test_drafts_help_small_batches_more_than_large_ones(ask):
    """Measured for DeepSeek's own module: 1.57 times at 4 at once, 1.31 beyond 16."""
    told = "serving.speculation={accepted: 0.85, drafted: 1, draft: 2 %}"
    gains = []
    for b in (4, 16, 64):
        slow, fast = (
            ask(SCENARIO, f"serving.batch={b}", *more).serving[0].step_time
            for more in ((), (told,))
        )
        gains.append(slow / fast)
    assert gains[0] > gains[1] > gains[2] > 1
    assert gains[0] == pytest.approx(1.57, rel=0.15)


def test_cached_input_costs_its_own_price_and_is_not_computed(ask):
    """400 of 1,000 tokens at a tenth of the price."""
    buy = (
        "\nbuy: {input: $1 per million tokens, cached_input: $0.10 per million tokens,"
    )
    text = SCENARIO + buy + " output: $4 per million tokens}\n"
    plain = ask(text.replace("fix: {parameters: 20B}\n", ""))
    cached = ask(
        text.replace("fix: {parameters: 20B}\n", ""), "demand.cached_input_tokens=400"
    )
    requests = 5e6 * 365.25 * 2
    assert plain.others[0].total == pytest.approx(requests * (1e-3 + 2e-3))
    price = (600 * 1.0 + 400 * 0.1) / 1e6
    assert cached.others[0].total == pytest.approx(requests * (price + 2e-3))
    same = ask(SCENARIO, "serving.prefix_cache=40 %").cost.total
    assert ask(SCENARIO, "demand.cached_input_tokens=400").cost.total == same


def test_machines_that_wait_draw_less(ask):
    """With a peak of twice the mean half of the machines' time is idle."""
    text = SCENARIO.replace("max_time", "peak_to_mean: 2, idle_paid: true, max_time")
    figures = "pue: 1.2, power_fraction: 60 %"
    energy = []
    for more in ("", ", idle_fraction: 15 %"):
        answer = ask(f"{text}\nenergy: {{{figures}{more}}}\n")
        energy.append(answer.amounts["kWh"])
    plain = ask(f"{SCENARIO}\nenergy: {{{figures}}}\n").amounts["kWh"]
    assert plain < energy[1] < energy[0]


def test_constants_of_a_file_are_used(tmp_path: Path):
    ours = tmp_path / "mine.yaml"
    ours.write_text("""\
source: our own cluster
date: "2026-11-01"
constants:
  - kind: dense
    layer: 200 us
    routed: 1 us
    memory: 0.5
    arithmetic: 0.5
    link: 0.1
    sequence: 10 us
    prefill: 0.3
    prefill_link: 0.3
    interleaved: 0.9
    points: 40
    errors: {median: 0.05, p90: 0.1, throughput: 0.05}
""")
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO.replace("20 ms", "50 ms"))
    told = load_scenario(path, ["serving.constants=mine.yaml", "serving.batch=8"])
    shipped = load_scenario(path, ["serving.batch=8"])
    slow, fast = (solve(x, whole=False).serving[0].step_time for x in (told, shipped))
    assert slow > 80 * 200e-6
    assert slow > 2 * fast


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("serving.constants=nowhere.yaml", "nowhere.yaml"),
        ("serving.speculation={accepted: 4, drafted: 3, draft: 2 %}", "at most the 3"),
        ("serving.speculation={accepted: 1, drafted: 3}", "draft"),
        ("serving.prefill=aside", "apart"),
        ("demand.cached_input_tokens=1000", "99 % of its input_tokens"),
    ],
)
def test_what_cannot_be_is_refused(override, why):
    with pytest.raises(InputError, match=why):
        read_scenario(SCENARIO, "s.yaml", [override])


@pytest.mark.parametrize("word", ["prefill: apart", "constants: mine.yaml"])
def test_words_of_the_measured_model_need_it(word):
    text = SCENARIO.replace("model: measured", f"model: mfu, mfu: 0.4, {word}")
    with pytest.raises(InputError, match=r"is for model: measured|mine.yaml"):
        read_scenario(text.replace(", max_time_per_output_token: 20 ms", ""))


def test_two_words_for_what_is_found_are_refused():
    with pytest.raises(InputError, match="keep one of them"):
        read_scenario(
            SCENARIO,
            "s.yaml",
            ["serving.prefix_cache=40 %", "demand.cached_input_tokens=400"],
        )
