"""Which models are audited, and by which laws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from optimizer.analysis.audit import Audit, audit_models
from optimizer.analysis.plan.wording import either
from optimizer.errors import InputError, Mark, Problem
from optimizer.functions.looks import attach_pages
from optimizer.question.scenario import Scenario
from optimizer.question.under_laws import ALL, chosen_laws
from optimizer.reading.kinds import Kind
from optimizer.reading.quantity import PARAMETERS, TOKENS, read, write
from optimizer.records import replace
from optimizer.world.architecture.load import is_config
from optimizer.world.law import Law
from optimizer.world.laws import builtin_names, load_law
from optimizer.world.leverage import NO_AUDIT
from optimizer.world.models import (
    PublishedModel,
    described_names,
    library_record,
    load_model,
    model_names,
    of_config,
    of_record,
)

LAWS = ("besiroglu-2024-refit", "hoffmann-2022-devries")


def audit(
    model: str | Path | PublishedModel,
    parameters: float | str | None = None,
    tokens: float | str | None = None,
    law: str | Law | None = None,
    experts: int | None = None,
    scenario: Scenario | None = None,
) -> Audit:
    """Says for what demand a model is right, and what it costs to be wrong.

        audit("llama-3-8b")
        audit("models/config.json", tokens="15T", scenario=load_scenario("a.yaml"))
        audit("mine", "8B", "15T", law="hoffmann-2022-devries")

    Args:
        model: a published one by name, a config.json, or a name for the numbers that
            follow.
        parameters: N of a model of your own, as the law counts it; or a text, `8B`.
        tokens: D of it, or of a config.json, which tells nothing of its training.
        law: that judges, by name, by path or as a record; the scenario's, or
            `besiroglu-2024-refit`, unless given.
        experts: of a joint-MoE law.
        scenario: prices the model by its costs, demand and limits; without one FLOPs
            are counted and nothing is limited.

    Raises:
        InputError: there is no such model or law, or the law has no loss surface.
    """
    if isinstance(law, Law):
        if experts is None and scenario is not None:
            experts = scenario.spec.experts
        laws = with_surface((law,), experts)
    else:
        laws, experts = judges(() if law is None else (law,), experts, scenario)
    if not isinstance(model, PublishedModel):
        size = number("parameters", parameters, PARAMETERS)
        trained = number("tokens", tokens, TOKENS)
        if size is not None and trained is not None:
            model = unnamed(size, trained, str(model))
        else:
            model = existing(str(model), trained)
    return audit_models([model], laws[:1], scenario, experts)[0]


def number(place: str, given: float | str | None, kind: Kind) -> float | None:
    """A number, or a text such as 8B.

    Raises:
        InputError: it is none.
    """
    if given is None:
        return None
    try:
        return read(given, kind)
    except ValueError as error:
        raise wrong(place, str(error)) from None


def existing(name: str, tokens: float | None) -> PublishedModel:
    """A model of the library, of a config.json or of a size such as 8B.

    Args:
        name: of a model, its path, or its size.
        tokens: that it was trained on; None: those that its makers tell.

    Raises:
        InputError: there is none, or nobody says what it was trained on.
    """
    config, size = is_config(name), None if is_config(name) else _size(name)
    if tokens is None:
        if not config and size is None:
            return load_model(name, Mark("audit"))
        message = "says nothing of the training; add --tokens 15T, as its makers tell"
        raise wrong(name, message)
    if config:
        return of_config(name, tokens)
    if size is not None:
        return unnamed(size, tokens)
    if name in described_names() and name not in model_names():
        return of_record(library_record(name), tokens)
    model = load_model(name, Mark("audit"))
    title = f"{model.title} on {write(tokens, TOKENS)}"
    return replace(model, tokens=tokens, title=title)


def _size(name: str) -> float | None:
    try:
        return read(name, PARAMETERS)
    except ValueError:
        return None


def unnamed(parameters: float, tokens: float, name: str = "") -> PublishedModel:
    """A model of which only the numbers are known."""
    name = name or f"{write(parameters, PARAMETERS)} on {write(tokens, TOKENS)}"
    return PublishedModel(name, name, parameters, None, tokens, "")


def judges(
    names: Sequence[str], experts: int | None, scenario: Scenario | None
) -> tuple[tuple[Law, ...], int | None]:
    """The laws that judge, each with a loss surface, and the experts of their N.

    Args:
        names: as `--law` takes them; those of the scenario or `LAWS` unless given.
        experts: of a joint-MoE law.
        scenario: whose law and experts are used where no other is given.

    Raises:
        InputError: a name is no law, or the law has no surface.
    """
    if scenario is not None:
        experts = scenario.spec.experts if experts is None else experts
        if not names:
            if scenario.law.form == "leverage":
                place = scenario.place("law")
                raise InputError([Problem(place, "law", NO_AUDIT)])
            return (scenario.law,), experts
    laws = chosen_laws(names or (LAWS if experts is None else (ALL,)), experts)
    if not laws:
        known = [(law.name, law.experts) for law in map(load_law, builtin_names())]
        told = [f"{name} {most[0]} to {most[-1]}" for name, most in known if most]
        message = f"no built-in law was fitted on that many; {either(told, 'and')}"
        raise wrong("--experts", message)
    return with_surface(laws, experts), experts


def with_surface(laws: tuple[Law, ...], experts: int | None) -> tuple[Law, ...]:
    """The laws, where each has a loss surface.

    Raises:
        InputError: every one that has none.
    """
    problems = []
    for law in laws:
        try:
            if law.form == "leverage":
                raise ValueError(NO_AUDIT)
            law.surface(experts)
        except ValueError as error:
            message = str(error).removeprefix(f"law {law.name} ")
            problems.append(Problem(Mark(f"--law {law.name}"), "", message))
    if problems:
        raise InputError(problems)
    return laws


def wrong(place: str, message: str) -> InputError:
    """An error about what was asked."""
    return InputError([Problem(Mark(place), "", message)])


attach_pages(Audit)
