"""Families of dense decoders, each by what differs from the plain one.

*Source*: the configuration and modeling code of each family in Transformers 5.24.
"""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.records import replace
from optimizer.world.architecture import windows
from optimizer.world.architecture.decoder import Traits

LLAMA = Traits(
    bias="attention_bias",
    mlp_bias="mlp_bias",
    kv_heads="heads",
)
GEMMA = Traits(
    tied=True,
    head_size="ask",
    bias="attention_bias",
)
GEMMA_TEXT = {  # what a nested config of the family leaves out
    "head_dim": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "vocab_size": 262208,
}
GEMMA3 = Traits(
    tied=True,
    head_size="ask",
    bias="attention_bias",
    norms=4,
    qk_norm="head",
    window=windows.one_in(6, "sliding_window_pattern", "_sliding_window_pattern"),
    defaults=GEMMA_TEXT,
)
PLAIN = Traits(kv_heads="heads")
QWEN2 = Traits(qkv_bias=True, window=windows.switched)
QWEN3 = Traits(
    head_size="ask",
    bias="attention_bias",
    qk_norm="head",
    window=windows.switched,
)
OLMO2 = Traits(
    bias="attention_bias",
    qk_norm="whole",
    kv_heads="heads",
)
GRANITE_SWA = Traits(
    bias="attention_bias",
    mlp_bias="mlp_bias",
    sinks=True,
    tied=True,
)
NEOX = Traits(
    bias="attention_bias",
    mlp_bias=True,
    gated=False,
    norm=2,
    kv_heads="heads",
    defaults={"attention_bias": True},
)

APERTUS = Traits(
    gated=False,
    qk_norm="head",
    bias="attention_bias",
    kv_heads="heads",
    extra=2,
)
PHI4 = Traits(kv_heads="heads", window=windows.always)
BIASED = Traits(kv_heads="heads", norm=2, gated=False, bias=True)
ERNIE = Traits(
    tied=True,
    bias="use_bias",
    mlp_bias="use_bias",
    head_size="ask",
)
HUNYUAN = Traits(
    qk_norm="head",
    kv_heads="heads",
    bias="attention_bias",
)
GLM4V = Traits(qkv_bias="attention_bias", norms=4, defaults={"attention_bias": True})

