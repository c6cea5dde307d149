"""Step 3.5, Muse Spark, Ernie 4.5 VL, JetMoE, Molmo 2, Qwen, Grok, Arctic.

*Source*: the configuration and modeling code of step3p7, muse_spark, ernie4_5_vl_moe,
jetmoe and molmo2 in Transformers 5.24; for Qwen (the first), Grok and Arctic, which it
has not, the code that is published with the models.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import (
    Experts,
    Traits,
    feeds_of,
    kinds_of,
    mixer_of,
    mixers_of,
    read_decoder,
    stacked,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.hybrid_families import with_heads
from optimizer.world.architecture.record import Feed, Layer, Record


def read_step(f: Fields, name: str) -> Record:
    """Step 3.5 and 3.7: more heads in sliding layers, a gate for each head."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    f = _without_prediction(f, count)
    t = Traits(
        head_size="ask",
        bias="attention_bias",
        mlp_bias="mlp_bias",
        qk_norm="head",
        gate="head" if f.flag("use_head_wise_attn_gate", missing=True) else "",
        experts=Experts(
            shared_width=("share_expert_dim", "share_expert_dims"),
            shared_bias="mlp_bias",
            sparse=_step_sparse,
        ),
    )
    other = f.inside("attention_other_setting")
    more = f.maybe("num_sliding_attention_heads", least=1)
    own: dict[str, int] = {} if more is None else {"num_attention_heads": more}
    if other.value:
        own["num_attention_heads"] = other.number("num_attention_heads")
        few = other.maybe("num_attention_groups", least=1)
        own |= {} if few is None else {"num_key_value_heads": few}
    kinds = kinds_of(f, t, count)
    slides = replace(f, value={**f.value, **own})
    plain = "per_layer_config" not in f or not f.inside("per_layer_config").value
    mixers = (
        tuple(mixer_of(slides if kind == "sliding" else f, t, kind) for kind in kinds)
        if plain
        else mixers_of(f, t, kinds)
    )
    layers = stacked(mixers, feeds_of(f, t, count), 2 * width)
    return with_heads(f, t, name, layers)


def _without_prediction(f: Fields, count: int) -> Fields:
    """Lists that go on over the layers of multi-token prediction, cut off there."""
    further = f.maybe("num_nextn_predict_layers") or 0
    cut = {
        word: value[:count]
        for word in ("layer_types", "mlp_layer_types")
        if isinstance(value := f.value.get(word), list)
        and len(value) == count + further
    }
    return replace(f, value={**f.value, **cut})


def _step_sparse(f: Fields, count: int) -> tuple[bool, ...]:
    """Which layers have experts, by name or by a list of their numbers."""
    if (told := windows.listed(f, count)) is not None:
        return tuple(told)
    word, value = f.raw("moe_layers_enum")
    if value is None and "first_k_dense_replace" in f:
        return tuple(windows.sparse_from("first_k_dense_replace")(f, count))
    if value is None:
        raise f.wrong(word, "is missing; it says which layers have experts")
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(
        str(x).strip().isdecimal() for x in parts
    ):
        raise f.wrong(word, f"must be numbers of layers, got {shown(value)}")
    chosen = {int(str(x)) for x in parts}
    return tuple(i in chosen for i in range(count))


