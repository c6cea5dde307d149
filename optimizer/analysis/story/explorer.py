"""Points solved beforehand, for a reader who moves a slider and has no engine.

Every stop is a row of a sweep: its plan is certified as any other. What moves is the
demand, all streams together, and the target (under a budget, the budget).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from optimizer.algebra.posynomial import Array, Integers
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, rows
from optimizer.engine.stacking import shape
from optimizer.question.asked import Question
from optimizer.question.axes import Number
from optimizer.question.formulate import formulate
from optimizer.question.inputs import number_at
from optimizer.question.scenario import Scenario
from optimizer.question.target import Target
from optimizer.question.vary import Plan
from optimizer.reading.document import Steps
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import Spread
from optimizer.records import dataclass, replace

DEMANDS: tuple[float, ...] = (
    *(0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0),
)
SIZES: tuple[float, ...] = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
# Of what can be reduced.
LOSSES: tuple[float, ...] = (2.0, 1.6, 1.35, 1.15, 1.0, 0.9, 0.8, 0.7, 0.6)
SPENT: tuple[float, ...] = (0.1, 0.2, 0.35, 0.6, 1.0, 1.5, 2.5, 5.0, 10.0)


@dataclass(frozen=True, eq=False)
class Stops:
    """Several numbers that move together.

    Attributes:
        numbers: what moves.
        values: `(stops, numbers)`.
    """

    numbers: tuple[Number, ...]
    values: Array

    @property
    def count(self) -> int:
        """How many."""
        return len(self.values)

    def at(self, index: Integers) -> Array:
        """The values of some places, `(places, numbers)`."""
        return np.asarray(self.values[index])


@dataclass(frozen=True)
class Point:
    """What the engine says at one stop; None throughout where there is no plan."""

    status: str
    parameters: float | None
    tokens: float | None
    tokens_per_parameter: float | None
    overtraining_factor: float | None
    loss: float | None
    cost_training: float | None
    cost_inference: float | None
    cost_total: float | None
    saving: float | None
    samples: float | None
    stationarity: float | None
    violation: float | None
    gap: float | None


@dataclass(frozen=True)
class Explorer:
    """A grid of points that are solved.

    Attributes:
        demands: served tokens at each stop of the demand.
        targets: value of the target at each stop, in its unit.
        target: what that is: `parameters` to match, `loss`, or a budget's word.
        unit: of the target.
        cost_unit: of the costs.
        points: a row a target, a column a demand.
        here: the place of the scenario itself: target, demand.
    """

    demands: tuple[float, ...]
    targets: tuple[float, ...]
    target: str
    unit: str
    cost_unit: str
    points: tuple[tuple[Point, ...], ...]
    here: tuple[int, int]


def explore(scenario: Scenario, answer: Answer) -> Explorer | None:
    """Solves the grid about a scenario; None where no served token counts.

    Args:
        scenario: with choices made (see `Scenario.chosen`).
        answer: to it, with a plan.
    """
    question = formulate(scenario)
    quick = shape(question.program) is not None
    factors = DEMANDS if quick else (0.1, 0.5, 1.0, 2.0, 10.0)
    demand = demand_stops(scenario, factors)
    found = _targets(scenario, question, quick)
    if demand is None or found is None or not answer.demand.counted_tokens:
        return None
    scenario, target, word, unit = found
    points = _grid(scenario, target, demand)
    width = demand.count
    table = tuple(points[i : i + width] for i in range(0, len(points), width))
    values = tuple(float(value) for value in target.values[:, 0])
    base = number_at(scenario, target.numbers[0].path)
    here = (
        int(np.argmin(np.abs(np.array(values) - base))),
        factors.index(1.0),
    )
    return Explorer(
        demands=tuple(answer.demand.tokens * factor for factor in factors),
        targets=values,
        target=word,
        unit=unit,
        cost_unit=question.unit,
        points=table,
        here=here,
    )


def along(scenario: Scenario, factors: Sequence[float]) -> tuple[Point, ...] | None:
    """Solves a scenario for its demand times each factor; None without demand."""
    demand = demand_stops(scenario, factors)
    return None if demand is None else _grid(scenario, demand)


def targets_along(
    scenario: Scenario, ratios: Sequence[float]
) -> tuple[Point, ...] | None:
    """Solves a scenario for other reducible losses; None under a budget."""
    question = formulate(scenario)
    if question.reducible is None:
        return None
    bare, path = _as_loss(scenario, question)
    surface, s = question.surface, question.reducible
    values = np.array([[surface.loss_of(s * ratio)] for ratio in ratios])
    stops = Stops((Number("target.loss", path, "nats"),), values)
    return _grid(bare, stops)


def each(scenario: Scenario, path: Steps, values: Sequence[float]) -> tuple[Point, ...]:
    """Solves a scenario for some values of one of its numbers."""
    stops = Stops((Number("", path, ""),), np.array(values, dtype=float)[:, None])
    return _grid(scenario, stops)


def demand_stops(scenario: Scenario, factors: Sequence[float]) -> Stops | None:
    """Every stream's amount times each factor; None where nothing is served."""
    numbers, amounts = [], []
    for index, stream in enumerate(scenario.streams):
        word = "tokens" if stream.requests is None else "requests"
        value = stream.tokens if stream.requests is None else stream.requests
        path: Steps = (*scenario.stream_path(index), word)
        if isinstance(value, Spread):
            value, path = value.expected, (*path, "expected")
        if isinstance(value, Flow) and value.amount > 0:
            numbers.append(Number(".".join(map(str, path)), path, "tokens"))
            amounts.append(value.amount)
    if not numbers:
        return None
    return Stops(tuple(numbers), np.outer(factors, amounts))


