"""Architectures: a transformer's shape, and the parameters that follow from it.

A layer has matrices of width·heads·head_size for queries and for outputs, and of
width·kv_heads·head_size for keys and for values; two of width·ffn_width for its
feed-forward block, or three where a gate is among them; and of a mixture of experts as
many blocks as experts, and width·experts to choose among them. Embeddings are
vocabulary·width, twice where another matrix reads the answer out. With attention as
wide as the model and ffn_width of 4·width, or gated of 8/3·width, all layers have
12·layers·width². Norms and biases are left out: about one part in ten thousand.

*Source*: Kaplan et al. 2020, table 1 (N = 2·width·layers·(2·d_attn + d_ff)); Shazeer,
"GLU variants improve transformer" (2020), for the gate and its 8/3; Ainslie et al.,
"GQA" (2023), for kv_heads; Jiang et al., "Mixtral of experts" (2024), for experts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from optimizer.reading.fields import Count, Field
from optimizer.reading.types import Size
from optimizer.reading.yamltext import Steps
from optimizer.world.architecture import blocks
from optimizer.world.architecture.record import Feed, Layer, Record
from optimizer.world.costs import Architecture, Sizes
from optimizer.world.law import Counts


class Shape(Architecture):
    """An architecture from which parameters can be counted."""

    heads: Count | None = Field(None, description="query heads a layer")
    ffn_width: Count | None = Field(
        None, description="inner width of the feed-forward block, or of one expert"
    )
    gated: bool | None = Field(
        None, description="whether the block has a gate, as SwiGLU has"
    )
    vocabulary: Count | None = Field(None, description="tokens with an embedding")
    tied: bool = Field(
        default=False, description="whether the embeddings also read the answer out"
    )

    def _misfits(self) -> Iterator[tuple[Steps, str]]:
        for word, other in (("heads", "head_size"), ("head_size", "heads")):
            value = getattr(self, word)
            if value and getattr(self, other) is None and self.width % value:
                yield (
                    (word,),
                    f"must divide the width of {self.width} where {other} is not "
                    f"given, got {value}",
                )
                return
        if self.kv_heads is not None:
            if self.heads is None and self.head_size is None:
                yield ("kv_heads",), "needs the size of a head; add heads: 32"
            elif self._heads % self.kv_heads:
                yield (
                    ("kv_heads",),
                    f"must divide the {self._heads} heads of a width of {self.width}, "
                    f"got {self.kv_heads}",
                )
        if self.ffn_width is not None and self.gated is None:
            yield (
                ("ffn_width",),
                "may be of two matrices or of three; add gated: true for three, as "
                "with SwiGLU, or gated: false",
            )
        yield from super()._misfits()

    @property
    def _heads(self) -> int:
        """The number of heads, where a head is told."""
        return self.heads or self.width // (self.head_size or self.width)

    @property
    def attended(self) -> float:
        """The width of all query heads together; the model's unless told."""
        if self.heads is None or self.head_size is None:
            return self.width
        return self.heads * self.head_size

    @property
    def cached(self) -> float:
        """The width of keys, and of values: each head's own unless told."""
        return self.attended / self._heads * (self.kv_heads or self._heads)

    @property
    def embeddings(self) -> float:
        """The parameters of the embeddings; 0 where the vocabulary is not told."""
        return (self.vocabulary or 0) * self.width * (1 if self.tied else 2)

    @property
    def stored(self) -> float:
        """All parameters, as memory holds them."""
        if self.parameters is not None:
            return self.parameters.total
        return self._layers(self.experts or 1) + self.embeddings

    def size(self, counts: Counts) -> float:
        """N as a law counts it.

        Of a mixture of experts these are the parameters that a token passes, under
        every law, for they set the compute.

        Args:
            counts: what the law's N counts.

        Raises:
            ValueError: embeddings count, and the vocabulary is not told.
        """
        if self.parameters is not None:
            return self._told(self.parameters, counts)
        layers = self._layers(self.active_experts or 1)
        if counts == "non-embedding":
            return layers
        if self.vocabulary is None:
            raise ValueError(
                "counts the embeddings; add vocabulary: 128256, and tied: true where "
                "they also read the answer out"
            )
        return layers + self.embeddings

    def _told(self, told: Sizes, counts: Counts) -> float:
        """N where the file gives the parameters."""
        size = told.active or told.total
        if counts != "non-embedding":
            return size
        if self.vocabulary is None or size <= self.embeddings:
            raise ValueError(
                "counts no embeddings; add vocabulary: 128256, and tied: true where "
                "they also read the answer out"
            )
        return size - self.embeddings

    def _layers(self, experts: int) -> float:
        """The parameters of all layers with some experts each."""
        attention = 2 * self.width * (self.attended + self.cached)
        block = 8.0 * self.width**2
        if self.ffn_width is not None:
            block = (3 if self.gated else 2) * self.width * self.ffn_width
        router = self.width * (self.experts or 0)
        return self.layers * (attention + experts * block + router)


def record_of_shape(shape: Shape, name: str) -> Record:
    """A shape in words as a record; norms and biases are left out as in the words."""
    heads = shape.heads or int(shape.width // (shape.head_size or shape.width))
    head = int(shape.attended // heads)
    kv_heads = int(shape.kv_heads or heads)
    width, inner = int(shape.width), int(shape.ffn_width or 4 * shape.width)
    gated = bool(shape.gated) if shape.ffn_width is not None else False
    feed = Feed(blocks.dense(width, inner, gated=gated))
    if shape.experts is not None:
        feed = blocks.mixture(
            width,
            inner,
            int(shape.experts),
            int(shape.active_experts or 1),
            gated=gated,
        )
    layer = Layer(blocks.grouped(width, int(heads), kv_heads, head), feed)
    matrix = int(shape.vocabulary or 0) * width
    return Record(
        name=name,
        family="words",
        width=width,
        heads=int(heads),
        kv_heads=kv_heads,
        key_width=head,
        value_width=head,
        vocabulary=int(shape.vocabulary or 0),
        layers=(layer,) * int(shape.layers),
        input_embedding=matrix,
        output_embedding=0 if shape.tied else matrix,
    )


class Entry(Shape):
    """An architecture of a list."""

    name: Annotated[str, Size(1)] | None = Field(
        None, description="for reports; layers x width unless given"
    )
