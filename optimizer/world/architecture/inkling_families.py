"""Inkling 1 and 2: short convolutions around attention with relative positions.

Keys, values, and what attention and experts give pass a convolution over the last
tokens each, whose inputs are kept in fp32. *Source*: the configuration and modeling
code of inkling and inkling2 in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import Experts, Traits, feeds_of, untied
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record

KINDS = {
    "hybrid": False,
    "full_attention": False,
    "hybrid_sliding": True,
    "sliding_attention": True,
}


def read_inkling(f: Fields, name: str) -> Record:
    """Inkling: two shared experts that the router weighs with the others."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    if "dense_intermediate_size" in f:  # then the plain word is that of an expert
        inner, expert = "dense_intermediate_size", "intermediate_size"
    else:
        inner, expert = "intermediate_size", "moe_intermediate_size"
    wide, shared = f.number(expert), f.number("n_shared_experts", least=0)
    sparse = blocks.mixture(
        width,
        wide,
        f.number("n_routed_experts", "num_experts"),
        f.number("num_experts_per_tok"),
        shared=shared * blocks.dense(width, wide) + shared * width,
        extra=1,
    )
    plain = Feed(blocks.dense(width, f.number(inner)) + 1) if inner in f else Feed()
    layers = tuple(
        Layer(
            _mixer(f, slides, second=False),
            sparse if one else plain,
            2 * width + 2 * width * _kernel(f),
        )
        for slides, one in zip(_slides(f, count), _sparse(f, count), strict=True)
    )
    record = around(untied(f), name, layers, tied=False, extra=width)
    return _widths(f, record)


def read_inkling2(f: Fields, name: str) -> Record:
    """Inkling 2: gates, sinks and residuals that attend to earlier blocks."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    feeds = feeds_of(f, Traits(experts=Experts()), count)
    layers = []
    for i, slides in enumerate(_slides(f, count)):
        norms = (2 if slides else 4) * width + 2 * width * _kernel(f)
        queries = width + (0 if i == 0 else (1 if slides else 3) * width)
        layers.append(Layer(_mixer(f, slides, second=True), feeds[i], norms + queries))
    record = around(f, name, tuple(layers), tied=False, extra=2 * width)
    read = f.number("unpadded_vocab_size") * width
    return _widths(f, replace(record, output_embedding=read))


def _kernel(f: Fields) -> int:
    return f.number("conv_kernel_size", "sconv_kernel_size")


def _slides(f: Fields, count: int) -> tuple[bool, ...]:
    """Which layers slide."""
    told = f.layered("layer_types", count)
    if told is None:
        local = f.whole_numbers("local_layer_ids")
        if local is None:
            raise f.wrong("layer_types", "is missing; it says which layers slide")
        return tuple(i in set(local) for i in range(count))
    for index, word in enumerate(told):
        if word not in KINDS:
            raise f.wrong(f"layer_types.{index}", f"is not known here, {shown(word)}")
    return tuple(KINDS[word] for word in told)


def _sparse(f: Fields, count: int) -> tuple[bool, ...]:
    told = f.layered("mlp_layer_types", count)
    if told is None:
        first = f.maybe("dense_mlp_idx") or 0
        return tuple(i >= first for i in range(count))
    for index, word in enumerate(told):
        if word not in {"dense", "sparse"}:
            raise f.wrong(f"mlp_layer_types.{index}", f"is not known, {shown(word)}")
    return tuple(word == "sparse" for word in told)


def _mixer(f: Fields, slides: bool, *, second: bool) -> Mixer:
    """Attention with relative positions and its convolutions."""
    width, kernel = f.number("hidden_size"), _kernel(f)
    own = "swa_" if slides else ""
    heads = f.number(f"{own}num_attention_heads")
    kv_heads = f.number(f"{own}num_key_value_heads")
    head = f.number(f"{own}head_dim")
    rank, reach = f.number("d_rel"), f.number("rel_extent")
    window = f.number("sliding_window_size", "sliding_window") if slides else None
    keys = kv_heads * head
    extra = width * heads * rank + 2 * keys * kernel
    if second:
        extra += heads * head + heads * rank + width * heads  # scales, sinks
        extra += width * heads * head  # a gate
        extra += 0 if slides else 2 * width * kv_heads * kernel
    else:
        extra += 2 * head
    span = reach if window is None else window
    mixer = blocks.grouped(
        width,
        heads,
        kv_heads,
        head,
        window=window,
        kind="sliding" if slides else "full",
        extra=extra + rank * span,
    )
    kept = (2 * keys + 2 * width) * kernel
    return replace(mixer, kind=f"{mixer.kind} + convolution", state=blocks.FP32 * kept)


def _widths(f: Fields, record: Record) -> Record:
    head = f.number("head_dim")
    return replace(
        record,
        kv_heads=f.number("num_key_value_heads"),
        key_width=head,
        value_width=head,
    )
