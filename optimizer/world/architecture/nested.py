"""Where the language model stands in a config, and other names for the same thing."""

from __future__ import annotations

from collections.abc import Mapping

# A nested config stands under one of these; the first that is there is read.
NESTED = (
    *("text_config", "language_config", "llm_config", "thinker_config"),
    *("language_model_config", "llm"),
)
# What a nested config is where it does not say.
INSIDE: Mapping[str, str] = {
    "apertus1p5": "apertus1p5_text",
    "aria": "aria_text",
    "aya_vision": "cohere2",
    "cohere2_vision": "cohere2",
    "cosmos3_edge": "cosmos3_edge_text",
    "cosmos3_omni": "qwen3_vl_text",
    "deepseek_ocr2": "deepseek_ocr2_text",
    "deepseek_vl": "llama",
    "deepseek_vl_hybrid": "llama",
    "dots3_note": "dots3_note_text",
    "emu3": "emu3_text_model",
    "ernie4_5_vl_moe": "ernie4_5_vl_moe_text",
    "exaone4_5": "exaone4",
    "fast_vlm": "qwen2",
    "fuyu": "persimmon",
    "gemma3": "gemma3_text",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "gemma4_unified": "gemma4_unified_text",
    "glm46v": "glm4v_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4v_moe_text",
    "glm5_next": "glm5_next_text",
    "glm_ocr": "glm_ocr_text",
    "glmga": "glm4v_text",
    "got_ocr2": "qwen2",
    "granite4_vision": "granite4_vision_text",
    "granite_docling": "granite_docling_text",
    "hunyuan_vl": "hunyuan_vl_text",
    "hy_v4_vl": "hy_v4_vl_text",
    "hyperclovax_vision_v2": "hyperclovax",
    "idefics2": "mistral",
    "idefics3": "llama",
    "inkling2": "inkling2_text",
    "inkling2_loop": "inkling2_loop_text",
    "inkling_mm_model": "inkling_text",
    "internvl": "qwen2",
    "janus": "llama",
    "jev": "qwen3_5_text",
    "kimi_k25": "deepseek_v3",
    "kimi_vl": "deepseek_v3",
    "lfm2_vl": "lfm2",
    "lfm3_vl": "lfm3",
    "lighton_ocr": "qwen3",
    "llama4": "llama4_text",
    "llava": "llama",
    "llava_next": "llama",
    "llava_next_video": "llama",
    "llava_onevision": "qwen2",
    "minicpm_ocr": "qwen3_5_text",
    "minicpmv4_6": "qwen3_5_text",
    "minicpmv4_7": "qwen3_5_text",
    "minimax_m3_vl": "minimax_m3_vl_text",
    "mllama": "mllama_text_model",
    "mistral3": "mistral",
    "mistral_large4": "mistral_large4_text",
    "molmo2": "molmo2_text",
    "muse_glimmer": "muse_glimmer_text",
    "muse_spark": "muse_spark_text",
    "nemotron_h_omni": "nemotron_h",
    "ovis2": "qwen2",
    "paddleocr_vl": "paddleocr_vl_text",
    "paligemma": "gemma",
    "perception_lm": "llama",
    "qianfan_ocr": "qwen3",
    "qwen2_5_omni": "qwen2_5_omni_text",
    "qwen2_5_omni_thinker": "qwen2_5_omni_text",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen2_audio": "qwen2",
    "qwen2_vl": "qwen2_vl_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "qwen3_asr": "qwen3",
    "qwen3_omni_moe": "qwen3_omni_moe_text",
    "qwen3_omni_moe_thinker": "qwen3_omni_moe_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
    "qwen4_exp": "qwen4_exp_text",
    "shieldgemma2": "gemma3_text",
    "smolvlm": "llama",
    "step3_vl": "step3_text",
    "step3p7": "step3p5",
    "unlimited_ocr": "unlimited_ocr_text",
    "video_llama_3": "qwen2",
    "video_llava": "llama",
    "vipllava": "llama",
    "voxtral": "llama",
    "voxtral_realtime": "voxtral_realtime_text",
}
# Two names of one family, the second as it is read here.
SAME: Mapping[str, str] = {
    "AXK1": "axk1",
    "Keye": "qwen3",
    "KeyeVL1_5": "qwen3",
    "PanguEmbedded": "internlm",
    "aria_moe_lm": "aria_text",
    "mimo_v2": "mimo_v2_flash",
    "grok-1": "grok",
    "hunyuan": "hunyuan_v1_moe",
    "phi3_v": "phi3",
    "solar": "llama",
    "stablelm_epoch": "stablelm",
}
# Words of a family for what others call by the first.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "chatglm": {
        "intermediate_size": "ffn_hidden_size",
        "vocab_size": "padded_vocab_size",
        "num_key_value_heads": "multi_query_group_num",
    },
    "bamba": {"layer_types": "layers_block_type"},
    "internlm3": {"qkv_bias": "attention_bias", "bias": "mlp_bias"},
    "nemotron_h": {
        "n_groups": "mamba_n_groups",
        "conv_kernel": "mamba_d_conv",
        "use_conv_bias": "mamba_conv_bias",
        "layers_block_type": "layer_types",
    },
    "step3p5": {"num_key_value_heads": "num_attention_groups"},
    "gpt_neo": {"num_hidden_layers": "num_layers", "num_attention_heads": "num_heads"},
}
# Families of which it can be said why they are not read.
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("gemma4_assistant", "gemma4_unified_assistant"),
            "muse_glimmer_assistant",
        ),
        "a draft model, which guesses ahead for another; give the config.json of "
        "the model that it guesses for",
    ),
    **dict.fromkeys(
        (
            *("llada", "llada_moe", "llada2_moe", "dream", "sdar", "sdar_moe"),
            *("diffusion_gemma", "diffusion_gemma_text"),
        ),
        "a family that writes many tokens at once by diffusion, so that nothing here "
        "says what a token of it takes; give that of a model that writes one by one",
    ),
    **dict.fromkeys(
        (
            *("bert", "roberta", "xlm-roberta", "modernbert", "deberta-v2", "clip"),
            *("siglip", "vit", "wav2vec2", "nomic_bert"),
        ),
        "an encoder, which writes no tokens; give that of a model that writes text",
    ),
    **dict.fromkeys(
        ("t5", "mt5", "bart", "whisper", "t5gemma", "t5gemma2", "encoder-decoder"),
        "an encoder with a decoder; this reads decoders alone",
    ),
}
