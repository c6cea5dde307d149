"""Families in which some layers keep a state of fixed size: Qwen 3.5, Granite 4, …

*Source*: the configuration and modeling code of each family in Transformers 5.24;
their states are recurrent ones in fp32 and the last inputs of convolutions in bf16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from optimizer.reading.quantity import shown
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import (
    BY_HAND,
    Experts,
    Traits,
    feeds_of,
    heads_of,
    kinds_of,
    mixer_of,
    read_decoder,
    tied_of,
    with_prediction,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import FIRST, around, latent_mixer
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record

SHARED = Experts(
    shared_width=("shared_expert_intermediate_size",),
    shared_gate=True,
    sparse=windows.stepped,
)


def delta(f: Fields) -> Mixer:
    """Qwen's gated delta rule."""
    return blocks.gated_delta(
        f.number("hidden_size"),
        f.number("linear_num_key_heads"),
        f.number("linear_num_value_heads"),
        f.number("linear_key_head_dim"),
        f.number("linear_value_head_dim"),
        f.number("linear_conv_kernel_dim"),
    )


def every_fourth(f: Fields, count: int) -> tuple[str, ...]:
    """Every so many layers see everything, the others are linear."""
    period = f.number("full_attention_interval")
    return tuple("linear" if (i + 1) % period else "full" for i in range(count))


QWEN_NEXT = Traits(
    head_size="ask",
    qkv_bias="attention_bias",
    out_bias="attention_bias",
    qk_norm="head",
    gate="wide",
    linear=delta,
    window=every_fourth,
)
HYBRIDS: Mapping[str, Traits] = {
    "qwen3_5_text": QWEN_NEXT,
    "qwen3_5_moe_text": replace(QWEN_NEXT, experts=SHARED),
    "qwen3_next": replace(QWEN_NEXT, experts=SHARED),
    "lara_mini": replace(
        QWEN_NEXT,
        gate="",
        tied=True,
        window=None,
        experts=Experts(
            shared_width=("shared_expert_intermediate_size",), sparse=windows.stepped
        ),
    ),
    "olmo_hybrid": Traits(
        kv_heads="heads",
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        qk_norm="whole",
        linear=delta,
    ),
}


def mamba2_of(f: Fields, *, norm: bool = True, bias: str = "mamba_proj_bias") -> Mixer:
    """A Mamba-2 mixer under the words of Granite, Bamba and Falcon H1."""
    heads, head = f.number("mamba_n_heads"), head_of(f)
    return blocks.mamba2(
        f.number("hidden_size"),
        heads,
        head,
        f.number("mamba_d_state"),
        f.number("mamba_n_groups"),
        f.number("mamba_d_conv"),
        bias=f.flag(bias, missing=False),
        conv_bias=f.flag("mamba_conv_bias", missing=True),
        norm=norm,
    )


def head_of(f: Fields) -> int:
    """The width of a state-space head; `auto` divides the inner width."""
    heads = f.number("mamba_n_heads")
    if f.value.get("mamba_d_head") not in {None, "auto"}:
        return f.number("mamba_d_head")
    inner = f.number("mamba_expand") * f.number("hidden_size")
    if inner % heads:
        raise f.wrong("mamba_n_heads", f"must divide the inner width of {inner}")
    return inner // heads


def read_granite_hybrid(f: Fields, name: str) -> Record:
    """Granite 4: state-space layers, some attention, experts and a shared block."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    experts = f.maybe("num_local_experts") or 0
    shared = f.number("shared_intermediate_size")
    feed = Feed(blocks.dense(width, shared))
    if experts:
        inner = f.number("intermediate_size")
        feed = blocks.mixture(
            width,
            inner,
            experts,
            f.number("num_experts_per_tok"),
            shared=blocks.dense(width, shared),
        )
    t = Traits(
        qkv_bias="attention_bias", out_bias="attention_bias", linear=mamba2_of
    )
    if f.layered("layer_types", count) is None:
        f.sequence("layer_types")
        raise f.wrong("layer_types", "is missing; it says which layers attend")
    kinds = kinds_of(f, t, count)
    layers = tuple(Layer(mixer_of(f, t, kind), feed, 2 * width) for kind in kinds)
    return _grouped(f, t, name, layers)


def _grouped(f: Fields, t: Traits, name: str, layers: tuple[Layer, ...]) -> Record:
    heads, kv_heads, head = heads_of(f, t)
    record = around(f, name, layers, tied=t.tied)
    return replace(
        record, heads=heads, kv_heads=kv_heads, key_width=head, value_width=head
    )


def read_bamba(f: Fields, name: str) -> Record:
    """Bamba: Mamba-2 layers, attention in those that are named."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(
        qkv_bias="attention_bias", out_bias="attention_bias", mlp_bias="mlp_bias",
        linear=mamba2_of,
    )
    if f.layered("layer_types", count) is not None:
        kinds = kinds_of(f, t, count)
    else:
        full = set(f.whole_numbers("attn_layer_indices") or ())
        kinds = tuple("full" if i in full else "linear" for i in range(count))
    feeds = feeds_of(f, t, count)
    layers = tuple(
        Layer(mixer_of(f, t, kind), feed, 2 * width)
        for kind, feed in zip(kinds, feeds, strict=True)
    )
    return _grouped(f, t, name, layers)


