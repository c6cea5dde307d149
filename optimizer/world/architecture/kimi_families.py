"""Kimi Linear and K3: delta attention, some latent layers, experts.

*Source*: Kimi Team 2025, "Kimi Linear", sections 3 and 4; the configuration and
modeling code of kimi_linear in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import (
    Traits,
    feeds_of,
    stacked,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.latent_families import FIRST, around, latent_mixer
from optimizer.world.architecture.record import Feed, Record


def read_kimi_linear(f: Fields, name: str) -> Record:
    """Kimi Linear and K3: delta attention, some latent layers, experts.

    Raises:
        FieldError: the lists of layers do not cover the layers once each.
    """
    count, width = f.number("num_hidden_layers"), f.number("hidden_size")
    own = f.inside("linear_attn_config")
    full_rank = own.flag("use_full_rank_gate", missing=False)
    if own.value:
        kda = set(own.whole_numbers("kda_layers") or ())
        full = set(own.whole_numbers("full_attn_layers") or ())
        if kda & full or kda | full != set(range(1, count + 1)):
            raise own.wrong(
                "kda_layers",
                f"and full_attn_layers must name each of the {count} layers once, "
                "counted from 1",
            )
        kinds = tuple("linear" if i + 1 in kda else "latent" for i in range(count))
        heads, head = own.number("num_heads"), own.number("head_dim")
        kernel = own.number("short_conv_kernel_size")
    else:
        told = f.layered("layer_types", count)
        if told is None:
            own.number("num_heads")
        kinds = tuple(
            "linear" if w == "linear_attention" else "latent" for w in told or ()
        )
        heads, head = f.number("linear_num_heads"), f.number("linear_head_dim")
        kernel = f.number("linear_conv_kernel_dim")
    mixers = {
        "linear": blocks.delta_attention(
            width, heads, head, kernel, full_rank=full_rank
        ),
        "latent": latent_mixer(f),
    }
    if f.flag("mla_use_output_gate", missing=False):
        wide = f.number("num_attention_heads") * f.number("v_head_dim")
        mixers["latent"] = replace(
            mixers["latent"], parameters=mixers["latent"].parameters + width * wide
        )
    feeds = feeds_of(f, Traits(experts=FIRST), count)
    inner = f.maybe("routed_expert_hidden_size", least=1)
    if inner is not None:
        feeds = tuple(_latent_experts(f, feed, width, inner) for feed in feeds)
    # Attention residuals: a query and a norm before each half of a layer, and at the
    # end.
    residual = 2 * width if "attn_res_block_size" in f else 0
    layers = stacked((mixers[kind] for kind in kinds), feeds, 2 * width + 2 * residual)
    return around(f, name, layers, tied=False, extra=residual)


def _latent_experts(f: Fields, feed: Feed, width: int, inner: int) -> Feed:
    """Experts that work in a narrower stream, with matrices into it and out of it."""
    if not feed.experts:
        return feed
    norm = inner * f.flag("latent_moe_use_norm", missing=False)
    return replace(
        feed,
        parameters=feed.parameters + 2 * width * inner + norm,
        expert=blocks.dense(inner, f.number("moe_intermediate_size")),
    )
