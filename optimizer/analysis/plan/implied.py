"""The demand for which a model is the best of its loss: found, then tried.

At an optimum without limits (∂C/∂ln N)/(∂C/∂ln D) = w, and only the served tokens are
free, all streams growing together:

    T = (w·∂C/∂ln D − ∂C_rest/∂ln N) / (∂C/∂ln N of serving one token).

In FLOPs that is 3·D·(w − 1). The demand is then raised to it and the scenario solved,
every combination of its lists: only where nothing is cheaper than the model is it told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.bindings import passed
from optimizer.analysis.plan.whole import Solved, make_whole, whole_at
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve
from optimizer.errors import InputError
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.question.standing import loads
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import expected
from optimizer.records import dataclass
from optimizer.world.costs import value
from optimizer.world.demand import Stream

SHIFT = 1e-5  # of ln N, for a derivative: exact to ten digits
EQUAL = 1e-7  # in ln cost: what a certificate leaves open, and the derivative
NEAR = 0.01  # in whole batches, where plans within it count as equal


@dataclass(frozen=True)
class _Way:
    """One combination of the scenario's lists, and the demand that suits it.

    Attributes:
        scenario: with some demand.
        served: its tokens.
        factor: of them, at which the model meets the optimality conditions.
        rest: what the model costs besides serving.
        serving: what serving `served` tokens costs.
    """

    scenario: Scenario
    served: float
    factor: float
    rest: float
    serving: float

    def total(self, tokens: float) -> float:
        return self.rest + self.serving * tokens / self.served


def implied_demand(
    scenarios: Sequence[Scenario], size: Mapping[str, float], s: float | None = None
) -> float | None:
    """The served tokens at which a model is the cheapest of its loss.

    Args:
        scenarios: the combinations of a scenario's lists; what they fix, and their
            budgets and targets, are set aside.
        size: N and D of the model.
        s: its reducible loss; what the first scenario gives it unless told.

    Returns:
        Served tokens in the scenario's mix of streams, or of one plain stream where
        it serves nothing; negative where the model is undertrained even for no
        demand. None where no demand, or none that the limits allow, suits it.
    """
    open_ = [one for scenario in scenarios for one in _serving(scenario)]
    if not open_:
        return None
    if s is None:
        s = formulate(open_[0]).reducible_at(size)
    ways = [way for one in open_ for way in _ways(one, size, s)]
    if ways and all(way.factor <= 0 for way in ways):
        least = min(ways, key=lambda way: way.serving)
        return least.factor * least.served
    for way in ways:
        tokens = way.factor * way.served
        here = way.total(tokens)
        cheaper = any(other.total(tokens) < here * (1 - EQUAL) for other in ways)
        if tokens > 0 and not cheaper and _best(open_, way, size, s):
            return tokens
    return None


def _serving(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario with some demand; none where it cannot be told what that costs."""
    streams = scenario.streams
    if any(_flow(stream).amount for stream in streams):
        yield scenario
        return
    if len(streams) > 1:
        return  # nothing says in which proportions several would be served
    one = _unit(streams[0]) if streams else Stream(tokens=Flow(1.0))
    demand = (one,) if isinstance(scenario.spec.demand, tuple) else one
    spec = scenario.spec.model_copy(update={"demand": demand})
    try:
        formulate(replace(scenario, spec=spec))
    except InputError:
        return  # a figure that serving needs is not given
    yield replace(scenario, spec=spec)


def _flow(stream: Stream) -> Flow:
    flow: Flow = expected(stream.tokens if stream.requests is None else stream.requests)
    return flow


def _unit(stream: Stream) -> Stream:
    word = "tokens" if stream.requests is None else "requests"
    flow = replace(_flow(stream), amount=1.0)
    return stream.model_copy(update={word: flow})


def _ways(scenario: Scenario, size: Mapping[str, float], s: float) -> Iterator[_Way]:
    question = formulate(scenario)
    point = question.complete(size)
    if not math.isclose(question.reducible_at(point), s, rel_tol=1e-6):
        return  # in fewer bits the model is of another loss
    w = question.weight(point)
    slope = _serving_slope(question, point)
    if w is None or not math.isfinite(w) or slope <= 0:
        return
    cost = bill(question, point)
    fixed = [
        term
        for line in question.bill
        if line.group != "inference"
        for term in line.terms.get(question.unit, ())
    ]
    gain = sum(
        (w * t.exponents.get("D", 0.0) - t.exponents.get("N", 0.0)) * value(t, point)
        for t in fixed
    )
    served = sum(line.served.tokens for line in question.bill if line.served)
    yield _Way(
        scenario, served, gain / slope, cost.training + cost.other, cost.inference
    )


def _serving_slope(question: Question, point: Mapping[str, float]) -> float:
    """d(serving cost)/d ln N where the machines are set anew for each size.

    A central difference: the best batch for a size is known in closed form only
    between the bounds that hold it.
    """

    def cost(step: float) -> float:
        size = {"N": point["N"] * math.exp(step), "D": point["D"]}
        return bill(question, question.complete(size)).inference

    return (cost(SHIFT) - cost(-SHIFT)) / (2 * SHIFT)


def _best(
    scenarios: Sequence[Scenario], way: _Way, size: Mapping[str, float], s: float
) -> bool:
    """Whether nothing of the same loss is cheaper than the model at its demand."""
    question = _asked(scaled(way.scenario, way.factor), s)
    point = question.complete(size)
    if passed(question.breakable, point):
        return False
    total = bill(question, point).total
    raised = [scaled(one, way.factor) for one in scenarios]
    if any(_least(_asked(one, s)) < total * (1 - EQUAL) for one in raised):
        return False
    if not _stepped(question) or any(not one.spec.seeks for one in raised):
        return True
    here = _whole(scaled(way.scenario, way.factor), size)
    standing = any(True for one in raised for _ in loads(one, question.bill))
    near = EQUAL if standing else NEAR
    return all(_least_whole(one) >= here * (1 - near) for one in raised)


def _stepped(question: Question) -> bool:
    """Whether machines come in whole numbers."""
    return bool(question.replicas) or any(line.load for line in question.bill)


def _whole(scenario: Scenario, size: Mapping[str, float]) -> float:
    """What a model costs with batches and replicas in whole numbers."""
    _, question = whole_at(scenario, formulate(scenario), size)
    return bill(question, question.complete(size)).total


def _least_whole(scenario: Scenario) -> float:
    """The least cost of the scenario's target in whole numbers, with nothing fixed."""
    spec = scenario.spec.model_copy(update={"fix": None})
    scenario = replace(scenario, spec=spec)
    question = formulate(scenario)
    found = _solved(question)
    if found is None:
        return math.inf
    plan = make_whole(Solved(scenario, question, found))
    return math.inf if isinstance(plan, Solved) else plan.plan.solution.value


def _asked(scenario: Scenario, s: float) -> Question:
    """The least cost of a reducible loss, with nothing fixed and no budget."""
    question = formulate(scenario)
    limits = tuple(w for w in question.limits if not w.name.startswith("budget."))
    return replace(question, reducible=s, fixed={}, limits=limits)


def _least(question: Question) -> float:
    found = _solved(question)
    return math.inf if found is None else found.value


def _solved(question: Question) -> Solution | None:
    try:
        found = solve(question.program, question.start(question.program))
    except UncertifiedError:
        return None
    return found if found.status is Status.OPTIMAL else None
