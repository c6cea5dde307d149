"""What must hold between the words of a scenario, though each is right by itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from optimizer.errors import Problem
from optimizer.question import sampling
from optimizer.question.after import distilled, rollouts
from optimizer.question.exclusive import ONE_OF
from optimizer.question.scenario import Scenario, Spec
from optimizer.question.serving_checks import Finding, found_prompts, idle, rooflines
from optimizer.question.sparse import unlevered
from optimizer.reading.document import Document, Steps, dotted, nearest
from optimizer.reading.loss_words import same
from optimizer.reading.quantity import shown
from optimizer.world.costs import UNITS
from optimizer.world.hardware import Hardware
from optimizer.world.limits import BEST_FOR, TRAINING
from optimizer.world.machines import Serving, Training
from optimizer.world.post_training import ROLLOUTS, TRAINED

# What a figure in each unit needs, for training and for every stream.
_NEEDS = {
    "FLOP": (),
    "s": ("hardware", "mfu"),
    "USD": ("hardware", "mfu", "price"),
    "kWh": ("hardware", "mfu"),
    "kgCO2e": ("hardware", "mfu"),
}
_FIGURES = {
    "kWh": ("pue", "power_fraction"),
    "kgCO2e": ("pue", "power_fraction", "grid"),
}
# Limits and budgets by the unit they are told in, and whether serving counts.
_BOUNDS = {
    "training_time": ("s", False),
    "training_cost": ("USD", False),
    "total_cost": ("USD", True),
    "cost": ("USD", True),
    "energy": ("kWh", True),
}
_EXAMPLES = {
    "model": "mfu",
    "hardware": "h100-sxm",
    "mfu": "40 %",
    "price": "$2.50/h",
    "accelerators": "384",
    "pue": "1.2",
    "power_fraction": "70 %",
    "grid": "0.35 kg/kWh",
}
_LINES = {
    "training",
    "data",
    "fixed",
    ROLLOUTS,
    TRAINED,
}  # names that the bill has already


def contradictions(document: Document) -> Iterator[Problem]:
    """Words that cannot stand together, and those of which one must stand."""
    value = document.value
    if not isinstance(value, dict):
        return
    # A misspelt word is told once, as unknown, and not as missing too.
    known = Spec.model_fields
    meant = {nearest(str(word), known) for word in value if word not in known}
    for group in ONE_OF:
        inside: Any = value
        for step in group.at:
            inside = inside.get(step) if isinstance(inside, dict) else None
        if not isinstance(inside, dict):
            continue
        given = [word for word in group.words if word in inside]
        for word in given[1:]:
            path = (*group.at, word)
            beside = dotted((*group.at, given[0]))
            message = f"cannot stand beside {beside}; keep one of them"
            yield Problem(document.key_mark(path), dotted(path), message)
        misspelt = meant & set(group.words)
        if group.at:
            misspelt = set(inside) - {*group.words, "tokens", BEST_FOR}
        own = not group.at and "plan" in inside  # whose loss is the target
        if group.example and not (given or misspelt or own):
            message = f"needs {_listed(group.words, 'or')}; add {group.example}"
            if not group.at:
                message = f"the scenario {message}"
            yield Problem(document.mark(group.at), dotted(group.at), message)
    if not {"demand", "budget"} & (set(value) | meant):
        message = "is missing; add demand: {tokens: 2T}, or tokens: 0 to serve nothing"
        yield Problem(document.mark(()), "demand", message)


def unlawful(scenario: Scenario) -> Iterator[Problem]:
    """What the scaling law cannot answer."""
    spec, law = scenario.spec, scenario.law
    try:
        law.surface(spec.mixture)
    except ValueError as error:
        told = [w for w in ("sparse", "experts") if getattr(spec, w) is not None]
        word = next(iter(told), "law")
        message = str(error).removeprefix("law ")
        yield Problem(scenario.document.mark((word,)), word, message)
    if spec.target is not None and spec.target.error is not None:
        path = ("target", "error")
        try:
            if law.error is None:
                raise ValueError(
                    f"needs a law that maps loss to error, and {law.name} has none; "
                    "choose gadre-2024-c4, fit one, or give loss: 2.0"
                )
            law.error.check(spec.target.error)
        except ValueError as error:
            mark = scenario.document.mark(path)
            yield Problem(mark, dotted(path), str(error))
    found = (
        *sampling.misfits(scenario),
        *sampling.unrated(scenario),
        *unlevered(scenario),
        *distilled(scenario),
        *_underflow(scenario),
        *_other_unit(scenario),
    )
    for place, message in found:
        yield Problem(scenario.document.mark(place), dotted(place), message)
    for index in range(len(scenario.streams)):
        serving, _ = scenario.serving_of(index)
        if serving.stored_per_active is not None and (
            law.counts != "active" or spec.mixture is not None
        ):
            place = scenario.serving_path(index, "stored_per_active")
            message = (
                f"is for a law that counts active parameters, and {law.name} says "
                "what is stored; remove it"
            )
            yield Problem(scenario.document.mark(place), dotted(place), message)


def _underflow(scenario: Scenario) -> Iterator[Finding]:
    """Repeated data need the best size at a token, which can be beyond numbers."""
    law = scenario.law
    if scenario.spec.data.unique_tokens is None:
        return
    try:
        best = law.surface(scenario.spec.mixture).optimal_parameters(1.0)
    except ValueError:  # told above
        return
    if not 0.0 < best < math.inf:
        yield (
            ("data", "unique_tokens"),
            f"cannot be reckoned with under {law.name}: its training-optimal size at "
            f"one token is {best:g} parameters, as far as numbers go; check alpha and "
            "beta of the law, or remove data.unique_tokens",
        )


def _other_unit(scenario: Scenario) -> Iterator[Finding]:
    """A target loss that is given in another unit than the law's."""
    path = ("target", "loss")
    whole = scenario.document.value
    target = whole.get("target") if isinstance(whole, dict) else None
    given = target.get("loss") if isinstance(target, dict) else None
    word = re.sub(r"^[\s\d.eE+-]*", "", given).strip() if isinstance(given, str) else ""
    law = scenario.law
    if word and not same(word, law.loss_unit):
        yield (
            path,
            f"is in {word}, and the losses of {law.name} are in {law.loss_unit}; give "
            "it in that unit, or choose a law in this one",
        )