DENSE: Mapping[str, Traits] = {
    "llama": LLAMA,
    "internlm2": PLAIN,
    "internlm3": Traits(
        kv_heads="heads", qkv_bias="qkv_bias", out_bias="bias", mlp_bias="bias"
    ),
    "yi": PLAIN,
    "baichuan": PLAIN,
    "cwm": Traits(kv_heads="heads", mlp_bias="mlp_bias", window=windows.one_in(4)),
    "iquestcoder": LLAMA,
    "exaone": LLAMA,
    "emu3_text_model": LLAMA,
    "chameleon": Traits(
        kv_heads="heads",
        bias="attention_bias",
        mlp_bias="mlp_bias",
        qk_norm="each biased",
    ),
    "voxtral_realtime_text": Traits(
        window=windows.always,
        norms=2 + 2 * 32,  # a norm whose scale comes of two matrices of rank 32
    ),
    "mistral": Traits(window=windows.always),
    "ministral": Traits(window=windows.always),
    "ministral3": Traits(window=windows.always),
    "mistral3": Traits(window=windows.always),
    "nemotron": Traits(
        kv_heads="heads",
        norm=2,
        gated=False,
        bias="attention_bias",
        mlp_bias="mlp_bias",
    ),
    "arcee": Traits(
        kv_heads="heads",
        gated=False,
        bias="attention_bias",
        mlp_bias="mlp_bias",
    ),
    "qwen2": QWEN2,
    "mimo": QWEN2,
    "qwen2_vl_text": QWEN2,
    "qwen2_5_vl_text": QWEN2,
    "qwen3": QWEN3,
    "qwen3_vl_text": QWEN3,
    "gemma": GEMMA,
    "gemma2": Traits(
        tied=True,
        head_size="ask",
        norms=4,
        bias="attention_bias",
        window=windows.first_slides,
    ),
    "vaultgemma": Traits(
        tied=True,
        head_size="ask",
        norms=2,
        bias="attention_bias",
        window=windows.first_slides,
    ),
    "gemma3_text": GEMMA3,
    "phi3": PHI4,
    "phi": Traits(
        kv_heads="heads",
        bias=True,
        mlp_bias=True,
        gated=False,
        norm=2,
        norms=1,
        head_bias=True,
        qk_norm="biased",
        qk_norm_if="qk_layernorm",
    ),
    "olmo": Traits(kv_heads="heads", norm=0, bias="attention_bias"),
    "olmo2": OLMO2,
    "olmo3": Traits(
        kv_heads="heads",
        bias="attention_bias",
        qk_norm="whole",
        window=windows.one_in(4),
    ),
    "granite": LLAMA,
    "granite_swa": GRANITE_SWA,
    "helium": replace(LLAMA, bias=False, qkv_bias="attention_bias"),
    "stablelm": Traits(
        kv_heads="heads",
        norm=2,
        qkv_bias="use_qkv_bias",
        qk_norm="each",
        qk_norm_if="qk_layernorm",
        norms_if=("use_parallel_residual", -1),
    ),
    "starcoder2": Traits(
        tied=True,
        gated=False,
        norm=2,
        bias="use_bias",
        mlp_bias="use_bias",
        window=windows.always,
        defaults={"use_bias": True},
    ),
    "cohere": Traits(
        tied=True,
        norms=1,
        bias="attention_bias",
        qk_norm="each",
        qk_norm_if="use_qk_norm",
        kv_heads="heads",
    ),
    "cohere2": Traits(
        tied=True,
        norms=1,
        bias="attention_bias",
        kv_heads="heads",
        window=windows.one_in(4, "sliding_window_pattern"),
    ),
    "cohere_compass_text": Traits(
        tied=True,
        norms=1,
        bias="attention_bias",
        kv_heads="heads",
        window=windows.asked,
    ),
    "seed_oss": Traits(
        qkv_bias="attention_bias",
        out_bias="attention_out_bias",
        mlp_bias="mlp_bias",
        head_size="ask",
    ),
    "smollm3": Traits(
        tied=True,
        bias="attention_bias",
        mlp_bias="mlp_bias",
        window=windows.switched,
    ),
    "glm": Traits(qkv_bias="attention_bias", head_size="ask"),
    "glm4": Traits(qkv_bias="attention_bias", norms=4, head_size="ask"),
    "glm4v_text": GLM4V,
    "glm_ocr_text": Traits(norms=4),
    "exaone4": Traits(
        qk_norm="head", window=windows.one_in(4, "sliding_window_pattern")
    ),
    "ernie4_5": ERNIE,
    "paddleocr_vl_text": ERNIE,
    "apertus": APERTUS,
    "apertus1p5_text": APERTUS,
    "hunyuan_v1_dense": HUNYUAN,
    "hunyuan_vl_text": HUNYUAN,
    "hyperclovax": Traits(
        kv_heads="heads",
        norms_if=("use_post_norm", 2),
        defaults={"use_post_norm": True},
        bias="attention_bias",
        mlp_bias="mlp_bias",
    ),
    "jais2": Traits(
        norm=2,
        gated=False,
        bias="attention_bias",
        mlp_bias="mlp_bias",
        kv_heads="heads",
        defaults={"attention_bias": True, "mlp_bias": True},
    ),
    "nanochat": Traits(norm=0, gated=False, bias="attention_bias"),
    "gpt_neox": NEOX,
    "muse_glimmer_text": Traits(
        head_size="ask",
        norms=4,
        bias="attention_bias",
        gate="apart",
    ),
    "diffllama": Traits(
        kv_heads="heads",
        bias="attention_bias",
        head_extra=4,
    ),
    "persimmon": replace(
        BIASED, mlp_bias=True, qk_norm="biased", qk_norm_if="qk_layernorm"
    ),
    "phi4_multimodal": PHI4,
    "phi4mm": PHI4,
    "granite4_vision_text": LLAMA,
    "granite_docling_text": LLAMA,
    "cosmos3_edge_text": Traits(gated=False, bias="attention_bias"),
    "qwen2_5_omni_text": QWEN2,
    "orion": Traits(kv_heads="heads", norm=2),
    "xverse": PLAIN,
    "aquila": PLAIN,
    "internlm": Traits(kv_heads="heads", bias="bias"),
    "chatglm": Traits(
        qkv_bias="add_qkv_bias", out_bias="add_bias_linear", mlp_bias="add_bias_linear"
    ),
    "plamo3": Traits(
        tied=True,
        head_size="ask",
        norms=4,
        qk_norm="head",
        window=windows.one_in(8, "sliding_window_pattern"),
    ),
    "spark2_5": Traits(
        tied=True,
        head_size="ask",
        bias="attention_bias",
        mlp_bias="mlp_bias",
        gate="head",
        window=windows.one_in(4),
    ),
    "minicpm": Traits(kv_heads="heads", tied=True),
    "bitnet": Traits(
        kv_heads="heads",
        bias="attention_bias",
        norms=3,
        inner_norm=True,
    ),
}
