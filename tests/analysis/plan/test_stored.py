"""What memory and traffic hold: every expert, the cache's width and its shape."""

import pytest

from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan
from optimizer.report.pages.assumptions import assumptions
from optimizer.world.models import load_model
from optimizer.world.roofline import KV_NUMBERS

ROOFLINE = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
fix: {parameters: 8.03B}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 60 %, price: $2/h}
demand: {requests: 5M/day, input_tokens: 1000, output_tokens: 300, lifetime: 1 year}
"""
MIXTURES = """\
law: {E: 1.37, A: 10.28, B: 70.94, alpha: 0.1226, beta: 0.2048, counts: active}
target: {loss: 2.7}
demand: {tokens: 100B, input_tokens: 800, output_tokens: 300}
"""


def test_engines_keep_a_cache_of_bf16_beside_arithmetic_of_fp8(ask):
    """vLLM's kv_cache_dtype is auto: the model's own format unless it is told."""
    text = ROOFLINE.replace(
        "price: $2/h}\ndemand", "price: $2/h, precision: fp8}\ndemand"
    )
    silent, wide, narrow = (
        ask(text, *words).serving[0].batch
        for words in ((), ("serving.kv=bf16",), ("serving.kv=fp8",))
    )
    assert silent == wide
    assert narrow == pytest.approx(2 * wide, rel=1e-2)
    # Llama 3 8B's cache, scaled with the size to the power of 2/3: 8.03B has its own.
    room = 0.9 * 80 * 2**30 - 8.03e9
    assert silent == pytest.approx(room / (1300 * 2 * 32 * 8 * 128 * 2), abs=1)


@pytest.mark.parametrize(
    ("shape", "missing"),
    [
        ("{layers: 80, width: 8192, kv_heads: 8}", "head_size: 128"),
        ("{layers: 80, width: 8192, head_size: 128}", "kv_heads: 8"),
        ("{layers: 80, width: 8192}", "kv_heads: 8, head_size: 128"),
    ],
)
@pytest.mark.parametrize("memory", [False, True])
def test_half_an_architecture_asks_for_the_other_half(shape, missing, memory):
    text = ROOFLINE
    if memory:
        text = text.replace("model: roofline, ", "context: 4000, ").replace(
            "mbu: 60 %, ", ""
        )
        text += "limits: {memory: 80 GB}\n"
    with pytest.raises(InputError, match=f"add {missing}, as the model has them"):
        read_scenario(f"{text}architecture: {shape}\n")


@pytest.mark.parametrize(
    "extra",
    [
        "limits: {memory: 2 GB}\n",
        "serving: {model: roofline, hardware: h100-sxm, mfu: 0.5, mbu: 0.6}\n",
    ],
)
def test_a_law_of_active_parameters_asks_for_those_that_are_stored(ask, extra):
    with pytest.raises(InputError, match=r"stored_per_active: 9\.3"):
        read_scenario(MIXTURES + extra)
    told = ask(MIXTURES + extra, "serving.stored_per_active=18")
    (used,) = (limit for limit in told.limits if "memory" in limit.name)
    assert used.value >= 18 * 2 * told.plan.parameters * (1 - 1e-9)


def test_where_a_law_counts_all_the_ratio_is_refused():
    with pytest.raises(InputError, match="is for a law that counts active parameters"):
        read_scenario(ROOFLINE, "s.yaml", ("serving.stored_per_active=9",))


def test_a_prompt_of_nothing_is_read_at_once(ask):
    wall = "serving.max_time_to_first_token=300 ms"
    answer = ask(ROOFLINE, wall, "demand.input_tokens=0")
    assert not any("first_token" in limit.name for limit in answer.limits)
    free = ask(ROOFLINE, "demand.input_tokens=0")
    assert answer.cost.total == pytest.approx(free.cost.total, rel=1e-12)


def test_a_sweep_passes_through_prompts_of_nothing(ask):
    wall = "serving.max_time_to_first_token=300 ms"
    scenario = read_scenario(ROOFLINE, "s.yaml", (wall,))
    found = rows(plan(scenario, ["demand.input_tokens=0,100,1000"]), 0, 3)
    totals = found.results[:, list(RESULTS).index("cost_total")]
    alone = ask(ROOFLINE, wall, "demand.input_tokens=0").cost.total
    assert totals[0] == pytest.approx(alone, rel=1e-7)


@pytest.mark.parametrize("extra", ["", "limits: {parameters: 30B}\n"])
def test_a_limit_of_memory_holds_a_replica_with_its_batch(ask, extra):
    """A scan over the batch, with the cache of the stated shape."""
    text = ROOFLINE.replace("fix: {parameters: 8.03B}\n", "") + (
        "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}\n" + extra
    )
    answer = ask(text, "limits.memory=40 GB")
    used = next(one for one in answer.limits if one.name == "limits.memory")
    (use,) = answer.serving
    cache = 2 * 32 * 8 * 128 * 2 * 1300
    assert used.value == pytest.approx(2 * answer.plan.parameters + use.batch * cache)
    assert used.value <= 40e9 * (1 + 1e-9)
    assert use.held == pytest.approx(used.value)
    assert used.binding
    assert used.elasticity < 0
    # It is the wall that a replica of as much memory has of itself.
    filled = ask(text, f"serving.memory_fill={40e9 / (80 * 2**30)!r}")
    assert answer.cost.total == pytest.approx(filled.cost.total, rel=1e-9)
    assert use.batch == pytest.approx(filled.serving[0].batch, rel=1e-9)


def test_limits_of_memory_in_a_sweep_hold_the_batch_too(ask):
    scenario = read_scenario(ROOFLINE)
    found = rows(plan(scenario, ["limits.memory=30 GB,40 GB,90 GB"]), 0, 3)
    totals = found.results[:, list(RESULTS).index("cost_total")]
    for total, memory in zip(totals, ("30 GB", "40 GB", "90 GB"), strict=True):
        relaxed = ask(ROOFLINE, f"limits.memory={memory}").relaxed
        alone = relaxed.total  # a sweep has batches in fractions
        assert total == pytest.approx(alone, rel=1e-7)


def test_a_cache_of_which_nothing_is_told_is_warned_of(ask):
    codes = {w.code for w in ask(ROOFLINE).warnings}
    assert "default-cache" in codes
    shape = "architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}\n"
    assert "default-cache" not in {w.code for w in ask(ROOFLINE + shape).warnings}
    found = {one.name: one for one in assumptions(read_scenario(ROOFLINE))}
    assert found["format of the KV cache"].value == "bf16"
    assert "0.2 to 45 times" in found["KV cache"].source


def test_the_default_cache_is_a_fifth_of_gpt_3s():
    """The low end of the error that is told; its latent high end is DeepSeek's."""
    shape = load_model("gpt-3-175b").architecture
    taken = KV_NUMBERS * 175e9 ** (2 / 3)
    assert taken / shape.kept(1.0, 1.0)[0] == pytest.approx(0.2, abs=0.03)
