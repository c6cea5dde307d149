"""A published model as the shape of a scenario: its record does the counting.

At its own size everything is exact. For a size that is still to be chosen its cache
grows as its family does (`Record.growth`), from what it is at its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from optimizer.errors import InputError, Mark, Problem
from optimizer.world.architecture.record import USUAL, Record
from optimizer.world.law import Counts
from optimizer.world.shapes import Shape

T = TypeVar("T")


class Built(Shape):
    """A shape whose figures come from a record."""

    _record: Record
    _anchor: float | None
    _seen: dict[str, Any]

    @property
    def record(self) -> Record:
        """What it is made of."""
        return self._record

    def once(self, word: str, make: Callable[[Record], T]) -> T:
        """What is made of its record, made once: a program asks for it many times."""
        if word not in self._seen:
            self._seen[word] = make(self._record)
        made: T = self._seen[word]
        return made

    @property
    def anchor(self) -> float | None:
        """N of the record, where the size is still to be chosen; else None."""
        return self._anchor

    @property
    def attended(self) -> float:
        """The width of all query heads together, of a layer on average."""
        pairs = sum(layer.mixer.pair for layer in self._record.layers)
        return pairs / 2 / len(self._record.layers)

    @property
    def embeddings(self) -> float:
        """The parameters of the embeddings."""
        return float(self._record.embeddings)

    @property
    def stored(self) -> float:
        """All parameters, as memory holds them."""
        return float(self._record.total)

    def size(self, counts: Counts) -> float:
        """N as a law counts it; of a mixture, what a token passes."""
        if counts == "non-embedding":
            return float(self._record.active("without_embeddings"))
        return float(self._record.active())

    def kept(self, context: float, number: float) -> tuple[float, float]:
        """Bytes that a sequence keeps, and the power of N they grow with."""
        bytes_ = self._record.kept(context, number)
        if self._anchor is None:
            return bytes_, 0.0
        power = self._record.growth
        return bytes_ * self._anchor**-power, power

    def spanned(self, context: float) -> float:
        """What attention works on, as layers times width times context."""
        return self._record.spanned(context)


def built(
    record: Record, counts: Counts | None = None, sequence: int | None = None
) -> Built:
    """The shape of a record.

    Args:
        record: of a model.
        counts: what a law's N counts, where the size is still to be chosen.
        sequence: the length of training sequences, where it is given.
    """
    experts, chosen = record.experts
    words: dict[str, Any] = {
        "layers": len(record.layers),
        "width": record.width,
        "heads": record.heads or None,
        "kv_heads": record.kv_heads or None,
        "vocabulary": record.vocabulary,
        "tied": record.tied,
        "sequence": sequence,
    }
    if record.mixture:
        words |= {"experts": experts, "active_experts": chosen}
    shape = Built.model_construct((), **words)
    # Private attributes of a record that no file can write.
    shape._record, shape._seen = record, {}
    shape._anchor = None if counts is None else shape.size(counts)
    return shape


def passed_once(record: Record, mark: Mark, path: str) -> Record:
    """The record, if a token passes each of its parameters once.

    Raises:
        InputError: its layers loop, or most of what a token passes is looked up, so
            that N says nothing of its FLOPs.
    """
    if record.lookup > record.active() / 2:
        raise InputError([Problem(mark, path, _looked_up(record))])
    if not record.looped:
        return record
    kept = record.kept(USUAL) / USUAL
    message = (
        f"{record.name} runs its layers several times over, so that a token takes more "
        "FLOPs than its parameters say, and no law here was fitted to such models; "
        f"overtrain model tells what it keeps. By hand: architecture: {{layers: "
        f"{len(record.layers)}, width: {record.width}, cache: {kept:.0f} B/token}}, "
        "which counts the FLOPs of one pass"
    )
    raise InputError([Problem(mark, path, message)])


def _looked_up(record: Record) -> str:
    """Why a model whose tables outweigh its layers is no architecture of a plan."""
    kept = record.kept(USUAL) / USUAL
    passed = record.active() - record.lookup
    return (
        f"{record.name} looks up {record.lookup / 1e9:.3g}B of the "
        f"{record.active() / 1e9:.3g}B parameters that count for a token, "
        "which takes no FLOPs, and no law here was fitted to such models; overtrain "
        f"model tells what it keeps. By hand: architecture: {{layers: "
        f"{len(record.layers)}, width: {record.width}, cache: {kept:.0f} B/token, "
        f"parameters: {{total: {record.total / 1e9:.4g}B, active: "
        f"{passed / 1e9:.4g}B}}}}"
    )
