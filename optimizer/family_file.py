"""A portfolio file: several models, what they have in common, and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.document import Document, Steps, dotted
from optimizer.errors import InputError, Mark, Problem
from optimizer.fields import read_model
from optimizer.load import read_document
from optimizer.portfolio import Portfolio, Shared, formulate_portfolio
from optimizer.scenario import Scenario

OWN = ("models", "shared")  # words of the portfolio itself


def is_portfolio(document: Document) -> bool:
    """Whether a file holds several models."""
    return isinstance(document.value, dict) and "models" in document.value


def read_portfolio(document: Document, base: Path) -> Portfolio:
    """Checks a file with `models`, a list of scenarios in which common words are left
    out.

    Args:
        document: its words, with their places.
        base: the folder that relative paths start from.

    Raises:
        InputError: every mistake, each with its place.
    """
    value: Any = document.value
    problems: list[Problem] = []
    members = value.get("models")
    if not isinstance(members, list) or not members:
        mark = document.mark(("models",))
        message = "must be a list of models, each with a name, target and demand"
        raise InputError([Problem(mark, "models", message)])
    scenarios: list[Scenario] = []
    for index, member in enumerate(members):
        path: Steps = ("models", index)
        name = member.get("name") if isinstance(member, dict) else None
        if not isinstance(name, str) or not name.strip() or set(name) & set(".=[]:"):
            message = "needs a name, a word without . = : [ and ]; add name: edge"
            problems.append(Problem(document.mark(path), dotted(path), message))
            continue
        if any(name == other.get("name") for other in members[:index]):
            message = f'"{name}" names two models; choose another'
            where = (*path, "name")
            problems.append(Problem(document.mark(where), dotted(where), message))
            continue
        try:
            scenarios.append(read_document(_member(document, index), base))
        except InputError as error:
            problems += error.problems
    shared = Shared()
    if "shared" in value:
        try:
            shared = read_model(document, Shared, at=("shared",))
        except InputError as error:
            problems += error.problems
    for index, scenario in enumerate(scenarios):
        if scenario.spec.target is None:
            message = f"model {scenario.name} needs a target; a portfolio has no budget"
            where = ("models", index)
            problems.append(Problem(document.mark(where), dotted(where), message))
    if len({scenario.spec.objective for scenario in scenarios}) > 1:
        mark = document.mark(("models",))
        message = "the models must have one objective; state it once, above them"
        problems.append(Problem(mark, "models", message))
    if problems:
        raise InputError(dict.fromkeys(problems))
    portfolio = Portfolio(
        name=value.get("name") or Path(document.file).stem,
        file=document.file,
        members=tuple(scenarios),
        shared=shared,
        document=document,
    )
    formulate_portfolio(portfolio)
    return portfolio


def _member(document: Document, index: int) -> Document:
    """One model as a scenario: the common words, with its own over them."""
    value: Any = document.value
    common = {word: part for word, part in value.items() if word not in OWN}
    own: Mapping[str, Any] = value["models"][index]
    start: Steps = ("models", index)
    return Document(
        file=document.file,
        value={**common, **own},
        marks=_marks(document.marks, start, own),
        keys=_marks(document.keys, start, own),
        text=document.text,
        deferred=document.deferred,
    )


def _marks(
    marks: Mapping[Steps, Mark], start: Steps, own: Mapping[str, Any]
) -> dict[Steps, Mark]:
    found = {path: mark for path, mark in marks.items() if path[:1] not in _tops(own)}
    for path, mark in marks.items():
        if path[: len(start)] == start:
            found[path[len(start) :]] = mark
    return found


def _tops(own: Mapping[str, Any]) -> set[Steps]:
    return {(word,) for word in (*OWN, *own)}
