"""Sizes that exist, as `--snap` takes them: numbers, models and architectures.

A list is separated by commas: `7B`, the name of a published model, an architecture as
words and values (`layers=32 width=4096`), a YAML file of architectures, or the
config.json of a published model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem
from optimizer.question.scenario import Scenario
from optimizer.reading.common_words import member, told
from optimizer.reading.document import (
    Document,
    Steps,
    dotted,
    load_file,
    load_text,
    suggest,
)
from optimizer.reading.fields import read_model
from optimizer.reading.quantity import PARAMETERS, read, shown
from optimizer.records import dataclass
from optimizer.world.architecture.load import is_config, load_record
from optimizer.world.built import built, passed_once
from optimizer.world.described import record_at, record_named
from optimizer.world.models import (
    Exists,
    described_names,
    load_model,
    model_names,
    shape_of,
    size_in,
)
from optimizer.world.shapes import Entry

OPTION = "--snap"
LIST = "architectures"  # of a file that has words in common above it
MOST = 1000  # architectures of one file
_EXAMPLE = "{layers: 32, width: 4096, vocabulary: 128256}"


@dataclass(frozen=True)
class Candidate:
    """A size that exists.

    Attributes:
        name: for reports; no two have the same.
        what: N, or what it follows from.
        mark: where it was given.
        path: the dotted path there; may be empty.
    """

    name: str
    what: Exists
    mark: Mark
    path: str = ""


def read_sizes(text: str) -> tuple[Candidate, ...]:
    """Reads a list such as `7B, llama-3-8b, layers=32 width=4096, mine.yaml`.

    Args:
        text: as `--snap` takes it; paths start from the current folder.

    Raises:
        InputError: every entry that is none of these, every mistake of a file, and
            names that are given twice.
    """
    found: dict[str, Candidate] = {}
    problems: list[Problem] = []
    for word in dict.fromkeys(filter(None, map(str.strip, text.split(",")))):
        try:
            candidates = _read(word)
        except InputError as error:
            problems += error.problems
            continue
        for candidate in candidates:
            if candidate.name in found:
                message = (
                    f"{shown(candidate.name)} is the name of another size; give each "
                    "its own, for example name: wide"
                )
                problems.append(Problem(candidate.mark, candidate.path, message))
            found[candidate.name] = candidate
    if not found and not problems:
        message = f"needs sizes, as in {OPTION} 1B,3B,7B"
        problems.append(Problem(Mark(OPTION), "", message))
    if problems:
        raise InputError(dict.fromkeys(problems))
    return tuple(found.values())


def refuse_unfit(
    candidates: Sequence[Candidate], scenarios: Sequence[Scenario]
) -> None:
    """Refuses sizes of which a scenario's law cannot say what they are.

    Raises:
        InputError: each of them, at its place.
    """
    problems = [
        Problem(candidate.mark, candidate.path, message)
        for candidate in candidates
        for scenario in scenarios
        if (message := unfit(candidate.what, scenario))
    ]
    if problems:
        raise InputError(dict.fromkeys(problems))


def unfit(what: Exists, scenario: Scenario) -> str:
    """Why a size is none under a scenario's law; empty where it is one."""
    law, shape = scenario.law, shape_of(what)
    try:
        size_in(what, law.counts)
    except ValueError as error:
        return f"{law.name} {error}"
    if law.form == "leverage" and (shape is not None or not isinstance(what, float)):
        return f"has experts, or none, of its own, and {law.name} is asked for others"
    if law.experts is None or shape is None:
        return ""
    active, experts = shape.active_experts or 1, shape.experts or 1
    if active != 1:
        return (
            f"sends a token to {active} experts, and {law.name} is of mixtures that "
            "send it to one"
        )
    asked = {one.spec.experts: "" for one in scenario.singles}
    if experts not in asked:
        return (
            f"has {experts} experts a layer, and the scenario asks {law.name} for "
            f"{', '.join(map(str, asked))}; --set experts={experts} asks for them"
        )
    return ""


