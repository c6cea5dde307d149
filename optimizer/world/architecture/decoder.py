"""The usual decoder: grouped attention and a feed-forward block, or experts, a layer.

What differs from family to family is said in `Traits`: which biases and norms there
are, which words hold the widths, and what a missing word means. What a file says itself
always stands above the family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from optimizer.reading.quantity import shown
from optimizer.records import dataclass, field, replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.fields import Fields
from optimizer.world.architecture.record import Feed, Layer, Mixer, Record

Where = bool | str  # always, never, or as a word of the config says
WORDS = {
    "full_attention": "full",
    "attention": "full",
    "global_attention": "full",
    "sliding_attention": "sliding",
    "sliding_window_attention": "sliding",
    "local_attention": "sliding",
    "chunked_attention": "chunked",
    "linear_attention": "linear",
    "conv": "convolution",
    "mamba": "linear",
}
EXPERTS = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts")
CHOSEN = (
    *("num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_k"),
    *("moe_topk", "moe_top_k", "top_k_experts"),
)


@dataclass(frozen=True)
class Experts:
    """How a family says what its mixture is.

    Attributes:
        width: words with the inner width of an expert.
        dense: words with that of a dense layer.
        shared: words with the number of shared experts, each as wide as a routed one.
        shared_width: words with the width of the shared experts together.
        shared_gate: whether they have a gate of one number.
        shared_bias: whether their matrices have biases.
        bias: whether an expert's matrices have biases.
        router_bias: whether the router has one.
        extra: further parameters that each sparse layer has for each expert.
        norms: norms of the width that sparse layers have besides.
        sparse: which layers have one.
    """

    width: tuple[str, ...] = ("moe_intermediate_size",)
    dense: tuple[str, ...] = ("intermediate_size",)
    shared: tuple[str, ...] = ()
    shared_width: tuple[str, ...] = ()
    shared_gate: bool = False
    shared_bias: Where = False
    bias: bool = False
    router_bias: bool = False
    extra: int = 0
    norms: int = 0
    sparse: Callable[[Fields, int], Sequence[bool]] | None = None


@dataclass(frozen=True)
class Traits:
    """What is true of a family.

    Attributes:
        tied: whether the embeddings read the answer out, unless the file says.
        head_size: `divide` where a head without a size of its own is the width over
            the heads, `ask` where it is not.
        kv_heads: `heads` where a file without key and value heads has as many as
            query heads, `ask` where it does not.
        bias: whether queries, keys, values and the output of attention have biases.
        qkv_bias: whether queries, keys and values have them, and the output not.
        out_bias: whether the output has them, by a word of its own.
        mlp_bias: of the dense block.
        head_bias: of the matrix that reads the answer out.
        gated: whether the dense block has a gate.
        norm: parameters of a norm for each number of the width: 1, 2 with a bias, 0.
        norms: norms of the width in a layer.
        norms_if: a word, and how many more norms a layer has where it is true.
        last: norms of the width after the last layer.
        qk_norm: `head`: one norm for all heads of queries and one of keys, `biased`
            with biases; `each`: a norm for each head, or `each biased`; `whole`: over
            all together.
        qk_norm_if: the word that says whether there are any, if one does.
        sinks: whether each head has a sink.
        gate: of queries: `wide` as wide as they are, `apart` also, but without biases,
            `head` one number a head.
        window: which layers slide, where `layer_types` does not say.
        experts: of a mixture.
        linear: the mixer of layers of the kind `linear`, or `convolution`.
        extra: further parameters of each layer.
        head_extra: and for each number of the width of a head.
        inner_norm: whether a norm stands inside the dense block.
        defaults: what stands for words that the family's files leave out.
    """

    tied: bool = False
    head_size: Literal["divide", "ask"] = "divide"
    kv_heads: Literal["heads", "ask"] = "ask"
    bias: Where = False
    qkv_bias: Where = False
    out_bias: Where = False
    mlp_bias: Where = False
    head_bias: Where = False
    gated: bool = True
    norm: int = 1
    norms: int = 2
    norms_if: tuple[str, int] | None = None
    last: int = 1
    qk_norm: Literal["", "head", "biased", "each", "each biased", "whole"] = ""
    qk_norm_if: str = ""
    sinks: bool = False
    gate: Literal["", "wide", "apart", "head"] = ""
    window: Callable[[Fields, int], Sequence[str]] | None = None
    experts: Experts | None = None
    linear: Callable[[Fields], Mixer] | None = None
    extra: int = 0
    head_extra: int = 0
    inner_norm: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)


def read_decoder(f: Fields, t: Traits, name: str) -> Record:
    """Reads a config by the traits of its family.

    Raises:
        FieldError: a word is missing, impossible or not known.
    """
    f = replace(f, defaults=t.defaults)
    count = f.number("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    kinds = kinds_of(f, t, count)
    mixers = mixers_of(f, t, kinds)
    feeds = feeds_of(f, t, count)
    width = f.number("hidden_size")
    norms = t.norms
    if t.norms_if is not None and f.flag(t.norms_if[0], missing=False):
        norms += t.norms_if[1]
    layers = stacked(mixers, feeds, norms * t.norm * width + t.extra)
    heads, kv_heads, head = heads_of(f, t)
    vocabulary = f.number("vocab_size")
    matrix = vocabulary * width
    tied = tied_of(f, t.tied)
    record = Record(
        name=name,
        family=str(f.value.get("model_type")),
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        key_width=head,
        value_width=f.maybe("v_head_dim", least=1) or head,
        vocabulary=vocabulary,
        layers=layers,
        input_embedding=matrix,
        output_embedding=0 if tied else matrix,
        around=t.last * t.norm * width + is_on(f, t.head_bias) * vocabulary,
    )
    return with_prediction(f, record)


def stacked(
    mixers: Iterable[Mixer], feeds: Iterable[Feed], around: int
) -> tuple[Layer, ...]:
    """Layers of a mixer and a feed-forward block each, with alike norms around them."""
    pairs = zip(mixers, feeds, strict=True)
    return tuple(Layer(mixer, feed, around) for mixer, feed in pairs)


def is_on(f: Fields, where: Where) -> bool:
    """Whether something is there: always, never, or as a word says."""
    return f.flag(where, missing=False) if isinstance(where, str) else where


def tied_of(f: Fields, missing: bool) -> bool:
    """Whether the embeddings read the answer out; also the outer config may say."""
    told = [
        config.flag("tie_word_embeddings", missing=missing)
        for config in f.chain()
        if "tie_word_embeddings" in config
    ]
    if len(set(told)) > 1:
        f.say(
            f"tie_word_embeddings is {str(told[0]).lower()} for the language model and "
            f"{str(told[-1]).lower()} around it: the first is taken"
        )
    if told:
        return told[0]
    have = "one matrix" if missing else "two matrices"
    f.say(
        "tie_word_embeddings is not in the file: the family's own rule, "
        f"{have} for reading in and out"
    )
    return missing


def untied(f: Fields) -> Fields:
    """A config whose family keeps two matrices in the reference, whatever it says."""
    for config in f.chain():
        if config.flag("tie_word_embeddings", missing=False):
            f.say(
                "tie_word_embeddings is true in the file, and the reference keeps two "
                "matrices all the same: both are counted"
            )
    return replace(f, value={**f.value, "tie_word_embeddings": False})


def heads_of(f: Fields, t: Traits) -> tuple[int, int, int]:
    """Query heads, key and value heads, and the width of a head.

    Raises:
        FieldError: they do not fit together, or one is missing.
    """
    heads = f.number("num_attention_heads", "n_head", "n_heads")
    kv_heads = f.maybe("num_key_value_heads", least=1)
    if kv_heads is None:
        if t.kv_heads == "ask":
            f.number("num_key_value_heads")
        f.say("num_key_value_heads is not in the file: each head has its own")
        kv_heads = heads
    if heads % kv_heads:
        raise f.wrong(
            "num_key_value_heads",
            f"must divide the {heads} query heads, got {kv_heads}",
        )
    head = f.maybe("head_dim", "attention_head_dim", "kv_channels", least=1)
    if head is None:
        if t.head_size == "ask":
            f.number("head_dim")
        width = f.number("hidden_size", "n_embd")
        if width % heads:
            raise f.wrong(
                "num_attention_heads",
                f"must divide the hidden_size of {width} where head_dim is not "
                f"given, got {heads}",
            )
        head = width // heads
        f.say(f"head_dim is not in the file: the width over the heads, {head}")
    return heads, kv_heads, head


def kinds_of(f: Fields, t: Traits, count: int) -> tuple[str, ...]:
    """The kind of each layer's mixer."""
    told = f.layered("layer_types", count)
    if told is None:
        if t.window is None:
            return ("full",) * count
        return tuple(t.window(f, count))
    for index, word in enumerate(told):
        known = WORDS.get(word)
        if known is None or (known in {"linear", "convolution"} and t.linear is None):
            raise f.wrong(
                f"layer_types.{index}",
                f"is a kind of layer that this does not know in "
                f"{f.value.get('model_type')}, {shown(word)}; {BY_HAND}",
            )
    return tuple(WORDS[word] for word in told)


