"""A model, layer by layer: what each holds, what it keeps of a sequence, what it reads.

A layer is a *mixer*, which looks at other tokens, and a *feed-forward block*, which
does not. The mixer keeps something of the sequence: keys and values of every token
(`full`), of the last ones (`sliding`, `chunked`), one compressed vector a token for all
heads (`latent`), one for several tokens (`compressed`), a state of fixed size
(`linear`, `state-space`, `convolution`), what an earlier layer keeps (`shared`), or
nothing (`none`). Parameters, cache and attention are sums over the layers, each exact.

*Source*: Kaplan et al. 2020, table 1, for the parameters of a layer; DeepSeek-AI 2024,
"DeepSeek-V2", section 2.1, for latent attention; Dao & Gu 2024, "Transformers are
SSMs", for state spaces; the modeling code of Transformers 5.24 for what each family
keeps.
"""

from __future__ import annotations

import math
from typing import Literal

from optimizer.records import dataclass

Footing = Literal["all", "without_input_embedding", "without_embeddings"]
FOOTINGS: tuple[Footing, ...] = ("all", "without_input_embedding", "without_embeddings")
KINDS = (
    *("full", "sliding", "chunked", "latent", "compressed", "linear", "state-space"),
    *("convolution", "shared", "none"),
)
BF16 = 2.0  # bytes of a number
USUAL = 8192  # tokens of a sequence, where one length must stand for all


@dataclass(frozen=True)
class Store:
    """Numbers that a mixer keeps of the tokens of a sequence.

    Attributes:
        width: numbers an entry, keys and values together.
        most: entries kept at most; None keeps them all.
        every: tokens that an entry stands for.
        waiting: bytes of each token that waits for its entry to be full.
    """

    width: int
    most: int | None = None
    every: int = 1
    waiting: int = 0

    def smooth(self, context: float) -> float:
        """The same without steps, for a context that is an input of a program."""
        return self.width * (
            context / self.every
            if self.most is None
            else least(context / self.every, self.most)
        )

    def numbers(self, context: float) -> float:
        """What it keeps of a sequence of some tokens."""
        entries = math.floor(context / self.every)
        return self.width * (entries if self.most is None else min(entries, self.most))


def least(value: float, most: float) -> float:
    """The lesser; also of arrays, and of complex steps by their real part."""
    over = value - most
    return most + over * (over.real <= 0)


@dataclass(frozen=True)
class Mixer:
    """What looks at other tokens in a layer.

    Attributes:
        kind: one of `KINDS`, or two of them with ` + ` between.
        parameters: all of them, norms of its own included.
        stores: what it keeps of the tokens.
        state: bytes that it keeps whatever the context: the reference keeps recurrent
            states in fp32 and the last inputs of convolutions in bf16.
        pair: multiplications that a query and a token that it reads take: the widths
            of key and value times the query heads.
        reads: tokens that a query reads at most; None reads them all.
        scan: multiplications of choosing what to read, for each token of context.
    """

    kind: str
    parameters: int
    stores: tuple[Store, ...] = ()
    state: int = 0
    pair: int = 0
    reads: int | None = None
    scan: int = 0


@dataclass(frozen=True)
class Feed:
    """What works on one token alone in a layer.

    Attributes:
        parameters: those that every token passes: a dense block, shared experts, the
            router.
        experts: routed experts.
        chosen: those of them that a token passes.
        expert: parameters of one.
    """

    parameters: int = 0
    experts: int = 0
    chosen: int = 0
    expert: int = 0


@dataclass(frozen=True)
class Layer:
    """A mixer, a feed-forward block, and the norms around them.

    Attributes:
        mixer: looks at other tokens.
        feed: works on one token.
        around: parameters of norms, gates and the like around both.
    """

    mixer: Mixer
    feed: Feed = Feed()
    around: int = 0

    @property
    def parameters(self) -> int:
        """All that memory holds."""
        return self._always + self.feed.experts * self.feed.expert

    @property
    def active(self) -> int:
        """Those that a token passes."""
        return self._always + self.feed.chosen * self.feed.expert

    @property
    def _always(self) -> int:
        return self.mixer.parameters + self.feed.parameters + self.around


