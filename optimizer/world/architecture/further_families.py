"""Families each with something of its own: MiMo V2, Ling 3, Mistral Large 4, MiniMax.

*Source*: the configuration and modeling code of each family in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import (
    Experts,
    Traits,
    feeds_of,
    heads_of,
    is_on,
    kinds_of,
    mixer_of,
    stacked,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.hybrid_families import with_heads
from optimizer.world.architecture.latent_families import FIRST, around, latent_mixer
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record


def read_mimo_v2(f: Fields, name: str) -> Record:
    """MiMo V2 Flash: windows with sinks and more key heads, values of another width.

    Raises:
        FieldError: a word is missing or impossible.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(head_size="ask", experts=FIRST)
    kinds = _mimo_kinds(f, t, count)
    heads, kv_heads, head = heads_of(f, t)
    value = f.number("v_head_dim")
    few = f.maybe("swa_num_key_value_heads", least=1) or _own_heads(f, kinds)
    own = f.maybe("swa_num_attention_heads", least=1) or heads
    narrow = f.maybe("swa_head_dim", least=1) or head
    slim = f.maybe("swa_v_head_dim", least=1) or value
    window = f.maybe("sliding_window_size", least=1)
    window = f.number("sliding_window") if window is None else window + 1
    bias = is_on(f, "attention_bias")
    mixers = {
        "full": blocks.grouped(width, heads, kv_heads, head, value, qkv_bias=bias),
        "sliding": blocks.grouped(
            width, own, few, narrow, slim, window=window, kind="sliding",
            qkv_bias=bias, extra=own,
        ),
    }  # fmt: skip
    feeds = feeds_of(f, t, count)
    layers = stacked((mixers[kind] for kind in kinds), feeds, 2 * width)
    record = around(f, name, layers, tied=False)
    return replace(record, kv_heads=kv_heads, key_width=head, value_width=value)


def _mimo_kinds(f: Fields, t: Traits, count: int) -> tuple[str, ...]:
    pattern = f.whole_numbers("hybrid_layer_pattern")
    if pattern is None or f.layered("layer_types", count) is not None:
        if f.layered("layer_types", count) is None:
            raise f.wrong("layer_types", "is missing; it says which layers slide")
        return kinds_of(f, t, count)
    if len(pattern) != count or not set(pattern) <= {0, 1}:
        raise f.wrong("hybrid_layer_pattern", f"must be 0 or 1 for {count} layers")
    return tuple("sliding" if one else "full" for one in pattern)


def _own_heads(f: Fields, kinds: tuple[str, ...]) -> int:
    """The key heads of sliding layers, where each layer has words of its own."""
    own = f.inside("per_layer_config")
    for word in own.value:
        if word.isdigit() and int(word) < len(kinds) and kinds[int(word)] == "sliding":
            return own.inside(word).number("num_key_value_heads")
    f.say("swa_num_key_value_heads is not in the file: twice those of full layers")
    return 2 * f.number("num_key_value_heads")


def read_mistral_large4(f: Fields, name: str) -> Record:
    """Mistral Large 4: latent attention under an index, some layers without position.

    Raises:
        FieldError: layers share their caches, which is not known.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    sources = f.whole_numbers("kv_source_layers")
    if sources is not None and sources != tuple(range(count)):
        raise f.wrong(
            "kv_source_layers", "has layers that share caches, which is not known here"
        )
    rotary = f.whole_numbers("no_rope_layers") or (1,) * count
    if len(rotary) != count:
        raise f.wrong("no_rope_layers", f"has {len(rotary)} entries for {count} layers")
    heads, index_heads = f.number("num_attention_heads"), f.number("index_n_heads")
    rope, nope = f.number("qk_rope_head_dim"), f.number("qk_nope_head_dim")
    shares = f.layered("indexer_types", count) or ("full",) * count
    # A norm before the index's queries, and scales of both kinds of scores.
    index_extra = 2 * width + 2 * index_heads
    layers = []
    feeds = feeds_of(f, Traits(experts=FIRST), count)
    for turns, share, feed in zip(rotary, shares, feeds, strict=True):
        own = f
        if not turns:
            flat = {**f.value, "qk_rope_head_dim": 0, "qk_nope_head_dim": nope + rope}
            own = replace(f, value=flat)
        mixer = latent_mixer(own, indexed=True, shared=share == "shared")
        more = 2 * heads + (index_extra if share != "shared" else 0)
        mixer = replace(mixer, parameters=mixer.parameters + more)
        layers.append(Layer(mixer, feed, 2 * width))
    return around(f, name, tuple(layers), tied=False, extra=rope // 2)


def read_minimax(f: Fields, name: str) -> Record:
    """MiniMax Text 01: lightning attention, one full layer in so many, experts."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(experts=Experts(width=("intermediate_size",)))
    heads, _, head = heads_of(f, t)
    inner = heads * head
    # Keys and values of all heads meet in a state of head times head, kept in bf16.
    lightning = Mixer(
        "linear",
        width * 3 * inner + 2 * width * inner + inner,
        state=blocks.BF16 * heads * head * head,
    )
    told = f.layered("layer_types", count)
    if told is not None:
        t = replace(t, linear=lambda _: lightning)
        kinds = kinds_of(f, t, count)
    else:
        pattern = f.whole_numbers("attn_type_list")
        if pattern is None or len(pattern) != count:
            raise f.wrong(
                "layer_types",
                f"is missing, and attn_type_list of {count} entries too; they say "
                "which layers are linear",
            )
        kinds = tuple("full" if one else "linear" for one in pattern)
    full = mixer_of(f, t, "full")
    feeds = feeds_of(f, t, count)
    layers = stacked(
        (full if kind == "full" else lightning for kind in kinds), feeds, 2 * width
    )
    return with_heads(f, t, name, layers)


