"""What a scenario names, fetched: its law, its machines, models that exist, prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from optimizer.errors import Collector, InputError, Mark, Problem
from optimizer.question.inputs import further_paths, with_number
from optimizer.question.scenario import Known, Scenario, Spec
from optimizer.reading.document import Document, Steps, dotted, legible
from optimizer.reading.quantity import NUMBER, read
from optimizer.records import replace
from optimizer.world.architecture.record import Record
from optimizer.world.built import built
from optimizer.world.described import layered, record_at
from optimizer.world.hardware import (
    Hardware,
    example_price,
    hardware_from_mapping,
    load_hardware,
)
from optimizer.world.law import Counts, Law, further_out_of_bounds
from optimizer.world.laws import law_from_mapping, load_law
from optimizer.world.models import load_model, size_in
from optimizer.world.serving.constants import Library, load_library

T = TypeVar("T")


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


def law_of(document: Document, base: Path) -> Law | None:
    """The law that a scenario names, with `--set law.alpha=0.3` on top.

    None where it is missing or of the wrong type: told with the other words.

    Raises:
        InputError: every mistake of the law, each with its place.
    """
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
    collect = Collector()
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
        further = further_paths(law)
        if path in further:
            return _further(law, path, read(value, NUMBER))
        if path[1:-1] not in ((), ("coefficients",)):
            known = ", ".join(
                (
                    *(f"law.{symbol}" for symbol in law.coefficients),
                    *(dotted(other) for other in further),
                )
            )
            raise ValueError(f"cannot be set; coefficients can: {known}")
        return law.with_coefficients(**{symbol: read(value, NUMBER)})
    except ValueError as error:
        message = str(error).removeprefix(f"{symbol}: ")
        raise InputError([Problem(mark, dotted(path), message)]) from None


def _further(law: Law, path: Steps, value: float) -> Law:
    """The law with `--set law.extras.R_D_star=10` or `law.pass_at_k.theta0=1.2`.

    Raises:
        ValueError: no such number can stand there.
    """
    symbol = str(path[-1])
    if wrong := further_out_of_bounds(symbol, value):
        raise ValueError(wrong)
    moved = with_number(law, path, lambda _: value)
    # Draws belong to the fit, and the number was in it.
    return replace(
        moved, name=f"{law.name} with {symbol}={value:.6g}", extra_draws=None
    )


def hardware_paths(document: Document) -> Iterator[Steps]:
    """Where a scenario names an accelerator, training first."""
    for place in (("training",), *serving_places(document)):
        if isinstance(_value(document, (*place, "hardware")), str | dict):
            yield (*place, "hardware")


def hardware_of(document: Document, base: Path, path: Steps) -> Hardware:
    """The accelerator at a path: of the library, of a file, or described inline.

    Raises:
        InputError: no such accelerator, or a mistake in it.
    """
    named = _value(document, path)
    if isinstance(named, dict):
        return hardware_from_mapping(document, path)
    mark = document.mark(path)
    load = partial(load_hardware, named, base, mark, dotted(path))
    return _of_file(document, path, load)


def constants_of(document: Document, base: Path) -> dict[str, Library]:
    """The files of the user's own constants of serving, by their path as told.

    Raises:
        InputError: one cannot be read, or a word of it is wrong.
    """
    found: dict[str, Library] = {}
    for place in serving_places(document):
        path = (*place, "constants")
        named = _value(document, path)
        if isinstance(named, str) and named not in found:
            load = partial(load_library, base / named)
            found[named] = _of_file(document, path, load)
    return found


def serving_places(document: Document) -> list[Steps]:
    """Where a scenario describes serving machines."""
    places: list[Steps] = [("serving",), ("demand", "serving")]
    places.append(("post_training", "serving"))
    demand = _value(document, ("demand",))
    if isinstance(demand, list):
        places += [("demand", index, "serving") for index in range(len(demand))]
    return places


def reference_of(document: Document, counts: Counts) -> tuple[float, float] | None:
    """N as the law counts [parameters] and D [tokens] of the model to match, if any.

    Raises:
        InputError: no such model.
    """
    path = ("target", "match", "model")
    named = _value(document, path)
    if not isinstance(named, str):
        return None
    model = load_model(named, document.mark(path), dotted(path))
    return size_in(model, counts), model.tokens


ARCHITECTURE: Steps = ("architecture",)


def architecture_of(document: Document, base: Path) -> Record | None:
    """The record of the config that stands for the architecture, if one does.

    Raises:
        InputError: it cannot be read, or is not known.
    """
    return record_at(document, ARCHITECTURE, base)


def without_config(document: Document) -> Document:
    """The document without a config in place of the architecture's own words."""
    value = document.value
    if not isinstance(value, dict):
        return document
    if layered(value.get("architecture")):
        rest = {word: inner for word, inner in value.items() if word != "architecture"}
        return replace(document, value=rest)
    return document


def existing_of(
    document: Document, spec: Spec | None, counts: Counts, base: Path
) -> Known | None:
    """The model that exists already, its N as the law counts it, if any.

    Raises:
        InputError: no such model.
    """
    path = ("existing", "model")
    if spec is None or spec.existing is None:
        return None
    if spec.existing.architecture is not None:
        place: Steps = ("existing", "architecture")
        record = record_at(document, place, base)
        if record is None:
            message = (
                "needs model_type, which says how its words are to be read, or a list "
                "of layers by kind"
            )
            raise InputError([Problem(document.mark(place), dotted(place), message)])
        shape = built(record)
        return Known(record.name, shape, shape.size(counts), spec.existing.tokens)
    named = spec.existing.model
    if named is not None:
        model = load_model(named, document.mark(path), dotted(path))
        return Known(named, model, size_in(model, counts), model.tokens)
    size = spec.existing.parameters
    if size is None:
        return None  # told as a contradiction
    return Known("", size, size, spec.existing.tokens)


def with_prices(scenario: Scenario, collect: Collector) -> Scenario:
    """Takes example prices from the library where the file asks for them."""
    prices, notes = {}, []
    asked: dict[Steps, set[float]] = {}
    machines: list[tuple[Steps, Any, Hardware | None]] = [
        (
            ("training", "price"),
            scenario.spec.training.price,
            scenario.hardware.get(("training",)),
        )
    ]
    for index in range(len(scenario.uses)):
        serving, chip = scenario.serving_of(index)
        own = scenario.uses[index].serving
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
                asked.setdefault(path, set()).add(found.value)
                notes.append(
                    f"{chip.key} at ${found.value:g}/h is an example price "
                    f"({found.provider}, {found.note}, read {found.date})"
                )
                continue
        collect.problems.append(
            Problem(scenario.document.mark(path), dotted(path), problem)
        )
    return replace(
        scenario,
        prices=prices,
        examples={path: min(some) for path, some in asked.items() if len(some) == 1},
        notes=tuple(dict.fromkeys(notes)),
    )
