"""One scenario under several laws: what the choice of law is worth.

A target that names a model to match carries over: each law says itself what loss that
model has. A loss does not, because each law measures it on data of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from optimizer.errors import InputError, Mark, Problem
from optimizer.question.load import read_document
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Document
from optimizer.records import replace
from optimizer.world.law import Law, Mixture
from optimizer.world.laws import builtin_names, load_law
from optimizer.world.leverage import Sparse

ALL = "all"


def chosen_laws(
    names: Sequence[str], mixture: Mixture | None = None
) -> tuple[Law, ...]:
    """Loads laws by name or path; `all` is every built-in one fit to plan by.

    Args:
        names: as `--law` takes them; paths start from the current folder.
        mixture: of a law of mixtures; with it dense laws do not apply, and without
            it laws of mixtures do not.

    Raises:
        InputError: every name that is no law.
    """
    found: dict[str, Law] = {}
    problems: list[Problem] = []
    for name in names:
        if name == ALL:
            found |= {law.name: law for law in _applicable(mixture)}
            continue
        try:
            law = load_law(name, None, Mark(f"--law {name}"))
        except InputError as error:
            problems += (_bare(problem) for problem in error.problems)
        else:
            found[law.name] = law
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def under_laws(scenario: Scenario, names: Sequence[str]) -> tuple[Scenario, ...]:
    """The same scenario under each law, with the law's name after its own.

    Args:
        scenario: a checked one; a law of its own that is no built-in one belongs to
            `all`, and comes first.
        names: built-in laws, law files, or `all`.

    Raises:
        InputError: a name is no law, a law does not fit the scenario, or the target
            is a loss, which means nothing under another law.
    """
    laws = {law.name: law for law in chosen_laws(names, scenario.spec.mixture)}
    if ALL in names and scenario.law.name not in laws:
        laws = {scenario.law.name: scenario.law, **laws}
    same = {scenario.law.name, scenario.law.pair}
    others = [name for name in laws if name not in same]
    if others and scenario.spec.target is not None and scenario.spec.target.loss:
        raise _meaningless(scenario, scenario.law.name, others[0])
    files = {load_law(name).name: name for name in names if name != ALL}
    found = []
    problems: list[Problem] = []
    for law in laws.values():
        try:
            if law.name == scenario.law.name:
                under = scenario
            else:
                word = law.name
                if word not in builtin_names():
                    word = os.path.relpath(files[word], scenario.base)
                under = read_document(_with_law(scenario.document, word), scenario.base)
        except InputError as error:
            problems += error.problems
        else:
            found.append(_named(under, f"{scenario.name} ({law.name})"))
    if problems:
        raise InputError(dict.fromkeys(problems))
    return tuple(found)


def with_law(scenario: Scenario, law: Law) -> Scenario:
    """A checked scenario under another law of the same runs, whose loss is the same."""
    variants = tuple(
        v if v.scenario is None else replace(v, scenario=replace(v.scenario, law=law))
        for v in scenario.variants
    )
    return replace(scenario, law=law, variants=variants)


def _named(scenario: Scenario, name: str) -> Scenario:
    """A scenario by another name, and so each of its choices."""
    variants = tuple(
        v if v.scenario is None else replace(v, scenario=replace(v.scenario, name=name))
        for v in scenario.variants
    )
    return replace(scenario, name=name, variants=variants)


def in_both_forms(scenario: Scenario) -> tuple[Scenario, ...]:
    """The scenario under its law and under the law's pair, each by its law's name.

    Raises:
        InputError: the law has no pair.
    """
    law = scenario.law
    if law.pair is None:
        pairs = ", ".join(n for n in builtin_names() if load_law(n).pair)
        message = (
            f"{law.name} has no pair, a law of another form that was fitted to the "
            f"same runs; these have one: {pairs}. Your own law file may name one "
            "(pair: NAME or FILE)"
        )
        raise InputError([Problem(scenario.place("law"), "law", message)])
    pair = load_law(law.pair)
    word = law.pair
    if word not in builtin_names():
        word = os.path.relpath(word, scenario.base)
    other = read_document(_with_law(scenario.document, word), scenario.base)
    return tuple(
        _named(each, f"{scenario.name} ({name})")
        for each, name in ((scenario, law.name), (other, pair.name))
    )


def read_under(
    document: Document, base: Path, overrides: Sequence[str], names: Sequence[str]
) -> Scenario:
    """Reads a scenario that its own law does not suit, under the first of others.

    Args:
        document: its words.
        base: the folder that relative paths start from.
        overrides: as `--set` takes them.
        names: as `--law` takes them, without `all`.

    Raises:
        InputError: every mistake under that law; or the target is a loss.
    """
    law = chosen_laws(names[:1])[0]
    word = law.name
    if word not in builtin_names():
        word = os.path.relpath(names[0], base)
    scenario = read_document(_with_law(document, word), base, overrides)
    own = document.value.get("law") if isinstance(document.value, dict) else None
    if own != word and scenario.spec.target is not None and scenario.spec.target.loss:
        raise _meaningless(scenario, str(own), word)
    return scenario


def _meaningless(scenario: Scenario, own: str, other: str) -> InputError:
    message = (
        f"is a loss under {own}, on its own data and tokenizer, and says nothing "
        f"under {other}; name a model to match instead: "
        "target: {match: {parameters: 13B}}"
    )
    place = scenario.place("target.loss")
    return InputError([Problem(place, "target.loss", message)])


def _bare(problem: Problem) -> Problem:
    """A problem with the name itself stands at the option, which is no field."""
    own = problem.mark.file.startswith("--law ")
    return replace(problem, path="") if own else problem


def left_out(mixture: Mixture | None = None, own: str = "") -> dict[str, str]:
    """The built-in laws that `all` leaves out, each with the reason.

    Args:
        mixture: of the scenario.
        own: its own law, which is never left out.
    """
    found = {}
    for name in builtin_names():
        law = load_law(name)
        if name != own and (reason := _unfit(law, mixture)):
            found[name] = reason
    return found


def _unfit(law: Law, mixture: Mixture | None) -> str:
    """Why a law does not belong to `all`; empty where it does."""
    if law.not_for_planning:
        return law.not_for_planning
    if unlike := _unlike(law, mixture):
        return unlike
    try:
        law.surface(mixture)
    except ValueError:
        if law.experts is not None:
            return f"it knows {', '.join(map(str, law.experts))} experts"
        return "it is a line of compute-optimal models, without a loss for others"
    return ""


def _unlike(law: Law, mixture: Mixture | None) -> str:
    """Why a law is of other models than a scenario; empty where it is not."""
    if (law.form == "leverage") != isinstance(mixture, Sparse):
        if law.form == "leverage":
            return "it is of sparse experts, and sparse does not say which"
        return "it says nothing of activation and granularity"
    if mixture is None and law.experts is not None:
        return "it is of mixtures of experts, and none are given"
    if mixture is not None and law.experts is None and law.form != "leverage":
        return "it is of dense models"
    return ""


def _applicable(mixture: Mixture | None) -> Iterator[Law]:
    for name in builtin_names():
        law = load_law(name)
        if not _unfit(law, mixture):
            yield law


def _with_law(document: Document, word: str) -> Document:
    if not isinstance(document.value, dict):
        return document  # which is told when it is read
    path = ("law",)
    mark = Mark(f"--law {word}")
    return replace(
        document,
        value={**document.value, "law": word},
        marks={
            **{p: m for p, m in document.marks.items() if p[:1] != path},
            path: mark,
        },
    )
