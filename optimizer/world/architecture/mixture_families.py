"""Families of mixtures of experts with grouped attention.

In Mixtral, MiniMax M2, gpt-oss, Llama 4 and OLMoE `intermediate_size` is the width of
one expert; elsewhere it is that of the dense layers. *Source*: the configuration and
modeling code of each family in Transformers 5.24.
"""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.records import replace
from optimizer.world.architecture import windows
from optimizer.world.architecture.decoder import Experts, Traits

ONE = ("intermediate_size",)  # the width of one expert
STEPPED = Experts(sparse=windows.stepped)
SHARED = Experts(
    shared_width=("shared_expert_intermediate_size",),
    shared_gate=True,
    sparse=windows.stepped,
)
FIRST = Experts(
    shared=("n_shared_experts", "num_shared_experts"),
    sparse=windows.sparse_from(
        "first_k_dense_replace", "num_dense_layers", "first_num_dense_layers"
    ),
)
ALL = Experts(shared=("n_shared_experts", "num_shared_experts"))

# As Qwen 3, but that the size of a head is asked for where the file has none.
ASKED = Traits(head_size="ask", qk_norm="head", bias="attention_bias", experts=STEPPED)
DEEPSEEK = Traits(
    kv_heads="heads",
    bias="attention_bias",
    experts=FIRST,
)

