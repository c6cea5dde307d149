"""Sentences in the unit of a law: they are written in nats, as most laws are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

NATS = "nats per token"
TASK = "nats per task"  # of samples, whose loss is −ln of a task's pass@k
EACH = "in its law's unit"  # of losses side by side that are not alike
ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("nats", "nat", "nats/token", "nats per token"), "nats"),
    **dict.fromkeys(("bits", "bit", "bits/token", "bits per token"), "bits"),
    **dict.fromkeys(("bpb", "bits/byte", "bits per byte"), "bpb"),
    **dict.fromkeys(("bpc", "bits/char", "bits/character", "bits per char"), "bpc"),
    **dict.fromkeys(("bits per character",), "bpc"),
    **dict.fromkeys(("nats/byte", "nats per byte"), "nats/byte"),
    **dict.fromkeys(("ppl", "perplexity"), "ppl"),
}
_WORD = re.compile(r"(?<![\w-])nats(?: per token)?(?![\w-]|/byte| per (?:byte|task))")


def said_in(text: str, unit: str) -> str:
    """A sentence with a unit in place of nats.

    Args:
        text: in which losses are told in nats; their numbers are in the unit.
        unit: of the law, such as `bits per byte`.
    """
    return text if unit == NATS else _WORD.sub(lambda _: unit, text)


def of_samples(unit: str) -> str:
    """The unit of a law of samples that says no other than all laws do."""
    return TASK if unit == NATS else unit


def common(units: Iterable[str]) -> str:
    """The unit of several laws together."""
    found = list(dict.fromkeys(units))
    return found[0] if len(found) == 1 else EACH


def same(one: str, other: str) -> bool:
    """Whether two spellings are of one unit."""
    units = (ALIASES.get(word.lower().strip(), word) for word in (one, other))
    return len(set(units)) == 1
