"""DeepSeek V4.1: few layers keep compressed keys for all, and n-grams are looked up.

Every layer slides. Some compress several tokens, or one, into a vector of keys that the
layers after them read too, some of these choose by an index what is read, for
themselves and the layers after them. In two layers a table of hashed n-grams
(*engrams*) is looked up and joins the streams through one matrix.
*Source*: deepseek_v41 in mlx-lm 0.32, which leaves engrams out; for these the shapes of
the published weights: a table, one matrix of all n-grams to a key for each stream and a
value, and two scales for each stream.
"""

from __future__ import annotations

from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.compressed_families import sliding_weights
from optimizer.world.architecture.decoder import Experts, experts_of
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Layer, Mixer, Record, Store


def read_deepseek_v41(f: Fields, name: str) -> Record:
    """Reads a config of DeepSeek V4.1.

    Raises:
        FieldError: a word is missing, or a list names no layer of the model.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    ratios = f.whole_numbers("compress_ratios") or ()
    if len(ratios) < count or min(ratios) < 0:
        raise f.wrong(
            "compress_ratios", f"must be 0 or more for each of the {count} layers"
        )
    sources, indexes = (
        _layers(f, word, count)
        for word in ("kv_source_layer_ids", "index_source_layer_ids")
    )
    first = next((i for i in range(count) if ratios[i]), count)
    if first < count and (first not in sources or first not in indexes):
        raise f.wrong(
            "kv_source_layer_ids",
            f"and index_source_layer_ids must have {first}, the first that compresses",
        )
    feed = experts_of(f, Experts(shared=("n_shared_experts",)), width)
    streams = f.number("hc_mult")
    mixed = (2 + streams) * streams
    around_each = 2 * width + 2 * (mixed * streams * width + mixed + 3)
    grams = _grams(f, count)
    joined = (streams + 1) * width * _inner(f) + 2 * streams * width if grams else 0
    layers, rate = [], 1
    for i in range(count):
        rate = ratios[i] if i in sources and ratios[i] else rate
        mixer = _mixer(f, ratios[i], rate, own=i in sources, chooses=i in indexes)
        extra = joined if i in grams else 0
        layers.append(Layer(mixer, feed, around_each + extra))
    if 0 < max(sources, default=0) < count - 1:
        f.say(
            f"layers after layer {max(sources)} keep their windows alone, so that a "
            "prompt may stop there; what a token passes is counted through all"
        )
    if drafts := f.maybe("num_nextn_predict_layers"):
        f.say(f"{drafts} layers that draft further tokens are not counted")
    plain = replace(f, value={**f.value, "num_nextn_predict_layers": None})
    record = around(plain, name, tuple(layers), tied=False)
    lookup = sum(grams.values())
    if lookup:
        f.say(f"{lookup / 1e9:.4g}B parameters are embeddings of n-grams, looked up")
    wide = f.number("head_dim")
    return replace(
        record,
        kv_heads=1,
        key_width=wide,
        value_width=wide,
        input_embedding=record.input_embedding + lookup,
        lookup=lookup,
    )


def _layers(f: Fields, word: str, count: int) -> frozenset[int]:
    """The layers that a list names."""
    told = f.whole_numbers(word)
    if told is None:
        f.number(word)
    for one in told or ():
        if not 0 <= one < count:
            raise f.wrong(word, f"must name layers 0 to {count - 1}, got {one}")
    return frozenset(told or ())


def _grams(f: Fields, count: int) -> dict[int, int]:
    """The layers that look n-grams up, and the parameters of their tables."""
    if not f.whole_numbers("engram_layer_ids"):
        return {}
    layers = sorted(_layers(f, "engram_layer_ids", count))
    rows = f.whole_numbers("engram_num_embeddings") or ()
    if len(rows) != len(layers) or min(rows) < 1:
        raise f.wrong(
            "engram_num_embeddings", f"must have a number for each of {len(layers)}"
        )
    head = f.number("engram_head_dim")
    return {one: row * head for one, row in zip(layers, rows, strict=True)}


def _inner(f: Fields) -> int:
    """The width of all that is looked up for a token."""
    orders = f.number("engram_max_ngram_size", least=2) - 1
    return orders * f.number("engram_n_heads") * f.number("engram_head_dim")


def _mixer(f: Fields, ratio: int, rate: int, *, own: bool, chooses: bool) -> Mixer:
    """Attention of a layer.

    Args:
        f: the config.
        ratio: tokens that an entry of the compressed keys stands for; 0 reads none.
        rate: the same of the layer whose keys this one reads.
        own: whether it compresses keys of its own.
        chooses: whether it has an index of its own.
    """
    parameters = sliding_weights(f)
    width, heads = f.number("hidden_size"), f.number("num_attention_heads")
    head, rank = f.number("head_dim"), f.number("q_lora_rank")
    window = f.number("sliding_window")
    stores, kind, scan, reads = [Store(head, window - 1)], "sliding", 0, window
    many, wide = f.number("index_n_heads"), f.number("index_head_dim")
    if ratio:
        kind, reads = "sliding + shared", window + f.number("index_topk")
    if ratio and own:
        kind, two = "compressed", ratio > 1
        parameters += width * head * (2 if two else 1) + head
        waits = 2 * blocks.FP32 * head if two else 0
        stores.append(Store(head, every=ratio, waiting=waits))
    if ratio and chooses:
        parameters += rank * many * wide + width * many
        scan = many * wide // rate
    if ratio and chooses and own:
        parameters += head * wide + wide
        stores.append(Store(wide, every=ratio))
    return Mixer(
        kind,
        parameters,
        stores=tuple(stores),
        pair=2 * heads * head,
        reads=reads,
        scan=scan,
    )
