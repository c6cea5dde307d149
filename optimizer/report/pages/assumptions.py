"""What an answer rests on: every word of the file, and the sources of the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from optimizer.analysis.plan.wording import amount, percent
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import significant
from optimizer.records import dataclass
from optimizer.world.built import Built
from optimizer.world.machines import BLOCKED, KV
from optimizer.world.models import load_model
from optimizer.world.roofline import CACHE_ERROR, DEFAULT_CACHE, FILL, KV_NUMBERS
from optimizer.world.serving.replica import constants_of
from optimizer.world.training import PASSES, capacities

COMMENT = re.compile(r"(?:^|\s)#\s*(.*?)\s*$")
SILENT = {("name",), ("description",)}


@dataclass(frozen=True)
class Assumption:
    """One thing that is taken as given.

    Attributes:
        name: its path, or what it is.
        value: as it is written.
        where: the line of the file, or the option, or the library.
        source: what the file's own comment or the library says of it, dates included.
    """

    name: str
    value: str
    where: str
    source: str = ""


def assumptions(scenario: Scenario) -> tuple[Assumption, ...]:
    """Lists them: the library's first, then the file's, in its order."""
    return (
        *_law(scenario),
        *_library(scenario),
        *_trained(scenario),
        *_serving(scenario),
        *_written(scenario),
    )


def _law(scenario: Scenario) -> Iterator[Assumption]:
    law = scenario.law
    covered = [law.data] if law.data else []
    if law.range.parameters and law.range.tokens:
        covered.append("its runs are listed under overtrain laws")
    source = ". ".join(part.rstrip(".") for part in (law.source, *covered) if part)
    yield Assumption("scaling law", law.name, "library", source)
    for caveat in law.caveats:
        yield Assumption("caveat of the law", law.name, "library", caveat)


def _library(scenario: Scenario) -> Iterator[Assumption]:
    for chip in {chip.key: chip for chip in scenario.hardware.values()}.values():
        source = ", ".join(part for part in (chip.source, chip.date, chip.note) if part)
        memory = "" if chip.memory is None else f", {amount(chip.memory, 'bytes')}"
        yield Assumption("accelerator", f"{chip.name}{memory}", "library", source)
    for note in scenario.notes:
        yield Assumption("example price", "", "library", note)
    target = scenario.spec.target
    if target is not None and target.match is not None and target.match.model:
        model = load_model(target.match.model)
        source = "; ".join(part for part in (model.source, model.note) if part)
        yield Assumption("reference model", model.title, "library", source)


def _trained(scenario: Scenario) -> Iterator[Assumption]:
    """What formats and zeros are taken to leave of N and D, and by whom."""
    training = scenario.spec.training
    formats = dict.fromkeys(map(training.format_of, PASSES))
    for one in (word for word in formats if word in BLOCKED):
        known = capacities()["formats"][one]
        source = f"{known['range']}; {known['source']}"
        yield Assumption("training format", one, "library", source)
    if training.sparsity is not None:
        known = capacities()["sparsity"]
        source = f"{known['range']}; {known['source']}"
        yield Assumption("zeros in training", "", "library", source)


def _serving(scenario: Scenario) -> Iterator[Assumption]:
    """What is taken for the KV cache where the file does not tell."""
    for index, stream in enumerate(scenario.streams):
        serving, chip = scenario.serving_of(index)
        if not serving.batched or (index and stream.serving is None):
            continue
        if serving.model == "measured" and chip is not None:
            found = constants_of(
                serving, chip, scenario.mixture, scenario.constants_of(serving)
            )
            off = found.error if found.held_out is None else found.held_out
            yield Assumption(
                "constants of serving",
                f"{found.named}, off by {percent(off)} in the median time per token",
                serving.constants or "library",
                f"fitted to {found.points} measured points; docs/measured.md",
            )
        if serving.memory_fill is None:
            yield Assumption(
                "memory filled",
                percent(FILL),
                "default",
                "weights and KV cache take it; the rest is for activations and the "
                "runtime",
            )
        if serving.kv is None:
            yield Assumption(
                "format of the KV cache",
                KV,
                "default",
                "engines keep it so, also beside fp8 weights, unless they are told",
            )
        shape = scenario.spec.architecture
        if isinstance(shape, Built):
            grown = significant(shape.record.growth)
            yield Assumption(
                "KV cache of another size",
                f"that of {shape.record.name} x (parameters ratio)^{grown}",
                "default",
                "depth and width grow alike, heads keep their width",
            )
        if shape is None:
            numbers = f"{KV_NUMBERS:.4g} x parameters^(2/3) numbers a token"
            source = f"{DEFAULT_CACHE}, {CACHE_ERROR}"
            yield Assumption("KV cache", numbers, "default", source)


def _written(scenario: Scenario) -> Iterator[Assumption]:
    document = scenario.document
    lines = document.text.splitlines()
    for path, mark in document.marks.items():
        value = _at(document.value, path)
        if (
            not path
            or path in SILENT
            or isinstance(value, dict | list)
            or value is None
        ):
            continue
        if path[-1] == "name" or path == ("law",):
            continue
        comment, where = "", mark.file
        if mark.line and mark.file == document.file:
            where = f"line {mark.line}"
            found = (
                COMMENT.search(lines[mark.line - 1])
                if mark.line <= len(lines)
                else None
            )
            comment = "" if found is None else found[1]
        name = ".".join(_words(document.value, path))
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        yield Assumption(name, shown, where, comment)


def _at(node: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        try:
            node = node[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _words(value: object, path: tuple[str | int, ...]) -> Iterator[str]:
    """The path in which streams go by their names."""
    for length, step in enumerate(path, start=1):
        inner = _at(value, path[:length])
        named = isinstance(step, int) and isinstance(inner, dict) and inner.get("name")
        yield str(named or step)