@dataclass(frozen=True)
class Record:
    """A model as it is built.

    Attributes:
        name: for reports.
        family: the `model_type` that it was read as.
        width: of the stream between the layers.
        heads: query heads of a layer with attention, the most of all; 0 without one.
        kv_heads: key and value heads of it.
        key_width: of one key head.
        value_width: of one value head.
        vocabulary: tokens with an embedding.
        layers: in order.
        input_embedding: parameters that are looked up, not multiplied: embeddings of
            tokens, positions, and of each layer; those that also read the answer out
            where the embeddings are tied.
        output_embedding: of a matrix of its own that reads the answer out; 0 if tied.
        lookup: of the input embedding, what is never multiplied although tied.
        around: parameters outside the layers that are no embeddings.
        prediction: of multi-token prediction, which no other figure counts.
        told: all parameters and those that a token passes, where they do not follow
            from the layers.
        notes: what was understood and taken for granted, in sentences.
    """

    name: str
    family: str
    width: int
    heads: int
    kv_heads: int
    key_width: int
    value_width: int
    vocabulary: int
    layers: tuple[Layer, ...]
    input_embedding: int
    output_embedding: int
    lookup: int = 0
    around: int = 0
    prediction: int = 0
    told: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def tied(self) -> bool:
        """Whether the embeddings also read the answer out."""
        return not self.output_embedding

    @property
    def embeddings(self) -> int:
        """Parameters of all embeddings."""
        return self.input_embedding + self.output_embedding

    @property
    def total(self) -> int:
        """All parameters but those of multi-token prediction."""
        if self.told is not None:
            return self.told[0]
        inner = sum(layer.parameters for layer in self.layers)
        return self.embeddings + self.around + inner

    def active(self, footing: Footing = "all") -> int:
        """The parameters that a token passes.

        Args:
            footing: `all` counts every embedding; `without_input_embedding` leaves
                out those that are only looked up, so that of a tied model the one
                matrix still counts; `without_embeddings` leaves out the matrix that
                reads the answer out as well.
        """
        inner = sum(layer.active for layer in self.layers) + self.around
        if self.told is not None:
            inner = max(self.told[1] - self.embeddings, 0)
        if footing == "without_embeddings":
            return inner
        read = self.input_embedding - self.lookup if self.tied else 0
        if footing == "without_input_embedding":
            return inner + self.output_embedding + read
        return inner + self.embeddings

    @property
    def mixture(self) -> bool:
        """Whether a token passes some of its experts only."""
        if self.told is not None and self.told[0] > self.told[1]:
            return True
        return any(layer.feed.experts > layer.feed.chosen for layer in self.layers)

    @property
    def looped(self) -> bool:
        """Whether a token passes some layers again, without parameters of their own."""
        return any(not x.parameters and x.mixer.pair for x in self.layers)

    @property
    def experts(self) -> tuple[int, int]:
        """The most routed experts of a layer, and how many of them a token passes."""
        feed = max((x.feed for x in self.layers), key=lambda feed: feed.experts)
        return feed.experts, feed.chosen

    @property
    def kinds(self) -> dict[str, int]:
        """How many layers there are of each kind of mixer, in their order."""
        found: dict[str, int] = {}
        for layer in self.layers:
            found[layer.mixer.kind] = found.get(layer.mixer.kind, 0) + 1
        return found

    def cache(self, context: float, number: float = BF16) -> float:
        """Bytes that a sequence keeps, states included.

        Args:
            context: tokens of the sequence.
            number: bytes of a stored key or value.
        """
        stores = (store for layer in self.layers for store in layer.mixer.stores)
        kept = sum(store.numbers(context) for store in stores)
        return number * kept + self.state + self._waiting(context)

    def kept(self, context: float, number: float = BF16) -> float:
        """As `cache`, without steps: S(context) of a program [bytes]."""
        stores = (store for layer in self.layers for store in layer.mixer.stores)
        return number * sum(store.smooth(context) for store in stores) + self.state

    @property
    def growth(self) -> float:
        """The power of the parameters with which the cache grows in its family.

        Depth and width grow alike, each with the cube root of the parameters, and
        heads keep their width. Groups of queries and latent caches keep theirs, so
        that the cache grows with depth alone, by 1/3; where every head has its own
        keys, and in states, with depth times width, by 2/3. Of a mixed model it is
        the mean by what each kind keeps of 8,192 tokens.
        """
        wide = self.heads == self.kv_heads and self.value_width > 0
        whole = self.kept(USUAL)
        if not whole:
            return 0.0
        broad = self.state + (whole - self.state) * wide
        return (1 + broad / whole) / 3

    def spanned(self, context: float) -> float:
        """Layers times attended width times context, as plain attention would have it.

        A window of w tokens sees w - w²/(2T) of T on average, and all see T/2.
        """
        total = 0.0
        for mixer in (layer.mixer for layer in self.layers):
            seen = context
            if mixer.reads is not None:
                inner = least(mixer.reads, context)
                seen = 2 * inner - inner * inner / context
            total += mixer.pair / 2 * seen
        return total

    def _waiting(self, context: float) -> float:
        """Bytes of tokens that wait for their entry to be full."""
        stores = (store for layer in self.layers for store in layer.mixer.stores)
        return sum(x.waiting * (context % x.every) for x in stores if x.waiting)

    @property
    def state(self) -> int:
        """Bytes that a sequence keeps whatever its context."""
        return sum(layer.mixer.state for layer in self.layers)

    def slope(self, number: float = BF16) -> float:
        """Bytes that a further token adds once every window is full."""
        stores = (store for layer in self.layers for store in layer.mixer.stores)
        return number * sum(x.width / x.every for x in stores if x.most is None)

    def attention(self, context: float) -> float:
        """FLOPs of attention for one more token after some tokens of context.

        Two a multiplication: each query head meets the key and the value of every
        token that it reads; an index scans them all to choose.
        """
        total = 0.0
        for mixer in (layer.mixer for layer in self.layers):
            read = context if mixer.reads is None else min(context, mixer.reads)
            total += 2.0 * (mixer.pair * read + mixer.scan * context)
        return total