def _targets(
    scenario: Scenario, question: Question, quick: bool
) -> tuple[Scenario, Stops, str, str] | None:
    """What the second slider moves: scenario, stops, word, unit."""
    spec = scenario.spec
    some = slice(None, None, 1 if quick else 4)  # where each takes its own solve
    if spec.budget is not None and not spec.seeks:
        word, value = next((w, v) for w, v in spec.budget.bounds if v is not None)
        unit = next(c.unit for c in question.limits if c.name == f"budget.{word}")
        steps = [factor * value for factor in SPENT[some]]
        return scenario, _stops(("budget", word), steps), word, unit
    if question.reducible is None:
        return None
    match = None if spec.target is None else spec.target.match
    if match is not None and match.parameters is not None and match.tokens is None:
        path: Steps = ("target", "match", "parameters")
        steps = [_round(f * match.parameters) for f in SIZES[some]]
        steps[len(steps) // 2] = match.parameters
        return scenario, _stops(path, steps), "parameters", "parameters"
    scenario, path = _as_loss(scenario, question)
    surface, s = question.surface, question.reducible
    steps = [surface.loss_of(s * factor) for factor in LOSSES[some]]
    return scenario, _stops(path, steps), "loss", "nats"


def _stops(path: Steps, values: Sequence[float]) -> Stops:
    number = Number(".".join(map(str, path)), path, "")
    return Stops((number,), np.array(values, dtype=float)[:, None])


def _round(value: float) -> float:
    """A size that reads as it is."""
    return float(f"{value:.1e}")


def _as_loss(scenario: Scenario, question: Question) -> tuple[Scenario, Steps]:
    """The same scenario with its target as a plain loss."""
    target = Target(loss=question.target)
    spec = scenario.spec.model_copy(update={"target": target})
    return replace(scenario, spec=spec, reference=None), ("target", "loss")


def _grid(scenario: Scenario, *axes: Stops) -> tuple[Point, ...]:
    plan = Plan(scenario, cast(Any, axes))  # a sweep asks no more of an axis
    found = rows(plan, 0, plan.count)
    return tuple(
        _point(STATUSES[int(status)], results)
        for status, results in zip(found.status, found.results, strict=True)
    )


def _point(status: str, results: Array) -> Point:
    values = [float(x) if np.isfinite(x) else None for x in results]
    return Point(status, **dict(zip(RESULTS, values, strict=True)))
