"""Every number of a scenario and of its law, by name, to vary one at a time.

Sensitivities use the complex step: an analytic f obeys f'(x) = Im f(x + ih)/h up to
h², without the cancellation of a difference. *Source*: Squire & Trapp, "Using complex
variables to estimate derivatives of real functions", SIAM Review 40 (1998).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np

from optimizer.algebra.batch_value import Divided, Many
from optimizer.algebra.posynomial import Integers
from optimizer.errors import InputError
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.reading.fields import Model
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import Spread
from optimizer.records import dataclass, replace
from optimizer.world.hardware import Hardware
from optimizer.world.law import STARS, Law

T = TypeVar("T")
Change: TypeAlias = Callable[[Any], Any]

STEP = 1e-30
DISCRETE = {"experts", "active_experts"}  # a choice of model, not an amount


@dataclass(frozen=True)
class Input:
    """One number that the answer depends on.

    Attributes:
        name: its dotted path, as `--set` takes it.
        path: the steps to it from the spec, or `("law", coefficient)`.
        value: in the base unit of its kind.
    """

    name: str
    path: Steps
    value: float


def inputs(scenario: Scenario) -> tuple[Input, ...]:
    """Lists the numbers that the file gives, then the law's coefficients.

    An example price is one, as the file names it. Defaults that the file does not
    mention are not inputs.
    """
    found = (*given(scenario), *_chips(scenario), *scenario.examples.items())
    told = (Input(named(scenario, path), path, value) for path, value in found)
    law = (
        Input(f"law.{symbol}", ("law", symbol), value)
        for symbol, value in scenario.law.coefficients.items()
    )
    return (*told, *law, *_further(scenario))


def given(scenario: Scenario) -> list[tuple[Steps, float]]:
    """The numbers that the file gives, by their paths, without examples and chips."""
    found: list[tuple[Steps, float]] = []
    _gather(scenario.spec, (), found)
    return found


def _further(scenario: Scenario) -> Iterator[Input]:
    """Numbers of the law beside its coefficients, as far as the plan depends on them.

    Those of students move no plan; see `further_paths`.
    """
    spec = scenario.spec
    rated = spec.target is not None and spec.target.pass_rate is not None
    for path, value in further_paths(scenario.law).items():
        repeated = path[1] == "extras" and path[2] in STARS
        if (path[1] == "pass_at_k" and rated) or (
            repeated and spec.data.unique_tokens is not None
        ):
            yield Input(".".join(map(str, path)), path, value)


def further_paths(law: Law) -> dict[Steps, float]:
    """The numbers of a law beside its coefficients, by the paths that `--set` takes."""
    found: dict[Steps, float] = {
        ("law", "extras", symbol): value for symbol, value in law.extras.items()
    }
    if law.passing is not None:
        for index, value in enumerate(law.passing.numbers):
            found["law", "pass_at_k", f"theta{index}"] = value
    return found


def value_at(scenario: Scenario, path: Steps) -> object:
    """What stands at a path of the spec: a number, a flow, or three of them."""
    node: Any = scenario.spec
    for step in path:
        node = node[step] if isinstance(step, int) else getattr(node, step)
    return node


def number_at(scenario: Scenario, path: Steps) -> float:
    """The number, or the amount of a flow, at a path of the spec."""
    value: Any = value_at(scenario, path)
    return float(value.amount if isinstance(value, Flow) else value)


def stepped(scenario: Scenario, path: Steps, side: int = 1) -> Scenario:
    """Returns the scenario with one number x moved to x·(1 + side·i·STEP).

    Where two formulas meet, the sign of the imaginary part says which of them holds:
    above 0 that of larger numbers, below 0 that of smaller ones.
    """
    return changed(scenario, path, lambda x: x * (1 + side * STEP * 1j))


def each_stepped(
    scenario: Scenario,
    moves: Sequence[tuple[Steps, int]],
    view: Callable[[Scenario], T],
) -> Iterator[tuple[Integers, T]]:
    """Steps each of many numbers by itself, as many at a time as go together.

    Args:
        scenario: with a number at each path.
        moves: the paths, with the side to which each number is moved.
        view: of a scenario in which each number is one for each move, complex where it
            is the one that moves; of a plain `stepped` one where moves part ways.

    Yields:
        The numbers of some moves, and their view.
    """
    waiting = [np.arange(len(moves))]
    while waiting:
        rows = waiting.pop()
        if len(rows) == 1:
            yield rows, view(stepped(scenario, *moves[int(rows[0])]))
            continue
        mine = [moves[row] for row in rows.tolist()]
        factors = 1 + np.diag([side * STEP * 1j for _, side in mine])
        steps = [Many(each).__mul__ for each in factors]
        paths = (path for path, _ in mine)
        try:
            with np.errstate(all="ignore"):
                seen = view(all_changed(scenario, zip(paths, steps, strict=True)))
            yield rows, seen
        except Divided as parting:
            waiting += [rows[~parting.mask], rows[parting.mask]]
        except (InputError, ValueError, ArithmeticError, TypeError):
            # Some step knows plain numbers only: one at a time.
            waiting += np.split(rows, len(rows))


def changed(scenario: Scenario, path: Steps, change: Change) -> Scenario:
    """Returns the scenario with one number put through a function.

    Args:
        scenario: with a number at the path.
        path: the steps to it from the spec, through `hardware` into an accelerator,
            or `law` and a coefficient, also of its `extras`, its
            `pass_at_k` or its `error`.
        change: of the number; of a flow, of its amount.
    """
    if path[0] == "law":
        return replace(scenario, law=with_number(scenario.law, path, change))
    if "hardware" in path:
        cut = path.index("hardware")
        place, inside = path[:cut], path[cut + 1 :]
        chip = _rebuilt(scenario.hardware[place], inside, change)
        return replace(scenario, hardware={**scenario.hardware, place: chip})
    if (price := scenario.examples.get(path)) is not None:
        moved = change(price)
        rest = {p: known for p, known in scenario.examples.items() if p != path}
        spec = _inside(scenario.spec, path, lambda _: moved)
        return replace(scenario, spec=spec, examples=rest)
    return replace(scenario, spec=_inside(scenario.spec, path, change))


def all_changed(
    scenario: Scenario, changes: Iterable[tuple[Steps, Change]]
) -> Scenario:
    """The same with several numbers changed, one after the other."""
    law, coefficients = scenario.law, dict(scenario.law.coefficients)
    for path, change in changes:
        if path[0] != "law":
            scenario = changed(scenario, path, change)
        elif len(path) == len(("law", "symbol")):
            symbol = str(path[1])
            coefficients[symbol] = change(coefficients[symbol])
        else:
            law = with_number(law, path, change)
    return replace(scenario, law=replace(law, coefficients=coefficients))


def with_number(law: Law, path: Steps, change: Change) -> Law:
    """Returns a law with the number at a path that begins with `law` changed."""
    *part, symbol = map(str, path[1:])
    if part == ["error"] and law.error is not None:
        moved: Any = {symbol: change(getattr(law.error, symbol))}
        return replace(law, error=replace(law.error, **moved))
    if part == ["pass_at_k"] and law.passing is not None:
        theta: Any = {symbol: change(getattr(law.passing, symbol))}
        return replace(law, passing=replace(law.passing, **theta))
    if part == ["extras"]:
        return replace(law, extras=_at(law.extras, symbol, change))
    return replace(law, coefficients=_at(law.coefficients, symbol, change))


def _rebuilt(chip: Hardware, path: Steps, change: Change) -> Hardware:
    word = str(path[0])
    if word == "peaks":
        return replace(chip, peaks=_at(chip.peaks, str(path[1]), change))
    moved: Any = {word: change(getattr(chip, word))}
    return replace(chip, **moved)


def _at(numbers: Mapping[str, float], key: str, change: Change) -> dict[str, Any]:
    return {**numbers, key: change(numbers.get(key))}


def _inside(node: Any, path: Steps, change: Change) -> Any:
    if not path:
        whole = isinstance(node, Flow)
        return replace(node, amount=change(node.amount)) if whole else change(node)
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return tuple(
            _inside(inner, rest, change) if i == step else inner
            for i, inner in enumerate(node)
        )
    return node.model_copy(update={step: _inside(getattr(node, step), rest, change)})


def _chips(scenario: Scenario) -> Iterator[tuple[Steps, float]]:
    """The figures of accelerators that the scenario itself describes."""
    for place in scenario.hardware:
        node: Any = scenario.document.value
        for step in (*place, "hardware"):
            node = node[step]
        if isinstance(node, dict):
            chip = scenario.hardware[place]
            for precision, peak in chip.peaks.items():
                yield (*place, "hardware", "peaks", precision), peak
            for word in ("memory", "bandwidth", "tdp"):
                if (value := getattr(chip, word)) is not None:
                    yield (*place, "hardware", word), value


def _gather(node: Any, path: Steps, found: list[tuple[Steps, float]]) -> None:
    """Adds the numbers at and below a node of the spec."""
    if isinstance(node, Flow):
        found.append((path, node.amount))
    elif isinstance(node, Spread):
        _gather(node.expected, (*path, "expected"), found)
    elif isinstance(node, Model):
        told = node.model_fields_set
        for word in type(node).model_fields:
            if word in told and word not in DISCRETE:
                _gather(getattr(node, word), (*path, word), found)
    elif isinstance(node, tuple):
        for index, member in enumerate(node):
            _gather(member, (*path, index), found)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        found.append((path, float(node)))


def named(scenario: Scenario, path: Steps) -> str:
    """A dotted path in which streams go by their names."""
    words = [str(step) for step in path]
    if len(path) > 1 and isinstance(path[1], int):
        words[1] = scenario.streams[path[1]].name or words[1]
    return ".".join(words)