def _read(word: str) -> tuple[Candidate, ...]:
    names = model_names()
    if word in names:
        return (Candidate(word, load_model(word), Mark(OPTION)),)
    if word in described_names():
        return (Candidate(word, built(record_named(word)), Mark(OPTION)),)
    if is_config(word):
        record = passed_once(load_record(word), Mark(OPTION), word)
        return (Candidate(record.name, built(record), Mark(OPTION)),)
    if word.endswith((".yaml", ".yml")) or "/" in word:
        return tuple(_listed(load_file(word)))
    if "=" in word or ":" in word:
        entry = read_model(_words(word), Entry)
        return (_candidate(entry, Mark(f"{OPTION} {word}"), ""),)
    try:
        return (Candidate(word, read(word, PARAMETERS), Mark(OPTION)),)
    except ValueError as error:
        message = str(error)
        if word[0].isalpha():
            message = (
                "must be a size such as 7B, a published model, an architecture such "
                "as layers=32 width=4096, or a .yaml file of these, got "
                f"{shown(word)}{suggest(word, names)}"
            )
    raise InputError([Problem(Mark(OPTION), "", message)])


def _words(text: str) -> Document:
    """The words and values of one architecture, as a document without places."""
    mark = Mark(f"{OPTION} {text}")
    value: dict[str, object] = {}
    problems = []
    for part in re.sub(r"\s*[=:]\s*", "=", text).split():
        word, equals, given = part.partition("=")
        if not (word and equals and given):
            message = f"must be words and values such as layers=32, got {shown(part)}"
            problems.append(Problem(mark, "", message))
        elif word in value:
            problems.append(Problem(mark, word, "is given twice; keep one"))
        else:
            try:
                value[word] = load_text(given, str(mark)).value
            except InputError as error:
                problems += (Problem(mark, word, p.message) for p in error.problems)
    if problems:
        raise InputError(problems)
    return Document(str(mark), value, {(): mark}, {})


def _listed(document: Document) -> Iterator[Candidate]:
    """The architectures of a file: a list, or one with common words above it."""
    value: Any = document.value
    base = Path(document.file).parent
    if isinstance(value, dict) and (record := record_at(document, (), base)):
        yield Candidate(record.name, built(record), document.mark(()))
        return
    common = isinstance(value, dict)
    entries = value.get(LIST) if common else value
    at: Steps = (LIST,) if common else ()
    message = ""
    if not isinstance(entries, list) or not entries:
        message = f"must be a list of architectures, such as - {_EXAMPLE}"
        if common and LIST not in value:
            message = f"needs a list of {LIST}; add {LIST}: [{_EXAMPLE}]"
            at = ()
    elif len(entries) > MOST:
        message = f"must be at most {MOST} architectures, got {len(entries)}"
    if message:
        raise InputError([Problem(document.mark(at), dotted(at), message)])
    problems: list[Problem] = []
    found = []
    for index, entry in enumerate(entries):
        path: Steps = (*at, index)
        place = document.mark(path), dotted(path)
        if not isinstance(entry, dict):
            problems.append(
                Problem(*place, f"must be an architecture, such as {_EXAMPLE}")
            )
            continue
        try:
            if not common and (record := record_at(document, path, base)):
                found.append(Candidate(record.name, built(record), *place))
            elif common:
                one = member(document, LIST, index, (LIST,))
                found.append(_candidate(read_model(one, Entry), *place))
            else:
                found.append(_candidate(read_model(document, Entry, at=path), *place))
        except InputError as error:
            problems += (
                told(document, LIST, index, p) if common else p for p in error.problems
            )
    if problems:
        raise InputError(dict.fromkeys(problems))
    yield from found


def _candidate(entry: Entry, mark: Mark, path: str) -> Candidate:
    name = entry.name or f"{entry.layers}x{entry.width}"
    return Candidate(name, entry, mark, path)