def misfits(scenario: Scenario) -> Iterator[Problem]:
    """What is missing or does not fit, each at the word that asks for it."""
    found = (
        *_names(scenario),
        *_machines(scenario),
        *found_prompts(scenario),
        *rooflines(scenario),
        *_bought(scenario),
        *_unknown_costs(scenario),
        *_lifetime(scenario),
        *rollouts(scenario),
    )
    for path, message in found:
        yield Problem(scenario.document.mark(path), dotted(path), message)


def _lifetime(scenario: Scenario) -> Iterator[Finding]:
    """What `best_for: lifetime` needs beside a budget for training."""
    spec = scenario.spec
    if spec.budget is None or spec.budget.best_for == "loss":
        return
    path = ("budget", BEST_FOR)
    if not any(word in TRAINING and bound for word, bound in spec.budget.bounds):
        yield (
            path,
            "is for a budget of training_compute, training_time or training_cost; one "
            "of the whole life counts serving already: remove it",
        )
    if all(idle(stream) for stream in scenario.streams):
        yield path, "needs a demand to plan for; add demand: {tokens: 2T}"
    if spec.fix is not None:
        yield path, "leaves nothing to choose beside fix; remove one of them"


def _names(scenario: Scenario) -> Iterator[Finding]:
    """Streams go by their names in reports and in `--set`."""
    if scenario.spec.demand == ():
        yield ("demand",), "is an empty list; add a stream, e.g. - tokens: 2T"
    taken: dict[str, int] = {}
    for index, stream in enumerate(scenario.streams):
        path, name = scenario.stream_path(index), stream.name
        first = taken.setdefault(name or "demand", index)
        if first < index:
            if name is None:
                yield path, "needs a name, as there are several streams; add name: chat"
            else:
                line = scenario.document.mark(scenario.stream_path(first)).line
                where = f" in line {line}" if line else ""
                message = f'"{name}" is the name of the stream{where}; choose another'
                yield (*path, "name"), message
        if name is not None:
            if name in _LINES:
                message = f'"{name}" is the name of another cost; choose another'
                yield (*path, "name"), message
            if not name.strip() or set(name) & set(".=[]\n") or name.isdecimal():
                message = f"must be a word without . = [ and ], got {shown(name)}"
                yield (*path, "name"), message


