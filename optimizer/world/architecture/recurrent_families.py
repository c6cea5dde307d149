"""Recurrent Gemma, Zamba, xLSTM: recurrent layers, some beside shared attention.

*Source*: the configuration and modeling code of recurrent_gemma, zamba, zamba2 and
xlstm in Transformers 5.24.
"""

from __future__ import annotations

import math

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import Traits, heads_of, is_on, untied
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record


def read_recurrent_gemma(f: Fields, name: str) -> Record:
    """Recurrent Gemma: gated linear recurrences, and windows of attention."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    told = f.words("block_types") or f.words("_block_types")
    if not told:
        raise f.wrong("block_types", "is missing; it says which layers attend")
    t = Traits(head_size="ask", kv_heads="heads")
    heads, kv_heads, head = heads_of(f, t)
    attention = blocks.grouped(
        width, heads, kv_heads, head,
        window=f.number("attention_window_size"), kind="sliding",
        qkv_bias=is_on(f, "attention_bias"), extra=width,
    )  # fmt: skip
    inner, kernel = f.maybe("lru_width", least=1) or width, f.number("conv1d_width")
    if inner % heads:
        raise f.wrong("lru_width", f"must be a multiple of {heads} heads, got {inner}")
    gates = 2 * (inner * (inner // heads) + inner)
    own = 2 * (width + 1) * inner + (inner + 1) * width + inner * (kernel + 1)
    recurrent = Mixer(
        "linear",
        own + inner + gates,
        state=blocks.FP32 * inner + blocks.BF16 * inner * (kernel - 1),
    )
    half = f.number("intermediate_size", least=2) // 2
    feed = Feed(blocks.dense(width, half, bias=True))
    mixers = {"recurrent": recurrent, "attention": attention}
    for i, word in enumerate(told):
        if word not in mixers:
            raise f.wrong(f"block_types.{i}", f"is not known, {shown(word)}")
    layers = tuple(
        Layer(mixers[told[i % len(told)]], feed, 2 * width) for i in range(count)
    )
    record = around(f, name, layers, tied=True)
    return replace(record, kv_heads=kv_heads, key_width=head, value_width=head)


def read_zamba(f: Fields, name: str) -> Record:
    """Zamba: Mamba in every layer, before some of them attention with shared weights.

    The shared block works on the stream beside the embeddings, twice the width.
    """
    second = f.value.get("model_type") == "zamba2"
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    told = f.layered("layers_block_type", count) or f.layered("layer_types", count)
    if told is None:
        raise f.wrong("layers_block_type", "is missing; it says which layers attend")
    for i, word in enumerate(told):
        if word not in {"mamba", "linear_attention", "hybrid", "g", "m"}:
            raise f.wrong(f"layers_block_type.{i}", f"is not known, {shown(word)}")
    hybrids = [i for i, word in enumerate(told) if word in {"hybrid", "g"}]
    space = _mamba2(f, width) if second else _mamba(f, width)
    heads, wide = f.number("num_attention_heads"), 2 * width
    kv_heads = f.maybe("num_key_value_heads", least=1) or heads
    if wide % heads or heads % kv_heads:
        raise f.wrong("num_attention_heads", f"must divide {wide}, got {heads}")
    head = f.maybe("attention_head_dim", least=1) or wide // heads
    inner = f.maybe("intermediate_size", least=1) or 4 * width
    queries, keys = heads * head, kv_heads * head
    shared = wide * (queries + 2 * keys) + queries * width + wide + width
    bias = second and is_on(f, "add_bias_linear")
    shared += blocks.dense(width, inner) + bias * (2 * inner + width)
    copies = f.number("num_mem_blocks") if second else 1
    adapters = _adapters(f, width, inner, queries) if second else 0
    layers = []
    for i in range(count):
        if i not in hybrids:
            layers.append(Layer(space, around=width))
            continue
        turn = hybrids.index(i)
        own = width * width + adapters + (shared if turn < copies else 0)
        mixer = replace(
            blocks.grouped(width, heads, kv_heads, head),
            kind="full + state-space",
            parameters=own + space.parameters,
            state=space.state,
        )
        layers.append(Layer(mixer, around=width))
    if len(hybrids) > copies:
        again = (len(hybrids) - copies) * shared
        f.say(
            f"{len(hybrids)} layers pass {copies} shared of attention, counted once: "
            f"a token multiplies with {again / 1e9:.2f}B parameters once more"
        )
    record = around(f, name, tuple(layers), tied=True)
    return replace(
        record, heads=heads, kv_heads=kv_heads, key_width=head, value_width=head
    )


def _adapters(f: Fields, width: int, inner: int, queries: int) -> int:
    """Matrices of low rank that each place of a shared block has for itself."""
    rank = f.number("adapter_rank")
    own = width * rank + rank * 2 * inner
    if is_on(f, "use_shared_attention_adapter"):
        own += 3 * (2 * width * rank + rank * queries)
    return own


def _mamba2(f: Fields, width: int) -> Mixer:
    heads = f.number("n_mamba_heads")
    inner = f.number("mamba_expand") * width
    if inner % heads:
        raise f.wrong("n_mamba_heads", f"must divide {inner}, got {heads}")
    return blocks.mamba2(
        width,
        heads,
        inner // heads,
        f.number("mamba_d_state"),
        f.number("mamba_ngroups"),
        f.number("mamba_d_conv"),
        bias=is_on(f, "add_bias_linear"),
        conv_bias=f.flag("use_conv_bias", missing=True),
    )


def _mamba(f: Fields, width: int) -> Mixer:
    heads, inner = f.number("n_mamba_heads"), f.number("mamba_expand") * width
    if inner % heads:
        raise f.wrong("n_mamba_heads", f"must divide {inner}, got {heads}")
    rank = (
        -(-width // 16) if f.automatic("mamba_dt_rank") else f.number("mamba_dt_rank")
    )
    return blocks.mamba(
        width,
        inner,
        f.number("mamba_d_state"),
        rank,
        f.number("mamba_d_conv"),
        bias=f.flag("mamba_proj_bias", missing=False),
        conv_bias=f.flag("mamba_conv_bias", missing=True),
    )


def read_xlstm(f: Fields, name: str) -> Record:
    """XLSTM: a matrix of keys by values for each head."""
    count = f.number("num_blocks", "num_hidden_layers")
    width = f.number("embedding_dim", "hidden_size")
    heads = f.number("num_heads")
    keys = _rounded(f, "qk_dim_factor", width, 64)
    values = _rounded(f, "v_dim_factor", width, 64)
    bias = is_on(f, "use_bias")
    own = width * (2 * keys + 2 * values) + values * width + 2 * heads * (width + 1)
    own += values * (1 + bias) + bias * (2 * keys + 2 * values + width)
    step = f.number("ffn_round_up_to_multiple_of")
    inner = _rounded(f, "ffn_proj_factor", width, step)
    matrix = heads * (keys // heads) * (values // heads)
    mixer = Mixer("linear", own, state=blocks.FP32 * (matrix + keys + heads))
    norms = (2 if bias else 1) * 2 * width
    feed = Feed(blocks.dense(width, inner, bias=bias))
    layers = (Layer(mixer, feed, norms),) * count
    f = replace(f, value={**f.value, "hidden_size": width})
    record = around(untied(f), name, layers, tied=False)
    return replace(record, heads=0, kv_heads=0, key_width=0)


def _rounded(f: Fields, word: str, width: int, step: int) -> int:
    """A width that is a factor of the model's, rounded up to a multiple."""
    value = f.raw(word)[1]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise f.wrong(word, f"must be a factor, got {shown(value)}")
    if not 0 < value <= 100 or math.isnan(value):
        raise f.wrong(word, f"must be above 0 and at most 100, got {shown(value)}")
    return step * math.ceil(width * value / step)
