"""LFM 2 and 3: gated short convolutions in most layers, attention in some.

*Source*: the configuration and modeling code of lfm2, lfm2_moe and lfm3 in Transformers
5.24.
"""

from __future__ import annotations

from optimizer.records import replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import Experts, Traits, read_decoder
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.record import Record


def read_lfm(f: Fields, name: str) -> Record:
    """LFM 2 and 3: gated short convolutions, and attention."""
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    kernel = f.number("conv_L_cache")
    conv = blocks.short_convolution(
        width, kernel, bias=f.flag("conv_bias", missing=False)
    )
    third = f.value.get("model_type") == "lfm3"
    t = Traits(
        tied=True,
        qk_norm="head",
        bias="attention_bias",
        head_size="ask" if third else "divide",
        gate="head" if f.flag("use_attention_gate", missing=third) and third else "",
        linear=lambda _: conv,
        norms=4 if third and f.flag("use_sandwich_norm", missing=True) else 2,
        experts=Experts(sparse=windows.sparse_from("num_dense_layers")),
    )
    if f.layered("layer_types", count) is None:
        if (full := f.whole_numbers("full_attn_idxs")) is None:
            f.words("layer_types")
            raise f.wrong("layer_types", "is missing; it says which layers attend")
        kinds = tuple("full_attention" if i in full else "conv" for i in range(count))
        f = replace(f, value={**f.value, "layer_types": list(kinds)})
    if not third and f.flag("block_auto_adjust_ff_dim", missing=True):
        f = replace(f, value={**f.value, "intermediate_size": _adjusted(f)})
    return read_decoder(f, t, name)


def _adjusted(f: Fields) -> int:
    """LFM 2 takes two thirds of the inner width, and rounds it up."""
    inner = f.number("intermediate_size", "block_ff_dim")
    if f.value.get("model_type") == "lfm2_moe":
        return inner
    inner = int(2 * inner / 3)
    factor = f.raw("block_ffn_dim_multiplier")[1]
    if isinstance(factor, int | float):
        inner = int(factor * inner)
    multiple = f.number("block_multiple_of")
    return multiple * -(-inner // multiple)
