"""MiniMax M3, Qwen 4, Zaya: each with something that no other family has.

*Source*: the configuration and modeling code of minimax_m3_vl, qwen4_exp and zaya in
Transformers 5.24.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import (
    Experts,
    Traits,
    feeds_of,
    heads_of,
    mixer_of,
    stacked,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.hybrid_families import (
    SHARED,
    delta,
    every_fourth,
    with_heads,
)
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record, Store

MORE = 1_000_000  # primes are sought no further above the base than this


def read_minimax_m3(f: Fields, name: str) -> Record:
    """MiniMax M3: in some layers an index chooses blocks of the keys to read."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    own = f.inside("sparse_attention_config")
    told = f.layered("layer_types", count)
    if told is None:
        every = own.whole_numbers("sparse_attention_freq")
        if every is None or len(every) != count:
            raise f.wrong(
                "layer_types", f"is missing; it says of {count} layers which are sparse"
            )
        told = tuple("minimax_m3_sparse" if x else "full_attention" for x in every)
    for i, word in enumerate(told):
        if word not in {"minimax_m3_sparse", "full_attention"}:
            raise f.wrong(f"layer_types.{i}", f"is not known here, {shown(word)}")
    t = Traits(
        head_size="ask",
        qk_norm="head",
        experts=Experts(
            width=("intermediate_size",),
            dense=("dense_intermediate_size",),
            shared_width=("shared_intermediate_size",),
            sparse=windows.listed_or_all,
        ),
    )
    full = mixer_of(f, t, "full")
    mixers = {"full_attention": full, "minimax_m3_sparse": full}
    if "minimax_m3_sparse" in told:
        heads = _either(f, "index_n_heads", own, "sparse_num_index_heads")
        wide = _either(f, "index_head_dim", own, "sparse_index_dim")
        size = _either(f, "index_block_size", own, "sparse_block_size")
        most = _either(f, "index_topk_blocks", own, "sparse_topk_blocks")
        mixers["minimax_m3_sparse"] = replace(
            full,
            parameters=full.parameters + width * (heads + 1) * wide + 2 * wide,
            stores=(*full.stores, Store(wide)),
            reads=size * most,
            scan=heads * wide,
        )
    layers = stacked((mixers[word] for word in told), feeds_of(f, t, count), 2 * width)
    return with_heads(f, t, name, layers)


def _either(f: Fields, word: str, own: Fields, other: str) -> int:
    """A number that the published file has under another name, in a part of its own."""
    return own.number(other) if other in own else f.number(word)


