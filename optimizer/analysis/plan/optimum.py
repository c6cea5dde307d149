"""The answer to a scenario: the search for its plan, and for that of its law's pair."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

from optimizer.algebra.program import Status
from optimizer.analysis.plan.alternatives import alternatives
from optimizer.analysis.plan.answer import Alternative, Answer, Choice
from optimizer.analysis.plan.answered import Told, answered, bare
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.infeasibility import Infeasibility
from optimizer.analysis.plan.lifetime import at_target, curve, no_loss
from optimizer.analysis.plan.other_form import beside, of_answer, of_ends, under_pair
from optimizer.analysis.plan.own_plan import own_plan, own_warnings
from optimizer.analysis.plan.own_unit import in_own_unit
from optimizer.analysis.plan.ranges import range_warnings
from optimizer.analysis.plan.reach import change
from optimizer.analysis.plan.search import End, search, without_limits
from optimizer.analysis.plan.students import Distillation
from optimizer.analysis.plan.tried import Tried
from optimizer.analysis.plan.whole import WholePlan
from optimizer.analysis.plan.wording import picked
from optimizer.errors import Defect, InputError, Problem
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario, Variant
from optimizer.records import replace
from optimizer.world.law import Law
from optimizer.world.limits import Limits

EQUAL = 1e-6  # in the logarithm of a change, which two choices then ask for alike


def solve(scenario: Scenario, whole: bool = True, near: bool | None = None) -> Answer:
    """Finds the lifetime-optimal plan of a scenario, with its certificate.

    Args:
        scenario: from `load_scenario`.
        whole: whether to say what moves the plan and what its alternatives are, which
            takes longer than all the rest.
        near: whether to say which sizes cost nearly as little; as `whole` if None.

    Returns:
        The answer; its status says whether there is a plan, and if there is none,
        `infeasibility` says why and what would make one.

    Raises:
        Defect: the solver's point failed its certificate; no answer is given.
    """
    told = Told(whole, whole if near is None else near)
    other = under_pair(scenario) if whole else None
    form = None
    if for_lifetime(scenario):
        answer = _for_lifetime(scenario, told)
        if other is not None:
            form = of_answer(other, partial(solve, whole=False))
    else:
        ends, theirs = beside(scenario, other)
        answer = _best(scenario, ends, told)
        answer = with_free(scenario, answer) if whole else answer
        if other is not None:
            form = of_ends(other, theirs)
    if (mine := scenario.spec.plan) is not None:
        best = None if answer.cost is None else answer.cost.total
        own = own_plan(scenario, mine, best)
        warned = (*own_warnings(own), *answer.warnings)
        answer = replace(answer, own=own, warnings=warned)
    answer = in_own_unit(answer)
    if not whole:
        return answer
    return replace(with_students(scenario, answer), other_form=form)


def with_students(scenario: Scenario, answer: Answer) -> Answer:
    """An answer with the best student of each teacher, where a scenario has any."""
    if scenario.spec.distillation is None:
        return answer
    from optimizer.analysis.plan.distill import distil  # noqa: PLC0415 - rare
    from optimizer.analysis.plan.student_moves import with_moves  # noqa: PLC0415

    total = None if answer.cost is None else answer.cost.total
    if answer.relaxed is not None:
        total = answer.relaxed.total  # in fractions, as the students'
    one = scenario.chosen(answer.choice)
    students = distil(one, total)
    if students is not None:
        students = with_moves(one, students)
        warned = (*_beyond(scenario.law, students), *answer.warnings)
        answer = replace(answer, warnings=warned)
    return replace(answer, distillation=students)


def with_free(scenario: Scenario, answer: Answer) -> Answer:
    """An answer with the plan that nothing would limit, where limits hold or bar it."""
    barred = answer.plan is None and scenario.spec.limits != Limits()
    if answer.free is not None or not (answer.held_by or barred):
        return answer
    if barred and for_lifetime(scenario):
        return answer  # what loss it would choose is not known
    return replace(answer, free=without_limits(with_its_loss(scenario)))


def with_others(scenario: Scenario, answer: Answer) -> Answer:
    """An answer with what buying, or a model that exists, costs, where it lacks that.

    Where a new model overtakes them takes far longer, and is not sought.
    """
    asked = scenario.spec.buy is not None or scenario.existing is not None
    if answer.others or not asked:
        return answer
    question = formulate(with_its_loss(scenario).chosen(answer.choice))
    found = alternatives(scenario, question, crossings=False)
    return replace(answer, others=found)


def _beyond(law: Law, students: Distillation) -> Iterator[Warning]:
    """Where advice to distil rests on an extrapolation, of the teacher or of both."""
    best = students.ways[0]
    models = {"teacher": best.teacher, "student": best.student}
    for who, one in models.items() if students.pays else ():
        if one is not None:
            told = range_warnings(one, law, who)
            yield from (w for w in told if w.code == "outside-range")


def for_lifetime(scenario: Scenario) -> bool:
    """Whether a budget for training is to be best for the life."""
    budget = scenario.spec.budget
    return budget is not None and budget.best_for == "lifetime"


def with_its_loss(scenario: Scenario) -> Scenario:
    """A scenario whose budget is best for the life, with the loss that it chooses.

    Any other, and one without a plan, as it is.
    """
    if not for_lifetime(scenario):
        return scenario
    question, lowest = search(scenario)
    if isinstance(lowest, Infeasibility):
        return scenario
    return at_target(scenario, question, lowest)


def _for_lifetime(scenario: Scenario, told: Told) -> Answer:
    if scenario.variants:
        message = (
            "takes one value of each word; a list of choices cannot stand beside it"
        )
        place = scenario.place("budget.best_for")
        raise InputError([Problem(place, "budget.best_for", message)])
    question, lowest = search(scenario)
    if isinstance(lowest, Infeasibility):
        return bare(scenario, question, Status.INFEASIBLE, infeasibility=lowest)
    chosen = at_target(scenario, question, lowest)
    answer = solve(chosen, told.whole, told.near)
    if answer.plan is None:
        raise no_loss(scenario, "reaches a loss so near its law's irreducible one")
    s = formulate(chosen).reducible
    if s is None:
        raise Defect("the loss that a budget chooses is no target")
    return replace(
        answer,
        question="lifetime",
        capped=curve(scenario, question, lowest, s) if told.whole else None,
    )


def _best(scenario: Scenario, ends: Sequence[End], told: Told) -> Answer:
    """The answer of the best combination of the scenario's lists.

    Args:
        scenario: with or without lists.
        ends: what was found of each of its `singles`.
        told: what to say.
    """
    if not scenario.variants:
        return _one(scenario, ends[0], told)
    rows = []
    solved: dict[int, tuple[Scenario, Question, WholePlan]] = {}
    tried = iter(ends)
    for index, variant in enumerate(scenario.variants):
        if variant.scenario is None:
            rows.append(Choice(variant.choice, None, "refused", variant.reason))
            continue
        end = next(tried)
        if isinstance(end, InputError):
            why = end.problems[0].message
            rows.append(Choice(variant.choice, None, "refused", why))
            continue
        question, found = end
        rows.append(_row(variant, question, found))
        if isinstance(found, WholePlan):
            solved[index] = variant.scenario, question, found
    totals = [row.total for row in rows if row.total is not None]
    if not totals:
        # None has a plan: the one that is nearest to one says why.
        shorts = [_short(end) for end in ends]
        least = min(shorts) + EQUAL
        nearest = next(i for i, short in enumerate(shorts) if short <= least)
        first = scenario.singles[nearest]
        of_all = _of_choices(scenario, ends, first) if told.whole else None
        answer = _one(first, of_all or ends[nearest], told, scenario)
        if answer.others:
            # Each takes the best of all lists for itself.
            others = alternatives(scenario, formulate(first), crossings=False)
            answer = replace(answer, others=others)
        place = next(i for i, v in enumerate(scenario.variants) if v.scenario is first)
        choice = rows[place].choice
        if (its := answer.infeasibility) is not None and of_all is None:
            # Others may meet these bounds, and miss others.
            opening = f"with {picked(choice)}, {its.opening}"
            answer = replace(answer, infeasibility=replace(its, opening=opening))
        return replace(answer, choice=choice, alternatives=tuple(rows))
    best = next(i for i, row in enumerate(rows) if row.total == min(totals))
    rows[best] = replace(rows[best], status="best")
    experts = solved[best][0].spec.experts
    alike = [
        its
        for index, (one, _, its) in solved.items()
        if index != best and one.spec.experts == experts
    ]
    answer = answered(*solved[best], told, scenario, alike)
    choice = scenario.variants[best].choice
    return replace(answer, choice=choice, alternatives=tuple(rows))


def _of_choices(
    scenario: Scenario, ends: Sequence[End], first: Scenario
) -> tuple[Question, Infeasibility] | None:
    """Why none of a scenario's choices has a plan; None where the first says all."""
    tried = []
    for one, end in zip(scenario.singles, ends, strict=True):
        if not isinstance(end, InputError) and isinstance(end[1], Infeasibility):
            tried.append(Tried(one, end[0], end[1]))
    here = next((one for one in tried if one.scenario is first), None)
    if here is None:
        return None
    # Most lists have a plan, and need none of this.
    from optimizer.analysis.plan.no_choice import of_choices  # noqa: PLC0415

    why = of_choices(tried, here)
    return None if why is None else (here.question, why)


