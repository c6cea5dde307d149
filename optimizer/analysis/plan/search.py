"""The certified optimum of a scenario, or why there is none: in fractions, whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.bounded import Bounded, least_of_each
from optimizer.analysis.plan.explain import explain, of_nearest
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.reach import LARGEST, only_near, unreachable
from optimizer.analysis.plan.together import Search, certified, together
from optimizer.analysis.plan.whole import Solved, WholePlan, making_whole, nearest
from optimizer.engine.certify import UncertifiedError
from optimizer.errors import Defect, InputError, Problem
from optimizer.question.asked import SAMPLES, SIZE, Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import significant
from optimizer.records import replace
from optimizer.world.limits import Limits

R = TypeVar("R")
End: TypeAlias = "tuple[Question, WholePlan | Infeasibility] | InputError"
Made: TypeAlias = "tuple[Question, WholePlan]"
Best: TypeAlias = "tuple[Scenario, Question, WholePlan]"
UNIT_OF = {"N": "parameters", "D": "tokens"}
ROUNDING = 1e-9  # of a number within which it is on a bound


def search_whole(scenario: Scenario) -> tuple[Question, WholePlan | Infeasibility]:
    """The certified optimum with its machines in whole numbers, or why there is none.

    Args:
        scenario: without lists.

    Returns:
        The question with machines in fractions, and what was found.
    """
    return together([searching(scenario)])[0]


def searching(scenario: Scenario) -> Search[tuple[Question, WholePlan | Infeasibility]]:
    """The same as a search, beside which others may go."""
    told, question, found = yield from _search(scenario)
    if isinstance(found, Infeasibility):
        return question, found
    if found.status is Status.INFEASIBLE:
        return question, _excluded(told, question)
    plan = yield from making_whole(Solved(told, question, found))
    if not isinstance(plan, WholePlan):
        short = nearest(plan)
        why = explain(short.scenario, short.question)
        return question, of_nearest(why, made_whole(question))
    return _drawn(scenario, question, plan), plan


def _excluded(told: Scenario, question: Question) -> Infeasibility:
    """Why a question has no plan, whatever its batches."""
    why = explain(told, question)
    if not touching.machines(question):
        return why
    if not touching.is_below(question):
        # Told at one batch; others may need less.
        return of_nearest(why, made_whole(question))
    return only_near(why)


def _drawn(scenario: Scenario, question: Question, plan: WholePlan) -> Question:
    """A question with the samples of its plan, where it leaves them open."""
    if question.between is None:
        return question
    return formulate(replace(scenario, samples=plan.plan.scenario.samples))


def made_whole(question: Question) -> str:
    """What a plan of a question has in whole numbers."""
    return "batches and replicas" if question.between is None else "samples"


def least_cost(scenarios: Sequence[Scenario]) -> float:
    """The least cost of several scenarios in whole numbers; ∞ where none has a plan."""
    found = [made for made in _all_planned(scenarios) if made is not None]
    return min((plan.plan.solution.value for _, plan in found), default=math.inf)


def planned(scenario: Scenario) -> tuple[Question, WholePlan] | None:
    """The same as `search_whole` where there is a plan; without the reason, if none.

    Args:
        scenario: without lists.
    """
    return _all_planned([scenario])[0]


def best_planned(scenario: Scenario) -> Best | None:
    """Of a scenario's choices the one that costs least, with its plan; None for none.

    Those without a plan need no reasons here, which take longer than all the rest.
    """
    return best_of_each([scenario.singles])[0]


def best_of_each(groups: Sequence[Sequence[Scenario]]) -> list[Best | None]:
    """The same of several groups of choices, all of them at once.

    In fractions a choice costs no more than in whole numbers: only those are made whole
    that may still be cheaper than the first of their group.
    """
    ways = [(place, way) for place, some in enumerate(groups) for way in some]
    relaxed = _each([partial(_in_fractions, way) for _, way in ways])
    bounds = [
        Bounded(place, found.total, index)
        for index, ((place, _), found) in enumerate(zip(ways, relaxed, strict=True))
        if found is not None
    ]

    def made(indices: Sequence[int]) -> list[Best | None]:
        known = [(ways[i][1], found) for i in indices if (found := relaxed[i])]
        plans = _each([partial(_in_whole, way, found) for way, found in known])
        return [
            None if plan is None else (way, *plan)
            for (way, _), plan in zip(known, plans, strict=True)
        ]

    return least_of_each(len(groups), bounds, made, lambda best: best[2].plan.total)


def _all_planned(scenarios: Sequence[Scenario]) -> list[Made | None]:
    """The plan of each scenario without lists; None where it has none or no proof."""
    return _each([partial(_planned, one) for one in scenarios])


def _each(searches: Sequence[Callable[[], Search[R | None]]]) -> list[R | None]:
    """What each search finds, all hand in hand; None where it has no proof."""
    try:
        return together([search() for search in searches])
    except (Defect, UncertifiedError):
        if len(searches) == 1:
            return [None]
        # One of them has no proof, and the others are asked without it.
        return [_each([one])[0] for one in searches]


def _planned(scenario: Scenario) -> Search[Made | None]:
    found = yield from _in_fractions(scenario)
    if found is None:
        return None
    return (yield from _in_whole(scenario, found))


def _in_fractions(scenario: Scenario) -> Search[Solved | None]:
    try:
        told, question, found = yield from _search(scenario)
    except InputError:
        return None
    if isinstance(found, Infeasibility) or found.status is Status.INFEASIBLE:
        return None
    return Solved(told, question, found)


def _in_whole(scenario: Scenario, found: Solved) -> Search[Made | None]:
    try:
        plan = yield from making_whole(found)
    except InputError:
        return None
    if not isinstance(plan, WholePlan):
        return None
    return _drawn(scenario, found.question, plan), plan


def unless_refused(scenario: Scenario) -> Search[End]:
    """The same, or what is wrong with the scenario."""
    try:
        return (yield from searching(scenario))
    except InputError as error:
        return error


def search(scenario: Scenario) -> tuple[Question, Solution | Infeasibility]:
    """The certified optimum of a scenario without lists, its machines in fractions."""
    told, question, found = together([_search(scenario)])[0]
    if isinstance(found, Solution) and found.status is Status.INFEASIBLE:
        return question, explain(told, question)
    return question, found


def _search(
    scenario: Scenario,
) -> Search[tuple[Scenario, Question, Solution | Infeasibility]]:
    """The same, with the scenario in which experts are told at their best batches.

    A solution without a point where there is no plan.
    """
    question = formulate(scenario)
    if (s := question.reducible) is not None and s > 0:
        least = dict(zip(SIZE, question.surface.training_optimal(s), strict=True))
        if max(least.values()) < 1 / LARGEST:  # less than numbers solve for
            _refuse_fractions(scenario, question, least)
    if (reason := unreachable(scenario, question)) is not None:
        return scenario, question, reason
    if touching.machines(question):
        told, question, solution = yield from touching.best(scenario, question)
    else:
        (solution,) = yield from certified([question])
        told = scenario
    if solution.status is Status.INFEASIBLE:
        return told, question, solution
    point = {**question.fixed, **solution.point}
    _refuse_fractions(scenario, question, point)
    _refuse_beyond(scenario, question, point)
    return told, question, solution


def _refuse_beyond(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> None:
    """Tells a plan with more or less compute than sparse experts are known for.

    Raises:
        InputError: nobody insists on one.
    """
    known = question.fitted
    if known is not None and (why := known.beyond(point["N"], point["D"])):
        raise InputError([Problem(scenario.place("sparse"), "sparse", why)])


def _refuse_fractions(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> None:
    """Tells a plan of less than one parameter or token, which nobody can train.

    Raises:
        InputError: the law, taken so far from its runs, asks for one.
    """
    # A limit of one parameter leaves one, but for the last digits.
    few = [name for name in ("N", "D") if point[name] < 1 - ROUNDING]
    if not few and _measured(question, point):
        return
    spec = scenario.spec
    word = "target" if spec.target else "plan" if spec.plan else "budget"
    what = " and ".join(f"{significant(point[name])} {UNIT_OF[name]}" for name in few)
    what = what or "a size or a loss whose training-optimal model is next to none"
    message = (
        f"leads to {what}, and below one there is no model: this law says so only far "
        "outside its runs; ask for a lower loss, or check the law and the prices"
    )
    raise InputError([Problem(scenario.place(word), word, message)])


def _measured(question: Question, point: Mapping[str, float]) -> bool:
    """Whether there is a measure of overtraining, and a model that takes least."""
    if question.optimal_tokens(point["N"]) <= point["D"] / LARGEST**2:
        return False
    s = question.reducible or question.reducible_at(point)
    return min(question.surface.training_optimal(s)) > 1 / LARGEST


def best_with(scenario: Scenario, **words: object) -> WholePlan | None:
    """The best plan of all that a scenario's lists allow, with words of it changed.

    Args:
        scenario: with all its lists; samples that its demand leaves open are open.
        words: of the scenario file, in place of its own.

    Returns:
        None where no combination has a plan.

    Raises:
        InputError: each that could have one leads to what is no model.
    """
    ways = _worded(scenario, **words).singles
    tried = together([unless_refused(one) for one in ways])
    refused = [end for end in tried if isinstance(end, InputError)]
    ends = [end[1] for end in tried if not isinstance(end, InputError)]
    plans = [end for end in ends if isinstance(end, WholePlan)]
    if plans:
        return min(plans, key=lambda one: one.plan.total)
    if refused:
        raise refused[0]
    return None


def _worded(scenario: Scenario, **words: object) -> Scenario:
    """A scenario with words of it changed in all its choices, its samples open."""
    return scenario.every(
        lambda one: replace(one, spec=one.spec.model_copy(update=words), samples=None)
    )


def without_limits(scenario: Scenario) -> Pair | None:
    """The plan that a scenario would have with no words of `limits`, or None."""
    free = best_planned(_worded(scenario, limits=Limits()))
    return None if free is None else pair_of(free[2].plan.question, free[2].plan.size)


def pair_of(question: Question, size: Mapping[str, float]) -> Pair:
    """The record of a model, with all effects on its loss."""
    N, D = size["N"], size["D"]
    samples = size.get(SAMPLES, question.samples)
    return Pair(N, D, D / N, question.loss_at(size), samples)
