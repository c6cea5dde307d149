"""Plans: of a scenario, of a portfolio, and of several side by side."""

from __future__ import annotations

from typing import overload

from optimizer.analysis.comparison.compare import Comparison, compare
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import solve as solve_scenario
from optimizer.analysis.portfolio.joint_plan import JointPlan, solve_portfolio
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


attach_pages(Answer, Comparison, JointPlan)
