"""Whole numbers beside what is best in fractions: batches, replicas that stand.

The cost in fractions is log-convex in each of them, so that the best whole number is
the next one up or down.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from optimizer.analysis.plan.steps import MOST
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario, Whole
from optimizer.question.standing import loads
from optimizer.records import replace
from optimizer.world.costs import value
from optimizer.world.roofline import NEAR


def fractions(scenario: Scenario) -> str:
    """What a plan makes whole and a program has in fractions; empty for nothing."""
    found = []
    if any(
        (serving.batched and serving.batch is None)
        or (serving.idle_paid and serving.by_time)
        for serving in scenario.machines
    ):
        found.append("batches and replicas that stand")
    if left_open(scenario) is not None and scenario.samples is None:
        found.append("samples that are left open")
    if not found:
        return ""
    told = " and ".join(found)
    return (
        f"{told[0].upper()}{told[1:]} are amounts here, in fractions; solve makes them "
        "whole, which costs more"
    )


def needs(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> dict[str, float]:
    """Replicas that each machine with standing capacity needs at its peak."""
    return {
        suffix: sum(value(term, point) for _, term in terms)
        for suffix, terms in loads(scenario, question.bill)
        if sum(term.coefficient for _, term in terms) > 0
    }


def whole_at(
    scenario: Scenario, question: Question, size: Mapping[str, float]
) -> tuple[Scenario, Question]:
    """A model with its best whole batches, and the fewest replicas that carry it.

    Args:
        scenario: with nothing made whole.
        question: the same as mathematics.
        size: N and D.
    """
    scenario, question = batched_at(scenario, question, size)
    point = question.complete(size)
    need = needs(scenario, question, point)
    if need:
        up = {suffix: float(next_up(each)) for suffix, each in need.items()}
        scenario = _standing(scenario, question, point, up)
        question = formulate(scenario)
    return scenario, question


def batched_at(
    scenario: Scenario, question: Question, size: Mapping[str, float]
) -> tuple[Scenario, Question]:
    """A model with its best whole batches.

    Args:
        scenario: with nothing made whole.
        question: the same as mathematics.
        size: N and D.
    """
    batches = {
        r.suffix: Whole(batch=r.whole(size["N"]))
        for r in question.replicas
        if r.batch is None
    }
    if not batches:
        return scenario, question
    scenario = replace(scenario, whole=batches)
    return scenario, formulate(scenario)


def beside(
    scenario: Scenario, question: Question, size: Mapping[str, float]
) -> list[Scenario]:
    """The scenarios in whole numbers beside what is best for a model in fractions.

    Args:
        scenario: with nothing made whole.
        question: the same as mathematics.
        size: N and D.

    Returns:
        The scenario itself where nothing is to be made whole.
    """
    point = question.complete(size)
    need = needs(scenario, question, point)
    stood = [scenario]
    if need:
        stand = partial(replicated, scenario, question, need, point)
        stood = [*stand(more=0), *stand(more=1)]
    found = []
    for one in stood:
        asked = formulate(one) if need else question
        found += whole_batches(one, asked, size["N"]) or [one]
    return found


def replicated(
    scenario: Scenario,
    question: Question,
    need: Mapping[str, float],
    point: Mapping[str, float],
    more: int,
) -> Iterator[Scenario]:
    """The whole numbers of replicas beside what is needed."""
    ends = [
        sorted({next_down(r), next_up(r)}) if not more else [next_up(r) + more]
        for r in need.values()
    ]
    for picked in _products(ends):
        chosen = dict(zip(need, map(float, picked), strict=True))
        yield _standing(scenario, question, point, chosen)


def whole_batches(scenario: Scenario, question: Question, N: float) -> list[Scenario]:
    """The scenarios of the whole batches beside the best ones; none if they are."""
    ends = {}
    for one in question.replicas:
        batch = one.best(N)[0]
        pair = sorted({next_down(batch), next_up(batch)})
        if one.batch is None and (len(pair) > 1 or batch != pair[0]):
            ends[one.suffix] = pair
    if not ends:
        return []
    whole = scenario.whole
    picks = [
        {
            suffix: replace(whole.get(suffix, Whole()), batch=float(b))
            for suffix, b in zip(ends, picked, strict=True)
        }
        for picked in _products(list(ends.values()))
    ]
    return [replace(scenario, whole={**whole, **batches}) for batches in picks]


def whole_samples(scenario: Scenario, samples: float) -> list[Scenario]:
    """The scenarios of the whole numbers of samples beside one in fractions."""
    beside = sorted({next_down(samples), next_up(samples)})
    return [replace(scenario, samples=float(number)) for number in beside]


def _standing(
    scenario: Scenario,
    question: Question,
    point: Mapping[str, float],
    replicas: Mapping[str, float],
) -> Scenario:
    """The scenario with replicas that stand, paid by each phase for its load."""
    whole = dict(scenario.whole)
    for suffix, terms in loads(scenario, question.bill):
        if suffix not in replicas:
            continue
        parts: dict[tuple[str, str], float] = {}
        total = sum(value(term, point) for _, term in terms)
        for name, term in terms:
            key = (name, term.label)
            parts[key] = parts.get(key, 0.0) + value(term, point) / total
        known = whole.get(suffix, Whole())
        whole[suffix] = replace(known, replicas=replicas[suffix], parts=parts)
    return replace(scenario, whole=whole)


def _products(ends: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Every combination, or where they are many the two that go all one way."""
    if math.prod(map(len, ends)) <= MOST:
        return list(itertools.product(*ends))
    return [tuple(pair[0] for pair in ends), tuple(pair[-1] for pair in ends)]


def next_up(number: float) -> int:
    """The next whole number up, at least 1; itself where it is one but for rounding."""
    return max(math.ceil(number * (1 - NEAR)), 1)


def next_down(number: float) -> int:
    """The next whole number down, in the same way."""
    return max(math.floor(number * (1 + NEAR)), 1)
