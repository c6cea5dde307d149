"""The explorer with the engine behind it: every number of a scenario as a control."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from optimizer.analysis.story.edited_scenario import inside, rewritten
from optimizer.analysis.story.picks import Pick, picks
from optimizer.errors import InputError
from optimizer.question.axes import quantity_at, unit_of
from optimizer.question.inputs import Input, inputs, value_at
from optimizer.question.load import read_document
from optimizer.question.scenario import Scenario
from optimizer.reading import kinds
from optimizer.reading.document import Document, parse_assignment
from optimizer.reading.fields import Quantity
from optimizer.reading.loss_words import said_in
from optimizer.reading.quantity import Flow, significant, write
from optimizer.reading.spread import Spread, ends
from optimizer.records import dataclass

STOPS = 40  # of a slider, each side of the scenario's value
REACH = 10.0  # how many times more or less its ends are
SHORT = 1.5  # the same for losses and for a law, of which little is much
CHIP = {"memory": kinds.BYTES, "bandwidth": kinds.BANDWIDTH, "tdp": kinds.POWER}


PERIODS = ("hour", "day", "week", "month", "year")


@dataclass(frozen=True)
class Control:
    """One number that can be moved.

    Attributes:
        name: its dotted path.
        text: its value as the file has it.
        unit: of its values, for people; may be empty.
        stops: texts of a slider, evenly apart in logarithms; the middle one is `text`.
            Empty where there is no such scale.
        value: in the base unit, a flow's for each second.
        low: at the slider's left end.
        high: at its right end.
    """

    name: str
    text: str
    unit: str
    stops: tuple[str, ...]
    value: float
    low: float
    high: float

    def stop_of(self, value: float) -> int:
        """The stop that is nearest to a value, at an end for all beyond it."""
        end = self.low if value < self.value else self.high
        side = -1 if value < self.value else 1
        if value == self.value:
            return STOPS
        if value <= 0 or end <= 0 or end == self.value:
            return STOPS + side * STOPS
        part = math.log(value / self.value) / math.log(end / self.value)
        return STOPS + side * round(STOPS * min(1.0, part))


@dataclass(frozen=True, eq=False)
class Live:
    """A scenario that is being explored.

    Attributes:
        original: the file as it was read.
        base: the folder that relative paths start from.
        sets: what `--set` asked for at the start.
        scenario: with these.
        controls: of the scenario.
        picks: its words that may be others.
    """

    original: Document
    base: Path
    sets: tuple[str, ...]
    scenario: Scenario
    controls: tuple[Control, ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True, eq=False)
class Moved:
    """What changed values lead to: a scenario, or what is wrong with them.

    Attributes:
        sets: all changes, as `--set` takes them.
        scenario: with the changes.
        wrong: name of a control → what is wrong with its value.
        problems: what is wrong beyond single values.
        stops: name of a control that was changed → the stop that its slider is at.
    """

    sets: tuple[str, ...]
    scenario: Scenario | None
    wrong: Mapping[str, str]
    problems: tuple[str, ...]
    stops: Mapping[str, int]


def live(original: Document, base: Path, sets: Sequence[str]) -> Live:
    """Opens a scenario for exploring.

    Raises:
        InputError: it, or a change, has mistakes.
    """
    scenario = read_document(original, base, sets)
    found = {one.name: one for one in inputs(scenario)}  # a name stands once
    controls = tuple(_control(scenario, one) for one in found.values())
    words = picks(original, base, sets, scenario)
    return Live(original, base, tuple(sets), scenario, controls, words)


def moved(explored: Live, values: Mapping[str, str]) -> Moved:
    """The scenario with other values for some controls.

    Args:
        explored: the scenario.
        values: name of a control → its text; other names are refused.
    """
    chosen = {pick.name: pick for pick in explored.picks}
    known = {control.name: control.text for control in explored.controls}
    known |= {name: pick.text for name, pick in chosen.items()}
    periods = {one.name: _per(one.unit) for one in explored.controls}
    wrong = {name: "there is no such number" for name in values if name not in known}
    sets = list(explored.sets)
    marks = {}
    # A law comes before its coefficients.
    for name, text in sorted(values.items(), key=lambda one: one[0] not in chosen):
        if name in known and text.strip() != known[name]:
            # A bare 3M beside requests/day is 3M a day, as it looks.
            per = "" if "/" in text else periods.get(name, "")
            assignment = f"{name}={text.strip()}{per}"
            marks[f"--set {assignment}"] = name
            sets.append(assignment)
            if name in chosen:
                if text not in chosen[name].options:
                    wrong[name] = f"may be {', '.join(chosen[name].options)}"
                continue
            try:
                value = parse_assignment(assignment)[1].value
                if isinstance(value, bool) or not isinstance(value, str | float | int):
                    wrong[name] = "needs a number"
            except InputError as error:
                wrong[name] = error.problems[0].message
    problems: list[str] = []
    scenario = None
    if not wrong:
        try:
            scenario = read_document(explored.original, explored.base, sets)
        except InputError as error:
            for problem in error.problems:
                within = [n for n in marks.values() if n.startswith(f"{problem.path}.")]
                name = marks.get(problem.mark.file, within[0] if within else "")
                if name:
                    wrong.setdefault(name, problem.message)
                else:
                    place = f"{problem.path}: " if problem.path else ""
                    problems.append(f"{place}{problem.message}")
    stops = {} if scenario is None else _stopped(explored, scenario, values)
    return Moved(tuple(sets), scenario, wrong, tuple(problems), stops)


def _stopped(
    explored: Live, scenario: Scenario, values: Mapping[str, str]
) -> dict[str, int]:
    """Where the sliders of the changed values are."""
    now = {one.name: _rate(scenario, one) for one in inputs(scenario)}
    return {
        one.name: one.stop_of(now[one.name])
        for one in explored.controls
        if one.stops and one.name in values and one.name in now
    }


def _rate(scenario: Scenario, one: Input) -> float:
    """A value by which a million a day and 30 million a month are alike."""
    return one.value / (_period(scenario, one) or 1.0)


def _per(unit: str) -> str:
    """The `/day` of requests/day; empty of an amount in all."""
    _, slash, period = unit.partition("/")
    return slash + period if period in PERIODS else ""


def saved(explored: Live, change: Moved) -> str:
    """The file with the changed values in it.

    Raises:
        Defect: it cannot be written so that it says the same.
    """
    if change.scenario is None:
        raise ValueError("a scenario with mistakes is not saved")
    return rewritten(explored.original, change.scenario, change.sets)


def _control(scenario: Scenario, one: Input) -> Control:
    quantity = _quantity(one)
    per = _period(scenario, one)
    text = _original(scenario, one) or _text(one.value, quantity, per, exact=True)
    kind = quantity.kind
    signed = kind.percent or kind.currency or not kind.plain  # the text says it
    unit = "" if signed else said_in(unit_of(kind, per), scenario.law.loss_unit)
    low, high = _reach(scenario, one, kind)
    stops = _stops(one.value, (low, high), quantity, per, text)
    period = per or 1.0
    rates = (one.value / period, low / period, high / period)
    return Control(one.name, text, unit, tuple(stops), *rates)


def _quantity(one: Input) -> Quantity:
    if "hardware" in one.path:
        kind = CHIP.get(str(one.path[-1]), kinds.FLOPS)
        return Quantity(kind)
    path = one.path[:-1] if one.path[-1] == "expected" else one.path
    return quantity_at(path) or quantity_at(one.path) or Quantity(kinds.NUMBER)


def _period(scenario: Scenario, one: Input) -> float | None:
    """The period of an amount that comes again and again."""
    node: object = scenario.spec
    for step in () if one.path[0] == "law" else one.path:
        if isinstance(step, int) and isinstance(node, tuple):
            node = node[step]
        else:
            node = getattr(node, str(step), None)
    return node.per if isinstance(node, Flow) else None


def _original(scenario: Scenario, one: Input) -> str:
    """The value in the words of the file; nothing where it has none."""
    node = inside(scenario.document.value, one.path)
    if isinstance(node, bool) or not isinstance(node, str | int | float):
        return ""
    return node if isinstance(node, str) else _number(node)


def _reach(scenario: Scenario, one: Input, kind: kinds.Kind) -> tuple[float, float]:
    """The ends of a slider."""
    known = one.path[0] == "law" or kind is kinds.LOSS
    reach = SHORT if known else REACH
    low = max(one.value / reach, kind.low if kind.low > 0 else 0.0)
    high = min(one.value * reach, kind.high)
    if one.path[-1] == "expected":
        least, most = _ends(scenario, one)
        low, high = max(low, least), min(high, most)
    return low, high


def _stops(
    value: float,
    reach: tuple[float, float],
    quantity: Quantity,
    per: float | None,
    text: str,
) -> Iterator[str]:
    """Texts that the field reads back, from low to high."""
    if not value > 0 or not math.isfinite(value):
        return
    for step in range(-STOPS, STOPS + 1):
        if step == 0:
            yield text
            continue
        end, part = reach[step > 0], abs(step) / STOPS
        yield _text(value ** (1 - part) * end**part, quantity, per)


def _ends(scenario: Scenario, one: Input) -> tuple[float, float]:
    """Between which an expected value may be, also when it is written shortly."""
    spread = value_at(scenario, one.path[:-1])
    if not isinstance(spread, Spread):
        return 0.0, math.inf
    low, high = ends(spread)
    return min(low * 1.01, one.value), max(high / 1.01, one.value)


def _text(
    value: float, quantity: Quantity, per: float | None, exact: bool = False
) -> str:
    """A value as the field reads it: for people where that reads back near enough."""
    kind = quantity.kind
    if kind.whole:
        return str(max(1, round(value)))
    plain = _number(value) if exact else significant(value, 4)
    period = {kinds.HOUR: "/hour", kinds.DAY: "/day", 7 * kinds.DAY: "/week"}
    period |= {kinds.MONTH: "/month", kinds.YEAR: "/year"}
    after = "" if per is None else period.get(per, f"/{per:g} s")
    near = 0.0 if exact else 0.006
    written = write(value, kind)
    if kind.percent:
        written = f"{significant(100 * value, 4)} %"
    signed = kind.percent or kind.currency or not kind.plain or value >= 1000
    for text in (written, f"{plain} {kind.unit}".strip()) if signed else ():
        try:
            read = quantity.read(f"{text}{after}")
        except ValueError:
            continue
        amount = read.amount if isinstance(read, Flow) else read
        if math.isclose(amount, value, rel_tol=near):
            return f"{text}{after}"
    if kind.plain:
        return f"{plain}{after}"
    return f"{value!r} {kind.unit}{after}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value!r}".replace("e+", "e")