def read_falcon_h1(f: Fields, name: str) -> Record:
    """Falcon H1: attention and a state space side by side in each layer."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(
        head_size="divide", qkv_bias="attention_bias", out_bias="attention_bias",
        mlp_bias="mlp_bias",
    )
    heads = f.number("mamba_n_heads")
    inner = f.maybe("mamba_d_ssm", least=1)
    head = head_of(f) if inner is None else inner // heads
    space = blocks.mamba2(
        width,
        heads,
        head,
        f.number("mamba_d_state"),
        f.number("mamba_n_groups"),
        f.number("mamba_d_conv"),
        bias=f.flag("mamba_proj_bias", missing=False),
        conv_bias=f.flag("mamba_conv_bias", missing=True),
        norm=f.flag("mamba_rms_norm", missing=False),
    )
    attention = mixer_of(f, t, "full")
    both = replace(
        attention,
        kind="full + state-space",
        parameters=attention.parameters + space.parameters,
        state=space.state,
    )
    feeds = feeds_of(f, t, count)
    layers = tuple(Layer(both, feed, 2 * width) for feed in feeds)
    return _grouped(f, t, name, layers)


def read_jamba(f: Fields, name: str) -> Record:
    """Jamba: Mamba layers, attention and experts each in a period of its own."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    space = blocks.mamba(
        width,
        f.number("mamba_expand") * width,
        f.number("mamba_d_state"),
        f.number("mamba_dt_rank"),
        f.number("mamba_d_conv"),
        bias=f.flag("mamba_proj_bias", missing=False),
        conv_bias=f.flag("mamba_conv_bias", missing=True),
        norms=True,
    )
    t = Traits(
        experts=Experts(
            width=("intermediate_size",),
            sparse=lambda f, count: _periodic(f, count, "expert"),
        )
    )
    full = _periodic(f, count, "attn")
    feeds = feeds_of(f, t, count)
    layers = tuple(
        Layer(mixer_of(f, t, "full") if see else space, feed, 2 * width)
        for see, feed in zip(full, feeds, strict=True)
    )
    return _grouped(f, t, name, layers)


def _periodic(f: Fields, count: int, what: str) -> tuple[bool, ...]:
    period = f.number(f"{what}_layer_period")
    offset = f.number(f"{what}_layer_offset", least=0)
    return tuple(i % period == offset for i in range(count))


def read_mamba2(f: Fields, name: str) -> Record:
    """Mamba-2: nothing but state spaces."""
    count, width = f.number("num_hidden_layers", "n_layer"), f.number("hidden_size")
    heads, head = f.number("num_heads"), f.number("head_dim")
    expand = f.number("expand")
    if heads * head != expand * width:
        raise f.wrong(
            "num_heads",
            f"times head_dim must be expand times hidden_size, {expand * width}, got "
            f"{heads * head}",
        )
    space = blocks.mamba2(
        width,
        heads,
        head,
        f.number("state_size"),
        f.number("n_groups"),
        f.number("conv_kernel"),
        bias=f.flag("use_bias", missing=False),
        conv_bias=f.flag("use_conv_bias", missing=True),
    )
    return _states(f, name, (Layer(space, around=width),) * count)


