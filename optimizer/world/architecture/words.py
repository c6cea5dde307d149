"""A model in words of a scenario: groups of layers, each of a kind.

What a config says of a published model can be said by hand of any other. Words that
all groups share stand above the list. Norms and biases are left out, as in the plain
words: about one part in ten thousand. *Source*: as for the blocks and the record.
"""

from collections.abc import Iterator
from typing import Any, Literal

from optimizer.reading.fields import (
    Bytes,
    Count,
    Field,
    FieldError,
    Model,
    Parameters,
    across,
)
from optimizer.reading.yamltext import Steps
from optimizer.records import replace
from optimizer.world.architecture import blocks
from optimizer.world.architecture.record import (
    Feed,
    Layer,
    Mixer,
    Record,
    Store,
)

Kind = Literal[
    "full", "sliding", "chunked", "latent", "compressed", "linear", "state-space",
    "convolution", "shared", "none",
]  # fmt: skip
WINDOWED = ("sliding", "chunked")
STATED = ("linear", "state-space", "convolution")
MOST = 2000  # layers of a model


class Index(Model):
    """Narrow keys of their own, by which a layer chooses the tokens that it reads."""

    heads: Count = Field(description="query heads of the index")
    width: Count = Field(description="of one of its keys")
    reads: Count = Field(description="tokens that it chooses")
    shared: bool = Field(
        default=False, description="whether an earlier layer chooses, with its keys"
    )


class _Shared(Model):
    """Words of a layer, which may stand above all groups."""

    heads: Count | None = Field(None, description="query heads")
    kv_heads: Count | None = Field(
        None, description="key and value heads; as many as query heads unless given"
    )
    head_size: Count | None = Field(
        None, description="width of a key head; the model's width over heads unless "
        "given. Of latent attention, its part without position",
    )  # fmt: skip
    value_size: Count | None = Field(
        None, description="width of a value head; as wide as a key unless given"
    )
    window: Count | None = Field(
        None, description="tokens that a sliding or chunked layer sees"
    )
    latent: Count | None = Field(
        None, description="width of the vector that latent attention keeps for a token"
    )
    rotary: Count | None = Field(
        None, description="width of the key with position that it keeps besides"
    )
    query_latent: Count | None = Field(
        None, description="width of its compressed queries; not compressed unless given"
    )
    index: Index | None = Field(
        None, description="of a latent layer that reads only what an index chooses"
    )
    every: Count | None = Field(
        None, description="tokens that an entry of a compressed layer stands for"
    )
    state: Bytes | None = Field(
        None, description="bytes that a linear or state-space layer keeps whatever "
        "the context",
    )  # fmt: skip
    weights: Parameters | None = Field(
        None, description="parameters of what looks at other tokens, where they do "
        "not follow from the other words",
    )  # fmt: skip
    ffn_width: Count | None = Field(
        None, description="inner width of the dense feed-forward block"
    )
    gated: bool | None = Field(
        None, description="whether it and the experts have a gate, as SwiGLU has"
    )
    experts: Count | Literal["none"] | None = Field(
        None, description="routed experts; none where the layers are dense"
    )
    active_experts: Count | None = Field(
        None, description="those of them that a token passes"
    )
    expert_width: Count | None = Field(None, description="inner width of an expert")
    shared_width: Count | None = Field(
        None, description="inner width of the experts that every token passes, together"
    )
    expert_stream: Count | None = Field(
        None, description="width of the narrower stream that experts work in, if any"
    )


class Group(_Shared):
    """Layers that are alike."""

    count: Count = Field(description="how many layers")
    kind: Kind = Field(description="what they keep of a sequence")


class Told(Model):
    """Parameters of the whole model, where they are known."""

    total: Parameters = Field(description="all, as memory holds them")
    active: Parameters | None = Field(None, description="those that a token passes")


