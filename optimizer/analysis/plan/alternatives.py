"""Buy, keep, or train: other ways to serve the same demand, and where they cross.

Costs of a bought API and of a model that exists already grow in proportion to the
demand; for each choice of machines the lifetime cost of the best new model grows more
slowly than that (it is concave in demand), so that each pair crosses at most once.
Replicas that stand come one by one, and the two may change places many times: what is
told then is where the first and where the last of these places is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from optimizer.algebra.posynomial import Array
from optimizer.algebra.program import Status
from optimizer.analysis.plan.answer import Alternative
from optimizer.analysis.plan.kept import kept, stairs
from optimizer.analysis.plan.overtaking import (
    WIDEST,
    Bill,
    Overtaken,
    Stairs,
    overtaken,
)
from optimizer.analysis.plan.search import planned
from optimizer.analysis.plan.touching import ended, machines
from optimizer.analysis.plan.whole import Solved, make_whole
from optimizer.analysis.plan.wording import amount
from optimizer.engine.crossing import crossing
from optimizer.engine.solve import refine, solve
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Buy, Scenario
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import Spread
from optimizer.records import replace
from optimizer.world.costs import MILLION
from optimizer.world.demand import Stream

STRIDE = 1.0  # in ln demand, of the first look beside the stated one
NARROW = 1e-4  # in ln demand, how close the edge of what is feasible is sought


def alternatives(
    scenario: Scenario, question: Question, crossings: bool = True
) -> tuple[Alternative, ...]:
    """Prices the scenario's `buy` and `existing` and finds where training pays.

    Args:
        scenario: with all its lists, from which each way takes the best for itself.
        question: of the combination that the plan takes.
        crossings: whether to find where a new model wins; there must be one.
    """
    spec = scenario.spec
    served = sum(line.served.tokens for line in question.bill if line.served)
    paid = _paid(question)
    found = []
    if spec.buy is not None:
        total = bought(question, spec.buy)
        bound, at = spec.limits.total_cost, Overtaken(None, None)
        if not crossings and bound is not None and total > bound:
            why = f"costs {amount(total, 'USD')}, and limits.total_cost is "
            why += amount(bound, "USD")
            found.append(Alternative("buy", None, None, None, None, reason=why))
        else:
            if crossings:
                at = _overtaken(scenario, total, served, lambda: (Stairs(total),))
            found.append(
                Alternative("buy", total, total / paid, None, at.last, at.first)
            )
    if (known := scenario.existing) is not None:
        N, D = known.parameters, known.tokens
        way = kept(scenario, known.what)
        loss = None if D is None else question.published.loss(N, D)
        each, at = None, Overtaken(None, None)
        if way.total is not None:
            each = way.total / paid
            if crossings:
                by = partial(stairs, scenario, known.what)
                at = _overtaken(scenario, way.total, served, by)
        found.append(
            Alternative(
                name=f"existing {known.name}".strip(),
                total=way.total,
                per_token=each,
                loss=loss,
                overtaken_at=at.last,
                cheaper_below=at.first,
                choice=way.choice,
                serving=way.serving,
                certificate=way.certificate,
                reason=way.reason,
            )
        )
    return tuple(found)


def _paid(question: Question) -> float:
    """Served tokens; in dollars as far as money paid for them later counts today."""
    return sum(
        line.served.tokens * (line.counted if question.unit == "USD" else 1.0)
        for line in question.bill
        if line.served
    )


def _overtaken(
    scenario: Scenario,
    total: float,
    served: float,
    by_demand: Callable[[], tuple[Stairs, ...]],
) -> Overtaken:
    """Where a new model overtakes another way, in served tokens.

    Args:
        scenario: with all its lists.
        total: of the other way.
        served: tokens that it serves for that.
        by_demand: the other way by the factor of the demand, where replicas stand.
    """
    if total <= 0:
        return Overtaken(None, None)
    if not any(serving.idle_paid for serving in scenario.servings):
        at = _crossing(scenario, total, served)
        return Overtaken(at, at)
    found = overtaken(
        [partial(_whole_bill, one) for one in scenario.singles], by_demand(), served
    )
    return Overtaken(
        None if found.first is None else found.first * served,
        None if found.last is None else found.last * served,
    )


def _whole_bill(scenario: Scenario, factor: float) -> Bill:
    """The best new model's bill at a factor of the demand, in whole numbers.

    Args:
        scenario: without lists.
        factor: of the demand.
    """
    made = planned(scaled(scenario, factor))
    if made is None:
        return Bill(math.inf)
    plan = made[-1].plan
    stand = [one.replicas for one in plan.scenario.whole.values()]
    return Bill(plan.total, min((r for r in stand if r is not None), default=math.inf))


def bought(question: Question, buy: Buy) -> float:
    """What an API charges for the demand, at the present value of its tokens."""
    total = 0.0
    for line in question.bill:
        served = line.served
        if served is None:
            continue
        inputs, outputs = served.input_tokens or 0.0, served.output_tokens or 0.0
        cached = buy.input if buy.cached_input is None else buy.cached_input
        price = buy.input + (cached - buy.input) * served.found
        dollars = (inputs * price + outputs * buy.output) / MILLION
        total += dollars * line.counted * line.share
    return total


def scaled(scenario: Scenario, factor: float) -> Scenario:
    """Returns the scenario with every stream's demand times a factor."""
    streams = tuple(_scaled(stream, factor) for stream in scenario.streams)
    demand: Any = streams
    if not isinstance(scenario.spec.demand, tuple):
        demand = streams[0] if streams else None
    spec = scenario.spec.model_copy(update={"demand": demand})
    return replace(scenario, spec=spec)


