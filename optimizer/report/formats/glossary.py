"""The words of a report that not everybody knows, and a link where each comes first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

# A word as it stands in the text → its name and its sentence in `docs/glossary.md`.
WORDS = {
    "Chinchilla-optimal(?: tokens)?": (
        "Chinchilla-optimal tokens",
        "The tokens with which a model of a given size is the cheapest to train to its "
        "loss.",
    ),
    "[Cc]ritical size": (
        "Critical size",
        "The size below which training takes more than twice the least compute for the "
        "loss.",
    ),
    "[Ee]xtrapolation": (
        "Extrapolation",
        "A plan outside the runs that its law was fitted to.",
    ),
    "FLOP": (
        "FLOP",
        "One operation on floating-point numbers. Training takes about 6·N·D of them, "
        "serving a token about 2·N.",
    ),
    "(?:scaling )?law": (
        "Law",
        "A formula, fitted to training runs, for the loss of N parameters on D tokens.",
    ),
    "[Ll]ifetime (?:cost|compute)": (
        "Lifetime cost",
        "Training and all serving together, in FLOP, dollars, kWh or CO₂.",
    ),
    "loss": (
        "Loss",
        "How badly a model predicts the next token, in the unit of its law; lower is "
        "better. What no model can go below is its irreducible part E, the "
        "rest is reducible.",
    ),
    "mfu|MFU": ("MFU", "Useful FLOP over the peak of the accelerator."),
    "[Oo]vertraining factor": (
        "Overtraining factor",
        "Tokens of the plan over the Chinchilla-optimal tokens of its size. Where data "
        "repeat, those are of data read once.",
    ),
    "replicas?": (
        "Replica",
        "The accelerators that hold one copy of the model and serve together.",
    ),
    "[Ss]erved tokens": (
        "Served tokens",
        "All tokens that are read and written over the model's life.",
    ),
    "[Ss]hadow price": (
        "Shadow price",
        "The slope of the cost at a limit: what a little more of it saves, per unit.",
    ),
    "[Tt]raining-optimal": (
        "Training-optimal model",
        "The cheapest to train to the same loss, whatever it then costs to serve.",
    ),
}
_ANY = re.compile(
    "|".join(f"(?P<w{place}>{word})" for place, word in enumerate(WORDS)).join(
        (r"(?<![\w.-])(?:", r")(?![\w-]|\.\w)")
    )
)


class Glossary:
    """Links the first use of each word; knows which were used."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def linked(self, text: str) -> str:
        """A text as HTML, in which a word that comes first leads to its sentence."""

        def link(found: re.Match[str]) -> str:
            place = int((found.lastgroup or "w0")[1:])
            if place in self._used:
                return found[0]
            self._used.add(place)
            return f'<a class="word" href="#word-{place}">{found[0]}</a>'

        return _ANY.sub(link, escape(text))

    def words(self) -> Iterator[tuple[str, str, str]]:
        """What was used: the place, the name and the sentence of each, by name."""
        known = enumerate(WORDS.values())
        used = [
            (name, told, f"word-{i}") for i, (name, told) in known if i in self._used
        ]
        for name, told, place in sorted(used):
            yield place, name, told
