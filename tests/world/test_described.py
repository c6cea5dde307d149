"""The library of configs: each is read, counts what its makers print, and is of use."""

from __future__ import annotations

import json

import pytest

from cli import main
from optimizer.errors import InputError
from optimizer.question.load import load_scenario
from optimizer.world.described import record_named
from optimizer.world.models import (
    described_names,
    load_model,
    model_names,
    of_config,
)

# Total and active parameters as their makers print them [B].
PRINTED = {
    "deepseek-v3": (671, 37),
    "deepseek-v4-flash": (284, 13),
    "kimi-k2": (1026, 32),
    "glm-5": (744, 40),
    "llama-4-scout": (109, 17),  # 108 and a vision tower
    "gpt-oss-120b": (116.8, 5.1),  # OpenAI 2025, without the input embedding
    "mixtral-8x7b": (46.7, 12.9),
    "mixtral-8x22b": (141, 39),
    "nemotron-3-nano-30b-a3b": (31.6, 3.6),  # NVIDIA 2025, with embeddings
    "qwen3.5-27b": (27, 27),
}


@pytest.mark.parametrize("name", PRINTED)
def test_counts(name: str) -> None:
    record = record_named(name)
    total, active = PRINTED[name]
    assert record.total / 1e9 == pytest.approx(total, rel=0.015)
    near = [record.active("all"), record.active("without_input_embedding")]
    assert min(abs(one / 1e9 / active - 1) for one in near) < 0.05


@pytest.mark.parametrize("name", described_names())
def test_each_is_read(name: str) -> None:
    record = record_named(name)
    assert record.total >= record.active() > 0
    # A window or a state may be full by then.
    assert 0 < record.cache(4096) <= record.cache(131072)


def test_without_tokens_it_is_served_and_not_audited(capsys) -> None:
    assert "gpt-oss-120b" not in model_names()
    with pytest.raises(InputError, match="no source states what it was trained on"):
        load_model("gpt-oss-120b")
    assert main(["audit", "gpt-oss-120b"]) == 2
    assert "no source states" in capsys.readouterr().err


def test_with_tokens_it_is_audited(capsys) -> None:
    """Kimi K2 passes 32.9B of its 1,026B, and was trained on 15.5T tokens."""
    assert main(["audit", "kimi-k2", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["audits"]
    assert {one["tokens"] for one in found} == {15.5e12}
    assert {one["parameters"] for one in found} == {record_named("kimi-k2").active()}


def test_an_entry_of_both_has_its_architecture() -> None:
    model = load_model("deepseek-v3")
    assert model.parameters == 671e9
    assert model.architecture is not None
    assert model.architecture.kept(4096, 2.0)[0] == 61 * 576 * 2 * 4096


def test_a_model_whose_layers_loop_is_no_architecture_of_a_plan(tmp_path):
    """Its FLOPs are not those of its parameters: refused, never taken in silence."""
    config = tmp_path / "loop" / "config.json"
    config.parent.mkdir()
    config.write_text(
        '{"model_type": "ouro", "hidden_size": 64, "num_hidden_layers": 2, '
        '"num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 128, '
        '"intermediate_size": 96, "total_ut_steps": 4}'
    )
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: 2T}\narchitecture: loop\n"
    )
    with pytest.raises(InputError) as caught:
        load_scenario(scenario)
    (problem,) = caught.value.problems
    assert (problem.mark.line, problem.path) == (4, "architecture")
    assert "cache: 2048 B/token" in problem.message
    with pytest.raises(InputError, match="several times over"):
        of_config(str(config), 1e12)
    assert record_named(str(config)).total > 0


def test_a_model_that_mostly_looks_up_is_no_architecture_of_a_plan(tmp_path):
    """Tables of n-grams take no FLOPs: by N a token would take too many, in silence."""
    config = tmp_path / "grams" / "config.json"
    config.parent.mkdir()
    config.write_text(
        '{"model_type": "deepseek_v41_text", "vocab_size": 100, "hidden_size": 64, '
        '"moe_intermediate_size": 32, "num_hidden_layers": 4, "head_dim": 16, '
        '"num_attention_heads": 4, "q_lora_rank": 24, "o_lora_rank": 16, '
        '"o_groups": 2, "n_routed_experts": 4, "n_shared_experts": 1, '
        '"num_experts_per_tok": 2, "sliding_window": 8, "index_n_heads": 2, '
        '"compress_ratios": [0, 2, 2, 1], "kv_source_layer_ids": [1, 3], '
        '"index_source_layer_ids": [1, 2, 3], "index_head_dim": 16, "index_topk": 8, '
        '"hc_mult": 2, "engram_layer_ids": [0], "engram_num_embeddings": [1000000], '
        '"engram_max_ngram_size": 3, "engram_n_heads": 2, "engram_head_dim": 8, '
        '"tie_word_embeddings": false}'
    )
    record = record_named(str(config))
    assert record.lookup == 8_000_000
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: 2T}\narchitecture: grams\n"
    )
    with pytest.raises(InputError) as caught:
        load_scenario(scenario)
    (problem,) = caught.value.problems
    assert (problem.mark.line, problem.path) == (4, "architecture")
    assert "looks up 0.008B of the" in problem.message
    active = (record.active() - record.lookup) / 1e9
    assert f"active: {active:.4g}B" in problem.message
    with pytest.raises(InputError, match="which takes no FLOPs"):
        of_config(str(config), 1e12)