MIXTURES: Mapping[str, Traits] = {
    "mixtral": Traits(window=windows.always, experts=Experts(width=ONE)),
    "minimax_m2": Traits(qk_norm="whole", head_size="ask", experts=Experts(width=ONE)),
    "phimoe": Traits(
        norm=2,
        bias="attention_bias",
        head_bias="lm_head_bias",
        window=windows.always,
        experts=Experts(width=ONE),
    ),
    "olmoe": Traits(
        qk_norm="whole",
        kv_heads="heads",
        bias="attention_bias",
        experts=Experts(width=ONE),
    ),
    "flex_olmo": Traits(
        qk_norm="whole",
        kv_heads="heads",
        bias="attention_bias",
        experts=Experts(width=ONE),
    ),
    "gpt_oss": Traits(
        head_size="ask",
        bias="attention_bias",
        sinks=True,
        window=windows.first_slides,
        experts=Experts(width=ONE, bias=True, router_bias=True),
        defaults={"attention_bias": True},
    ),
    "llama4_text": Traits(
        head_size="ask",
        bias="attention_bias",
        window=windows.without_positions,
        experts=Experts(
            width=ONE,
            dense=("intermediate_size_mlp",),
            shared_width=ONE,
            sparse=windows.interleaved,
        ),
    ),
    "qwen2_moe": Traits(
        qkv_bias="qkv_bias",
        window=windows.switched,
        experts=SHARED,
        defaults={"qkv_bias": True},
    ),
    "qwen3_moe": Traits(
        qk_norm="head",
        bias="attention_bias",
        window=windows.switched,
        experts=STEPPED,
    ),
    "qwen3_vl_moe_text": Traits(
        qk_norm="head",
        bias="attention_bias",
        experts=STEPPED,
    ),
    "glm4_moe": Traits(
        qk_norm="head",
        qk_norm_if="use_qk_norm",
        qkv_bias="attention_bias",
        experts=FIRST,
    ),
    "glm4v_moe_text": Traits(qkv_bias="attention_bias", experts=FIRST),
    "dots1": Traits(
        qk_norm="head",
        bias="attention_bias",
        kv_heads="heads",
        window=windows.always,
        experts=FIRST,
    ),
    "hy_v3": Traits(
        qk_norm="head",
        head_size="ask",
        bias="attention_bias",
        mlp_bias="mlp_bias",
        experts=replace(FIRST, shared_bias="mlp_bias"),
    ),
    "smallthinker": Traits(head_size="ask", window=windows.laid_out, experts=Experts()),
    "klear": Traits(
        qk_norm="head",
        bias="attention_bias",
        # Two numbers a token weigh the routed experts against the shared ones.
        experts=replace(ALL, sparse=windows.stepped, norms=2),
    ),
    "solar_open": Traits(head_size="ask", qkv_bias="attention_bias", experts=ALL),
    "sarvam_moe": Traits(
        head_size="ask",
        qkv_bias="attention_bias",
        qk_norm="head",
        qk_norm_if="use_qk_norm",
        experts=FIRST,
    ),
    "exaone_moe": Traits(
        qk_norm="head",
        window=windows.one_in(4, "sliding_window_pattern"),
        experts=FIRST,
    ),
    "afmoe": Traits(
        head_size="ask",
        norms=4,
        qk_norm="head",
        gate="apart",
        bias="attention_bias",
        window=windows.one_in(4, "global_attn_every_n_layers"),
        experts=Experts(
            shared=("num_shared_experts",),
            extra=1,
            sparse=windows.sparse_from("num_dense_layers"),
        ),
    ),
    "ernie4_5_moe": Traits(
        tied=True,
        head_bias="use_bias",
        bias="use_bias",
        mlp_bias="use_bias",
        experts=Experts(
            shared=("moe_num_shared_experts",),
            shared_bias="use_bias",
            extra=1,
            sparse=windows.between,
        ),
    ),
    "granitemoe": Traits(
        bias="attention_bias",
        experts=Experts(width=ONE),
    ),
    "granitemoeshared": Traits(
        bias="attention_bias",
        experts=Experts(width=ONE, shared_width=("shared_intermediate_size",)),
    ),
    "granitemoe_swa": Traits(
        bias="attention_bias",
        sinks=True,
        experts=Experts(width=ONE, shared_width=("shared_intermediate_size",)),
    ),
    "hunyuan_v1_moe": Traits(
        qk_norm="head",
        kv_heads="heads",
        bias="attention_bias",
        experts=Experts(
            width=("moe_intermediate_size", "intermediate_size"),
            shared=("num_shared_expert",),
        ),
        defaults={"num_shared_expert": 1},
    ),
    "flint": Traits(
        head_size="ask",
        qk_norm="head",
        sinks=True,
        bias="attention_bias",
        experts=Experts(
            shared_width=("shared_expert_intermediate_size",), sparse=windows.stepped
        ),
    ),
    "mellum": ASKED,
    "kolibri1": Traits(
        head_size="ask",
        qk_norm="head",
        norms=4,
        experts=Experts(shared_width=("shared_expert_intermediate_size",)),
    ),
    "cohere2_moe": Traits(
        tied=True,
        norms=1,
        head_size="ask",
        bias="attention_bias",
        window=windows.one_in(4, "sliding_window_pattern"),
        experts=Experts(
            width=ONE,
            dense=("prefix_dense_intermediate_size",),
            shared=("num_shared_experts",),
            sparse=windows.sparse_from("first_k_dense_replace"),
        ),
    ),
    **dict.fromkeys(
        ("bailing_moe", "bailing_moe_v2"),  # Ling 2 is published under both
        Traits(
            head_size="ask",
            qk_norm="head",
            qk_norm_if="use_qk_norm",
            qkv_bias="use_qkv_bias",
            out_bias="use_bias",
            mlp_bias="use_bias",
            experts=replace(ALL, sparse=windows.sparse_after),
        ),
    ),
    "aria_text": Traits(
        kv_heads="heads",
        bias="attention_bias",
        mlp_bias="mlp_bias",
        experts=Experts(
            width=("moe_intermediate_size", "intermediate_size"),
            shared=("moe_num_shared_experts",),
            shared_bias="mlp_bias",
        ),
    ),
    "deepseek": DEEPSEEK,
    "deepseek_ocr2_text": DEEPSEEK,
    "qwen3_omni_moe_text": ASKED,
}
