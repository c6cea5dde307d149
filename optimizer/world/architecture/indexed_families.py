"""Latent attention under an index, the newest: GLM 5 Next, Hunyuan 4, A.X K2, Dots 3.

*Source*: the configuration and modeling code of glm5_next, hy_v4, axk2 and dots3_note
in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import Experts, Traits, feeds_of
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import (
    ATTENDS,
    FIRST,
    around,
    indexers,
    latent_mixer,
)
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record, Store


def read_hy_v4(f: Fields, name: str) -> Record:
    """Hunyuan 4: sinks, a gate as wide as the values, several streams."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    heads, value = f.number("num_attention_heads"), f.number("v_head_dim")
    extra = heads + width * heads * value
    streams = f.number("hc_mult")
    mixed = 2 * streams * streams * width + 2 * streams + 2
    feeds = feeds_of(f, Traits(experts=FIRST), count)
    layers = tuple(
        Layer(
            more(latent_mixer(f, indexed=True, shared=shares), extra),
            feed,
            2 * width + 2 * mixed,
        )
        for shares, feed in zip(indexers(f, count), feeds, strict=True)
    )
    head = streams * streams * width + streams + 1
    return around(f, name, layers, tied=False, extra=head)


def read_axk2(f: Fields, name: str) -> Record:
    """A.X K2: queries with a gate, and norms with a gate of low rank."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    heads, rank = f.number("num_attention_heads"), f.number("q_lora_rank")
    keys = f.number("qk_nope_head_dim") + f.number("qk_rope_head_dim")
    gate = rank * heads * (keys + 2 * f.number("v_head_dim"))
    mixer = more(latent_mixer(f, indexed=True), gate)
    low = 2 * width * f.number("gated_norm_rank")
    layers = tuple(
        Layer(mixer, feed, 2 * width + low * (2 if feed.experts else 1))
        for feed in feeds_of(f, Traits(experts=FIRST), count)
    )
    return around(f, name, layers, tied=False)


def read_glm5_next(f: Fields, name: str) -> Record:
    """GLM 5 Next: delta attention, latent layers under an index of pooled keys."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    own = f.inside("linear_attn_config")
    linear = blocks.delta_attention(
        width,
        *(
            (own.number("num_heads"), own.number("head_dim"))
            if own.value
            else (f.number("linear_num_heads"), f.number("linear_head_dim"))
        ),
        own.number("short_conv_kernel_size")
        if own.value
        else f.number("linear_conv_kernel_dim"),
    )
    index, pool = f.number("index_head_dim"), f.number("index_kpool")
    streams = f.number("hc_mult")
    rows = (2 + streams) * streams
    norms = 2 * width + 2 * (rows * streams * width + rows + 3)
    layers = []
    shares = indexers(f, count)
    feeds = feeds_of(f, Traits(experts=FIRST), count)
    for i, kind in enumerate(_kinds(f, own, count)):
        mixer = linear
        if kind == "latent":
            plain = latent_mixer(f, indexed=True, shared=shares[i])
            mixer = plain if shares[i] else _pooled(plain, width, index, pool)
        layers.append(Layer(mixer, feeds[i], norms))
    return around(f, name, tuple(layers), tied=False)


def _pooled(mixer: Mixer, width: int, index: int, pool: int) -> Mixer:
    """An index of keys that are pooled: beside each key stand its gate and a mark."""
    kept = (mixer.stores[0], Store(2 * index + 1))
    added = pool * index + index * width
    scan = mixer.scan // pool
    return replace(mixer, parameters=mixer.parameters + added, stores=kept, scan=scan)


def _kinds(f: Fields, own: Fields, count: int) -> tuple[str, ...]:
    """Which layers are linear, and which latent."""
    told = f.layered("layer_types", count)
    if told is None:
        kda = own.whole_numbers("kda_layers")
        if kda is None:
            raise f.wrong("layer_types", "is missing; it says which layers are linear")
        return tuple("linear" if i + 1 in set(kda) else "latent" for i in range(count))
    for index, word in enumerate(told):
        if word not in {"linear_attention", *ATTENDS}:
            raise f.wrong(f"layer_types.{index}", f"is not known here, {shown(word)}")
    return tuple("latent" if word in ATTENDS else "linear" for word in told)


SLIDING = ("num_attention_heads", "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim")


def read_dots3(f: Fields, name: str) -> Record:
    """Dots 3: latent attention under an index in some layers, windows in the others.

    Sliding layers have widths of their own, under `swa_` or in `per_layer_config`.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    told = f.layered("layer_types", count)
    if told is None:
        raise f.wrong("layer_types", "is missing; it says which layers slide")
    feeds = _dots_feeds(f, count, width)
    layers = []
    for i, part in enumerate(f.layers(count)):
        own = part
        if told[i] == "sliding_attention":
            words = {
                word: f.value[f"swa_{word}"]
                for word in (*SLIDING, "qk_rope_head_dim", "v_head_dim")
                if f"swa_{word}" in f
            }
            if part is f and not words:
                raise f.wrong(
                    "swa_num_attention_heads",
                    "is missing; sliding layers have widths of their own, under swa_",
                )
            own = replace(part, value={**part.value, **words})
            window = f.number("sliding_window", "sliding_window_size")
            mixer = windowed(latent_mixer(own), window)
        elif told[i] in ATTENDS:
            plain = latent_mixer(own, indexed=True)
            # The reference keeps the keys of the index in fp32, twice the bytes.
            first, index = plain.stores
            kept = (first, replace(index, width=2 * index.width))
            mixer = replace(plain, stores=kept)
        else:
            raise f.wrong(f"layer_types.{i}", f"is not known here, {shown(told[i])}")
        gate = width * own.number("num_attention_heads")
        mixer = more(mixer, gate + own.number("qk_rope_head_dim"))
        layers.append(Layer(mixer, feeds[i], 2 * width))
    return around(f, name, tuple(layers), tied=False)


def _dots_feeds(f: Fields, count: int, width: int) -> tuple[Feed, ...]:
    """Experts, with shared ones of a width of their own."""
    wide = f.number(
        "shared_experts_intermediate_size", "moe_shared_expert_intermediate_size"
    )
    whole = wide * f.number("n_shared_experts")
    f = replace(f, value={**f.value, "shared": whole})
    e = Experts(shared_width=("shared",), sparse=FIRST.sparse)
    return feeds_of(f, Traits(experts=e, mlp_bias="mlp_bias"), count)


def windowed(mixer: Mixer, window: int) -> Mixer:
    """A mixer that reads and keeps the last tokens only."""
    stores = tuple(replace(one, most=max(window - 1, 1)) for one in mixer.stores)
    return replace(mixer, kind=f"{mixer.kind} sliding", stores=stores, reads=window)


def more(mixer: Mixer, parameters: int) -> Mixer:
    """A mixer with further parameters."""
    return replace(mixer, parameters=mixer.parameters + parameters)
