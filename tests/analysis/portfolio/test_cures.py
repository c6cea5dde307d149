"""Advice for a portfolio without a plan: typed in as it is printed, it gives one."""

from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.algebra.program import Status
from optimizer.analysis.plan.reach import needed
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.question.portfolio_file import read_portfolio
from optimizer.reading.document import load_text
from optimizer.report.formats.text import render
from optimizer.report.pages.portfolio import portfolio_blocks

STUCK = """\
name: Stuck
law: besiroglu-2024-refit
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 1024}
serving: {hardware: h100-sxm, precision: fp8, mfu: 20 %, price: $2/h}
models:
  - name: edge
    target: {match: {parameters: 4B}}
    demand: {tokens: 1T}
    limits: {parameters: 1B}
  - name: server
    target: {match: {parameters: 13B}}
    demand: {tokens: 2T}
shared: {tokens: 1T, training_cost: $1M}
"""
LATE = STUCK.replace("training_cost: $1M", "training_time: 12 h").replace(
    ": 1B", ": 3B"
)
BROKE = STUCK.replace("$1M", "$30k").replace(": 1B", ": 3B")


def answered(text, *overrides):
    document = load_text(text, "stuck.yaml")
    return solve_portfolio(read_portfolio(document, Path(), list(overrides)))


def typed(way, value):
    model, _, word = way.name.rpartition(": ")
    word = "target.loss" if word == "target" else word
    name = f"models.{model}.{word}" if model else word
    return f"{name}={needed(replace(way, after=value)).removesuffix(' nats')}"


def overhead(plan):
    return max(member.critical.training_overhead for member in plan.members)


@pytest.mark.parametrize("stuck", [STUCK, LATE, BROKE], ids=["size", "time", "money"])
def test_every_advice_typed_as_printed_gives_a_plan_of_its_cost(stuck):
    told = answered(stuck).infeasibility
    ways = [way for way in told.relaxations if way.after is not None]
    assert ways
    for way in ways:
        plan = answered(stuck, typed(way, way.after))
        assert plan.status is Status.OPTIMAL, typed(way, way.after)
        assert plan.total == pytest.approx(way.cost, rel=1e-9)
        assert overhead(plan) == pytest.approx(way.overhead, rel=1e-6, abs=1e-9)
        if way.sensible is None:
            continue
        assert overhead(plan) > 1
        sensible = answered(stuck, typed(way, way.sensible))
        assert sensible.total == pytest.approx(way.sensible_cost, rel=1e-9)
        assert 0.97 < overhead(sensible) <= 1


def test_a_small_model_is_sent_to_its_critical_size():
    """Only the least change was told, from which it trains 3.2 times too long."""
    plan = answered(STUCK)
    way = next(
        way
        for way in plan.infeasibility.relaxations
        if way.name == "edge: limits.parameters"
    )
    free = answered(STUCK, "models.edge.limits.parameters=3B")
    assert way.sensible == pytest.approx(free.members[0].critical.size, rel=1e-4)
    assert "limits.parameters (edge) of 1.37B" in plan.infeasibility.reason
    page = render(portfolio_blocks(plan))
    assert "What these changes lead to" in page


def test_where_shared_time_is_short_more_accelerators_would_do():
    told = answered(LATE).infeasibility
    assert told.accelerators > 1024
    assert f"In place of more time, {told.accelerators} accelerators" in told.reason
    more = f"training.accelerators={told.accelerators}"
    assert answered(LATE, more).status is Status.OPTIMAL
    fewer = f"training.accelerators={told.accelerators - 1}"
    assert answered(LATE, fewer).status is Status.INFEASIBLE
