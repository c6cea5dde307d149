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
        (
            # Tencent 2024, "Hunyuan-Large": 389B, 52B a token; half its layers share.
            {"model_type": "hunyuan", "hidden_size": 6400, "num_hidden_layers": 64,
             "num_attention_heads": 80, "num_key_value_heads": 8, "num_experts": 16,
             "intermediate_size": 18304, "num_shared_expert": 1, "moe_topk": 1,
             "vocab_size": 128512, "use_cla": True, "cla_share_factor": 2,
             "tie_word_embeddings": True},
            389e9, 52e9,
        ),
        (
            # Song et al. 2025, "SmallThinker": 4B, 0.6B a token.
            {"model_type": "smallthinker", "hidden_size": 1536, "head_dim": 128,
             "moe_ffn_hidden_size": 768, "moe_num_active_primary_experts": 4,
             "moe_num_primary_experts": 32, "num_attention_heads": 12,
             "num_hidden_layers": 32, "num_key_value_heads": 2, "vocab_size": 151936,
             "sliding_window_layout": [0] * 32, "tie_word_embeddings": True},
            4.03e9, 0.63e9,
        ),
        (
            # TeleAI 2025, TeleChat3-36B.
            {"model_type": "telechat3", "hidden_size": 6144, "head_dim": 128,
             "intermediate_size": 24576, "num_attention_heads": 48,
             "num_hidden_layers": 64, "num_key_value_heads": 8, "vocab_size": 131072,
             "tie_word_embeddings": False},
            36.2e9, 36.2e9,
        ),
        (
            # Ling Team 2025, "Every Attention Matters": Ring-mini-linear, 16.4B, 1.6B.
            {"model_type": "bailing_moe_linear", "hidden_size": 2048,
             "first_k_dense_replace": 1, "group_norm_size": 4, "head_dim": 128,
             "intermediate_size": 5120, "layer_group_size": 5, "num_experts": 256,
             "moe_intermediate_size": 512, "num_attention_heads": 16,
             "num_experts_per_tok": 8, "num_hidden_layers": 20, "vocab_size": 157184,
             "num_key_value_heads": 4, "num_shared_experts": 1, "use_qk_norm": True,
             "tie_word_embeddings": False},
            16.4e9, 1.6e9,
        ),
    ],
    ids=lambda value: value["model_type"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_what_makers_print(config: dict[str, Any], total: float, active: float) -> None:
    record = read_config(config, "printed")
    assert record.total == pytest.approx(total, rel=0.01)
    actives = [record.active("all"), record.active("without_embeddings")]
    assert min(abs(one / active - 1) for one in actives) < 0.03


def test_layers_that_share_keys_keep_them_once() -> None:
    """Hunyuan-Large: of every two layers one keeps 2 · 8 · 80 numbers a token."""
    config = {
        "model_type": "hunyuan", "hidden_size": 6400, "num_hidden_layers": 64,
        "num_attention_heads": 80, "num_key_value_heads": 8, "num_experts": 16,
        "intermediate_size": 18304, "num_shared_expert": 1, "moe_topk": 1,
        "vocab_size": 128512, "use_cla": True, "cla_share_factor": 2,
    }  # fmt: skip
    record = read_config(config, "large")
    assert record.kinds == {"full": 32, "shared": 32}
    assert record.cache(4096) == 32 * 4096 * 2 * 8 * 80 * 2


def test_tables_of_n_grams_are_looked_up() -> None:
    """Meituan 2026, LongCat Flash Lite: 68.5B, of them 31.4B of n-grams; 4.5B pass."""
    config = {
        "model_type": "longcat_flash_ngram", "hidden_size": 3072, "num_layers": 14,
        "ffn_hidden_size": 6144, "moe_topk": 12, "expert_ffn_hidden_size": 1024,
        "n_routed_experts": 256, "zero_expert_num": 128, "vocab_size": 131072,
        "num_attention_heads": 32, "kv_lora_rank": 512, "q_lora_rank": 1536,
        "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
        "ngram_vocab_size_ratio": 78, "emb_neighbor_num": 4, "emb_split_num": 4,
    }  # fmt: skip
    record = read_config(config, "lite")
    assert record.total == pytest.approx(68.5e9, rel=2e-3)
    assert record.lookup == pytest.approx(31.4e9, rel=2e-3)
    assert record.active("without_input_embedding") == pytest.approx(4.5e9, rel=5e-3)


def test_a_loop_keeps_a_cache_for_each_pass() -> None:
    """Ouro: four passes keep four times what one does, and hold one model."""
    config = {
        "model_type": "ouro", "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 128,
        "intermediate_size": 96,
    }  # fmt: skip
    once, four = (read_config({**config, "total_ut_steps": n}, "loop") for n in (1, 4))
    assert (once.total, once.active()) == (four.total, four.active())
    assert four.cache(100) == 4 * once.cache(100) == 4 * 2 * 100 * 2 * 64 * 2
    assert four.attention(100) == 4 * once.attention(100)
    assert any("4 times" in note for note in four.notes)


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
        ({"model_type": "mbart"}, "an encoder with a decoder"),
        ({"model_type": "blenderbot", "is_encoder_decoder": True}, "decoders alone"),
        ({"model_type": "cohere_compass_text"}, "which layers slide"),
        ({"model_type": "internvl", "hidden_size": None}, "the language model of"),
        ({"hidden_size": float("nan")}, "must be a whole number"),
    ],
)
def test_what_cannot_be(more: dict[str, Any], said: str) -> None:
    with pytest.raises(FieldError, match=said):
        read_config({**LLAMA, **more}, "x")