BY_HAND = (
    "write what you know by hand instead: architecture: {layers: 32, width: 4096, "
    "cache: 70 kB/token, parameters: {total: 30B, active: 3B}}"
)


def mixers_of(f: Fields, t: Traits, kinds: Sequence[str]) -> tuple[Mixer, ...]:
    """The mixer of each layer, by the words of its own where it has any."""
    made: dict[tuple[int, str], Mixer] = {}
    found = []
    for own, kind in zip(f.layers(len(kinds)), kinds, strict=True):
        key = (id(own), kind)
        if key not in made:
            made[key] = mixer_of(own, t, kind)
        found.append(made[key])
    return tuple(found)


def mixer_of(f: Fields, t: Traits, kind: str) -> Mixer:
    """The mixer of a kind."""
    if kind in {"linear", "convolution"} and t.linear is not None:
        return t.linear(f)
    heads, kv_heads, head = heads_of(f, t)
    window = None
    if kind == "sliding":
        window = f.number("sliding_window", "sliding_window_size")
    elif kind == "chunked":
        window = f.number("attention_chunk_size")
    width = f.number("hidden_size")
    extra = heads if t.sinks else 0
    if t.qk_norm and (not t.qk_norm_if or f.flag(t.qk_norm_if, missing=False)):
        extra += {
            "head": 2 * head,
            "biased": 4 * head,
            "each": (heads + kv_heads) * head,
            "each biased": 2 * (heads + kv_heads) * head,
            "whole": (heads + kv_heads) * head,
        }[t.qk_norm]
    extra += t.head_extra * head
    extra += {"head": width * heads, "apart": width * heads * head}.get(t.gate, 0)
    return blocks.grouped(
        width,
        heads,
        kv_heads,
        head,
        window=window,
        kind=kind,
        qkv_bias=is_on(f, t.bias) or is_on(f, t.qkv_bias),
        out_bias=is_on(f, t.bias) or is_on(f, t.out_bias),
        extra=extra,
        gated=t.gate == "wide",
    )