def read_longcat(f: Fields, name: str) -> Record:
    """LongCat Flash: two latent attentions and dense blocks beside experts a layer.

    Some of the experts pass a token on as it is; a token passes at most `moe_topk`
    experts that work. Each layer is told as two, one of which has the experts.
    """
    count, width = f.number("num_layers", "num_hidden_layers"), f.number("hidden_size")
    zero = f.maybe("zero_expert_num") or 0
    experts, chosen = f.number("n_routed_experts"), f.number("moe_topk")
    dense = blocks.dense(width, f.number("ffn_hidden_size"))
    mixed = blocks.mixture(
        width,
        f.number("expert_ffn_hidden_size"),
        experts,
        chosen,
        shared=dense,
        extra=zero * width,
    )
    if zero:
        f.say(
            f"{zero} further experts hold nothing: a token passes {chosen} experts at "
            "most, and fewer where it is sent to those"
        )
    mixer = latent_mixer(f)
    pair = (Layer(mixer, mixed, 2 * width), Layer(mixer, Feed(dense), 2 * width))
    return around(f, name, pair * count, tied=False)


def read_dbrx(f: Fields, name: str) -> Record:
    """DBRX: grouped attention and 16 experts, under words of its own."""
    count, width = f.number("n_layers"), f.number("d_model")
    heads = f.number("n_heads")
    if width % heads:
        raise f.wrong("n_heads", f"must divide the width of {width}, got {heads}")
    kv_heads = f.inside("attn_config").number("kv_n_heads")
    own = f.inside("ffn_config")
    feed = blocks.mixture(
        width,
        own.number("ffn_hidden_size"),
        own.number("moe_num_experts"),
        own.number("moe_top_k"),
    )
    mixer = blocks.grouped(width, heads, kv_heads, width // heads)
    layers = (Layer(mixer, feed, 2 * width),) * count
    usual = {**f.value, "hidden_size": width, "num_attention_heads": heads}
    record = around(replace(f, value=usual), name, layers, tied=False)
    head = width // heads
    return replace(record, kv_heads=kv_heads, key_width=head, value_width=head)


def read_laguna(f: Fields, name: str) -> Record:
    """Laguna: query heads for each layer, a gate for each head."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(
        head_size="ask",
        qk_norm="head",
        bias="attention_bias",
        gate="head" if f.flag("gating", missing=True) else "",
        experts=Experts(
            shared_width=("shared_expert_intermediate_size",),
            extra=1,
            sparse=FIRST.sparse,
        ),
    )
    kinds = kinds_of(f, t, count)
    many = f.whole_numbers("num_attention_heads_per_layer")
    many = (f.number("num_attention_heads"),) * count if many is None else many
    if len(many) != count:
        raise f.wrong("num_attention_heads_per_layer", f"must have {count} entries")
    feeds = feeds_of(f, t, count)
    layers = []
    for kind, heads, feed in zip(kinds, many, feeds, strict=True):
        own = replace(f, value={**f.value, "num_attention_heads": heads})
        layers.append(Layer(mixer_of(own, t, kind), feed, 2 * width))
    return with_heads(f, t, name, tuple(layers))
