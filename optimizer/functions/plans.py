"""Plans: of a scenario, of a portfolio, and of several side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.comparison.compare import compare as compare_scenarios
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import solve as solve_scenario
from optimizer.analysis.portfolio.joint_plan import JointPlan, solve_portfolio
from optimizer.errors import InputError, Mark, Problem
from optimizer.functions.guard import flat
from optimizer.functions.looks import attach_pages
from optimizer.question.portfolio import Portfolio
from optimizer.question.scenario import Scenario

__all__ = ["compare", "solve", "solve_portfolio"]


@overload
def solve(scenario: Scenario, whole: bool = True) -> Answer: ...
@overload
def solve(scenario: Portfolio, whole: bool = True) -> JointPlan: ...
def solve(scenario: Scenario | Portfolio, whole: bool = True) -> Answer | JointPlan:
    """Finds the plan of least lifetime cost, with its proof.

    Where there is no plan the answer says why, and what would make one.

    Args:
        scenario: from `load_scenario`; or a portfolio, for the plans of its models.
        whole: whether to say what moves the plan, what its alternatives are, and what
            would make one where there is none.

    Raises:
        Defect: the point failed its certificate.
    """
    if isinstance(scenario, Portfolio):
        return solve_portfolio(scenario, whole)
    return solve_scenario(scenario, whole)


def compare(
    *scenarios: Scenario | Sequence[Scenario],
    tail: float | None = None,
    move: float | None = None,
    changes: bool = True,
    plans: Sequence[Answer] | None = None,
    pairs: bool | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> Comparison:
    """Solves several scenarios; an infeasible one is a column that says why.

        compare(small, large)
        compare([load_scenario(path) for path in paths], pairs=False)

    Args:
        *scenarios: each alone or all in a list, with a `probability` each, or none
            with one.
        tail: the worst part of the futures that the CVaR looks at; a fifth if None.
        move: the change of N that counts as a moved plan; a tenth if None.
        changes: whether to say what each difference between the files does alone.
        plans: the answers to the scenarios, where they are known already.
        pairs: whether to run each plan in each other scenario, and to solve each
            difference and each cost share alone; if None, where there are few.
        advance: told how many more plans and pairs are done, for a progress bar.

    Raises:
        InputError: there is no scenario; some have a probability and others none, or
            they do not sum to 1; or pairs are asked for of too many.
    """
    read = flat(scenarios)
    if not read:
        message = "has no scenario to compare; give it one or more of load_scenario"
        raise InputError([Problem(Mark("compare"), "", message)])
    return compare_scenarios(read, tail, move, changes, plans, pairs, advance)


attach_pages(Answer, Comparison, JointPlan)
