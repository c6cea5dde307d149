"""From a file to a checked scenario; whatever is wrong with it is told at once.

One trip, each station once: text → document → `--set` on top → lists down to single
values → checked words → the law and machines that they name → scenario. A portfolio
(`portfolio_file`) sends each of its models the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from optimizer.errors import Collector, InputError, Problem
from optimizer.question.checks import contradictions, misfits, unlawful
from optimizer.question.choices import combinations, firsts
from optimizer.question.exclusive import ALTERNATIVES
from optimizer.question.formulate import formulate
from optimizer.question.named import (
    architecture_of,
    constants_of,
    existing_of,
    hardware_of,
    hardware_paths,
    law_of,
    reference_of,
    with_prices,
    without_config,
)
from optimizer.question.scenario import Scenario, Spec, Variant
from optimizer.reading.document import Document, load_file, load_text, override
from optimizer.reading.fields import read_model
from optimizer.records import replace
from optimizer.world.built import built
from optimizer.world.law import Counts, Law

_DEFERRED = frozenset({"law"})  # `--set law.alpha` waits for the law's own file


def load_scenario(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Reads and checks a scenario file.

    Args:
        path: the file.
        overrides: assignments such as `demand.tokens=5T`, as `--set` takes them.

    Raises:
        InputError: every mistake of the file, each with its place.
    """
    return read_document(load_file(path), Path(path).parent, overrides)


def read_scenario(
    text: str | bytes, file: str = "<text>", overrides: Sequence[str] = ()
) -> Scenario:
    """Reads and checks a scenario from text; relative paths start here.

    Args:
        text: YAML.
        file: the name that messages show.
        overrides: as for `load_scenario`.

    Raises:
        InputError: every mistake of the text, each with its place.
    """
    return read_document(load_text(text, file), Path(), overrides)


def read_document(
    document: Document, base: Path, overrides: Sequence[str] = ()
) -> Scenario:
    """Checks a scenario that is a document already.

    Args:
        document: its words, with their places.
        base: the folder that relative paths start from.
        overrides: as for `load_scenario`.

    Raises:
        InputError: every mistake, each with its place.
    """
    collect = Collector()
    for assignment in overrides:
        changed = partial(override, document, assignment, ALTERNATIVES, _DEFERRED)
        document = collect(changed) or document
    choices = collect(partial(combinations, document))
    if choices is None:
        return _single(firsts(document), base, collect)
    if len(choices) == 1 or collect.problems:
        return _single(choices[0][1], base, collect)
    return _several(choices, document, base)


def _several(
    choices: Sequence[tuple[Mapping[str, str], Document]],
    document: Document,
    base: Path,
) -> Scenario:
    """Checks every combination; those that do not fit are told with the answer."""
    variants = []
    errors = []
    for choice, single in choices:
        try:
            scenario = _single(single, base, Collector())
        except InputError as error:
            errors.append(error)
            first = error.problems[0]
            message = f"{first.path}: {first.message}"
            variants.append(Variant(choice, None, message))
        else:
            variants.append(Variant(choice, scenario))
    fitting = [v.scenario for v in variants if v.scenario is not None]
    if not fitting:
        raise min(errors, key=lambda error: len(error.problems))
    _one_loss(fitting, document)
    return replace(fitting[0], document=document, variants=tuple(variants))


def _one_loss(fitting: Sequence[Scenario], document: Document) -> None:
    """Refuses a plan of which each choice makes a model of another quality.

    Raises:
        InputError: it is one, and no target says which quality is meant.
    """
    spec = fitting[0].spec
    if spec.plan is None or spec.target is not None:
        return
    losses = [formulate(one).target or 0.0 for one in fitting]
    if max(losses) > min(losses) * (1 + 1e-12):
        message = (
            "has another loss with each choice, so that their costs could not be "
            f"compared; add target: {{loss: {max(losses):.4f}}}"
        )
        raise InputError([Problem(document.mark(("plan",)), "plan", message)])


def _single(document: Document, base: Path, collect: Collector) -> Scenario:
    """Checks a scenario in which every list of choices is down to one value."""
    collect.problems += contradictions(document)
    record = collect(partial(architecture_of, document, base))
    spec = collect(partial(read_model, without_config(document), Spec))
    law = collect(partial(law_of, document, base))
    chips = {
        path[:-1]: collect(partial(hardware_of, document, base, path))
        for path in hardware_paths(document)
    }
    counts: Counts = "total" if law is None else law.counts
    reference = collect(partial(reference_of, document, counts))
    constants = collect(partial(constants_of, document, base)) or {}
    existing = collect(partial(existing_of, document, spec, counts, base))
    hardware = {path: chip for path, chip in chips.items() if chip is not None}
    if spec is None or len(hardware) < len(chips):
        raise collect.error()
    share = None
    if record is not None:
        shape = built(record, counts)
        spec = spec.model_copy(update={"architecture": shape})
        if law is None or law.experts is None:
            share = shape.stored / shape.size(counts)
    scenario = Scenario(
        name=spec.name or Path(document.file).stem,
        file=document.file,
        spec=spec,
        # Without its law a scenario can still be checked; it is never returned.
        law=cast(Law, law),
        hardware=hardware,
        document=document,
        reference=reference,
        existing=existing,
        constants=constants,
        base=base,
        stored=share,
    )
    if law is not None:
        collect.problems += unlawful(scenario)
    sound = not collect.problems
    scenario = with_prices(scenario, collect)
    collect.problems += misfits(scenario)
    if sound:
        told = tuple(collect.problems)
        collect.problems += (p for p in _unsolvable(scenario) if not _said(p, told))
    if collect.problems:
        raise collect.error()
    return scenario


def _unsolvable(scenario: Scenario) -> Sequence[Problem]:
    try:
        formulate(scenario)
    except InputError as error:
        return error.problems
    return ()


def _said(problem: Problem, told: Sequence[Problem]) -> bool:
    """Whether a problem was told already: better placed, or at a word inside.

    Streams also answer for the words of the common `serving`.
    """
    inside = [f"{problem.path}."]
    if problem.path.startswith("demand"):
        inside.append("serving.")
    return any(f"{known.path}.".startswith(tuple(inside)) for known in told)
