"""The best plan for each number of samples that a request may draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.drawings import Drawing, Drawings, doublings, singles
from optimizer.analysis.plan.overtrained import factor
from optimizer.analysis.plan.search import unless_refused
from optimizer.analysis.plan.together import together
from optimizer.analysis.plan.whole import WholePlan
from optimizer.errors import InputError
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario


def drawings(scenario: Scenario, made: WholePlan) -> Drawings | None:
    """How many samples are best, and the plans of fewer and of more."""
    between, relaxed = left_open(scenario), made.relaxed
    number = made.plan.scenario.samples
    if between is None or number is None or relaxed is None or not relaxed.samples:
        return None
    low, high = between.at_least, between.at_most
    numbers = doublings(low, high, [round(number)])
    steps = tuple(over_samples(scenario, numbers))
    return Drawings(number, low, high, relaxed.samples, steps)


def over_samples(scenario: Scenario, numbers: Sequence[int]) -> Iterator[Drawing]:
    """The best plan for each number of samples, of every combination of lists.

    A number without a plan is left out.
    """
    ways = [(number, *way) for number in numbers for way in singles(scenario, number)]
    ends = together([unless_refused(single) for _, _, single in ways])
    for number in numbers:
        found = []
        for (mine, choice, _), end in zip(ways, ends, strict=True):
            if mine != number or isinstance(end, InputError):
                continue
            question, made = end
            if isinstance(made, WholePlan):
                found.append((made.plan.total, choice, question, made))
        if not found:
            continue
        _, choice, question, made = min(found, key=lambda one: one[0])
        size = question.complete(made.plan.size)
        yield Drawing(
            samples=float(number),
            parameters=size["N"],
            tokens=size["D"],
            overtraining=factor(question, size["N"], size["D"]),
            loss=question.loss_at(size),
            total=bill(made.plan.question, made.plan.question.complete(size)).total,
            choice=choice,
            certificate=made.plan.solution.certificate,
        )
