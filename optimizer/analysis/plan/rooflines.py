"""How the roofline machines serve at a plan: batch, step, replicas, and what binds."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.analysis.plan.practice import ServingUse
from optimizer.question.asked import Question
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import HOUR
from optimizer.reading.spread import expected
from optimizer.world.costs import MILLION
from optimizer.world.machines import KV
from optimizer.world.roofline import Replica


def serving_use(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> tuple[ServingUse, ...]:
    """Describes each replica at a plan's size."""
    return tuple(_use(scenario, question, r, point["N"]) for r in question.replicas)


def _use(
    scenario: Scenario, question: Question, replica: Replica, N: float
) -> ServingUse:
    members = [
        index
        for index in range(len(scenario.streams))
        if scenario.serving_of(index)[0].model == "roofline"
        and scenario.suffix(index) == replica.suffix
    ]
    serving, chip = scenario.serving_of(members[0])
    batch, step, bound = replica.best(N)
    price = scenario.price(serving.price, chip)
    usage = None
    if price is not None:
        seconds = replica.accelerators * step / batch
        usage = seconds / HOUR * price * MILLION
    peak = serving.peak_to_mean or 1.0
    return ServingUse(
        stream=", ".join(scenario.streams[i].name or "demand" for i in members),
        batch=batch,
        step_time=step,
        replicas=_replicas(scenario, question, members, replica, N, peak),
        bound_by=bound,
        usage_cost=usage,
        allocated_cost=None if usage is None else usage * peak,
        weights=serving.weights or serving.arithmetic,
        kv=serving.kv or KV,
        cache=replica.cache(N),
        held=replica.weights * N + batch * replica.context * replica.cache(N),
    )


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
    busy = 0.0
    for index in members:
        served = question.bill[1 + index].served
        lifetime = scenario.streams[index].lifetime
        if served is None or lifetime is None or served.output_tokens is None:
            return None
        decode = served.output_tokens * step / batch
        prefill = 2.0 * N * (served.input_tokens or 0.0) / replica.prefill
        busy += (decode + prefill) / expected(lifetime)
    return busy * peak
