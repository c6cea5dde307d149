"""Families with latent attention: DeepSeek V2 to V3.2, GLM 5, Kimi K2, and kin.

`head_dim` and `num_key_value_heads` mean nothing here: what is cached is one vector of
`kv_lora_rank` and one rotary key a token, and an index key where there is an indexer.
*Source*: DeepSeek-AI 2024, "DeepSeek-V2", section 2.1, and "DeepSeek-V3.2-Exp" (2025)
for the indexer; the modeling code of each family in Transformers 5.24.
"""

from __future__ import annotations

from optimizer.reading.quantity import shown
from optimizer.records import dataclass, replace
from optimizer.world.architecture import blocks, windows
from optimizer.world.architecture.decoder import (
    Experts,
    Traits,
    feeds_of,
    is_on,
    stacked,
    tied_of,
    with_prediction,
)
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.record import Layer, Mixer, Record

FIRST = Experts(
    shared=("n_shared_experts", "num_shared_experts"),
    sparse=windows.sparse_from("first_k_dense_replace"),
)

# What `layer_types` calls a layer of latent attention; whether an index chooses what
# it reads is the family's own.
ATTENDS = ("full_attention", "indexed_attention", "deepseek_sparse_attention")


@dataclass(frozen=True)
class Latent:
    """What differs between families with latent attention.

    Attributes:
        tied: whether the embeddings read the answer out, unless the file says.
        indexed: whether an index chooses what is read.
        experts: of the mixture.
    """

    tied: bool = False
    indexed: bool = False
    experts: Experts = FIRST


LATENT = {
    "deepseek_v2": Latent(experts=replace(FIRST, shared_bias="mlp_bias")),
    "deepseek_v3": Latent(),
    "kimi_k2": Latent(),
    "mistral4": Latent(),
    "sarvam_mla": Latent(),
    "deepseek_v32": Latent(indexed=True),
    "glm_moe_dsa": Latent(indexed=True),
    "glm4_moe_lite": Latent(),
    "axk1": Latent(experts=replace(FIRST, norms=1)),
    "minicpm3": Latent(tied=True),
    "youtu": Latent(tied=True),
    "pangu_ultra_moe": Latent(),
}


def read_latent(f: Fields, name: str) -> Record:
    """Reads a config whose layers all have latent attention."""
    t = LATENT[f.value["model_type"]]
    count = f.number("num_hidden_layers")
    width = f.number("hidden_size")
    mixers = latent_mixers(f, t, count)
    feeds = feeds_of(f, Traits(experts=t.experts, mlp_bias="mlp_bias"), count)
    norms = 4 if f.flag("sandwich_norm", missing=False) else 2
    layers = stacked(mixers, feeds, norms * width)
    return around(f, name, layers, tied=t.tied)


def around(
    f: Fields, name: str, layers: tuple[Layer, ...], *, tied: bool, extra: int = 0
) -> Record:
    """A record of layers, with embeddings and one norm of the width at the end."""
    width, vocabulary = f.number("hidden_size"), f.number("vocab_size")
    matrix = vocabulary * width
    record = Record(
        name=name,
        family=str(f.value.get("model_type")),
        width=width,
        heads=f.maybe("num_attention_heads") or 0,
        kv_heads=1,
        key_width=(f.maybe("kv_lora_rank") or 0) + (f.maybe("qk_rope_head_dim") or 0),
        value_width=0,
        vocabulary=vocabulary,
        layers=layers,
        input_embedding=matrix,
        output_embedding=0 if tied_of(f, tied) else matrix,
        around=width + extra,
    )
    return with_prediction(f, record)


def latent_mixers(f: Fields, t: Latent, count: int) -> tuple[Mixer, ...]:
    """The attention of each layer.

    Raises:
        FieldError: a kind of layer or of indexer is not known.
    """
    for index, word in enumerate(f.layered("layer_types", count) or ()):
        if word not in ATTENDS:
            raise f.wrong(
                f"layer_types.{index}", f"is not known here, got {shown(word)}"
            )
    if not t.indexed:
        return (latent_mixer(f),) * count
    both = {
        shared: latent_mixer(f, indexed=True, shared=shared) for shared in (False, True)
    }
    return tuple(both[shared] for shared in indexers(f, count))


def indexers(f: Fields, count: int) -> tuple[bool, ...]:
    """Of each layer, whether it reads what an earlier layer's index has chosen.

    It stands in `indexer_types`, in letters in `index_topk_pattern`, or follows from
    `index_topk_freq`: one layer of so many has an index of its own, from the layer
    before `index_skip_topk_offset` on.

    Raises:
        FieldError: a kind of indexer is not known.
    """
    told = f.layered("indexer_types", count)
    pattern = f.raw("index_topk_pattern")[1]
    if told is None and isinstance(pattern, str):
        if len(pattern) != count or set(pattern) - {"F", "S"}:
            raise f.wrong("index_topk_pattern", f"must be F or S for {count} layers")
        told = tuple("full" if letter == "F" else "shared" for letter in pattern)
    if told is None and pattern is not None:
        told = f.layered("index_topk_pattern", count)
    if told is not None:
        for index, word in enumerate(told):
            if word not in {"full", "shared"}:
                raise f.wrong(
                    f"indexer_types.{index}", f"must be full or shared, {shown(word)}"
                )
        return tuple(word == "shared" for word in told)
    every = f.maybe("index_topk_freq", least=1) or 1
    offset = 2 if every == 1 else f.number("index_skip_topk_offset", least=0)
    return tuple(max(i - offset + 1, 0) % every != 0 for i in range(count))


def value_of(f: Fields) -> int:
    """The width of a value head; MiniCPM 3's own files leave it to a division."""
    if f.value["model_type"] != "minicpm3" or "v_head_dim" in f:
        return f.number("v_head_dim")
    width, heads = f.number("hidden_size"), f.number("num_attention_heads")
    if width % heads:
        raise f.wrong("num_attention_heads", f"must divide {width}, got {heads}")
    f.say(f"v_head_dim is not in the file: the width over the heads, {width // heads}")
    return width // heads


def latent_mixer(f: Fields, *, indexed: bool = False, shared: bool = False) -> Mixer:
    """Latent attention as the words of a config say."""
    index = None
    if indexed:
        index = (
            f.number("index_n_heads"),
            f.number("index_head_dim"),
            f.number("index_topk"),
        )
    return blocks.latent(
        f.number("hidden_size"),
        f.number("num_attention_heads"),
        f.number("kv_lora_rank"),
        f.number("qk_rope_head_dim", least=0),
        f.number("qk_nope_head_dim"),
        value_of(f),
        query_rank=f.maybe("q_lora_rank") or None,
        bias=is_on(f, "attention_bias"),
        index=index,
        shared_index=shared,
    )
