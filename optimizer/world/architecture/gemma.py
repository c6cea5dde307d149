"""Gemma 3n and 4: embeddings for each layer, shared caches, heads of two widths.

The last layers may read what an earlier layer of their kind keeps, and keep nothing;
in Gemma 4 full layers have heads of `global_head_dim`, and values that may be the keys
again. *Source*: the configuration and modeling code of gemma3n and gemma4 in
Transformers 5.24.
"""

from __future__ import annotations

from optimizer.records import replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import Traits, heads_of, is_on, kinds_of
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record

THIRD_N = {
    "head_dim": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 262400,
    "vocab_size_per_layer_input": 262144,
    "hidden_size_per_layer_input": 256,
    "laurel_rank": 64,
    "altup_num_inputs": 4,
    "num_kv_shared_layers": 15,
    "sliding_window": 512,
}
FOURTH = {
    "head_dim": 256,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "vocab_size": 262144,
    "vocab_size_per_layer_input": 262144,
    "hidden_size_per_layer_input": 256,
    "sliding_window": 512,
    "global_head_dim": 512,
}
NO_LAYER_EMBEDDINGS = {"hidden_size_per_layer_input": 0}


def read_gemma3n(f: Fields, name: str) -> Record:
    """Gemma 3n: four streams, low-rank side paths, embeddings for each layer."""
    f = replace(f, defaults=THIRD_N)
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(tied=True, head_size="ask", window=windows.one_in(5))
    heads, kv_heads, head = heads_of(f, t)
    kinds = kinds_of(f, t, count)
    shared = f.number("num_kv_shared_layers", least=0)
    streams, rank = f.number("altup_num_inputs"), f.number("laurel_rank")
    inner = f.number("hidden_size_per_layer_input")
    side = width + streams**2 + streams**3 + streams * width + width  # AltUp
    side += 2 * width * rank + width  # LAuReL
    side += 2 * width * inner + width  # the layer's own embedding
    widths = _inner_widths(f, count)
    layers = []
    for i, kind in enumerate(kinds):
        mixer = _attention(f, kind, heads, kv_heads, head, reuse=i >= count - shared)
        feed = Feed(blocks.dense(width, widths[i]))
        layers.append(Layer(mixer, feed, 4 * width + side))
    record = _with_layer_embeddings(f, around(f, name, tuple(layers), tied=True), count)
    extra = 2 * (streams - 1) * width**2
    return replace(_widths(record, heads, kv_heads, head), around=record.around + extra)


def _widths(record: Record, heads: int, kv_heads: int, head: int) -> Record:
    return replace(
        record, heads=heads, kv_heads=kv_heads, key_width=head, value_width=head
    )


def _inner_widths(f: Fields, count: int) -> tuple[int, ...]:
    if isinstance(f.raw("intermediate_size")[1], list | tuple):
        widths = f.whole_numbers("intermediate_size") or ()
        if len(widths) != count:
            raise f.wrong(
                "intermediate_size", f"has {len(widths)} entries for {count} layers"
            )
        return widths
    return (f.number("intermediate_size"),) * count


def _with_layer_embeddings(f: Fields, record: Record, count: int) -> Record:
    inner = f.maybe("hidden_size_per_layer_input") or 0
    if not inner:
        return record
    lookup = f.number("vocab_size_per_layer_input") * count * inner
    f.say(
        f"{lookup / 1e9:.2f}B parameters are embeddings of the layers, looked up and "
        "never multiplied"
    )
    return replace(
        record,
        input_embedding=record.input_embedding + lookup,
        lookup=lookup,
        around=record.around + record.width * count * inner + inner,
    )


def _attention(
    f: Fields,
    kind: str,
    heads: int,
    kv_heads: int,
    head: int,
    *,
    reuse: bool,
    same: bool = False,
) -> Mixer:
    """Attention with a norm of queries and keys, or one that reads another's cache."""
    width = f.number("hidden_size")
    bias = is_on(f, "attention_bias")
    window = f.number("sliding_window") if kind == "sliding" else None
    mixer = blocks.grouped(
        width,
        heads,
        kv_heads,
        head,
        window=window,
        kind=kind,
        qkv_bias=bias,
        out_bias=bias,
        extra=2 * head,
        same=same,
    )
    if not reuse:
        return mixer
    own = width * kv_heads * head * (1 if same else 2) + head
    own += bias * kv_heads * head * (1 if same else 2)
    return replace(mixer, kind="shared", parameters=mixer.parameters - own, stores=())


def read_gemma4(f: Fields, name: str) -> Record:
    """Gemma 4: dense or with experts beside a dense block.

    Raises:
        FieldError: a word is missing or impossible.
    """
    unified = f.value.get("model_type") == "gemma4_unified_text"
    f = replace(f, defaults=FOURTH | NO_LAYER_EMBEDDINGS if unified else FOURTH)
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(tied=True, head_size="ask", window=windows.one_in(6))
    heads, kv_heads, head = heads_of(f, t)
    kinds = list(kinds_of(f, t, count))
    kinds[-1] = "full"
    same = f.flag("attention_k_eq_v", missing=False)
    wide, few = _full_heads(f, kv_heads, same)
    shared = f.maybe("num_kv_shared_layers") or 0
    inner = f.number("intermediate_size")
    per_layer = f.maybe("hidden_size_per_layer_input")
    if per_layer is None:
        per_layer = f.number("hidden_size_per_layer_input")
    double = f.flag("use_double_wide_mlp", missing=False)
    extra = 2 * width * per_layer + width if per_layer else 0
    layers = []
    for i, kind in enumerate(kinds):
        reuse = i >= count - shared
        if kind == "full":
            mixer = _attention(f, kind, heads, few, wide, reuse=reuse, same=same)
        else:
            mixer = _attention(f, kind, heads, kv_heads, head, reuse=reuse)
        feed = Feed(blocks.dense(width, inner * (2 if double and reuse else 1)))
        norms = 4
        if f.flag("enable_moe_block", missing=False):
            feed, norms = _beside(f, feed, width), 7
        layers.append(Layer(mixer, feed, norms * width + extra))
    record = around(f, name, tuple(layers), tied=True)
    return _widths(_with_layer_embeddings(f, record, count), heads, kv_heads, head)


def _full_heads(f: Fields, kv_heads: int, same: bool) -> tuple[int, int]:
    """The width of a head, and the key and value heads, of full layers."""
    own = f.inside("per_layer_config")
    for word in own.value:
        one = own.inside(word)
        return (
            one.number("head_dim"),
            one.maybe("num_key_value_heads", least=1) or kv_heads,
        )
    few = f.maybe("num_global_key_value_heads", least=1) if same else None
    return f.number("global_head_dim"), few or kv_heads


def _beside(f: Fields, feed: Feed, width: int) -> Feed:
    experts = f.number("num_experts")
    return blocks.mixture(
        width,
        f.number("moe_intermediate_size", "expert_intermediate_size"),
        experts,
        f.number("top_k_experts"),
        shared=feed.parameters,
        extra=width + experts,
    )