def _scaled(stream: Stream, factor: float) -> Stream:
    word = "tokens" if stream.requests is None else "requests"

    def times(value: Any) -> Any:
        if isinstance(value, Flow):
            return replace(value, amount=value.amount * factor)
        if isinstance(value, Spread):
            return value.model_copy(update={"expected": times(value.expected)})
        return value

    return stream.model_copy(update={word: times(getattr(stream, word))})


def _crossing(scenario: Scenario, total: float, served: float) -> float | None:
    """The served tokens at which the best new model costs as much as another way.

    Of a scenario with lists it is the least over their combinations: each crosses at
    most once, so that one solve tells whether another crosses before.

    Args:
        scenario: with all its lists.
        total: of the other way at a factor of 1, in proportion to the demand.
        served: tokens at a factor of 1.
    """
    least: float | None = None
    for one in scenario.singles:
        excess = partial(_excess, one, total, [])
        if least is None or excess(math.log(least / served)) < 0:
            found = _root(excess)
            least = least if found is None else served * found
            if least == 0:
                break
    return least


def _excess(
    scenario: Scenario, total: float, last: list[tuple[Array, Array]], log: float
) -> float:
    """Ln of a new model's cost over the other's, both at a factor e^log of demand."""
    factor = math.exp(log)
    one = scaled(scenario, factor)
    question = formulate(one)
    program = question.program
    if machines(question):
        one, question, solution = ended(one, question)
    else:
        solution = refine(program, *last[-1]) if last else solve(program)
    if solution.status is not Status.OPTIMAL:
        return math.inf
    last.append(solution.optimum)
    plan = make_whole(Solved(one, question, solution))
    if plan is None:
        return math.inf
    return math.log(plan.plan.solution.value) - math.log(factor * total)


def _root(excess: Callable[[float], float]) -> float | None:
    """The factor of the demand at which a new model begins to win; 0 if it always does.

    ln(cost/factor) falls in ln factor, so the crossing is a bracketed root. Walls of
    money or energy may leave no plan from some demand on; that is sought first.
    """
    excess = cache(excess)
    low, high = _ends(excess)
    if excess(low) < 0:
        return 0.0
    if math.isinf(excess(high)):
        low, high = _narrowed(excess, low, high)
    if excess(high) > 0:
        return None
    return math.exp(crossing(excess, low, high))


def _ends(excess: Callable[[float], float]) -> tuple[float, float]:
    """A bracket of the crossing, sought from the stated demand on in growing strides.

    Each solve starts from the one before, so that near ones take few steps.
    """
    far = math.log(WIDEST)
    here = excess(0.0)
    if math.isinf(here):
        return -far, far
    near = end = 0.0
    step = STRIDE if here > 0 else -STRIDE
    while abs(near) < far:
        end = max(-far, min(near + step, far))
        gap = excess(end)
        if math.isinf(gap) or (gap > 0) != (here > 0):
            break
        near, step = end, 2 * step
    return min(near, end), max(near, end)


def _narrowed(
    excess: Callable[[float], float], low: float, high: float
) -> tuple[float, float]:
    """Narrows a bracket until a plan at its upper end is cheaper, or none is left."""
    while high - low > NARROW:
        middle = (low + high) / 2
        gap = excess(middle)
        if gap <= 0:
            return low, middle
        low, high = (low, middle) if math.isinf(gap) else (middle, high)
    return low, low
