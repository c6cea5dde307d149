"""Everything a report says of one scenario, worked out before a word is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from optimizer.analysis.frontier.band import Banded, banded, distribution
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import (
    for_lifetime,
    solve,
    with_free,
    with_its_loss,
    with_others,
)
from optimizer.analysis.story.contour import Contour, contour
from optimizer.analysis.story.curves import (
    OverDemand,
    Overhead,
    over_demand,
    overhead,
)
from optimizer.analysis.story.explorer import Explorer, explore
from optimizer.analysis.story.timeline import Cashflow, Tornado, cashflow, tornado
from optimizer.analysis.story.what_if import WhatIf, what_if
from optimizer.analysis.uncertainty.uncertainty import Uncertainty
from optimizer.errors import InputError
from optimizer.question.sampling import left_open
from optimizer.question.scenario import Scenario
from optimizer.question.under_laws import under_laws
from optimizer.records import dataclass, replace

REPORTED = 13  # points of a frontier
# Beside the scenario's own: the refit, the fit it refutes in the digits that Sardana's
# code uses, one on far longer runs, and one on other data.
LAWS = (
    "besiroglu-2024-refit",
    "hoffmann-2022-devries",
    "sardana-2024-all",
    "muennighoff-2023",
)


@dataclass(frozen=True)
class Case:
    """A scenario, its answer, and what a chart or a slider needs of both.

    Attributes:
        scenario: as it was read.
        answer: to it.
        laws: the same scenario under several laws, its own first; none where a law
            cannot be exchanged.
        contour: the loss surface; None without a plan, as are the others.
        demand: costs and plans over the demand.
        overhead: what other sizes cost.
        cashflow: costs by month.
        tornado: what moves the optimum.
        explorer: points for sliders.
        what_if: the plans of a few other questions.
        frontier: losses and their costs, with a band; see `with_chances`.
        uncertainty: draws and their plans; likewise.
    """

    scenario: Scenario
    answer: Answer
    laws: tuple[Answer, ...] = ()
    contour: Contour | None = None
    demand: OverDemand | None = None
    overhead: Overhead | None = None
    cashflow: Cashflow | None = None
    tornado: Tornado | None = None
    explorer: Explorer | None = None
    what_if: WhatIf | None = None
    frontier: Banded | None = None
    uncertainty: Uncertainty | None = None


# The longest last: what is known before it can be drawn by then.
FIGURES: dict[str, Callable[[Scenario, Answer], Any]] = {
    "demand": over_demand,
    "overhead": overhead,
    "cashflow": cashflow,
    "tornado": tornado,
    "contour": contour,
}


def case(
    scenario: Scenario,
    answer: Answer,
    laws: Sequence[str] = LAWS,
    whole: bool = False,
    figures: Collection[str] | None = None,
) -> Case:
    """Works out a report's numbers.

    Args:
        scenario: a checked one.
        answer: from `solve`.
        laws: to compare with the scenario's own; a law that does not fit is left out.
        whole: whether the answers under these laws say what `solve` says.
        figures: of `FIGURES`, those that are wanted; all, and what the sliders reach,
            unless given.
    """
    *_, known = growing(scenario, answer, laws, whole, figures)
    return known


def growing(
    scenario: Scenario,
    answer: Answer,
    laws: Sequence[str] = LAWS,
    whole: bool = False,
    figures: Collection[str] | None = None,
) -> Iterator[Case]:
    """Works out the same, and shows after each part what is known, at last all.

    Args:
        scenario: as for `case`.
        answer: likewise.
        laws: likewise.
        whole: likewise.
        figures: likewise.
    """
    known = Case(scenario, answer)
    yield known
    known = replace(known, laws=across_laws(scenario, answer, laws, whole))
    yield known
    if answer.plan is None:
        return
    free = with_its_loss(scenario.chosen(answer.choice))
    chosen = as_drawn(free, answer)
    for name, figure in FIGURES.items():
        if figures is None or name in figures:
            known = replace(known, **{name: figure(chosen, answer)})
            yield known
    if figures is None:
        yield replace(
            known,
            explorer=explore(free, answer),
            what_if=what_if(scenario, answer, known.tornado),
        )


def as_drawn(scenario: Scenario, answer: Answer) -> Scenario:
    """A scenario of models that draw as many samples as the plan, as pictures do.

    Args:
        scenario: with choices made.
        answer: to it.
    """
    if answer.plan is None or left_open(scenario) is None:
        return scenario
    return replace(scenario, samples=answer.plan.samples)


def with_chances(known: Case) -> Case:
    """Adds the frontier and the draws, which take longer than all the rest."""
    if known.answer.plan is None:
        return known
    if for_lifetime(known.scenario):
        # At the loss that it chooses; what would choose it anew is not drawn.
        found = frontier(with_its_loss(known.scenario), REPORTED)
        few = len(found.points) < 2
        band = None if few else Banded(found, known.scenario.law.name, None)
        return replace(known, frontier=band)
    return replace(
        known,
        frontier=banded(known.scenario, REPORTED),
        uncertainty=distribution(known.scenario),
    )


def across_laws(
    scenario: Scenario, answer: Answer, laws: Sequence[str], whole: bool
) -> tuple[Answer, ...]:
    """The answers under each law, the scenario's own first; empty if none fits."""
    target = scenario.spec.target
    carries = target.match if target is not None else scenario.spec.plan
    if carries is None:
        return ()  # losses and budgets mean other things under other laws
    found = {answer.law.name: answer}
    for law in laws:
        try:
            scenarios = under_laws(scenario, [law])
        except InputError:
            continue
        for under in scenarios:
            if under.law.name not in found:
                told = with_free(under, solve(under, whole))
                # Without them every law would seem to say: train.
                found[under.law.name] = with_others(under, told)
    return tuple(found.values()) if len(found) > 1 else ()
