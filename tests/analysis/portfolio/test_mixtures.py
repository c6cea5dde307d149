"""Mixtures that share a bound, each with the experts that the joint plan reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.analysis.portfolio.whole_joint import jointly
from optimizer.analysis.sweep.table import sweep
from optimizer.engine.certify import passes
from optimizer.question.portfolio_file import read_portfolio
from optimizer.reading.document import load_text
from optimizer.world.costs import value

TEXT = """
law: ludziejewski-2025
objective: dollars
experts: 32
training: {hardware: h100-sxm, mfu: 40 %, price: $2.50/h, accelerators: 512}
serving: {model: measured, hardware: h100-sxm, accelerators: 1, precision: fp8,
          price: $2.50/h, max_time_per_output_token: 40 ms}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128}
models:
  - name: a
    target: {loss: 2.2}
    demand: {requests: 5M/day, input_tokens: 1000, output_tokens: 400,
             lifetime: 2 years}
    limits: {parameters: 1B}
  - name: b
    target: {loss: 2.3}
    demand: {requests: 1M/day, input_tokens: 300, output_tokens: 400,
             lifetime: 1 years}
"""
APART = 126038.77 + 7785.32  # what the two cost with nothing shared


def portfolio(*sets):
    return read_portfolio(load_text(TEXT, "family.yaml"), Path(), sets)


def fractions(answer):
    return answer.cost.total if answer.relaxed is None else answer.relaxed.total


def test_nothing_shared_is_each_plan_by_itself():
    joint = solve_portfolio(portfolio(), whole=False)
    apart = [solve(member, whole=False) for member in portfolio().members]
    assert joint.total == pytest.approx(sum(a.cost.total for a in apart), rel=1e-8)
    assert joint.relaxed == pytest.approx(sum(map(fractions, apart)), rel=1e-8)


def test_a_shared_limit_just_above_both_plans_is_kept():
    """By the monomial near a guessed size they would cost a tenth more."""
    ends = {
        cost: solve_portfolio(portfolio(f"shared.total_cost={cost}"), whole=False)
        for cost in (APART - 2, APART + 2)
    }
    assert [end.status for end in ends.values()] == [
        Status.INFEASIBLE,
        Status.OPTIMAL,
    ]
    rows = sweep(portfolio(), {"shared.total_cost": list(ends)})
    assert rows["status"] == ["infeasible", "optimal"]


def test_why_there_is_none_names_what_they_share():
    found = solve_portfolio(portfolio("shared.total_cost=130000"))
    assert found.status is Status.INFEASIBLE
    assert "shared.total_cost" in found.conflict
    after = {way.name: way.after for way in found.infeasibility.relaxations}
    assert after["shared.total_cost"] == pytest.approx(APART, rel=1e-3)


@pytest.mark.parametrize("budget", [10_000, 13_000, 20_000])
def test_a_shared_budget_is_split_so_that_no_other_split_is_cheaper(budget):
    """Each model alone under its part of the budget costs what it costs jointly."""
    found = jointly(portfolio(f"shared.training_cost={budget}"))
    assert passes(found.solution.certificate)
    parts = [
        sum(value(term, point) for term in question.bill[0].terms["USD"])
        for index, question in enumerate(found.question.questions)
        for point in [found.question.of_model(index, found.point)]
    ]
    costs = {}
    for move in (-0.01, 0.0, 0.01):
        sets = [
            f"models.{name}.limits.training_cost={part * (1 + 1e-9) + share * move!r}"
            for name, part, share in zip("ab", parts, (budget, -budget), strict=True)
        ]
        alone = [solve(member, whole=False) for member in portfolio(*sets).members]
        if all(answer.plan for answer in alone):
            costs[move] = sum(map(fractions, alone))
    assert len(costs) > 1
    assert found.solution.value == pytest.approx(costs[0.0], rel=1e-7)
    assert found.solution.value <= min(costs.values()) * (1 + 1e-7)
