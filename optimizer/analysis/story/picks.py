"""What a scenario chooses by a word: law, objective, chips, precisions, logits.

Only a word with which the scenario can still be asked is offered, so that no choice of
the explorer leads nowhere by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from optimizer.analysis.story.edited_scenario import inside
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.inputs import named, value_at
from optimizer.question.load import read_document
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Document, Steps
from optimizer.records import dataclass
from optimizer.world.costs import UNITS
from optimizer.world.distillation import Distillation
from optimizer.world.hardware import hardware_names
from optimizer.world.laws import builtin_names
from optimizer.world.machines import Arithmetic, Trained

PLACES = {"training": get_args(Trained), "serving": get_args(Arithmetic)}


@dataclass(frozen=True)
class Pick:
    """One word that can be another.

    Attributes:
        name: its dotted path, as `--set` takes it.
        text: the word that holds at first.
        options: all words that may stand there, this one among them.
    """

    name: str
    text: str
    options: tuple[str, ...]


def picks(
    original: Document, base: Path, sets: Sequence[str], scenario: Scenario
) -> tuple[Pick, ...]:
    """The words of a scenario that may be others, with those that it can take."""
    found = []
    for name, text, words in _offered(scenario):
        allowed = [
            word
            for word in words
            if word == text or _asks(original, base, (*sets, f"{name}={word}"))
        ]
        if len(allowed) > 1:
            found.append(Pick(name, text, tuple(allowed)))
    return tuple(found)


def _offered(scenario: Scenario) -> Iterator[tuple[str, str, Sequence[str]]]:
    law = scenario.spec.law
    if law in builtin_names():
        yield "law", str(law), builtin_names()
    yield "objective", scenario.spec.objective, tuple(UNITS)
    for place, formats in PLACES.items():
        path: Steps = (place,)
        given = getattr(scenario.spec, place)
        chip = given is not None and path in scenario.hardware
        if chip and given.hardware in hardware_names():
            yield f"{place}.hardware", str(given.hardware), hardware_names()
        # Without a chip a format still says what the parameters are worth.
        if chip or inside(scenario.document.value, (place, "precision")) is not None:
            precision = given.precision or "bf16"
            if isinstance(precision, str):
                yield f"{place}.precision", precision, formats
    for path in scenario.hardware:  # of streams that are served by their own
        if len(path) == 1:
            continue
        own: Any = value_at(scenario, path)
        at = named(scenario, path)
        if own.hardware in hardware_names():
            yield f"{at}.hardware", str(own.hardware), hardware_names()
        if isinstance(own.precision, str):
            yield f"{at}.precision", own.precision, PLACES["serving"]
    if scenario.spec.distillation is not None:
        logits = get_args(Distillation.model_fields["logits"].annotation)
        yield "distillation.logits", scenario.spec.distillation.logits, logits


def _asks(original: Document, base: Path, sets: Sequence[str]) -> bool:
    try:
        formulate(read_document(original, base, sets))
    except InputError:
        return False
    return True
