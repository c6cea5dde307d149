"""From a file to a checked scenario; whatever is wrong with it is told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from optimizer.document import (
    Document,
    Steps,
    dotted,
    load_file,
    load_text,
    override,
)
from optimizer.errors import InputError, Mark, Problem
from optimizer.fields import read_model
from optimizer.formulate import formulate
from optimizer.scenario import ALTERNATIVES, NOT_YET, Scenario, Spec
from optimizer.world.hardware import (
    Hardware,
    example_price,
    hardware_from_mapping,
    load_hardware,
)
from optimizer.world.law import Law
from optimizer.world.laws import law_from_mapping, load_law
from optimizer.world.models import load_model

T = TypeVar("T")


def load_scenario(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """Reads and checks a scenario file.

    Args:
        path: the file.
        overrides: assignments such as `demand.tokens=5T`, as `--set` takes them.

    Raises:
        InputError: every mistake of the file, each with its place.
    """
    return _checked(load_file(path), Path(path).parent, overrides)


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
    return _checked(load_text(text, file), Path(), overrides)


def _checked(document: Document, base: Path, overrides: Sequence[str]) -> Scenario:
    for assignment in overrides:
        document = override(document, assignment, ALTERNATIVES, frozenset({"law"}))
    collect = _Collector()
    collect.problems += _exclusions(document)
    spec = collect(partial(read_model, document, Spec, not_yet=NOT_YET))
    law = collect(partial(_law, document, base))
    chips: dict[Steps, Hardware] = {}
    for path in _hardware_paths(document.value):
        chip = collect(partial(_hardware, document, base, path))
        if chip is not None:
            chips[path[:-1]] = chip
    reference = collect(partial(_reference, document))
    collect.finish()
    if spec is None or law is None:
        raise InputError([Problem(Mark(document.file), "", "cannot be read")])
    scenario = Scenario(
        name=spec.name or Path(document.file).stem,
        file=document.file,
        spec=spec,
        law=law,
        hardware=chips,
        document=document,
        reference=reference,
    )
    collect.problems += _surface_problems(scenario)
    scenario = _with_prices(scenario, collect)
    collect.finish()
    formulate(scenario)
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

    def finish(self) -> None:
        if self.problems:
            raise InputError(dict.fromkeys(self.problems))


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


def _exclusions(document: Document) -> Iterator[Problem]:
    """Sections of which one may stand, or one must."""
    value = document.value
    if not isinstance(value, dict):
        return
    pairs: list[tuple[Steps, tuple[str, ...], str]] = [
        ((), ("target", "budget"), "target: {loss: 2.0}, or budget: {compute: 1e24}"),
        (("target",), ("loss", "match"), "loss: 2.0, or match: {parameters: 13B}"),
        (("target", "match"), ("parameters", "model"), "parameters: 13B"),
        (
            ("budget",),
            (
                "compute",
                "cost",
                "training_compute",
                "training_time",
                "training_cost",
            ),
            "compute: 1e24",
        ),
        (("fix",), ("parameters", "tokens"), "parameters: 7B"),
    ]
    for path, words, example in pairs:
        inside = _value(document, path)
        if not isinstance(inside, dict):
            continue
        given = [word for word in words if word in inside]
        for word in given[1:]:
            yield Problem(
                document.key_mark((*path, word)),
                dotted((*path, word)),
                f"cannot stand beside {dotted((*path, given[0]))}; keep one of them",
            )
        if not given:
            yield Problem(
                document.mark(path), dotted(path), f"is incomplete; add {example}"
            )
    match = _value(document, ("target", "match"))
    if isinstance(match, dict) and "model" in match and "tokens" in match:
        yield Problem(
            document.key_mark(("target", "match", "tokens")),
            "target.match.tokens",
            "cannot stand beside target.match.model; keep one of them",
        )
    if "demand" not in value and "budget" not in value:
        yield Problem(
            document.mark(()),
            "demand",
            "is missing; add demand: {tokens: 2T}, or tokens: 0 for a model that "
            "serves nothing",
        )


def _law(document: Document, base: Path) -> Law | None:
    named = _value(document, ("law",))
    if isinstance(named, str):
        law = load_law(named, base, document.mark(("law",)))
    elif isinstance(named, dict):
        law = law_from_mapping(document, ("law",))
    else:
        return None  # missing or of the wrong type: told with the other words
    for path, value, mark in document.deferred:
        law = _changed(law, path, value, mark)
    return law


def _changed(law: Law, path: Steps, value: object, mark: Mark) -> Law:
    symbol = str(path[-1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(
            [Problem(mark, dotted(path), f"must be a number, got {value!r}")]
        )
    try:
        return law.with_coefficients(**{symbol: float(value)})
    except ValueError as error:
        raise InputError([Problem(mark, dotted(path), str(error))]) from None


def _hardware_paths(value: object) -> Iterator[Steps]:
    if not isinstance(value, dict):
        return
    places: list[Steps] = [("training",), ("serving",), ("demand", "serving")]
    demand = value.get("demand")
    if isinstance(demand, list):
        places += [("demand", index, "serving") for index in range(len(demand))]
    for place in places:
        node: Any = value
        for step in place:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                node = None
        if isinstance(node, dict) and isinstance(node.get("hardware"), str | dict):
            yield (*place, "hardware")


def _hardware(document: Document, base: Path, path: Steps) -> Hardware:
    named = _value(document, path)
    if isinstance(named, dict):
        return hardware_from_mapping(document, path)
    return load_hardware(named, base, document.mark(path), dotted(path))


def _reference(document: Document) -> tuple[float, float] | None:
    path = ("target", "match", "model")
    named = _value(document, path)
    if not isinstance(named, str):
        return None
    model = load_model(named, document.mark(path), dotted(path))
    return model.active_parameters or model.parameters, model.tokens


def _surface_problems(scenario: Scenario) -> Iterator[Problem]:
    try:
        scenario.law.surface(scenario.spec.experts)
    except ValueError as error:
        word = "experts" if scenario.spec.experts is not None else "law"
        yield Problem(scenario.document.mark((word,)), word, str(error))


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
