"""The certified optimum of a scenario, or why there is none: in fractions, whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.answer import Infeasibility
from optimizer.analysis.plan.explain import explain
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.saturation import of_target
from optimizer.analysis.plan.whole import Solved, WholePlan, make_whole
from optimizer.engine.solve import solve_each
from optimizer.errors import InputError, Problem
from optimizer.question.asked import Question
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import significant

UNIT_OF = {"N": "parameters", "D": "tokens"}


def search_whole(scenario: Scenario) -> tuple[Question, WholePlan | Infeasibility]:
    """The certified optimum with its machines in whole numbers, or why there is none.

    Args:
        scenario: without lists.

    Returns:
        The question with machines in fractions, and what was found.
    """
    told, question, found = _search(scenario)
    if isinstance(found, Infeasibility):
        return question, found
    plan = make_whole(Solved(told, question, found))
    if isinstance(plan, Solved):
        return question, explain(plan.scenario, plan.question)
    if question.between is not None:
        question = formulate(replace(scenario, samples=plan.plan.scenario.samples))
    return question, plan


def search(scenario: Scenario) -> tuple[Question, Solution | Infeasibility]:
    """The certified optimum of a scenario without lists, its machines in fractions."""
    _, question, found = _search(scenario)
    return question, found


def _search(scenario: Scenario) -> tuple[Scenario, Question, Solution | Infeasibility]:
    """The same, with the scenario in which experts are told at their best batches."""
    question = formulate(scenario)
    if (reason := unreachable(scenario, question)) is not None:
        return scenario, question, reason
    if touching.machines(question):
        found = _best(scenario, question)
    else:
        found = scenario, question, _solution(question)
    told, question, solution = found
    if solution.status is Status.INFEASIBLE:
        return told, question, explain(told, question)
    _refuse_fractions(scenario, {**question.fixed, **solution.point})
    return told, question, solution


def _best(scenario: Scenario, question: Question) -> touching.Way:
    """The best of the ways to tell the experts that a batch reads."""

    def solved(one: Scenario) -> touching.Way:
        asked = formulate(one)
        return one, asked, _solution(asked)

    told = list(touching.ways(scenario, question))
    asked = [formulate(one) for one in told]
    ways = list(zip(told, asked, _solutions(asked), strict=True))
    good = [way for way in ways if way[2].status is Status.OPTIMAL]
    if not good:
        return ways[0]
    return touching.settled(min(good, key=lambda way: way[2].value), solved)


def _solution(question: Question) -> Solution:
    """The certified optimum of a question, or a solution without a point."""
    return _solutions([question])[0]


def _solutions(questions: Sequence[Question]) -> list[Solution]:
    """The same of several, those of one shape in one go."""
    programs = [question.program for question in questions]
    starts = [question.start(question.program) for question in questions]
    return [
        (of_target(question) or found) if found.status is Status.INFEASIBLE else found
        for question, found in zip(questions, solve_each(programs, starts), strict=True)
    ]


def _refuse_fractions(scenario: Scenario, point: Mapping[str, float]) -> None:
    """Tells a plan of less than one parameter or token, which nobody can train.

    Raises:
        InputError: the law, taken so far from its runs, asks for one.
    """
    few = [name for name in ("N", "D") if point[name] < 1]
    if not few:
        return
    spec = scenario.spec
    word = "target" if spec.target else "plan" if spec.plan else "budget"
    what = " and ".join(f"{significant(point[name])} {UNIT_OF[name]}" for name in few)
    message = (
        f"leads to {what}, and below one there is no model: this law says so only far "
        "outside its runs; ask for a lower loss, or check the law and the prices"
    )
    raise InputError([Problem(scenario.place(word), word, message)])