def _machines(scenario: Scenario) -> Iterator[Finding]:
    """Chips compute in the precisions they have; attention needs a shape."""
    training, shape = scenario.spec.training, scenario.spec.architecture
    chip = scenario.hardware.get(("training",))
    for used in training.computed:
        yield from _precision(("training", "precision"), used, chip)
    if training.attention and (shape is None or shape.sequence is None):
        yield (
            ("training", "attention"),
            _shape("layers: 32, width: 4096, sequence: 4096"),
        )
    for index, stream in enumerate(scenario.streams):
        serving, chip = scenario.serving_of(index)
        path = scenario.serving_path(index, "precision")
        yield from _precision(path, serving.arithmetic, chip)
        if serving.attention:
            path = scenario.serving_path(index, "attention")
            if shape is None:
                yield path, _shape("layers: 32, width: 4096")
            if stream.input_tokens is None:
                where = dotted(scenario.stream_path(index))
                yield (
                    path,
                    f"needs the length of prompts; add {where}.input_tokens: 800",
                )


def _bought(scenario: Scenario) -> Iterator[Finding]:
    """A price list is in dollars, for input and output apart, and needs demand."""
    if scenario.spec.buy is not None:
        if scenario.spec.objective != "dollars":
            message = "is priced in dollars; add objective: dollars, or remove it"
            yield ("buy",), message
        for index, stream in enumerate(scenario.streams):
            if stream.input_tokens is None:
                message = (
                    "gives only a total, but an API charges input and output apart; "
                    "add input_tokens: 800 and output_tokens: 300"
                )
                yield scenario.stream_path(index), message
    for word in ("buy", "existing"):
        if getattr(scenario.spec, word) is not None:
            if not scenario.spec.seeks:
                yield (word,), "is compared with a plan that has a target; add target"
            elif all(idle(stream) for stream in scenario.streams):
                yield (word,), "serves demand, and there is none; add demand"


def _shape(words: str) -> str:
    return f"needs the shape of the model; add architecture: {{{words}}}"


def _precision(path: Steps, precision: str, chip: Hardware | None) -> Iterator[Finding]:
    if chip is not None:
        try:
            chip.peak(precision)
        except ValueError as error:
            yield path, str(error)


def _unknown_costs(scenario: Scenario) -> Iterator[Finding]:
    """What the objective, the limits and the budget ask for and cannot be told."""
    spec = scenario.spec
    asked: list[tuple[Steps, str, bool]] = [
        (("objective",), UNITS[spec.objective], True)
    ]
    for section, bounds in (("limits", spec.limits), ("budget", spec.budget)):
        for word, bound in bounds or ():
            if bound is not None and word in _BOUNDS:
                asked.append(((section, word), *_BOUNDS[word]))
    for path, unit, served in asked:
        missing: dict[str, list[str]] = {"training": _missing(spec.training, unit)}
        if path[-1] == "training_time" and spec.training.accelerators is None:
            missing["training"].append("accelerators")
        chips: dict[Steps, Hardware | None] = {}
        chips["training", "hardware"] = scenario.hardware.get(("training",))
        for index, stream in enumerate(scenario.uses if served else ()):
            if idle(stream):
                continue
            serving, chip = scenario.serving_of(index)
            missing.setdefault("serving", []).extend(_missing(serving, unit, chip))
            chips[scenario.serving_path(index, "hardware")] = chip
        figures = spec.energy
        missing["energy"] = [
            word
            for word in _FIGURES.get(unit, ())
            if figures is None or getattr(figures, word) is None
        ]
        if lacking := {
            s: dict.fromkeys(words) for s, words in missing.items() if words
        }:
            listed = [f"{s}: {{{_filled(words)}}}" for s, words in lacking.items()]
            yield path, f"needs more figures; add for example {_listed(listed)}"
        if unit in _FIGURES:
            for place, used in chips.items():
                try:
                    _ = used and used.power()
                except ValueError as error:
                    yield place, str(error)


def _missing(
    machine: Training | Serving, unit: str, chip: Hardware | None = None
) -> list[str]:
    words = [
        word
        for word in _NEEDS[unit]
        if getattr(machine, word) is None and not (word == "hardware" and chip)
    ]
    if isinstance(machine, Serving) and _NEEDS[unit] and machine.model == "flops":
        words.insert(0, "model")
    return words


def _filled(words: Mapping[str, None]) -> str:
    return ", ".join(f"{word}: {_EXAMPLES[word]}" for word in words)


def _listed(words: Iterable[str], joint: str = "and") -> str:
    *most, last = words
    return f"{', '.join(most)} {joint} {last}" if most else last
