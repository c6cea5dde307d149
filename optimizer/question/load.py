"""From a file to a checked scenario; whatever is wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from optimizer.errors import InputError, Mark, Problem
from optimizer.question.checks import contradictions, misfits, unlawful
from optimizer.question.choices import combinations, firsts
from optimizer.question.formulate import formulate
from optimizer.question.scenario import ALTERNATIVES, Scenario, Spec, Variant
from optimizer.reading.document import (
    Document,
    Steps,
    dotted,
    legible,
    load_file,
    load_text,
    override,
)
from optimizer.reading.fields import read_model
from optimizer.reading.quantity import NUMBER, read
from optimizer.world.hardware import (
    Hardware,
    example_price,
    hardware_from_mapping,
    load_hardware,
)
from optimizer.world.law import Counts, Law
from optimizer.world.laws import law_from_mapping, load_law
from optimizer.world.models import load_model, size_in

T = TypeVar("T")
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
    collect = _Collector()
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
            scenario = _single(single, base, _Collector())
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
    return replace(fitting[0], document=document, variants=tuple(variants))


def _single(document: Document, base: Path, collect: _Collector) -> Scenario:
    """Checks a scenario in which every list of choices is down to one value."""
    collect.problems += contradictions(document)
    spec = collect(partial(read_model, document, Spec))
    law = collect(partial(_law, document, base))
    paths = tuple(_hardware_paths(document))
    found = {p[:-1]: collect(partial(_hardware, document, base, p)) for p in paths}
    chips = {path: chip for path, chip in found.items() if chip is not None}
    counts: Counts = "total" if law is None else law.counts
    reference = collect(partial(_reference, document, counts))
    existing = collect(partial(_existing, document, spec, counts))
    if spec is None or len(chips) < len(paths):
        raise collect.error()
    scenario = Scenario(
        name=spec.name or Path(document.file).stem,
        file=document.file,
        spec=spec,
        # Without its law a scenario can still be checked; it is never returned.
        law=cast(Law, law),
        hardware=chips,
        document=document,
        reference=reference,
        existing=existing,
        base=base,
    )
    if law is not None:
        collect.problems += unlawful(scenario)
    sound = not collect.problems
    scenario = _with_prices(scenario, collect)
    collect.problems += misfits(scenario)
    if sound:
        told = tuple(collect.problems)
        collect.problems += (p for p in _unsolvable(scenario) if not _said(p, told))
    if collect.problems:
        raise collect.error()
    return scenario


class _Collector:
    """Runs steps that may each find problems, and keeps them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def __call__(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InputError as error:
            self.problems += error.problems
            return None

    def error(self) -> InputError:
        return InputError(dict.fromkeys(self.problems))


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


def _value(document: Document, path: Steps) -> Any:
    node: Any = document.value
    for step in path:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def _law(document: Document, base: Path) -> Law | None:
    path: Steps = ("law",)
    named = _value(document, path)
    if isinstance(named, str):
        law = _of_file(
            document, path, lambda: load_law(named, base, document.mark(path))
        )
    elif isinstance(named, dict):
        law = law_from_mapping(document, path)
    else:
        return None  # missing or of the wrong type: told with the other words
    collect = _Collector()
    for inner, value, mark in document.deferred:
        law = collect(partial(_changed, law, inner, value, mark)) or law
    if collect.problems:
        raise collect.error()
    return law


def _of_file(document: Document, path: Steps, load: Callable[[], T]) -> T:
    """What another file says; where that cannot be read, this one is to blame."""
    try:
        return load()
    except InputError as error:
        raise InputError(
            p
            if p.mark.line or p.path
            else Problem(
                document.mark(path),
                dotted(path),
                f"{legible(p.mark.file, 1000)}: {p.message}",
            )
            for p in error.problems
        ) from None


def _changed(law: Law, path: Steps, value: object, mark: Mark) -> Law:
    """The law with the coefficient of `--set law.alpha=0.3`."""
    symbol = str(path[-1])
    try:
        if path[1:-1] not in ((), ("coefficients",)):
            known = ", ".join(f"law.{symbol}" for symbol in law.coefficients)
            raise ValueError(f"cannot be set; coefficients can: {known}")
        return law.with_coefficients(**{symbol: read(value, NUMBER)})
    except ValueError as error:
        message = str(error).removeprefix(f"{symbol}: ")
        raise InputError([Problem(mark, dotted(path), message)]) from None


def _hardware_paths(document: Document) -> Iterator[Steps]:
    places: list[Steps] = [("training",), ("serving",), ("demand", "serving")]
    demand = _value(document, ("demand",))
    if isinstance(demand, list):
        places += [("demand", index, "serving") for index in range(len(demand))]
    for place in places:
        if isinstance(_value(document, (*place, "hardware")), str | dict):
            yield (*place, "hardware")


def _hardware(document: Document, base: Path, path: Steps) -> Hardware:
    named = _value(document, path)
    if isinstance(named, dict):
        return hardware_from_mapping(document, path)
    mark = document.mark(path)
    load = partial(load_hardware, named, base, mark, dotted(path))
    return _of_file(document, path, load)


def _reference(document: Document, counts: Counts) -> tuple[float, float] | None:
    path = ("target", "match", "model")
    named = _value(document, path)
    if not isinstance(named, str):
        return None
    model = load_model(named, document.mark(path), dotted(path))
    return size_in(model, counts), model.tokens


def _existing(
    document: Document, spec: Spec | None, counts: Counts
) -> tuple[str, float, float | None] | None:
    path = ("existing", "model")
    if spec is None or spec.existing is None:
        return None
    named = spec.existing.model
    if named is not None:
        model = load_model(named, document.mark(path), dotted(path))
        return named, size_in(model, counts), model.tokens
    if spec.existing.parameters is None:
        return None  # told as a contradiction
    return "", spec.existing.parameters, spec.existing.tokens


def _with_prices(scenario: Scenario, collect: _Collector) -> Scenario:
    """Takes example prices from the library where the file asks for them."""
    prices, notes = {}, []
    machines: list[tuple[Steps, Any, Hardware | None]] = [
        (
            ("training", "price"),
            scenario.spec.training.price,
            scenario.hardware.get(("training",)),
        )
    ]
    for index in range(len(scenario.streams)):
        serving, chip = scenario.serving_of(index)
        own = scenario.streams[index].serving
        local = own is not None and "price" in own.model_fields_set
        place = (*scenario.stream_path(index), "serving") if local else ("serving",)
        machines.append(((*place, "price"), serving.price, chip))
    for path, price, chip in machines:
        if price != "example":
            continue
        problem = "needs hardware, for which the library has an example price"
        if chip is not None:
            try:
                found = example_price(chip.key)
            except ValueError as error:
                problem = str(error)
            else:
                prices[chip.key] = found.value
                notes.append(
                    f"{chip.key} at ${found.value:g}/h is an example price "
                    f"({found.provider}, {found.note}, read {found.date})"
                )
                continue
        collect.problems.append(
            Problem(scenario.document.mark(path), dotted(path), problem)
        )
    return replace(scenario, prices=prices, notes=tuple(dict.fromkeys(notes)))
