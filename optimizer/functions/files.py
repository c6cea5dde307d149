"""Reading a file of either kind, and the same question with other values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast, overload

from optimizer.errors import InputError, Mark, Problem
from optimizer.functions.looks import attach
from optimizer.question.load import load_scenario, read_document, read_scenario
from optimizer.question.portfolio import Portfolio
from optimizer.question.portfolio_file import (
    is_portfolio,
    load_portfolio,
    read_portfolio,
)
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Document, Steps, load_file, load_text
from optimizer.records import replace
from optimizer.report.formats.law_file import law_text
from optimizer.world.law import Law
from optimizer.world.laws import builtin_names, load_law

__all__ = ["change", "load", "load_portfolio", "load_scenario", "read_scenario"]

LAW = ("law",)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Scenario | Portfolio:
    """Reads and checks a file, of one model or of several that share.

    Args:
        path: the file.
        overrides: assignments such as `demand.tokens=5T`, as `--set` takes them.

    Raises:
        InputError: every mistake of the file, each with its place.
    """
    document = load_file(path)
    read = read_portfolio if is_portfolio(document) else read_document
    return read(document, Path(path).parent, overrides)


@overload
def change(scenario: Scenario, **values: object) -> Scenario: ...
@overload
def change(scenario: Portfolio, **values: object) -> Portfolio: ...
def change(scenario: Scenario | Portfolio, **values: object) -> Scenario | Portfolio:
    """The same scenario with other values, checked like lines of its file.

        scenario.set(demand__tokens=5e12, law=load_law("my-law.yaml"))

    Args:
        scenario: from `load_scenario`, or a portfolio from `load_portfolio`.
        **values: by path, with two underscores for each dot, or with dots in a
            mapping, as in `**{"demand.a-stream.tokens": "5T"}`. A number is in base
            units (parameters, tokens, FLOP, USD, s, bytes); a text is read as in a
            file; a law may be a record.

    Raises:
        InputError: every mistake, each with its place.
    """
    document = scenario.document
    sets = []
    for name, value in values.items():
        path = name.replace("__", ".")
        if isinstance(value, Law) and path == "law":
            document = _with_law(document, value)
        else:
            text = value if isinstance(value, str) else _json(path, value)
            sets.append(f"{path}={text}")
    if isinstance(scenario, Portfolio):
        base = scenario.members[0].base
        return read_portfolio(document, base, sets)
    return read_document(document, scenario.base, sets)


def _json(path: str, value: object) -> str:
    """A number, a list or a mapping as YAML has it too.

    Raises:
        InputError: it is something else.
    """
    try:
        plain = value.item() if hasattr(value, "item") else value  # of numpy
        return json.dumps(plain)
    except (TypeError, ValueError):
        message = (
            "must be a number, a text, a list or a mapping of these, got "
            f"{type(value).__name__}"
        )
        raise InputError([Problem(Mark(f"set({path})"), "", message)]) from None


def _with_law(document: Document, law: Law) -> Document:
    """A document under a law that is a record, as if its file were written there."""
    if law.name in builtin_names() and load_law(law.name) == law:
        words = load_text(f"law: {law.name}", "set(law)")
    else:
        inner = "".join(f"  {line}\n" for line in law_text(law).splitlines())
        words = load_text(f"law:\n{inner}", "set(law)")
    old: dict[str, object] = dict(cast("dict[str, object]", document.value))
    new = cast("dict[str, object]", words.value)

    return replace(
        document,
        value={**old, **new},
        marks={**_lawless(document.marks), **words.marks, (): document.mark(())},
        keys={**_lawless(document.keys), **words.keys},
        deferred=tuple(d for d in document.deferred if d[0][:1] != LAW),
    )


def _lawless(marks: Mapping[Steps, Mark]) -> dict[Steps, Mark]:
    return {path: mark for path, mark in marks.items() if path[:1] != LAW}


attach(Scenario, Portfolio, set=change)