class Words(_Shared):
    """A model layer by layer."""

    name: str | None = Field(None, description="for reports")
    width: Count = Field(description="model width")
    vocabulary: Count | None = Field(None, description="tokens with an embedding")
    tied: bool = Field(
        default=False, description="whether the embeddings also read the answer out"
    )
    layers: tuple[Group, ...] = Field(description="groups of layers, in any order")
    layer_embeddings: Count | None = Field(
        None, description="width of an embedding that each layer looks up for itself"
    )
    prediction: Parameters | None = Field(
        None, description="of multi-token prediction, which nothing else counts"
    )
    parameters: Told | None = Field(
        None, description="{total, active}, where the words do not say them"
    )

    @across
    def _fits(self) -> None:
        if found := tuple(self._misfits()):
            raise FieldError(*found)

    def _misfits(self) -> Iterator[tuple[Steps, str]]:
        if not 0 < sum(group.count for group in self.layers) <= MOST:
            yield ("layers",), f"must be 1 to {MOST} layers"
            return
        if self.parameters and (self.parameters.active or 0) > self.parameters.total:
            yield ("parameters", "active"), "must be at most the total"
        if self.layer_embeddings is not None and self.vocabulary is None:
            yield ("layer_embeddings",), "needs the vocabulary; add vocabulary: 128256"
        for index, own in enumerate(self.layers):
            at: Steps = ("layers", index)
            for steps, message in _wrong(self, merged(self, own), own.kind):
                yield (*at, *steps), message


def merged(words: Words, own: Group) -> Group:
    """A group with the words that stand above all groups."""
    above = {
        word: value
        for word in _Shared.model_fields
        if (value := getattr(words, word)) is not None and getattr(own, word) is None
    }
    return own.model_copy(update=above)


NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "full": (("heads", "32"),),
    "sliding": (("heads", "32"), ("window", "4096")),
    "chunked": (("heads", "32"), ("window", "8192")),
    "latent": (
        ("heads", "128"),
        ("latent", "512"),
        ("rotary", "64"),
        ("head_size", "128"),
        ("value_size", "128"),
    ),
    "compressed": (("heads", "32"), ("every", "4")),
    "linear": (),
    "state-space": (),
    "convolution": (),
    "shared": (("heads", "32"),),
    "none": (),
}


def _wrong(words: Words, g: Group, kind: Kind) -> Iterator[tuple[Steps, str]]:
    """What a group lacks or contradicts."""
    for word, example in NEEDED[kind]:
        if getattr(g, word) is None:
            yield (word,), f"is missing for {kind} layers; add {word}: {example}"
    heads = g.heads
    if heads and g.head_size is None and words.width % heads:
        yield ("heads",), f"must divide {words.width} where head_size is not given"
    if heads and g.kv_heads and heads % g.kv_heads:
        yield ("kv_heads",), f"must divide the {heads} heads, got {g.kv_heads}"
    if kind in STATED and g.state is None:
        yield (
            ("state",),
            f"is missing for {kind} layers; add state: 2 MB, the bytes that one layer "
            "keeps of a sequence",
        )
    unsaid = kind in STATED or kind == "compressed"
    if unsaid and g.weights is None and words.parameters is None:
        yield (
            ("weights",),
            f"is missing for {kind} layers, whose parameters no words say; add "
            "weights: 50M of one layer, or above them parameters: {total: 30B, "
            "active: 3B} of the model",
        )
    wide = g.ffn_width is not None or _has_experts(g)
    if wide and g.gated is None:
        yield ("gated",), "is missing; add gated: true for three matrices, or false"
    if _has_experts(g):
        for word, example in (("active_experts", "8"), ("expert_width", "2048")):
            if getattr(g, word) is None:
                yield (word,), f"is missing beside experts; add {word}: {example}"
        if (g.active_experts or 0) > _count(g):
            yield ("active_experts",), f"must be at most the {g.experts} experts"


def _has_experts(g: Group) -> bool:
    return g.experts not in {None, "none"}


def _count(g: Group) -> int:
    return g.experts if isinstance(g.experts, int) else 0