def read_qwen4(f: Fields, name: str) -> Record:
    """Qwen 4: several streams, an index of blocks, hashed n-gram embeddings."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    told = f.layered("layer_types", count)
    if told is None:
        told = every_fourth(f, count)
    t = Traits(
        head_size="ask",
        bias="attention_bias",
        qk_norm="head",
        gate="wide",
        experts=SHARED,
    )
    mixers = {"linear": delta(f), "full": _indexed(f, mixer_of(f, t, "full"))}
    streams, low = f.number("hc_count"), f.number("hc_lowrank")
    wide = streams * width
    mix = wide + 2 * wide * low
    feeds = feeds_of(f, t, count)
    grams = sorted(set(f.whole_numbers("ple_layer_ids") or ()))
    layers, lookup = [], 0
    for i, word in enumerate(told):
        if word not in {"linear_attention", "full_attention", "indexed_attention"} | {
            *mixers
        }:
            raise f.wrong(f"layer_types.{i}", f"is not known here, {shown(word)}")
        mixer = mixers["linear" if word.startswith("linear") else "full"]
        extra = 2 * (mix + wide * streams)
        if i + 1 in grams:
            mixer, own, table = _grams(f, mixer, wide, grams.index(i + 1))
            extra, lookup = extra + own, lookup + table
        layers.append(Layer(mixer, feeds[i], extra))
    record = around(f, name, tuple(layers), tied=False, extra=mix - width)
    heads, kv_heads, head = heads_of(f, t)
    if lookup:
        f.say(
            f"{lookup / 1e9:.2f}B parameters are embeddings of hashed n-grams, looked "
            "up and never multiplied"
        )
    return replace(
        record,
        heads=heads,
        kv_heads=kv_heads,
        key_width=head,
        value_width=head,
        input_embedding=record.input_embedding + lookup,
        lookup=lookup,
    )


def _indexed(f: Fields, full: Mixer) -> Mixer:
    """Full attention whose index averages keys over blocks of tokens."""
    heads, wide = f.number("indexer_n_heads"), f.number("indexer_head_dim")
    budget, every = f.number("indexer_budget"), f.number("indexer_compress_ratio")
    added = f.number("hidden_size") * (heads + f.number("indexer_kv_heads")) * wide
    return replace(
        full,
        parameters=full.parameters + added + 2 * wide,
        stores=(*full.stores, Store(wide)),
        reads=budget,
        scan=heads * wide // every,
    )


def _grams(f: Fields, mixer: Mixer, wide: int, turn: int) -> tuple[Mixer, int, int]:
    """A layer with n-gram embeddings: its mixer, parameters, and looked-up table."""
    width = f.number("hidden_size")
    inner = f.maybe("ple_embed_dim", least=1) or width
    size, heads = f.number("ngram_size", least=2), f.number("heads_per_ngram")
    many = (size - 1) * heads
    if inner % many or many > 1000:
        raise f.wrong("ple_embed_dim", f"must be a multiple of {many}, got {inner}")
    base, divisor = (
        f.number("ngram_vocab_size_base"),
        f.number("make_ngram_vocab_size_divisible_by"),
    )
    rows = sum(primes_after(base - 1, (turn + 1) * many)[turn * many :])
    table = divisor * -(-rows // divisor) * (inner // many)
    kernel = f.number("ple_conv_kernel_size")
    own = inner * wide + inner * width + 3 * wide + wide * kernel
    kept = blocks.BF16 * wide * (kernel - 1) * size
    return replace(mixer, state=mixer.state + kept), own, table


def primes_after(value: int, count: int) -> list[int]:
    """The next primes above a number, found by a sieve of a stretch."""
    found: list[int] = []
    low = value + 1
    while len(found) < count:
        high = low + max(1000, 40 * count)
        whole = bytearray([1]) * (high - low)
        for factor in range(2, int(high**0.5) + 1):
            first = max(factor * factor, factor * -(-low // factor))
            whole[first - low :: factor] = bytes(len(range(first, high, factor)))
        found += [low + i for i, prime in enumerate(whole) if prime and low + i > 1]
        low = high
    return found[:count]


def read_zaya(f: Fields, name: str) -> Record:
    """Zaya: queries and keys pass convolutions, a small network routes to experts."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    told = f.layered("layer_types", count) or ("hybrid",) * count
    heads, kv_heads, head = heads_of(f, Traits(head_size="ask"))
    queries, keys = heads * head, kv_heads * head
    first, second = f.number("cca_time0"), f.number("cca_time1")
    mixed = queries + keys
    own = width * (queries + 2 * keys) + queries * width + kv_heads
    own += mixed * (first + 1) + mixed * (head * second + 1)
    if f.flag("attention_bias", missing=False):
        own += queries + 2 * keys + width
    small = f.number("router_hidden_size")
    experts = f.number("num_experts")
    router = width * small + 2 * small + 2 * (small + 1) * small
    router += small * (experts + 1)
    feed = replace(
        blocks.mixture(
            width, f.number("moe_intermediate_size"), experts,
            f.number("num_experts_per_tok"),
        ),
        parameters=router,
    )  # fmt: skip
    f.say("the router may pass a token on without any expert; one is counted")
    state = blocks.BF16 * (mixed * (first + second - 2) + keys // 2)
    layers = []
    for i, word in enumerate(told):
        if word not in {"hybrid", "hybrid_sliding"}:
            raise f.wrong(f"layer_types.{i}", f"is not known here, {shown(word)}")
        window = f.number("sliding_window") if word == "hybrid_sliding" else None
        plain = blocks.grouped(width, heads, kv_heads, head, window=window)
        kind = "full" if window is None else "sliding"
        mixer = replace(
            plain, kind=f"{kind} + convolution", parameters=own, state=state
        )
        block = feed if i == 0 else Feed(
            feed.parameters + small, feed.experts, feed.chosen, feed.expert
        )  # fmt: skip
        layers.append(Layer(mixer, block, 2 * width + 8 * width))
    bias = f.flag("lm_head_bias", missing=False) * f.number("vocab_size")
    record = around(f, name, tuple(layers), tied=True, extra=2 * width + bias)
    return replace(record, kv_heads=kv_heads, key_width=head, value_width=head)