def read_muse_spark(f: Fields, name: str) -> Record:
    """Muse Spark: gates as wide as the queries, experts in a narrower stream."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(
        head_size="ask",
        bias="attention_bias",
        gate="apart",
        experts=Experts(sparse=windows.listed_or_all),
    )
    narrow = f.number("moe_hidden_size")
    inner = f.number("moe_intermediate_size")
    more, expert = 2 * width * narrow + 2 * narrow, blocks.dense(narrow, inner)
    feeds = tuple(
        Feed(x.parameters + more, x.experts, x.chosen, expert) if x.experts else x
        for x in feeds_of(f, t, count)
    )
    kinds = kinds_of(f, t, count)
    layers = stacked(mixers_of(f, t, kinds), feeds, 5 * width)
    return with_heads(f, t, name, layers)


def read_ernie_vl(f: Fields, name: str) -> Record:
    """Ernie 4.5 VL: experts for words and others for images, which are not counted."""
    wide = f.raw("moe_intermediate_size")[1]
    if isinstance(wide, list) and wide:
        own = {"moe_intermediate_size": wide[0]}
        for word in ("moe_num_experts", "moe_layer_start_index", "moe_layer_end_index"):
            both = f.raw(word)[1]
            if isinstance(both, list) and both:
                own[word] = both[0]
        f = replace(f, value={**f.value, **own})
        f.say("experts for images are not counted, nor passed by words")
    t = Traits(
        tied=True,
        bias="use_bias",
        mlp_bias="use_bias",
        experts=Experts(
            shared=("moe_num_shared_experts",), extra=1, sparse=windows.between
        ),
    )
    return read_decoder(f, t, name)


def read_jetmoe(f: Fields, name: str) -> Record:
    """JetMoE: queries and outputs of attention are experts, too."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    kv_heads, head = f.number("num_key_value_heads"), f.number("kv_channels")
    experts, chosen = f.number("num_local_experts"), f.number("num_experts_per_tok")
    keys = kv_heads * head
    mixer = replace(
        blocks.grouped(width, kv_heads * chosen, kv_heads, head),
        parameters=2 * width * keys + width + width * experts,
    )
    feed = blocks.mixture(
        width, f.number("intermediate_size"), experts, chosen, shared=width
    )
    feed = replace(feed, expert=feed.expert + 2 * width * keys)
    f = replace(f, value={**f.value, "num_attention_heads": kv_heads * chosen})
    layers = (Layer(mixer, feed, 2 * width),) * count
    return with_heads(f, Traits(tied=True), name, layers)


def read_molmo2(f: Fields, name: str) -> Record:
    """Molmo 2: as Qwen 3, with further embeddings that are only looked up."""
    t = Traits(head_size="ask", qkv_bias="attention_bias", qk_norm="head")
    kind = f.raw("qk_norm_type")[1]
    if kind != "qwen3":
        raise f.wrong("qk_norm_type", f"must be qwen3, got {shown(kind)}")
    record = read_decoder(f, t, name)
    more = (f.maybe("additional_vocab_size") or 0) * record.width
    return replace(record, input_embedding=record.input_embedding + more, lookup=more)


def read_first_qwen(f: Fields, name: str) -> Record:
    """Qwen (the first): `intermediate_size` is twice the inner width."""
    inner = f.number("intermediate_size", least=2) // 2
    f = replace(f, value={**f.value, "intermediate_size": inner})
    return read_decoder(f, Traits(kv_heads="heads", qkv_bias=True), name)


def read_grok(f: Fields, name: str) -> Record:
    """Grok 1 and 2: experts, and in Grok 2 a dense block beside them."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    t = Traits(experts=Experts(width=("moe_intermediate_size", "intermediate_size")))
    mixed = feeds_of(f, t, count)[0]
    if f.flag("residual_moe", missing=False):
        beside = blocks.dense(width, f.number("intermediate_size"))
        mixed = replace(mixed, parameters=mixed.parameters + beside)
    mixer = mixer_of(f, t, "full")
    return with_heads(f, t, name, (Layer(mixer, mixed, 4 * width),) * count)


def read_arctic(f: Fields, name: str) -> Record:
    """Arctic: a dense block as wide as the model beside many experts."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    every = f.maybe("moe_layer_frequency", least=1) or 1
    t = Traits(
        experts=Experts(
            width=("intermediate_size",),
            sparse=lambda _, count: [(i + 1) % every == 0 for i in range(count)],
        )
    )
    beside = blocks.dense(width, width) + width
    residual = f.flag("parallel_attn_mlp_res", missing=False)
    feeds = (
        Feed(x.parameters + beside, x.experts, x.chosen, x.expert)
        if residual and x.experts
        else x
        for x in feeds_of(f, t, count)
    )
    mixer = mixer_of(f, t, "full")
    layers = tuple(Layer(mixer, feed, 2 * width) for feed in feeds)
    return with_heads(f, t, name, layers)
