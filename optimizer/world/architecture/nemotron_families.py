"""Nemotron H, 3 and 3.5 (`nemotron_h`): each layer is one block, of four kinds.

A state space, attention, a dense block or experts; what each layer is stands in
`hybrid_override_pattern`, or in `layers_block_type` in the newest, which have no
`num_hidden_layers`. *Source*: the modeling code of nemotron_h in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.decoder import BY_HAND, Traits, mixer_of, untied
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.hybrid_families import with_heads
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record

LETTERS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
BLOCKS = {
    **{word: word for word in LETTERS.values()},
    "linear_attention": "mamba",
    "full_attention": "attention",
}


def read_nemotron_h(f: Fields, name: str) -> Record:
    """Nemotron H, 3 and 3.5: each layer is one block, of four kinds.

    Raises:
        FieldError: a kind is not known, or the pattern has another length.
    """
    words = _pattern(f)
    width = f.number("hidden_size")
    made = {
        word: _block(f, word, width) for word in dict.fromkeys(BLOCKS[w] for w in words)
    }
    layers = tuple(Layer(*made[BLOCKS[word]], around=width) for word in words)
    t = Traits(head_size="ask")
    return with_heads(untied(f), t, name, layers)


def _pattern(f: Fields) -> tuple[str, ...]:
    text = f.raw("hybrid_override_pattern")[1]
    if isinstance(text, str):
        for letter in text:
            if letter not in LETTERS:
                raise f.wrong(
                    "hybrid_override_pattern",
                    f"has {shown(letter)}, which is none of {', '.join(LETTERS)}",
                )
        words: tuple[str, ...] = tuple(LETTERS[letter] for letter in text)
    else:
        told = f.words("layers_block_type") or f.words("layer_types")
        if not told:
            raise f.wrong(
                "layers_block_type",
                "is missing, and hybrid_override_pattern too; one of them says what "
                "each layer is",
            )
        for index, word in enumerate(told):
            if word not in BLOCKS:
                raise f.wrong(
                    f"layers_block_type.{index}",
                    f"is a kind of layer that this does not know, {shown(word)}; "
                    f"{BY_HAND}",
                )
        words = told
    count = f.maybe("num_hidden_layers", least=1)
    if count not in {None, len(words)}:
        raise f.wrong(
            "num_hidden_layers", f"is {count}, and the pattern has {len(words)} layers"
        )
    return words


def _block(f: Fields, word: str, width: int) -> tuple[Mixer, Feed]:
    none = Mixer("none", 0)
    if word == "mamba":
        space = blocks.mamba2(
            width,
            f.number("mamba_num_heads"),
            f.number("mamba_head_dim"),
            f.number("ssm_state_size"),
            f.number("n_groups"),
            f.number("conv_kernel"),
            bias=f.flag("use_bias", missing=False),
            conv_bias=f.flag("use_conv_bias", missing=True),
        )
        return space, Feed()
    if word == "attention":
        return mixer_of(f, Traits(head_size="ask"), "full"), Feed()
    bias = f.flag("mlp_bias", missing=False)
    if word == "mlp":
        inner = f.number("intermediate_size")
        return none, Feed(blocks.dense(width, inner, gated=False, bias=bias))
    return none, _nemotron_experts(f, width, bias)


def _nemotron_experts(f: Fields, width: int, bias: bool) -> Feed:
    """Experts without a gate, perhaps in a narrower stream."""
    inner = f.number("moe_intermediate_size")
    narrow = f.maybe("moe_latent_size", least=1)
    shared = f.number("moe_shared_expert_intermediate_size")
    whole = blocks.dense(width, shared, gated=False, bias=bias)
    if (f.maybe("n_shared_experts") or 0) == 0:
        whole = 0
    feed = blocks.mixture(
        width,
        inner,
        f.number("n_routed_experts"),
        f.number("num_experts_per_tok"),
        shared=whole,
        gated=False,
    )
    if narrow is None:
        return feed
    return replace(
        feed,
        parameters=feed.parameters + 2 * width * narrow + bias * (width + narrow),
        expert=blocks.dense(narrow, inner, gated=False),
    )