def record_of_words(words: Words, name: str) -> Record:
    """The record of a model in words."""
    width = words.width
    layers: list[Layer] = []
    own = words.layer_embeddings or 0
    extra = 2 * width * own
    for group in words.layers:
        g = merged(words, group)
        layers += [Layer(_mixer(g, width), _feed(g, width), extra)] * g.count
    vocabulary = words.vocabulary or 0
    matrix = vocabulary * width
    lookup = own * vocabulary * len(layers)
    first = next(
        (merged(words, x) for x in words.layers if x.heads or words.heads), None
    )
    heads = 0 if first is None else first.heads or 0
    head = 0 if first is None or not heads else first.head_size or width // heads
    record = Record(
        name=words.name or name,
        family="words",
        width=width,
        heads=heads,
        kv_heads=0 if first is None else _kept_heads(first),
        key_width=head if first is None or not first.latent else _entry(first),
        value_width=0 if first is None or first.latent else first.value_size or head,
        vocabulary=vocabulary,
        layers=tuple(layers),
        input_embedding=matrix + lookup,
        output_embedding=0 if words.tied else matrix,
        lookup=lookup,
        around=own and width * own * len(layers),
        prediction=round(words.prediction or 0),
        notes=tuple(_notes(words)),
    )
    told = words.parameters
    if told is None:
        return record
    return replace(record, told=(round(told.total), round(told.active or told.total)))


def _entry(g: Group) -> int:
    return (g.latent or 0) + (g.rotary or 0)


def _kept_heads(g: Group) -> int:
    return 1 if g.latent else g.kv_heads or g.heads or 0


def _notes(words: Words) -> Iterator[str]:
    """What was taken for granted."""
    yield "said in words; norms and biases are left out"
    groups = [merged(words, group) for group in words.layers]
    if any(g.heads and g.head_size is None for g in groups):
        yield "head_size is not said: the width over the heads"
    if any(g.heads and not g.kv_heads and not g.latent for g in groups):
        yield "kv_heads is not said: each head has its own"
    bare = any(g.ffn_width is None and not _has_experts(g) for g in groups)
    if bare and words.parameters is None:
        yield "layers without ffn_width and experts have no feed-forward block"


def _mixer(g: Group, width: int) -> Mixer:
    """What looks at other tokens in a layer of a group."""
    mixer = _shape(g, width)
    if g.weights is not None:
        mixer = replace(mixer, parameters=round(g.weights))
    if g.state is not None and g.kind != "none":
        mixer = replace(mixer, state=round(g.state))
    return mixer


def _shape(g: Group, width: int) -> Mixer:
    if g.kind == "none" or g.kind in STATED:
        return Mixer(g.kind, 0)
    heads = g.heads or 1
    head = g.head_size or width // heads
    if g.kind == "latent":
        index = g.index
        return blocks.latent(
            width, heads, g.latent or 0, g.rotary or 0, head, g.value_size or head,
            query_rank=g.query_latent,
            index=(index.heads, index.width, index.reads) if index else None,
            shared_index=index is not None and index.shared,
            norms=False,
        )  # fmt: skip
    kv_heads, value = g.kv_heads or heads, g.value_size or head
    window = g.window if g.kind in {*WINDOWED, "compressed", "shared"} else None
    plain = blocks.grouped(
        width, heads, kv_heads, head, value, window=window, kind=g.kind
    )
    if g.kind == "shared":
        queries = width * heads * (head + value)
        return replace(plain, parameters=queries, stores=())
    if g.kind != "compressed":
        return plain
    every = g.every or 1
    entries = Store(kv_heads * (head + value), every=every)
    stores = (*plain.stores, entries) if window else (entries,)
    return replace(plain, stores=stores, reads=None)


def _feed(g: Group, width: int) -> Feed:
    """What works on one token alone in a layer of a group."""
    gated = bool(g.gated)
    inner = blocks.dense(width, g.ffn_width, gated=gated) if g.ffn_width else 0
    if not _has_experts(g):
        return Feed(inner)
    stream = g.expert_stream or width
    shared = blocks.dense(width, g.shared_width, gated=gated) if g.shared_width else 0
    into = 2 * width * stream if g.expert_stream else 0
    return Feed(
        parameters=width * _count(g) + shared + into,
        experts=_count(g),
        chosen=g.active_experts or 0,
        expert=blocks.dense(stream, g.expert_width or 0, gated=gated),
    )


def with_config(schema: dict[str, Any]) -> None:
    """Lets a scenario's schema have a config, its path or name, or layers by kind."""
    schema["anyOf"] += [
        {"type": "string", "examples": ["llama-3-8b", "models/config.json"]},
        {"type": "object", "required": ["model_type"]},
        {
            "type": "object",
            "required": ["width", "layers"],
            "properties": {"layers": {"type": "array", "items": {"type": "object"}}},
        },
    ]
