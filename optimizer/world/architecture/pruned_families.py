"""Nemotron Super and Ultra of 2025 (`nemotron-nas`): each layer of its own shape.

`block_configs` says of each layer how many query heads share a key head, and how wide
the block is; either may be left out (`no_op`) or be one matrix. *Source*: the
configuration and modeling code that NVIDIA publishes with the models (DeciLM).
"""

from __future__ import annotations

from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import is_on
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import around
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record

STEP = 256  # inner widths are rounded up to it


def read_pruned(f: Fields, name: str) -> Record:
    """Reads a config with a shape for each layer.

    Raises:
        FieldError: a layer is missing, or is of a kind that is not known.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    heads = f.number("num_attention_heads")
    if width % heads:
        raise f.wrong("num_attention_heads", f"must divide {width}, got {heads}")
    told = f.sequence("block_configs")
    if told is None:
        raise f.wrong("block_configs", "is missing; it says what each layer is")
    if len(told) != count:
        raise f.wrong("block_configs", f"has {len(told)} entries for {count} layers")
    layers, most = [], 0
    for index, one in enumerate(told):
        block = f.inside_list("block_configs", index, one)
        mixer, kv_heads = _mixer(f, block.inside("attention"), width, heads)
        feed = _feed(f, block.inside("ffn"), width)
        norms = (mixer.kind != "none") + (feed.parameters > 0)
        layers.append(Layer(mixer, feed, norms * width))
        most = max(most, kv_heads)
    record = around(f, name, tuple(layers), tied=False)
    head = width // heads
    return replace(record, kv_heads=most, key_width=head, value_width=head)


def _mixer(f: Fields, own: Fields, width: int, heads: int) -> tuple[Mixer, int]:
    """The attention of a layer, and its key and value heads."""
    if own.flag("no_op", missing=False):
        return Mixer("none", 0), 0
    if own.flag("replace_with_linear", missing=False):
        # One matrix in place of attention: it keeps nothing, and is not nothing.
        return Mixer("none", width * width), 0
    for word in ("num_sink_tokens", "sparsify"):
        if word in own:
            raise own.wrong(word, "is of a kind of layer that this does not know")
    group = own.number("n_heads_in_group")
    if heads % group:
        raise own.wrong("n_heads_in_group", f"must divide {heads}, got {group}")
    window = own.maybe("window_length", least=1)
    mixer = blocks.grouped(
        width,
        heads,
        heads // group,
        width // heads,
        window=window,
        kind="full" if window is None else "sliding",
        qkv_bias=is_on(f, "attention_bias"),
        out_bias=is_on(f, "attention_bias"),
    )
    return mixer, heads // group


def _feed(f: Fields, own: Fields, width: int) -> Feed:
    if own.flag("no_op", missing=False):
        return Feed()
    if own.flag("replace_with_linear", missing=False):
        return Feed(width * width)
    inner = own.maybe("intermediate_size", least=1)
    if inner is None:
        factor = own.raw("ffn_mult")[1]
        if not isinstance(factor, int | float) or not 0 < factor <= 100:
            raise own.wrong("ffn_mult", f"must be a factor, got {factor}")
        inner = STEP * -(-int(2 * factor * width / 3) // STEP)
    return Feed(blocks.dense(width, inner, bias=is_on(f, "mlp_bias")))