def _short(end: End) -> float:
    """How far the bound that needs it least must move, in logarithms; ∞ for none."""
    if isinstance(end, InputError):
        return math.inf
    question, why = end
    if isinstance(why, WholePlan):
        return math.inf
    moves = (change(way, question.surface) for way in why.relaxations)
    return min(moves, default=math.inf)


def _one(
    scenario: Scenario, end: End, told: Told, lists: Scenario | None = None
) -> Answer:
    """The answer of a scenario without lists, or of one from them.

    Raises:
        InputError: it was refused.
    """
    if isinstance(end, InputError):
        raise end
    question, found = end
    if isinstance(found, WholePlan):
        return answered(scenario, question, found, told)
    others: tuple[Alternative, ...] = ()
    if told.whole:
        ask = partial(solve, whole=False)
        from optimizer.analysis.plan.cures import cured  # noqa: PLC0415 - no plan

        found = cured(scenario, question, found, ask, lists)
        others = alternatives(scenario, question, crossings=False)
    return bare(
        scenario, question, Status.INFEASIBLE, infeasibility=found, others=others
    )


def _row(
    variant: Variant, question: Question, found: WholePlan | Infeasibility
) -> Choice:
    """A combination by its lifetime cost, or by its loss under a budget."""
    if isinstance(found, Infeasibility):
        # Its cures are looked into for the nearest one alone.
        return Choice(variant.choice, None, Status.INFEASIBLE.value, found.cause)
    return Choice(variant.choice, found.plan.total, Status.OPTIMAL.value, "")