def read_mamba(f: Fields, name: str) -> Record:
    """Mamba, and Falcon Mamba: nothing but state spaces of the first kind."""
    count, width = f.number("num_hidden_layers", "n_layer"), f.number("hidden_size")
    rank = f.value.get("time_step_rank")
    space = blocks.mamba(
        width,
        f.number("intermediate_size"),
        f.number("state_size"),
        -(-width // 16) if rank in {None, "auto"} else f.number("time_step_rank"),
        f.number("conv_kernel"),
        bias=f.flag("use_bias", missing=False),
        conv_bias=f.flag("use_conv_bias", missing=True),
    )
    return _states(f, name, (Layer(space, around=width),) * count, tied=True)


def _states(
    f: Fields, name: str, layers: tuple[Layer, ...], *, tied: bool = False
) -> Record:
    record = around(f, name, layers, tied=tied)
    return replace(record, heads=0, kv_heads=0, key_width=0)


def read_kimi_linear(f: Fields, name: str) -> Record:
    """Kimi Linear and K3: delta attention, some latent layers, experts.

    Raises:
        FieldError: the lists of layers do not cover the layers once each.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    own = f.inside("linear_attn_config")
    full_rank = own.flag("use_full_rank_gate", missing=False)
    if own.value:
        kda = set(own.whole_numbers("kda_layers") or ())
        full = set(own.whole_numbers("full_attn_layers") or ())
        if kda & full or kda | full != set(range(1, count + 1)):
            raise own.wrong(
                "kda_layers",
                f"and full_attn_layers must name each of the {count} layers once, "
                "counted from 1",
            )
        kinds = tuple("linear" if i + 1 in kda else "latent" for i in range(count))
        heads, head = own.number("num_heads"), own.number("head_dim")
        kernel = own.number("short_conv_kernel_size")
    else:
        told = f.layered("layer_types", count)
        if told is None:
            own.number("num_heads")
        kinds = tuple(
            "linear" if w == "linear_attention" else "latent" for w in told or ()
        )
        heads, head = f.number("linear_num_heads"), f.number("linear_head_dim")
        kernel = f.number("linear_conv_kernel_dim")
    mixers = {
        "linear": blocks.delta_attention(width, heads, head, kernel, full_rank=full_rank),
        "latent": latent_mixer(f),
    }
    if f.flag("mla_use_output_gate", missing=False):
        wide = f.number("num_attention_heads") * f.number("v_head_dim")
        mixers["latent"] = replace(
            mixers["latent"], parameters=mixers["latent"].parameters + width * wide
        )
    feeds = feeds_of(f, Traits(experts=FIRST), count)
    inner = f.maybe("routed_expert_hidden_size", least=1)
    if inner is not None:
        feeds = tuple(_latent_experts(f, feed, width, inner) for feed in feeds)
    layers = tuple(
        Layer(mixers[kind], feed, 2 * width)
        for kind, feed in zip(kinds, feeds, strict=True)
    )
    return around(f, name, layers, tied=False)


def _latent_experts(f: Fields, feed: Feed, width: int, inner: int) -> Feed:
    """Experts that work in a narrower stream, with matrices into it and out of it."""
    if not feed.experts:
        return feed
    norm = inner * f.flag("latent_moe_use_norm", missing=False)
    return replace(
        feed,
        parameters=feed.parameters + 2 * width * inner + norm,
        expert=blocks.dense(inner, f.number("moe_intermediate_size")),
    )


LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
BLOCKS = {
    **{word: word for word in LETTERS.values()},
    "linear_attention": "mamba",
    "full_attention": "attention",
}


def read_nemotron_h(f: Fields, name: str) -> Record:
    """Nemotron H, 3 and 3.5: each layer is one block, of four kinds.

    Raises:
        FieldError: a kind is not known, or the pattern has another length.
    """
    words = _pattern(f)
    width = f.number("hidden_size")
    made = {
        word: _block(f, word, width) for word in dict.fromkeys(BLOCKS[w] for w in words)
    }
    layers = tuple(
        Layer(*made[BLOCKS[word]], around=width) for word in words
    )
    t = Traits(head_size="ask")
    record = _grouped(f, t, name, layers)
    return record


def _pattern(f: Fields) -> tuple[str, ...]:
    text = f.raw("hybrid_override_pattern")[1]
    if isinstance(text, str):
        for letter in text:
            if letter not in LETTERS:
                raise f.wrong(
                    "hybrid_override_pattern",
                    f"has {shown(letter)}, which is none of {', '.join(LETTERS)}",
                )
        words: tuple[str, ...] = tuple(LETTERS[letter] for letter in text)
    else:
        told = f.words("layers_block_type") or f.words("layer_types")
        if not told:
            raise f.wrong(
                "layers_block_type",
                "is missing, and hybrid_override_pattern too; one of them says what "
                "each layer is",
            )
        for index, word in enumerate(told):
            if word not in BLOCKS:
                raise f.wrong(
                    f"layers_block_type.{index}",
                    f"is a kind of layer that this does not know, {shown(word)}; "
                    f"{BY_HAND}",
                )
        words = told
    count = f.maybe("num_hidden_layers", least=1)
    if count not in {None, len(words)}:
        raise f.wrong(
            "num_hidden_layers", f"is {count}, and the pattern has {len(words)} layers"
        )
    return words


def _block(f: Fields, word: str, width: int) -> tuple[Mixer, Feed]:
    none = Mixer("none", 0)
    if word == "mamba":
        space = blocks.mamba2(
            width,
            f.number("mamba_num_heads"),
            f.number("mamba_head_dim"),
            f.number("ssm_state_size"),
            f.number("n_groups"),
            f.number("conv_kernel"),
            bias=f.flag("mamba_proj_bias", missing=False),
            conv_bias=f.flag("use_conv_bias", missing=True),
        )
        return space, Feed()
    if word == "attention":
        t = Traits(
            head_size="ask", qkv_bias="attention_bias", out_bias="attention_bias"
        )
        return mixer_of(f, t, "full"), Feed()
    bias = f.flag("mlp_bias", missing=False)
    if word == "mlp":
        inner = f.number("intermediate_size")
        return none, Feed(blocks.dense(width, inner, gated=False, bias=bias))
    return none, _nemotron_experts(f, width, bias)


def _nemotron_experts(f: Fields, width: int, bias: bool) -> Feed:
    """Experts without a gate, perhaps in a narrower stream."""
    inner = f.number("moe_intermediate_size")
    narrow = f.maybe("moe_latent_size", least=1)
    shared = f.number("moe_shared_expert_intermediate_size")
    whole = blocks.dense(width, shared, gated=False, bias=bias)
    if (f.maybe("n_shared_experts") or 0) == 0:
        whole = 0
    feed = blocks.mixture(
        width,
        inner,
        f.number("n_routed_experts"),
        f.number("num_experts_per_tok"),
        shared=whole,
        gated=False,
        bias=bias,
    )
    if narrow is None:
        return feed
    return replace(
        feed,
        parameters=feed.parameters + 2 * width * narrow + bias * (width + narrow),
        expert=blocks.dense(narrow, inner, gated=False, bias=bias),
    )


def read_lfm(f: Fields, name: str) -> Record:
    """LFM 2 and 3: gated short convolutions, and attention."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    kernel = f.number("conv_L_cache")
    conv = blocks.short_convolution(
        width, kernel, bias=f.flag("conv_bias", missing=False)
    )
    third = f.value.get("model_type") == "lfm3"
    t = Traits(
        tied=True,
        qk_norm="head",
        head_size="ask" if third else "divide",
        gate="head" if f.flag("use_attention_gate", missing=third) and third else "",
        linear=lambda _: conv,
        norms=4 if third and f.flag("use_sandwich_norm", missing=True) else 2,
        experts=FIRST
        if f.value.get("model_type") != "lfm2_moe"
        else Experts(sparse=windows.sparse_from("num_dense_layers")),
    )
    if f.layered("layer_types", count) is None:
        if (full := f.whole_numbers("full_attn_idxs")) is None:
            f.words("layer_types")
            raise f.wrong("layer_types", "is missing; it says which layers attend")
        kinds = tuple("full_attention" if i in full else "conv" for i in range(count))
        f = replace(f, value={**f.value, "layer_types": list(kinds)})
    if not third and f.flag("block_auto_adjust_ff_dim", missing=True):
        f = replace(f, value={**f.value, "intermediate_size": _adjusted(f)})
    return read_decoder(f, t, name)


def _adjusted(f: Fields) -> int:
    """LFM 2 takes two thirds of the inner width, and rounds it up."""
    inner = f.number("intermediate_size", "block_ff_dim")
    if f.value.get("model_type") == "lfm2_moe":
        return inner
    inner = int(2 * inner / 3)
    factor = f.raw("block_ffn_dim_multiplier")[1]
    if isinstance(factor, int | float):
        inner = int(factor * inner)
    multiple = f.number("block_multiple_of")
    return multiple * -(-inner // multiple)


__all__ = ["HYBRIDS", "tied_of", "with_prediction"]
