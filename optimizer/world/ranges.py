"""What the runs behind a law covered."""

from __future__ import annotations

from optimizer.records import dataclass, names

Interval = tuple[float, float]


@dataclass(frozen=True)
class Range:
    """What the runs behind a law covered, each (low, high) or None if not known.

    The last three are of sparse experts: 6·N·D [FLOP], and the choices of `Sparse`.
    """

    parameters: Interval | None = None
    tokens: Interval | None = None
    tokens_per_parameter: Interval | None = None
    loss: Interval | None = None
    compute: Interval | None = None
    activation: Interval | None = None
    granularity: Interval | None = None

    @property
    def told(self) -> dict[str, Interval]:
        """Those that are known."""
        every = ((name, getattr(self, name)) for name in names(type(self)))
        return {word: span for word, span in every if span is not None}
