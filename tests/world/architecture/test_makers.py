"""Families that the reference does not have, against what their makers print."""

from __future__ import annotations

from typing import Any

import pytest

from optimizer.reading.fields import FieldError
from optimizer.world.architecture.read import read_config

GROK = {
    "num_hidden_layers": 64, "num_key_value_heads": 8, "num_local_experts": 8,
    "num_experts_per_tok": 2, "intermediate_size": 32768, "vocab_size": 131072,
    "head_dim": 128,
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "total", "active"),
    [
        (
            # xAI, "Open release of Grok-1" (2024): 314B, 25 % of the weights a token.
            {"model_type": "grok-1", "hidden_size": 6144, "num_attention_heads": 48,
             "tie_word_embeddings": True, **GROK},
            316e9, 85.6e9,
        ),
        (
            # xAI, the card of Grok 2 (2025): 270B, 115B a token.
            {"model_type": "git", "architectures": ["Grok1ForCausalLM"], **GROK,
             "hidden_size": 8192, "num_attention_heads": 64, "residual_moe": True,
             "moe_intermediate_size": 16384, "tie_word_embeddings": False},
            270e9, 115e9,
        ),
        (
            # Snowflake, "Arctic" (2024): 480B, 17B a token.
            {"model_type": "arctic", "hidden_size": 7168, "num_hidden_layers": 35,
             "num_attention_heads": 56, "num_key_value_heads": 8, "vocab_size": 32000,
             "intermediate_size": 4864, "num_local_experts": 128,
             "num_experts_per_tok": 2, "parallel_attn_mlp_res": True,
             "tie_word_embeddings": False},
            480e9, 17e9,
        ),
        (
            # Dai et al. 2024, "DeepSeekMoE", table 1: 16.4B, 2.8B a token.
            {"model_type": "deepseek", "hidden_size": 2048, "num_hidden_layers": 28,
             "num_attention_heads": 16, "num_key_value_heads": 16,
             "intermediate_size": 10944, "moe_intermediate_size": 1408,
             "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6,
             "first_k_dense_replace": 1, "vocab_size": 102400,
             "tie_word_embeddings": False},
            16.4e9, 2.8e9,
        ),
        (
            # inclusionAI, "Every FLOP Counts" (2025): Ling-Lite 16.8B, 2.75B a token.
            {"model_type": "bailing_moe", "hidden_size": 2048, "num_hidden_layers": 28,
             "num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 128,
             "intermediate_size": 5632, "moe_intermediate_size": 1408,
             "num_experts": 64, "num_shared_experts": 2, "num_experts_per_tok": 6,
             "vocab_size": 126464, "tie_word_embeddings": False},
            16.8e9, 2.75e9,
        ),
        (
            # Bai et al. 2023, "Qwen", table 1: 7.7B.
            {"model_type": "qwen", "hidden_size": 4096, "num_hidden_layers": 32,
             "num_attention_heads": 32, "intermediate_size": 22016, "kv_channels": 128,
             "vocab_size": 151936, "tie_word_embeddings": False},
            7.7e9, 7.7e9,
        ),
        (
            # Team GLM 2024, "ChatGLM", the card of GLM-4-9B: 9.4B.
            {"model_type": "chatglm", "hidden_size": 4096, "num_layers": 40,
             "num_attention_heads": 32, "multi_query_group_num": 2,
             "ffn_hidden_size": 13696, "kv_channels": 128, "add_qkv_bias": True,
             "padded_vocab_size": 151552, "tie_word_embeddings": False},
            9.4e9, 9.4e9,
        ),
        (
            # Cai et al. 2024, "InternLM2": InternLM2-7B has 7.7B.
            {"model_type": "internlm2", "hidden_size": 4096, "num_hidden_layers": 32,
             "num_attention_heads": 32, "num_key_value_heads": 8,
             "intermediate_size": 14336, "vocab_size": 92544,
             "tie_word_embeddings": False},
            7.74e9, 7.74e9,
        ),
        (
            # Baichuan 2023, "Baichuan 2", table 1: 7.5B.
            {"model_type": "baichuan", "hidden_size": 4096, "num_hidden_layers": 32,
             "num_attention_heads": 32, "intermediate_size": 11008,
             "vocab_size": 125696, "tie_word_embeddings": False},
            7.5e9, 7.5e9,
        ),
        (
            # Hu et al. 2024, "MiniCPM": 2.4B without embeddings, 2.7B with them.
            {"model_type": "minicpm", "hidden_size": 2304, "num_hidden_layers": 40,
             "num_attention_heads": 36, "num_key_value_heads": 36,
             "intermediate_size": 5760, "vocab_size": 122753},
            2.72e9, 2.44e9,
        ),
        (
            # MiniMax 2025, "MiniMax-01": 456B, 45.9B a token (and M1 alike).
            {"model_type": "minimax_m1", "hidden_size": 6144, "num_hidden_layers": 80,
             "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
             "intermediate_size": 9216, "num_local_experts": 32,
             "num_experts_per_tok": 2, "vocab_size": 200064,
             "attn_type_list": ([0] * 7 + [1]) * 10, "tie_word_embeddings": False},
            456e9, 45.9e9,
        ),
        (
            # Zhu et al. 2025, "Scaling Latent Reasoning", table 1: Ouro 1.4B.
            {"model_type": "ouro", "hidden_size": 2048, "num_hidden_layers": 24,
             "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 49152,
             "intermediate_size": 5632, "total_ut_steps": 4,
             "tie_word_embeddings": False},
            1.43e9, 1.43e9,
        ),
        (
            # IQuest Lab 2026, IQuest-Coder-V1: the loop model of 40B.
            {"model_type": "iquestloopcoder", "hidden_size": 5120, "vocab_size": 76800,
             "num_hidden_layers": 80, "num_attention_heads": 40, "loop_num": 2,
             "num_key_value_heads": 8, "intermediate_size": 27648,
             "loop_window_size": 64, "tie_word_embeddings": False},
            39.8e9, 39.8e9,
        ),
        (
            # StepFun 2025, "Step-3 is Large yet Affordable": 316B, 38B a token.
            {"model_type": "step3_vl", "text_config": {
                "model_type": "step3_text", "hidden_size": 7168, "head_dim": 256,
                "num_hidden_layers": 61, "num_attention_heads": 64,
                "share_q_dim": 2048, "intermediate_size": 18432, "vocab_size": 128815,
                "moe_num_experts": 48, "moe_top_k": 3, "moe_intermediate_size": 5120,
                "share_expert_dim": 5120, "tie_word_embeddings": False,
                "moe_layers_enum": ",".join(str(i) for i in range(4, 60)),
            }},
            316e9, 38e9,
        ),
    ],
    ids=lambda value: value["model_type"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_makers_print(config: dict[str, Any], total: float, active: float) -> None:
    record = read_config(config, "printed")
    assert record.total == pytest.approx(total, rel=0.01)
    actives = [record.active("all"), record.active("without_embeddings")]
    assert min(abs(one / active - 1) for one in actives) < 0.03


@pytest.mark.parametrize(
    ("wrapper", "inner"),
    [("internvl", "qwen2"), ("aya_vision", "cohere2"), ("kimi_vl", "deepseek_v3")],
)
def test_a_wrapper_without_the_type_of_what_it_wraps(wrapper: str, inner: str) -> None:
    """What a class of the reference holds by default is what a file leaves out."""
    with pytest.raises(FieldError) as caught:
        read_config({"model_type": wrapper, "text_config": {"vocab_size": 9}}, "x")
    ((steps, message),) = caught.value.found
    assert steps == ("text_config", "num_hidden_layers"), inner
    assert "is missing" in message


LLAMA = {
    "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 96,
    "vocab_size": 100,
}  # fmt: skip


def test_words_of_a_layer_stand_above_the_models() -> None:
    """One layer of four with one key head less keeps a sixth of 8 heads less."""
    plain = read_config(LLAMA, "plain")
    own = {"per_layer_config": {"02": {"num_key_value_heads": 1}}}
    record = read_config({**LLAMA, **own}, "own")
    assert record.total == plain.total - 2 * 64 * 16
    assert record.cache(100) / plain.cache(100) == pytest.approx(7 / 8)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"n_layer": 5}, "num_hidden_layers, which means the same, is 4"),
        ({"per_layer_config": {"9": {}}}, "is no layer"),
        ({"model_type": "llada"}, "by diffusion"),
        ({"model_type": "gemma4_assistant"}, "draft model"),
        ({"model_type": "bert"}, "an encoder"),
        ({"model_type": "internvl", "hidden_size": None}, "the language model of"),
        ({"hidden_size": float("nan")}, "must be a whole number"),
    ],
)
def test_what_cannot_be(more: dict[str, Any], said: str) -> None:
    with pytest.raises(FieldError, match=said):
        read_config({**LLAMA, **more}, "x")