def feeds_of(f: Fields, t: Traits, count: int) -> tuple[Feed, ...]:
    """The feed-forward block of each layer."""
    width = f.number("hidden_size")
    plain: Feed | None = None
    mixed: Feed | None = None
    sparse: Sequence[bool] = (False,) * count
    if t.experts is not None and f.maybe(*EXPERTS) == 0:
        f.say(f"{f.raw(*EXPERTS)[0]} is 0: no layer has experts")
    if t.experts is not None and (f.maybe(*EXPERTS) or 0) > 0:
        sparse = (t.experts.sparse or every)(f, count)
        if any(sparse):
            mixed = experts_of(f, t.experts, width, gated=t.gated)
    if not all(sparse):
        words = ("intermediate_size",) if t.experts is None else t.experts.dense
        inner = f.number(*words)
        whole = blocks.dense(width, inner, gated=t.gated, bias=is_on(f, t.mlp_bias))
        plain = Feed(whole + inner * t.inner_norm)
    return tuple((mixed if one else plain) or Feed() for one in sparse)


def experts_of(f: Fields, e: Experts, width: int, *, gated: bool = True) -> Feed:
    """The mixture of a sparse layer.

    Raises:
        FieldError: more experts are chosen than there are.
    """
    experts, chosen = f.number(*EXPERTS), f.number(*CHOSEN)
    if chosen > experts:
        word = f.raw(*CHOSEN)[0]
        raise f.wrong(word, f"must be at most the {experts} experts, got {chosen}")
    inner = f.number(*e.width)
    shared = 0
    if e.shared_width:
        shared = f.maybe(*e.shared_width) or 0
    elif e.shared:
        each = f.maybe("moe_shared_expert_intermediate_size") or inner
        shared = (f.maybe(*e.shared) or 0) * each
    bias = is_on(f, e.shared_bias)
    whole = blocks.dense(width, shared, gated=gated, bias=bias) if shared else 0
    return blocks.mixture(
        width,
        inner,
        experts,
        chosen,
        shared=whole + (width if shared and e.shared_gate else 0),
        gated=gated,
        bias=e.bias,
        router_bias=e.router_bias,
        extra=e.extra * experts + e.norms * width,
    )


def every(_: Fields, count: int) -> Sequence[bool]:
    """Each layer is sparse."""
    return (True,) * count


def with_prediction(f: Fields, record: Record) -> Record:
    """Counts the weights of multi-token prediction apart.

    Each of its layers is one like the last, with a matrix that joins two streams and
    three norms; embeddings are the model's own. *Source*: DeepSeek-AI 2024,
    "DeepSeek-V3", section 2.2.
    """
    count = f.maybe("num_nextn_predict_layers")
    if count is None and f.flag("use_mtp", missing=False):
        count = f.maybe("num_mtp_modules")
    if not count or not record.layers:
        return record
    one = record.layers[-1].parameters + 2 * record.width**2 + 3 * record.width
    layers = "layer" if count == 1 else "layers"
    f.say(
        f"{count} {layers} of multi-token prediction, about {count * one / 1e9:.2f}B "
        "parameters, are not counted"
    )
    return replace(record, prediction=count * one)
