"""Families in which layers keep a state of fixed size: Qwen 3.5, Granite 4, Jamba.

*Source*: the configuration and modeling code of each family in Transformers 5.24;
their states are recurrent ones in fp32 and the last inputs of convolutions in bf16.
"""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.records import replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import (
    Experts,
    Traits,
    feeds_of,
    heads_of,
    kinds_of,
    mixer_of,
    mixers_of,
    stacked,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
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
    bias="attention_bias",
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
        bias="attention_bias",
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
    if not f.automatic("mamba_d_head"):
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
    t = Traits(bias="attention_bias", linear=mamba2_of)
    if f.layered("layer_types", count) is None:
        f.sequence("layer_types")
        raise f.wrong("layer_types", "is missing; it says which layers attend")
    kinds = kinds_of(f, t, count)
    layers = stacked(mixers_of(f, t, kinds), (feed,) * count, 2 * width)
    return with_heads(f, t, name, layers)


def with_heads(f: Fields, t: Traits, name: str, layers: tuple[Layer, ...]) -> Record:
    """A record of layers, some of which have grouped attention."""
    heads, kv_heads, head = heads_of(f, t)
    record = around(f, name, layers, tied=t.tied)
    return replace(
        record, heads=heads, kv_heads=kv_heads, key_width=head, value_width=head
    )


def read_bamba(f: Fields, name: str) -> Record:
    """Bamba: Mamba-2 layers, attention in those that are named."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(
        bias="attention_bias",
        mlp_bias="mlp_bias",
        linear=mamba2_of,
    )
    if f.layered("layer_types", count) is not None:
        kinds = kinds_of(f, t, count)
    else:
        full = set(f.whole_numbers("attn_layer_indices") or ())
        kinds = tuple("full" if i in full else "linear" for i in range(count))
    feeds = feeds_of(f, t, count)
    layers = stacked(mixers_of(f, t, kinds), feeds, 2 * width)
    return with_heads(f, t, name, layers)


def read_falcon_h1(f: Fields, name: str) -> Record:
    """Falcon H1: attention and a state space side by side in each layer."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(
        head_size="divide",
        bias="attention_bias",
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
    out = f.flag("projectors_bias", missing=False)  # its word for the way out
    out_bias = width * (out - f.flag("mamba_proj_bias", missing=False))
    attention = mixer_of(f, t, "full")
    both = replace(
        attention,
        kind="full + state-space",
        parameters=attention.parameters + space.parameters + out_bias,
        state=space.state,
    )
    feeds = feeds_of(f, t, count)
    layers = tuple(Layer(both, feed, 2 * width) for feed in feeds)
    return with_heads(f, t, name, layers)


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
    attention = mixer_of(f, t, "full")
    layers = stacked((attention if see else space for see in full), feeds, 2 * width)
    return with_heads(f, t, name, layers)


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
    space = blocks.mamba(
        width,
        f.number("intermediate_size"),
        f.number("state_size"),
        -(-width // 16)
        if f.automatic("time_step_rank")
        else f.number("time_step_rank"),
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
