"""How the roofline machines serve at a plan: batch, step, replicas, and what binds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimizer.analysis.plan.practice import ServingUse
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.sampling import AT_MOST
from optimizer.question.scenario import Scenario, Whole
from optimizer.reading.quantity import HOUR
from optimizer.reading.spread import expected
from optimizer.records import replace
from optimizer.world.costs import MILLION, value
from optimizer.world.machines import KV
from optimizer.world.roofline import NEAR, Replica


def serving_use(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> tuple[ServingUse, ...]:
    """Describes each replica at a plan's size."""
    return tuple(_use(scenario, question, r, point["N"]) for r in question.replicas)


def taken(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> dict[str, float]:
    """What a plan takes of each limit, with the sequences that are in flight."""
    whole = dict(scenario.whole)
    for one in question.replicas:
        batch, _, _ = _flying(scenario, question, one, point["N"]).best(point["N"])
        whole[one.suffix] = replace(whole.get(one.suffix, Whole()), batch=batch)
    there = formulate(replace(scenario, whole=whole)) if whole else question
    at = there.complete({name: point[name] for name in question.size(point)})
    found = {w.name: sum(value(t, at) for t in w.terms) for w in there.limits}
    if scenario.samples is not None:
        found[AT_MOST] = scenario.samples
    return found


def _members(scenario: Scenario, replica: Replica) -> list[int]:
    """The streams that a machine serves."""
    return [
        index
        for index in range(len(scenario.uses))
        if scenario.serving_of(index)[0].batched
        and scenario.suffix(index) == replica.suffix
    ]


def _flying(
    scenario: Scenario, question: Question, replica: Replica, N: float
) -> Replica:
    """The replica with the sequences that are in flight, where replicas stand."""
    standing = scenario.whole.get(replica.suffix, Whole()).replicas
    if standing is None:
        return replica
    members = _members(scenario, replica)
    peak = scenario.serving_of(members[0])[0].peak_to_mean or 1.0
    return _in_flight(
        replica,
        N,
        standing,
        lambda r: _replicas(scenario, question, members, r, N, peak),
    )


def _use(
    scenario: Scenario, question: Question, replica: Replica, N: float
) -> ServingUse:
    members = _members(scenario, replica)
    serving, chip = scenario.serving_of(members[0])
    peak = serving.peak_to_mean or 1.0
    need = _replicas(scenario, question, members, replica, N, peak)
    full, _, _ = replica.best(N)
    whole = scenario.whole.get(replica.suffix, Whole())
    replica = _flying(scenario, question, replica, N)
    batch, step, bound = replica.best(N)
    if whole.replicas is not None and batch < (whole.batch or batch):
        bound = "load"
    elif whole.batch is not None:
        _, _, bound = replace(replica, batch=None).best(N)
    price = scenario.price(serving.price, chip)
    usage = None
    if price is not None:
        seconds = replica.accelerators * step / batch
        usage = seconds / HOUR * price * MILLION
    allocated = None if usage is None else usage * peak
    if whole.replicas is not None and price is not None:
        allocated = _paid(scenario, question, members, whole, price, replica)
    return ServingUse(
        stream=", ".join(scenario.uses[i].name or "demand" for i in members),
        batch=batch,
        step_time=step,
        token_time=step + batch * replica.between(N),
        replicas=need,
        bound_by=bound,
        usage_cost=usage,
        allocated_cost=allocated,
        weights=serving.weights or serving.arithmetic,
        kv=serving.kv or KV,
        cache=replica.cache(N),
        held=replica.weights * N + batch * replica.context * replica.cache(N),
        standing=whole.replicas,
        full_batch=full,
    )


def _in_flight(
    replica: Replica,
    N: float,
    standing: float,
    need: Callable[[Replica], float | None],
) -> Replica:
    """The replica at the least whole batch with which those that stand carry the peak.

    They have no more sequences than that in flight.
    """
    low, high = 0, max(round(replica.best(N)[0]), 1)
    while high - low > 1:
        middle = (low + high) // 2
        load = need(replace(replica, batch=float(middle)))
        fits = load is not None and load <= standing * (1 + NEAR)
        low, high = (low, middle) if fits else (middle, high)
    return replace(replica, batch=float(high))


def _paid(
    scenario: Scenario,
    question: Question,
    members: list[int],
    whole: Whole,
    price: float,
    replica: Replica,
) -> float | None:
    """Dollars of a million output tokens where replicas stand all the time."""
    hours = tokens = 0.0
    for index in members:
        line, lifetime = question.bill[1 + index], scenario.uses[index].lifetime
        if line.served is None or lifetime is None:
            return None
        part = whole.parts.get((line.name, "output"), 0.0)
        hours += part * expected(lifetime) / HOUR
        tokens += line.served.output_tokens or 0.0
    machines = (whole.replicas or 0.0) * replica.accelerators
    return machines * hours * price / tokens * MILLION if tokens else None


def _replicas(
    scenario: Scenario,
    question: Question,
    members: list[int],
    replica: Replica,
    N: float,
    peak: float,
) -> float | None:
    """Replicas for the mean load over the lifetime, times the peak."""
    batch, step, _ = replica.best(N)
    unread = scenario.serving_of(members[0])[0].unread
    busy = 0.0
    for index in members:
        served = question.bill[1 + index].served
        lifetime = scenario.uses[index].lifetime
        if served is None or lifetime is None or served.output_tokens is None:
            return None
        decode = served.output_tokens * step / batch
        new = (served.input_tokens or 0.0) * unread
        prefill = 2.0 * N * new / replica.prefill
        for term in replica.reading(new):
            seconds = term.coefficient * N ** term.exponents.get("N", 0.0)
            prefill += seconds / replica.accelerators
        busy += (decode + prefill) / expected(lifetime)
    return busy * peak
