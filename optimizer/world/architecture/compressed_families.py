"""DeepSeek V4: layers that slide, and layers that compress several tokens into one.

Every layer slides; some also keep one compressed vector for every 4 tokens, among which
an index chooses, or for every 128. Keys and values are one vector for all heads, which
layers that only slide keep twice.
*Source*: the configuration and modeling code of deepseek_v4 in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import Experts, experts_of
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Layer, Mixer, Record, Store

SPARSE, HEAVY, SLIDING = (
    "compressed_sparse_attention",
    "heavily_compressed_attention",
    "sliding_attention",
)
RATIOS = {0: SLIDING, 4: SPARSE, 128: HEAVY}


def read_deepseek_v4(f: Fields, name: str) -> Record:
    """Reads a config of DeepSeek V4.

    Raises:
        FieldError: a word is missing, or a ratio is not known.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    kinds = _kinds(f, count)
    mixers = {kind: _mixer(f, kind) for kind in dict.fromkeys(kinds)}
    feed = experts_of(f, Experts(shared=("n_shared_experts",)), width)
    streams = f.number("hc_mult")
    mixed = (2 + streams) * streams  # hyper-connections: a matrix, its base, 3 scales
    around_each = 2 * width + 2 * (mixed * streams * width + mixed + 3)
    layers = tuple(Layer(mixers[kind], feed, around_each) for kind in kinds)
    head = streams * streams * width + streams + 1
    record = around(f, name, layers, tied=False, extra=head)
    wide = f.number("head_dim")
    return replace(record, kv_heads=1, key_width=wide, value_width=wide)


def _kinds(f: Fields, count: int) -> tuple[str, ...]:
    told = f.layered("layer_types", count)
    if told is None:
        ratios = f.whole_numbers("compress_ratios")
        if ratios is None:
            f.number("compress_ratios")
        if len(ratios or ()) < count:
            raise f.wrong(
                "compress_ratios", f"has {len(ratios or ())} entries for {count} layers"
            )
        for ratio in ratios or ():
            if ratio not in RATIOS:
                raise f.wrong("compress_ratios", f"must be 0, 4 or 128, got {ratio}")
        return tuple(RATIOS[ratio] for ratio in (ratios or ())[:count])
    for index, word in enumerate(told):
        if word not in RATIOS.values():
            raise f.wrong(f"layer_types.{index}", f"is not known, {shown(word)}")
    return told


def sliding_weights(f: Fields) -> int:
    """Parameters of the attention of a layer, but for what it compresses.

    Raises:
        FieldError: a word is missing, or the groups of the output do not divide it.
    """
    width, heads = f.number("hidden_size"), f.number("num_attention_heads")
    head, rank = f.number("head_dim"), f.number("q_lora_rank")
    groups, out = f.number("o_groups"), f.number("o_lora_rank")
    if heads * head % groups:
        raise f.wrong(
            "o_groups", f"must divide num_attention_heads times head_dim, got {groups}"
        )
    queries = heads + width * rank + rank + rank * heads * head  # and sinks
    keys = width * head + head  # which are the values too
    return queries + keys + heads * head * out + groups * out * width


def _mixer(f: Fields, kind: str) -> Mixer:
    parameters = sliding_weights(f)
    width, heads = f.number("hidden_size"), f.number("num_attention_heads")
    head, rank = f.number("head_dim"), f.number("q_lora_rank")
    window = f.number("sliding_window")
    plain = Mixer(
        "sliding",
        parameters,
        stores=(Store(head if kind != SLIDING else 2 * head, window - 1),),
        pair=2 * heads * head,
        reads=window,
    )
    if kind == SLIDING:
        return plain
    every = _ratio(f, kind)
    twice = 2 if kind == SPARSE else 1  # two series of overlapping windows
    added = every * twice * head + 2 * width * twice * head + head
    waits = 2 * blocks.BF16 * twice  # keys and gates
    stores = [*plain.stores, Store(head, every=every, waiting=waits * head)]
    scan, reads, state = 0, None, 0
    if kind == SPARSE:
        index_heads, index = f.number("index_n_heads"), f.number("index_head_dim")
        added += every * 2 * index + 2 * width * 2 * index + index
        added += rank * index_heads * index + width * index_heads
        stores.append(Store(index, every=every, waiting=waits * index))
        scan = index_heads * index // every
        reads = window + f.number("index_topk")
        # Of the last window its first series waits for the next, with fp32 gates.
        state = (blocks.BF16 + blocks.FP32) * every * (head + index)
    return replace(
        plain,
        kind="compressed",
        parameters=parameters + added,
        stores=tuple(stores),
        state=state,
        reads=reads,
        scan=scan,
    )


def _ratio(f: Fields, kind: str) -> int:
    rates = f.inside("compress_rates")
    known = {kind: ratio for ratio, kind in RATIOS.items()}[kind]
    return rates.maybe(kind, least=1) or known
