"""Families that Transformers does not have, against mlx-lm and their makers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from optimizer.reading.fields import FieldError
from optimizer.world.architecture.read import read_config


def test_against_the_other_reference(root: Path) -> None:
    """Small configs of families that Transformers does not have, or has otherwise.

    Source: mlx-lm 0.32.2, the size of every array of the model; the biases by which a
    router is balanced are left out, as they are no parameters elsewhere.
    """
    path = root / "tests" / "world" / "architecture" / "reference_mlx.json"
    for case in json.loads(path.read_text(encoding="utf-8")):
        record = read_config(case["config"], "small")
        assert record.total == case["total"], case["config"]["model_type"]


def test_deepseek_v41() -> None:
    """552B and 196B of engrams, 16B a token; 890 bytes a token in its own formats.

    Source: DeepSeek-AI 2026, "DeepSeek-V4.1-Flash: Pushing the Limits of KV Cache
    Compression", sections 2.1, 2.4.4 and 4.2.1. Main keys are in 4 bits with a byte for
    every 16, those of the index with a byte for every 32.
    """
    text = {
        "model_type": "deepseek_v41_text", "vocab_size": 129280, "hidden_size": 5120,
        "moe_intermediate_size": 2304, "num_hidden_layers": 40, "head_dim": 512,
        "num_attention_heads": 64, "num_key_value_heads": 1, "q_lora_rank": 1280,
        "qk_rope_head_dim": 64, "o_lora_rank": 1024, "o_groups": 8,
        "n_routed_experts": 384, "n_shared_experts": 1, "num_experts_per_tok": 6,
        "sliding_window": 128, "compress_ratios": [0] * 2 + [2] * 18 + [1] * 20,
        "kv_source_layer_ids": [2, 8, 14, 20], "index_n_heads": 32,
        "index_source_layer_ids": [2, 8, 14, 20, 24, 28, 32, 36],
        "index_head_dim": 128, "index_topk": 512, "hc_mult": 4,
        "engram_layer_ids": [1, 14], "engram_num_embeddings": [384006168, 384016682],
        "engram_max_ngram_size": 4, "engram_n_heads": 8, "engram_head_dim": 256,
        "num_nextn_predict_layers": 3,
    }  # fmt: skip
    record = read_config({"model_type": "deepseek_v41", "text_config": text}, "flash")
    assert record.lookup == pytest.approx(196.6e9, rel=1e-3)
    assert record.total - record.lookup == pytest.approx(552e9, rel=1e-3)
    assert record.active("without_input_embedding") == pytest.approx(16e9, rel=0.02)
    assert record.kinds == {"sliding": 2, "compressed": 4, "sliding + shared": 34}
    numbers = record.slope(1.0)
    assert numbers == 3 * (512 + 128) / 2 + (512 + 128)
    index = numbers / 5
    assert (numbers - index) * (0.5 + 1 / 16) + index * (0.5 + 1 / 32) == 890
    plain = read_config({**text, "engram_layer_ids": []}, "plain")
    assert plain.total == 551_566_165_104 - 40 * 384  # mlx-lm, without router biases


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"compress_ratios": [2] * 3}, "each of the 4 layers"),
        ({"kv_source_layer_ids": [3]}, "must have 1, the first that compresses"),
        ({"index_source_layer_ids": [1, 9]}, "must name layers 0 to 3, got 9"),
        ({"engram_num_embeddings": [5]}, "a number for each of 2"),
        ({"o_groups": 3}, "must divide"),
    ],
)
def test_lists_of_deepseek_v41(more: dict[str, Any], said: str) -> None:
    config = {
        "model_type": "deepseek_v41_text", "vocab_size": 100, "hidden_size": 64,
        "moe_intermediate_size": 32, "num_hidden_layers": 4, "head_dim": 16,
        "num_attention_heads": 4, "q_lora_rank": 24, "o_lora_rank": 16, "o_groups": 2,
        "n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2,
        "sliding_window": 8, "compress_ratios": [0, 2, 2, 1], "index_n_heads": 2,
        "kv_source_layer_ids": [1, 3], "index_source_layer_ids": [1, 2, 3],
        "index_head_dim": 16, "index_topk": 8, "hc_mult": 2,
        "engram_layer_ids": [0, 2], "engram_num_embeddings": [500, 510],
        "engram_max_ngram_size": 3, "engram_n_heads": 2, "engram_head_dim": 8,
    }  # fmt: skip
    assert read_config(config, "small").lookup == 1010 * 8
    with pytest.raises(FieldError, match=said):
        read_config({**config, **more}, "wrong")


def test_words_as_they_were_first_published() -> None:
    """BLOOM has n_embed and num_attention_heads, MiniCPM 3 no width of values.

    Source: BigScience 2022, "BLOOM", table 3: 176.2B. Of MiniCPM 3 4B the card says 4B.
    """
    bloom = {"model_type": "bloom", "n_embed": 14336, "n_layer": 70,
             "num_attention_heads": 112, "vocab_size": 250880}  # fmt: skip
    assert read_config(bloom, "bloom").total == 176_247_271_424
    minicpm = {
        "model_type": "minicpm3", "hidden_size": 2560, "intermediate_size": 6400,
        "num_attention_heads": 40, "num_hidden_layers": 62, "q_lora_rank": 768,
        "kv_lora_rank": 256, "qk_nope_head_dim": 64, "qk_rope_head_dim": 32,
        "vocab_size": 73448,
    }  # fmt: skip
    record = read_config(minicpm, "minicpm3")
    assert record.total == pytest.approx(4.07e9, rel=2e-3)
    assert any("v_head_dim is not in the file" in note for note in record.notes)


def test_ling_2_under_the_name_of_ling_1() -> None:
    """Ling 2.0 mini: 16.26B, its first layer dense, norms of queries and keys."""
    config = {
        "model_type": "bailing_moe", "hidden_size": 2048, "intermediate_size": 5120,
        "moe_intermediate_size": 512, "num_hidden_layers": 20, "head_dim": 128,
        "num_attention_heads": 16, "num_key_value_heads": 4, "num_experts": 256,
        "num_experts_per_tok": 8, "num_shared_experts": 1, "first_k_dense_replace": 1,
        "use_qk_norm": True, "vocab_size": 157184, "tie_word_embeddings": False,
        "moe_shared_expert_intermediate_size": 512,
    }  # fmt: skip
    assert read_config(config, "ling").total == pytest.approx(16.2556e9, rel=1e-5)


def test_pangu_ultra() -> None:
    """openPangu Ultra MoE: 718B, 39B a token (Huawei 2025, its model card)."""
    config = {
        "model_type": "pangu_ultra_moe", "hidden_size": 7680, "vocab_size": 153600,
        "num_hidden_layers": 61, "num_attention_heads": 128, "num_dense_layers": 3,
        "attention_kv_lora_dim": 512, "attention_q_lora_dim": 1536,
        "attention_qk_dim": 128, "attention_qk_rope_dim": 64, "attention_v_dim": 128,
        "intermediate_size": 18432, "moe_intermediate_size": 2048,
        "num_routed_experts": 256, "num_shared_experts": 1, "num_experts_per_tok": 8,
        "sandwich_norm": True, "num_mtp_layers": 1, "tie_word_embeddings": False,
    }  # fmt: skip
    record = read_config(config, "pangu")
    assert record.total == pytest.approx(718e9, rel=2e-3)
    assert record.active("without_embeddings") == pytest.approx(39e9, rel=0.03)


@pytest.mark.parametrize("window", [512, [None, 512] * 8 + [None] * 16])
def test_phi_4_flash(window: int | list[int | None]) -> None:
    """Phi 4 mini flash: 3.85B; of 32 layers one keeps all keys, eight a window.

    Source: Microsoft 2025, the card of Phi-4-mini-flash-reasoning (3.8B parameters); a
    token of context adds keys and values of 20 heads of 64 in a single layer.
    """
    config = {
        "model_type": "phi4flash", "hidden_size": 2560, "intermediate_size": 10240,
        "num_hidden_layers": 32, "num_attention_heads": 40, "num_key_value_heads": 20,
        "mb_per_layer": 2, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2,
        "mamba_dt_rank": 160, "sliding_window": window, "vocab_size": 200064,
        "tie_word_embeddings": True,
    }  # fmt: skip
    record = read_config(config, "flash")
    assert record.total == pytest.approx(3.85e9, rel=2e-3)
    assert record.kinds == {
        "state-space": 9, "sliding": 8, "full": 1, "none": 7, "shared": 7,
    }  # fmt: skip
    assert record.slope() == 2 * 2 * 20 * 64
    states = 9 * (4 * 5120 * 16 + 2 * 5120 * 4)
    assert record.cache(4096) == 5120 * (8 * 511 + 4096) + states
