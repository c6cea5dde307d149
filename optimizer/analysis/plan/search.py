"""The certified optimum of a scenario, or why there is none: in fractions, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from optimizer.algebra.program import Solution, Status
from optimizer.analysis.plan import touching
from optimizer.analysis.plan.answer import Infeasibility
from optimizer.analysis.plan.explain import explain
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.saturation import of_target
from optimizer.analysis.plan.whole import Solved, WholePlan, make_whole
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve as solve_program
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
    _refuse_fractions(scenario, question, {**question.fixed, **solution.point})
    return told, question, solution


def _best(scenario: Scenario, question: Question) -> touching.Way:
    """The best of the ways to tell the experts that a batch reads."""

    def solved(one: Scenario) -> touching.Way:
        asked = formulate(one)
        return one, asked, _solution(asked)

    ways = [solved(one) for one in touching.ways(scenario, question)]
    good = [way for way in ways if way[2].status is Status.OPTIMAL]
    if not good:
        return ways[0]
    return touching.settled(min(good, key=lambda way: way[2].value), solved)


def _solution(question: Question) -> Solution:
    """The certified optimum of a question, or a solution without a point."""
    try:
        solution = solve_program(question.program, question.start(question.program))
    except UncertifiedError:
        # Bounds that leave next to no room have no multipliers to certify with.
        solution = Solution(question.program, Status.INFEASIBLE)
    if solution.status is Status.INFEASIBLE:
        solution = of_target(question) or solution
    return solution


def _refuse_fractions(
    scenario: Scenario, question: Question, point: Mapping[str, float]
) -> None:
    """Tells a plan of less than one parameter or token, which nobody can train.

    Raises:
        InputError: the law, taken so far from its runs, asks for one.
    """
    few = [name for name in ("N", "D") if point[name] < 1]
    # The measure of overtraining may vanish, too.
    if not few and question.optimal_tokens(point["N"]) > 0:
        return
    spec = scenario.spec
    word = "target" if spec.target else "plan" if spec.plan else "budget"
    what = " and ".join(f"{significant(point[name])} {UNIT_OF[name]}" for name in few)
    what = what or "a size whose training-optimal tokens are 0"
    message = (
        f"leads to {what}, and below one there is no model: this law says so only far "
        "outside its runs; ask for a lower loss, or check the law and the prices"
    )
    raise InputError([Problem(scenario.place(word), word, message)])
