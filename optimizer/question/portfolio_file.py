"""A portfolio file: several models, what they have in common, and what they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from optimizer.errors import Collector, InputError, Mark, Problem
from optimizer.question.exclusive import ALTERNATIVES
from optimizer.question.load import read_document
from optimizer.question.portfolio import Portfolio, Shared, formulate_portfolio
from optimizer.question.scenario import Scenario
from optimizer.reading.common_words import member, told
from optimizer.reading.document import Document, Steps, dotted, load_file, override
from optimizer.reading.fields import read_model
from optimizer.reading.quantity import shown

OWN = ("models", "shared")  # words of the portfolio itself
SEVERAL = 100  # models of one portfolio
_DEFERRED = frozenset({"law"})  # `--set law.alpha` waits for the law's own file
_ALTERNATIVES = (
    *ALTERNATIVES,
    *(frozenset(("models", "*", *path) for path in group) for group in ALTERNATIVES),
)


def is_portfolio(document: Document) -> bool:
    """Whether a file holds several models."""
    return isinstance(document.value, dict) and "models" in document.value


def load_portfolio(path: str | Path, overrides: Sequence[str] = ()) -> Portfolio:
    """Reads and checks a portfolio file.

    Args:
        path: the file.
        overrides: assignments such as `models.edge.demand.tokens=5T`, as `--set`
            takes them; a common word such as `demand.tokens` changes those models
            that do not have their own.

    Raises:
        InputError: every mistake of the file, each with its place.
    """
    document = load_file(path)
    if not is_portfolio(document):
        message = "has no models; it is a scenario: read it with load_scenario"
        raise InputError([Problem(Mark(document.file), "", message)])
    return read_portfolio(document, Path(path).parent, overrides)


def read_portfolio(
    document: Document, base: Path, overrides: Sequence[str] = ()
) -> Portfolio:
    """Checks a file with `models`: scenarios without the words that all share.

    Args:
        document: its words, with their places.
        base: the folder that relative paths start from.
        overrides: as for `load_portfolio`.

    Raises:
        InputError: every mistake, each with its place.
    """
    collect = Collector()
    problems = collect.problems
    for assignment in overrides:
        changed = partial(override, document, assignment, _ALTERNATIVES, _DEFERRED)
        document = collect(changed) or document
    value: Any = document.value
    members = value.get("models")
    if not isinstance(members, list) or not 0 < len(members) <= SEVERAL:
        message = "must be a list of models, each with a name, target and demand"
        if isinstance(members, list) and members:
            message = f"must be at most {SEVERAL} models, got {len(members)}"
        problems.append(_problem(document, ("models",), message))
        raise InputError(problems)
    name = value.get("name", Path(document.file).stem)
    if not isinstance(name, str):
        message = f"must be text, got {shown(name)}"
        problems.append(_problem(document, ("name",), message))
    scenarios: list[Scenario] = []
    for index in range(len(members)):
        wrong = list(_names(document, members, index))
        problems += wrong
        if wrong:
            continue
        try:
            scenarios.append(
                read_document(member(document, "models", index, OWN), base)
            )
        except InputError as error:
            problems += (told(document, "models", index, p) for p in error.problems)
    shared = Shared()
    if "shared" in value:
        shared = (
            collect(partial(read_model, document, Shared, at=("shared",))) or shared
        )
    problems += _unfit(document, members, scenarios)
    if problems:
        raise collect.error()
    portfolio = Portfolio(
        name=name,
        file=document.file,
        members=tuple(scenarios),
        shared=shared,
        document=document,
    )
    formulate_portfolio(portfolio)
    return portfolio


def _problem(document: Document, path: Steps, message: str) -> Problem:
    return Problem(document.mark(path), dotted(path), message)


def _names(document: Document, members: list[Any], index: int) -> Iterator[Problem]:
    """Models go by their names in reports and in `--set`."""
    path: Steps = ("models", index)
    if not isinstance(members[index], dict):
        message = "must be a model: name: edge, and words of a scenario"
        yield _problem(document, path, message)
        return
    name = members[index].get("name")
    known = [m.get("name") for m in members[:index] if isinstance(m, dict)]
    if name is None:
        yield _problem(document, path, "needs a name; add name: edge")
    elif (
        not isinstance(name, str)
        or not name.strip()
        or not name.isprintable()
        or name.isdecimal()
        or set(name) & set(".=[]:")
    ):
        message = f"must be a word without . = : [ and ], got {shown(name)}"
        yield _problem(document, (*path, "name"), message)
    elif name in known:
        message = f'"{name}" is the name of another model; choose another'
        yield _problem(document, (*path, "name"), message)
    for word in OWN:
        if word in members[index]:
            message = "belongs to the portfolio, not to one model; move it up"
            yield Problem(
                document.key_mark((*path, word)), dotted((*path, word)), message
            )


def _unfit(
    document: Document, members: Sequence[Any], scenarios: Sequence[Scenario]
) -> Iterator[Problem]:
    """What each model may say alone and a portfolio may not."""
    names = [m.get("name") if isinstance(m, dict) else None for m in members]
    for scenario in scenarios:
        path: tuple[str, int] = ("models", names.index(scenario.name))
        if not scenario.spec.seeks:
            message = "needs a target; a portfolio has no budget, but shared limits"
            yield _problem(document, path, message)
        if scenario.variants:
            message = "has lists to choose from; a portfolio takes one value of each"
            yield _problem(document, path, message)
        if scenario.spec.probability is not None:
            message = "is of a scenario that is compared with others; remove it"
            own = "probability" in members[path[1]]
            yield _problem(document, (*(path if own else ()), "probability"), message)
    if len({scenario.spec.objective for scenario in scenarios}) > 1:
        message = "must have one objective; state it once, above them"
        yield _problem(document, ("models",), message)
