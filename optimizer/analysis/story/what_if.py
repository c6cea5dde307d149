"""What would change a decision: plans of a few other questions, as `solve` has them.

Charts and sliders have machines in fractions, which take one program a point. What is
said in words is asked anew in whole numbers, of all choices, and all of it at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import with_its_loss
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.search import best_of_each, pair_of
from optimizer.analysis.story.timeline import Swing, Tornado
from optimizer.question.inputs import changed, inputs, value_at
from optimizer.question.scenario import Scenario
from optimizer.reading.document import Steps
from optimizer.records import dataclass, replace

TARGET = "target.match.parameters"
# Numbers that one wonders about who never saw the file; demand beside them.
WONDERED = (
    *("demand.input_tokens", "demand.output_tokens", "demand.lifetime"),
    *("training.mfu", "serving.mfu", "training.price", "serving.price"),
    TARGET,
)
DEMANDS = (2.0, 0.5)
MOST = 3  # numbers that are moved


@dataclass(frozen=True)
class OtherDemand:
    """A factor of the demand, and the plan for that; None where there is none."""

    factor: float
    plan: Pair | None


@dataclass(frozen=True)
class WhatIf:
    """Plans of other questions.

    Attributes:
        demands: twice and half of it; empty where no demand counts.
        swings: the numbers that move most, with the optimum at both ends.
        base: the optimum as it is.
        unit: of it and of the swings' results; nats under a budget.
    """

    demands: tuple[OtherDemand, ...]
    swings: tuple[Swing, ...]
    base: float
    unit: str


def what_if(
    scenario: Scenario, answer: Answer, tornado: Tornado | None
) -> WhatIf | None:
    """Solves a scenario for other demands, and with the numbers that move most.

    Args:
        scenario: with all its lists.
        answer: to it.
        tornado: what moves it in fractions, the strongest first.

    Returns:
        None without a plan.
    """
    if answer.plan is None or answer.cost is None:
        return None
    asked = with_its_loss(scenario)
    factors = DEMANDS if answer.demand.counted_tokens else ()
    groups = [asked.every(partial(scaled, factor=factor)).singles for factor in factors]
    swings = tuple(_strongest(tornado))
    one = asked.chosen(answer.choice)
    paths = {item.name.removesuffix(".expected"): item.path for item in inputs(one)}
    for swing in swings:
        path = paths[swing.input]
        alike = [each for each in asked.singles if _at(each, path) == _at(one, path)]
        for value in swing.values:
            groups.append(tuple(_moved(each, path, value) for each in alike))
    found = best_of_each(groups)
    pairs = [
        None if best is None else pair_of(best[2].plan.question, best[2].plan.size)
        for best in found
    ]
    totals = [None if best is None else best[2].plan.total for best in found]
    ends = totals[len(factors) :]
    budget = answer.question == "budget"
    return WhatIf(
        demands=tuple(map(OtherDemand, factors, pairs)),
        swings=tuple(
            replace(swing, results=(low, high))
            for swing, low, high in zip(swings, ends[::2], ends[1::2], strict=True)
        ),
        base=answer.plan.loss if budget else answer.cost.total,
        unit="nats" if budget else answer.cost.unit,
    )


def _strongest(tornado: Tornado | None) -> Iterator[Swing]:
    """The strongest of those that one wonders about, what is decided last."""
    known = () if tornado is None else tornado.swings
    some = [swing for swing in known if swing.input in WONDERED]
    yield from sorted(some, key=lambda swing: swing.input == TARGET)[:MOST]


def _at(scenario: Scenario, path: Steps) -> object:
    price = scenario.examples.get(path)
    return value_at(scenario, path) if price is None else price


def _moved(scenario: Scenario, path: Steps, value: float) -> Scenario:
    return changed(scenario, path, lambda _: value)