LATENT = {
    "hidden_size": 64, "intermediate_size": 96, "moe_intermediate_size": 32,
    "num_hidden_layers": 3, "num_attention_heads": 4, "vocab_size": 100,
    "kv_lora_rank": 16, "q_lora_rank": 24, "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16, "v_head_dim": 16, "n_routed_experts": 4,
    "n_shared_experts": 1, "num_experts_per_tok": 2, "first_k_dense_replace": 1,
    "index_n_heads": 2, "index_head_dim": 16, "index_topk": 8,
    "tie_word_embeddings": False,
}  # fmt: skip


def test_kinds_of_a_requantized_copy() -> None:
    """Copies of GLM 5.2 for other formats list layers that the first file does not."""
    glm = {**LATENT, "model_type": "glm_moe_dsa"}
    listed = {**glm, "layer_types": ["deepseek_sparse_attention"] * 3}
    one, two = read_config(glm, "first"), read_config(listed, "copy")
    assert one.layers == two.layers


def test_two_words_on_tying() -> None:
    """The inner one counts, as when most such files were written; and it is said."""
    text = {**LLAMA, "tie_word_embeddings": True}
    outer = {"model_type": "llava", "text_config": text, "tie_word_embeddings": False}
    record = read_config(outer, "both")
    assert record.tied
    assert any(
        "true for the language model and false around" in x for x in record.notes
    )
    same = read_config({**outer, "tie_word_embeddings": True}, "same")
    assert not any("around it" in note for note in same.notes)


def test_class_of_an_unknown_type() -> None:
    """A copy under another type is read by the class that loads it, and says so."""
    known = read_config({**LATENT, "model_type": "deepseek_v32"}, "known")
    words = {"model_type": "deepseek_ref", "architectures": ["DeepseekV32ForCausalLM"]}
    copy = read_config({**LATENT, **words}, "copy")
    assert copy.layers == known.layers
    assert any("DeepseekV32ForCausalLM" in note for note in copy.notes)
    for classes in (["WarpForCausalLM"], ["BertModel"], "DeepseekV32ForCausalLM", None):
        with pytest.raises(FieldError, match="is a family that this does not know"):
            read_config({**LATENT, **words, "architectures": classes}, "unknown")
