"""What a plan costs: by line, by unit, by token served, and what is counted."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optimizer.analysis.plan.practice import (
    Parties,
    PostTrainingRun,
    TrainingRun,
    UnitCost,
)
from optimizer.analysis.plan.priced import Cost, Line
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import HOUR
from optimizer.reading.spread import expected
from optimizer.world.costs import MILLION, UNITS, value
from optimizer.world.post_training import ROLLOUTS, TRAINED

Point = Mapping[str, float]
ROUNDING = 1e-9  # of the weight of a token


def bill(question: Question, point: Point) -> Cost:
    """The lifetime cost that the objective counts, line by line, in its unit."""
    unit = question.unit
    rows = [
        (line, (line.amount(unit, point) or 0.0) * line.share) for line in question.bill
    ]
    total = sum(amount for _, amount in rows)
    groups = {
        group: sum(amount for line, amount in rows if line.group == group)
        for group in ("training", "inference", "other")
    }
    return Cost(
        unit=unit,
        total=total,
        lines=tuple(Line(line.name, amount, amount / total) for line, amount in rows),
        **groups,
    )


def amounts(question: Question, point: Point) -> dict[str, float | None]:
    """The counted lifetime total in every unit; None where inputs are missing."""
    totals: dict[str, float | None] = {}
    for unit in UNITS.values():
        parts = [line.amount(unit, point) for line in question.bill]
        known = [part for part in parts if part is not None]
        totals[unit] = None
        if len(known) == len(parts):
            totals[unit] = sum(
                part * line.share
                for part, line in zip(known, question.bill, strict=True)
            )
    return totals


def parties(question: Question, point: Point) -> Parties:
    """The plan's cost: what is counted, and what is left to others."""
    full = counted = 0.0
    for line in question.bill:
        amount = line.amount(question.unit, point) or 0.0
        full += amount
        counted += amount * line.share
    return Parties(lab=counted, community=full - counted, social=full)


def training_run(
    scenario: Scenario, question: Question, point: Point
) -> TrainingRun | None:
    """Accelerator-hours and the length of the run, where hardware and MFU are given."""
    seconds = question.bill[0].amount("s", point)
    if seconds is None:
        return None
    count = scenario.spec.training.accelerators
    return TrainingRun(seconds / HOUR, None if count is None else seconds / count)


def post_training(
    scenario: Scenario, question: Question, point: Point
) -> PostTrainingRun | None:
    """What follows pre-training; None where nothing does."""
    after = scenario.spec.post_training
    if after is None:
        return None
    made, learnt = (
        next(line for line in question.bill if line.name == name)
        for name in (ROLLOUTS, TRAINED)
    )
    flop = [line.amount("FLOP", point) or 0.0 for line in (made, learnt)]
    hours = [line.amount("s", point) for line in (made, learnt)]
    tokens = expected(after.rollout_tokens)
    return PostTrainingRun(
        tokens,
        tokens * expected(after.trained_on),
        sum(flop) / (question.bill[0].amount("FLOP", point) or math.inf),
        *(None if seconds is None else seconds / HOUR for seconds in hours),
    )


def unit_cost(question: Question, point: Point) -> UnitCost | None:
    """Dollars per million tokens, whoever pays; None without prices or demand.

    Costs and tokens are both taken at their present value, so that a constant price
    of the result, paid as tokens are served, covers the cost exactly.
    """
    lines = [line for line in question.bill if line.served and line.served.tokens > 0]
    full = [line.amount("USD", point) for line in question.bill]
    if not lines or any(line.amount("USD", point) is None for line in lines):
        return None
    weights = {"input": 0.0, "output": 0.0, "tokens": 0.0}
    dollars = dict(weights)
    for line in lines:
        served = line.served
        if served is None:
            continue
        weights["input"] += line.counted * (served.input_tokens or 0.0)
        weights["output"] += line.counted * (served.output_tokens or 0.0)
        weights["tokens"] += line.counted * served.tokens
        for term in line.terms["USD"]:
            dollars[term.label] += value(term, point)
    if weights["tokens"] == 0:
        return None  # discounted to nothing
    serving = sum(dollars.values())
    split = all(line.served and line.served.input_tokens is not None for line in lines)
    everything = sum(part for part in full if part is not None)

    def rate(cost: float, tokens: float) -> float | None:
        return cost / tokens * MILLION if tokens > 0 else None

    return UnitCost(
        input=rate(dollars["input"], weights["input"]) if split else None,
        output=rate(dollars["output"], weights["output"]) if split else None,
        total=serving / weights["tokens"] * MILLION,
        with_training=(
            None if None in full else everything / weights["tokens"] * MILLION
        ),
        present_value=any(abs(line.counted - 1) > ROUNDING for line in lines),
        further=any(
            part
            for part, line in zip(full, question.bill, strict=True)
            if line.group not in ("training", "inference")
        ),
    )
