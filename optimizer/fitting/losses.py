"""Units of a loss, and what a law is fitted in: nats per token wherever that is known.

    nats = bits·ln 2 = ln perplexity = bits per byte · ln 2 · bytes per token

Without the bytes of a token a loss per byte stays one, and so does its law.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import suggest
from optimizer.reading.loss_words import ALIASES, NATS
from optimizer.records import dataclass

# The unit of a law, and what one of the loss is in nats of the same thing.
_LAWS: Mapping[str, tuple[str, float]] = {
    "nats": (NATS, 1.0),
    "bits": (NATS, math.log(2)),
    "ppl": (NATS, 1.0),
    "bpb": ("bits per byte", math.log(2)),
    "bpc": ("bits per character", math.log(2)),
    "nats/byte": ("nats per byte", 1.0),
}
PER_BYTE = ("bpb", "bpc", "nats/byte")


@dataclass(frozen=True)
class LossUnit:
    """How the losses of a table become those of a law.

    Attributes:
        word: the unit in the table.
        law: the unit of the law.
        factor: by which a loss is multiplied.
        told: what was done, in words; empty where nothing was.
    """

    word: str
    law: str
    factor: float
    told: str = ""

    def read(self, value: float) -> float:
        """A loss in the unit of the law.

        Raises:
            ValueError: it is a perplexity of at most one.
        """
        if self.word != "ppl":
            return value * self.factor
        if value <= 1:
            raise ValueError(f"must be a perplexity above 1, got {value:g}")
        return math.log(value)


def loss_unit(word: str, per_token: float | None) -> LossUnit:
    """The unit of a table's losses.

    Args:
        word: as `--unit loss=` has it; empty is nats per token.
        per_token: bytes (or characters) of a token, where that is known.

    Raises:
        InputError: there is no such unit, or it has no use for the bytes of a token.
    """
    unit = ALIASES.get(word.lower().replace("_", " ").strip() or "nats")
    if unit is None:
        known = "nats, bits, bpb, bpc, ppl"
        message = f"is no unit of a loss{suggest(word, ALIASES)}; choose of {known}"
        raise InputError([Problem(Mark(f"--unit loss={word}"), "", message)])
    law, factor = _LAWS[unit]
    if unit not in PER_BYTE:
        if per_token is not None:
            message = (
                f"is for losses per byte; these are in {unit}. Add --unit loss=bpb"
            )
            raise InputError([Problem(Mark("--bytes-per-token"), "", message)])
        told = {"bits": "as nats: times ln 2", "ppl": "as nats: their logarithm"}
        return LossUnit(unit, law, factor, told.get(unit, ""))
    if per_token is None:
        return LossUnit(unit, law, 1.0, f"the law is in {law}")
    done = f"as nats per token: times {factor * per_token:.4g}"
    return LossUnit(unit, NATS, factor * per_token, done)
