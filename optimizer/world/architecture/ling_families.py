"""Ling and Ring: groups of linear layers with one layer of full attention in each.

Ring Linear has lightning attention and grouped queries, Ling 2.5 lightning attention
and latent layers, Ling 3 delta attention and latent layers with a gate.
*Source*: bailing_hybrid in Transformers 5.24 (Ling 3); the models in mlx-lm 0.32
(`bailing_hybrid` for Ling 2.5, `bailing_moe_v3`, `bailing_moe_linear` for Ring).
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import (
    Traits,
    feeds_of,
    is_on,
    mixer_of,
    stacked,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.hybrid_families import with_heads
from optimizer.world.architecture.latent_families import FIRST, around, latent_mixer
from optimizer.world.architecture.record import Mixer, Record

RING = Traits(
    qkv_bias="use_qkv_bias",
    out_bias="use_bias",
    mlp_bias="use_bias",
    qk_norm="head",
    qk_norm_if="use_qk_norm",
    experts=FIRST,
)


def read_ring(f: Fields, name: str) -> Record:
    """Ring Linear: lightning attention with a gate, and one full layer in a group."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    heads = f.number("num_attention_heads")
    if width % heads:
        raise f.wrong("num_attention_heads", f"must divide {width}, got {heads}")
    # The reference takes the width over the heads, whatever head_dim says.
    head = width // heads
    own = replace(f, value={**f.value, "head_dim": head})
    mixers = {True: mixer_of(own, RING, "full"), False: _lightning(f, head)}
    layers = stacked(
        (mixers[full] for full in _grouped(f, count)),
        feeds_of(f, RING, count),
        2 * width,
    )
    return with_heads(f, RING, name, layers)


def read_ling(f: Fields, name: str) -> Record:
    """Ling 2.5 and 3, both `bailing_hybrid`: told apart by the word of convolution."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    told = f.layered("layer_types", count)
    full = (
        _grouped(f, count)
        if told is None
        else tuple(_latent(f, i, word) for i, word in enumerate(told))
    )
    if "short_conv_kernel_size" in f or "linear_conv_kernel_dim" in f:
        mixers = {True: _gated(f), False: _delta(f)}
    else:
        f.number("group_norm_size")  # of neither kind where this is missing, too
        mixers = {True: latent_mixer(f), False: _lightning(f, f.number("head_dim"))}
    t = Traits(experts=FIRST, mlp_bias="use_bias")
    layers = stacked((mixers[one] for one in full), feeds_of(f, t, count), 2 * width)
    return around(f, name, layers, tied=False)


def _grouped(f: Fields, count: int) -> tuple[bool, ...]:
    """The last layer of each group is full, and all that are left over at the end."""
    group = f.number("layer_group_size")
    whole = count // group * group
    return tuple((i + 1) % group == 0 or i >= whole for i in range(count))


def _latent(f: Fields, index: int, word: str) -> bool:
    if word not in {"linear_attention", "full_attention"}:
        raise f.wrong(f"layer_types.{index}", f"is not known here, got {shown(word)}")
    return word == "full_attention"


def _lightning(f: Fields, head: int) -> Mixer:
    """Lightning attention: a state without a rule to forget, a gate and a norm."""
    width, heads = f.number("hidden_size"), f.number("num_attention_heads")
    inner = heads * head
    parameters = 5 * width * inner + inner + 2 * head * is_on(f, "use_qk_norm")
    parameters += 3 * inner * is_on(f, "use_qkv_bias") + width * is_on(f, "use_bias")
    return Mixer("linear", parameters, state=blocks.FP32 * heads * head * head)


def _delta(f: Fields) -> Mixer:
    """Delta attention; its gates are whole matrices unless the file says otherwise."""
    whole = f.flag("no_kda_lora", missing=True)
    return blocks.delta_attention(
        f.number("hidden_size"),
        f.number("linear_num_heads", "num_attention_heads"),
        f.number("linear_head_dim", "head_dim"),
        f.number("short_conv_kernel_size", "linear_conv_kernel_dim"),
        full_rank=whole,
        full_decay=whole,
    )


def _gated(f: Fields) -> Mixer:
    """Latent attention with a gate of one number for each head."""
    word = "gated_attention_proj_granularity_type"
    kind = f.raw(word)[1]
    if kind not in {None, "head_wise"}:
        raise f.wrong(word, f"must be head_wise, got {shown(kind)}")
    latent = latent_mixer(f)
    gate = f.number("hidden_size") * f.number("num_attention_heads")
    return replace(latent, parameters=latent.parameters + gate)
