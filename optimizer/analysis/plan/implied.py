"""The demand for which a model is the best of its loss: found, then tried.

At an optimum without limits (∂C/∂ln N)/(∂C/∂ln D) = w, and only the served tokens are
free, all streams growing together:

    T = (w·∂C/∂ln D − ∂C_rest/∂ln N) / (∂C/∂ln N of serving one token).

In FLOPs that is 3·D·(w − 1). The demand is then raised to it and the scenario solved,
every combination of its lists: only where nothing is cheaper than the model is it told.
A model with a shape of its own is held against models of that and of the scenario's.

Machines in whole numbers leave gaps: where one more sequence just fits, a size is the
best for a whole range of demands, and its neighbours for none. The demand is then told
with what the cheapest plan, in whole numbers, saves there, up to a hundredth of the
cost. Often it is one that fills the replicas: the next token takes another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from optimizer.algebra.program import Status
from optimizer.analysis.plan.alternatives import scaled
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.bindings import passed
from optimizer.analysis.plan.kept import told
from optimizer.analysis.plan.lifetime import at_loss
from optimizer.analysis.plan.rounded import batched_at, needs, whole_at
from optimizer.analysis.plan.search import least_cost
from optimizer.analysis.plan.touching import ended, machines
from optimizer.analysis.plan.wording import amount, either, percent
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve
from optimizer.errors import InputError
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import Flow
from optimizer.reading.spread import expected
from optimizer.records import dataclass, replace
from optimizer.world.costs import value
from optimizer.world.demand import Stream

SHIFT = 1e-5  # of ln N, for a derivative: exact to ten digits
EQUAL = 1e-7  # in ln cost: what a certificate leaves open, and the derivative
NEAR = 0.01  # of the cost, that whole machines may favour a neighbour by
NO_MIX = "its streams serve nothing, and nothing says in which proportions they would"
NO_PRICE = "a figure that serving needs is not given"
WORSE = "fewer training tokens would give it a lower loss"
FREE = "what it serves costs nothing here, so that no demand moves the best size"
BEYOND = "the demand that would suit it is more than any number"
OTHER_LOSS = "with its weights stored as here it has another loss"
DEARER = "at the demand that would suit it, another plan of its loss is cheaper"
WHOLE = (
    "machines come in whole numbers, and at the {demand} tokens that would suit it in "
    "fractions another plan costs"
)
DRAWN = (
    "at the {demand} tokens that would suit it with as many samples a request, another "
    "plan costs"
)
SHAPED = (
    "at the {demand} tokens that would suit it among models of its own architecture, "
    "one of the scenario's costs"
)


@dataclass(frozen=True)
class Suits:
    """The demand that suits a model, or why there is none.

    Attributes:
        tokens: served tokens at which it is the cheapest of its loss; negative where
            it is undertrained even for none, None where none is known to suit it.
        within: the fraction of its cost that the cheapest plan saves there: 0, or
            more where batches and replicas are whole; None without a positive demand.
        reason: why there is no demand; empty where there is.
        filled: replicas that it fills to the last token; None where it fills none.
    """

    tokens: float | None
    within: float | None = None
    reason: str = ""
    filled: int | None = None


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
    scenarios: Sequence[Scenario],
    size: Mapping[str, float],
    s: float | None = None,
    beside: Sequence[Scenario] = (),
) -> Suits:
    """The served tokens at which a model is the cheapest of its loss.

    Args:
        scenarios: the combinations of a scenario's lists; what they fix, and their
            budgets and targets, are set aside.
        size: N and D of the model.
        s: its reducible loss; what the first scenario gives it unless told.
        beside: the combinations with another shape, whose models count as well.

    Returns:
        Served tokens in the scenario's mix of streams, or of one plain stream where
        it serves nothing.
    """
    open_ = [one for scenario in scenarios for one in _serving(scenario)]
    if not open_:
        several = any(len(one.streams) > 1 for one in scenarios)
        return Suits(None, None, NO_MIX if several else NO_PRICE)
    if s is None:
        s = formulate(open_[0]).reducible_at(size)
    asked = [_way(one, size, s) for one in open_]
    ways = [way for way in asked if not isinstance(way, str)]
    if not ways:
        return Suits(None, None, next(way for way in asked if isinstance(way, str)))
    if all(way.factor <= 0 for way in ways):
        least = min(ways, key=lambda way: way.serving)
        return Suits(least.factor * least.served)
    also = [one for scenario in beside for one in _serving(scenario)]
    found: list[Suits] = []
    for way in ways:
        if way.factor <= 0:
            continue
        if not _asks(scaled(way.scenario, way.factor)):
            found.append(Suits(None, None, BEYOND))
            continue
        for factor, filled in _factors(way, size):
            tokens = factor * way.served
            others = (other.total(tokens) for other in ways)
            if min(others) < way.total(tokens) * (1 - NEAR):
                continue
            raised = [scaled(one, factor) for one in open_]
            shaped = [scaled(one, factor) for one in also]
            above = _above(scaled(way.scenario, factor), raised, shaped, size, s)
            if isinstance(above, str):
                why = above.format(demand=amount(tokens, "tokens"))
                found.append(Suits(None, None, why))
            else:
                found.append(Suits(tokens, above, filled=filled))
    told = [one for one in found if one.within is not None]
    best = min(told, key=lambda one: one.within or 0.0, default=None)
    return best or next(iter(found), Suits(None, None, DEARER))


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
    if _asks(replace(scenario, spec=spec)):  # else a figure for it is not given
        yield replace(scenario, spec=spec)


def _asks(scenario: Scenario) -> bool:
    """Whether a scenario can be asked: its demand is a number, and has its figures."""
    try:
        formulate(scenario)
    except InputError:
        return False
    return True


def _flow(stream: Stream) -> Flow:
    flow: Flow = expected(stream.tokens if stream.requests is None else stream.requests)
    return flow


def _unit(stream: Stream) -> Stream:
    word = "tokens" if stream.requests is None else "requests"
    flow = replace(_flow(stream), amount=1.0)
    return stream.model_copy(update={word: flow})


def _way(scenario: Scenario, size: Mapping[str, float], s: float) -> _Way | str:
    """A combination at which a model may be the best, or why it is not."""
    question = formulate(scenario)
    point = question.complete(size)
    if not math.isclose(question.reducible_at(point), s, rel_tol=1e-6):
        return OTHER_LOSS
    w = question.weight(point)
    if w is None or not math.isfinite(w):
        return WORSE
    slope = _serving_slope(question, point)
    if slope <= 0:
        return FREE
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
    if abs(gain) < EQUAL * (cost.training + cost.other):
        gain = 0.0  # training-optimal, but for rounding
    served = sum(line.served.tokens for line in question.bill if line.served)
    return _Way(
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


def _factors(
    way: _Way, size: Mapping[str, float]
) -> Iterator[tuple[float, int | None]]:
    """Of the demand, where a model may be the best: w tells it, or full replicas."""
    yield way.factor, None
    scenario = scaled(way.scenario, way.factor)
    scenario, question = batched_at(scenario, formulate(scenario), size)
    need = needs(scenario, question, question.complete(size))
    for each in need.values():
        for whole in {math.floor(each), math.ceil(each)} - {0}:
            yield way.factor * whole / each, whole


def _above(
    chosen: Scenario,
    raised: Sequence[Scenario],
    shaped: Sequence[Scenario],
    size: Mapping[str, float],
    s: float,
) -> float | str:
    """What a model costs above the cheapest of its loss at its demand, as a fraction.

    Args:
        chosen: the combination that serves it, at that demand.
        raised: every combination of its own shape, likewise.
        shaped: those of another shape, likewise.
        size: N and D.
        s: its reducible loss.

    Returns:
        At most NEAR, and 0 where nothing is in whole numbers; or in words why it is
        not the model for this demand, which a field `{demand}` may stand for.
    """
    question = _asked(chosen, s)
    point = question.complete(size)
    if broken := passed(question.breakable, point):
        taken = either(told(broken), "and")
        return f"at the demand that would suit it, it does not keep {taken}"
    least: Callable[[Sequence[Scenario]], float]
    machines = bool(question.replicas) or any(line.load for line in question.bill)
    if machines or left_open(chosen) is not None:
        here, room = _whole(chosen, size), NEAR
        least = partial(_least_whole, s=s)
    else:
        here, room = bill(question, point).total, EQUAL
        least = partial(_least, s=s)
    saved = 1 - least(raised) / here
    if saved > room:
        why = WHOLE if machines else DRAWN
        return DEARER if room == EQUAL else f"{why} {percent(saved)} less"
    other = 1 - least(shaped) / here
    if other > room:
        return f"{SHAPED} {percent(other)} less"
    saved = max(saved, other)
    return saved if saved > EQUAL else 0.0


def _whole(scenario: Scenario, size: Mapping[str, float]) -> float:
    """What a model costs with batches and replicas in whole numbers."""
    _, question = whole_at(scenario, formulate(scenario), size)
    return bill(question, question.complete(size)).total


def _least_whole(scenarios: Sequence[Scenario], s: float) -> float:
    """The least cost of a reducible loss in whole numbers, with nothing fixed."""
    return least_cost([_aimed(one, s) for one in scenarios])


def _aimed(scenario: Scenario, s: float) -> Scenario:
    """The scenario with a target alone; how many samples are drawn is left open."""
    spec = scenario.spec.model_copy(update={"fix": None, "plan": None})
    scenario = replace(scenario, spec=spec)
    aimed = at_loss(scenario, formulate(scenario), s, None)
    return replace(aimed, samples=None)


def _asked(scenario: Scenario, s: float) -> Question:
    """The least cost of a reducible loss, with nothing fixed and no budget."""
    question = formulate(scenario)
    limits = tuple(w for w in question.limits if not w.name.startswith("budget."))
    return replace(question, reducible=s, fixed={}, limits=limits)


def _least(scenarios: Sequence[Scenario], s: float) -> float:
    """The least cost of a reducible loss where nothing comes in whole numbers."""
    found = [_solved(one, _asked(one, s)) for one in scenarios]
    return min(found, default=math.inf)


def _solved(scenario: Scenario, question: Question) -> float:
    if machines(question):
        _, _, found = ended(scenario, question)
        return found.value if found.status is Status.OPTIMAL else math.inf
    try:
        found = solve(question.program, question.start(question.program))
    except UncertifiedError:
        return math.inf
    return found.value if found.status is Status.OPTIMAL else math.inf
