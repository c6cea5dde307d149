"""Families that stand by themselves: Llama 3.2 Vision, Ettin, Doge, Step 3.

*Source*: the configuration and modeling code of each family in Transformers 5.24; of
Step 3 that in vLLM.
"""

from __future__ import annotations

import math

from optimizer.records import replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import (
    Traits,
    feeds_of,
    heads_of,
    is_on,
    read_decoder,
    untied,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.mixture_families import DEEPSEEK
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record, Store

LLAMA = Traits(kv_heads="heads")
DOGE = Traits(
    kv_heads="heads",
    bias="attention_bias",
    mlp_bias="mlp_bias",
    norms=4,  # two of them scale the residuals
    qk_norm="head",
    window=windows.always,
)


def read_mllama(f: Fields, name: str) -> Record:
    """Llama 3.2 Vision: some layers attend to an image and to nothing else."""
    record = read_decoder(untied(f), LLAMA, name)  # their sizes differ
    across = set(f.whole_numbers("cross_attention_layers") or ())
    if not across <= set(range(len(record.layers))):
        raise f.wrong(
            "cross_attention_layers",
            f"must name some of the {len(record.layers)} layers, counted from 0",
        )
    f.say(
        f"{len(across)} layers attend to an image; without one they keep nothing, and "
        "what they keep of one is not counted"
    )
    width, (heads, kv_heads, head) = record.width, heads_of(f, LLAMA)
    seen = blocks.grouped(width, heads, kv_heads, head, extra=2 * head + 2)
    other = Mixer("none", seen.parameters)
    return replace(
        record,
        layers=tuple(
            replace(one, mixer=other) if i in across else one
            for i, one in enumerate(record.layers)
        ),
        input_embedding=record.input_embedding + 8 * width,  # of marks of images
    )


def read_ettin(f: Fields, name: str) -> Record:
    """ModernBERT's decoder: a norm after the embeddings, a head before the answer."""
    half = f.maybe("sliding_window", least=1) or f.number("local_attention") // 2
    every = f.maybe("global_attn_every_n_layers", least=1) or 3
    count = f.number("num_hidden_layers")
    usual = [
        "sliding_attention" if i % every else "full_attention" for i in range(count)
    ]
    told = f.layered("layer_types", count)
    norm = 1 + is_on(f, "norm_bias")
    traits = Traits(
        tied=True,
        kv_heads="heads",
        norm=norm,
        bias="attention_bias",
        mlp_bias="mlp_bias",
        head_bias="decoder_bias",
        defaults={"decoder_bias": True},
    )
    words = {
        "sliding_window": half,
        "layer_types": list(told or usual),
        "num_key_value_heads": None,
    }
    record = read_decoder(replace(f, value={**f.value, **words}), traits, name)
    width, head = record.width, record.width**2
    head += width * is_on(f, "classifier_bias") + norm * width
    first = replace(record.layers[0], around=norm * width)  # without a norm before
    return replace(
        record,
        layers=(first, *record.layers[1:]),
        around=record.around + norm * width + head,
    )


def read_doge(f: Fields, name: str) -> Record:
    """Doge: a mask of values, and experts of one neuron each that are looked up."""
    record = read_decoder(f, DOGE, name)
    kv_heads, width = record.kv_heads, record.width
    mask = kv_heads + kv_heads * (
        kv_heads * record.key_width + is_on(f, "attention_bias")
    )
    layers = tuple(replace(one, around=one.around + mask) for one in record.layers)
    if f.flag("is_moe", missing=False):
        experts = f.number("num_experts")
        router = 2 * width * math.isqrt(experts)
        mixed = Feed(
            parameters=record.layers[0].feed.parameters + router,
            experts=experts,
            chosen=f.number("num_experts_per_tok"),
            expert=2 * width,
        )
        layers = tuple(replace(one, feed=mixed) for one in layers)
    return replace(record, layers=layers)


def read_step3(f: Fields, name: str) -> Record:
    """Step 3: queries through a narrow matrix, one key and value head for all.

    *Source*: StepFun 2025, "Step-3 is Large yet Affordable", on factorised attention.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    heads, head = f.number("num_attention_heads"), f.number("head_dim")
    narrow = f.maybe("share_q_dim", least=1) or head
    parameters = width * (narrow + 2 * head) + narrow + narrow * heads * head
    mixer = Mixer(
        "full",
        parameters + heads * head * width,
        stores=(Store(2 * head),),
        pair=2 * heads * head,
    )
    sparse = _listed(f, count)
    experts = blocks.mixture(
        width,
        f.number("moe_intermediate_size"),
        f.number("moe_num_experts"),
        f.number("moe_top_k"),
        shared=blocks.dense(width, f.number("share_expert_dim")),
    )
    plain = Feed() if all(sparse) else feeds_of(f, Traits(), 1)[0]
    layers = tuple(Layer(mixer, experts if one else plain, 2 * width) for one in sparse)
    record = around(f, name, layers, tied=False)
    return replace(record, kv_heads=1, key_width=head, value_width=head)


def _listed(f: Fields, count: int) -> tuple[bool, ...]:
    """Which layers have experts: those in `moe_layers_enum`, a text with commas."""
    told = f.raw("moe_layers_enum")[1]
    if told is None:
        f.say(
            "moe_layers_enum is not in the file: every layer but the first has experts"
        )
        return tuple(i > 0 for i in range(count))
    parts = told.split(",") if isinstance(told, str) else told
    if not isinstance(parts, list) or not all(str(x).strip().isdigit() for x in parts):
        raise f.wrong("moe_layers_enum", 'must be numbers of layers, such as "4,5,6"')
    listed = {int(str(x)) for x in parts}
    return tuple(i in listed for i in range(count))


def read_unlimited(f: Fields, name: str) -> Record:
    """Unlimited OCR: all of the prompt is kept, and a window of what was written."""
    f.say(
        "what is written is kept for a window only; the cache told is that of a prompt"
    )
    return read_decoder(
        replace(f, value={**f.value, "layer_types": None}), DEEPSEEK, name
    )
