"""Rows of mixtures under measured serving: each as `solve` answers its scenario.

A search of one scenario and the rows of a sweep are two codes that must end alike: in
what has a plan, and at what cost.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from optimizer.analysis.plan.search import best_planned, planned
from optimizer.analysis.plan.whole import WholePlan
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, rows
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.vary import member, plan
from optimizer.records import replace
from tests.analysis.plan.test_measured_mixtures import SCENARIO as TIGHT

MOE = Path(__file__).parents[3] / "scenarios" / "moe-api.yaml"
REPEATED = """
law: muennighoff-2023
objective: dollars
target: {match: {parameters: 7B}}
data: {unique_tokens: 300B}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
architecture: {layers: 40, width: 5120, kv_heads: 8, head_size: 128, parameters:
  {total: 60B, active: 10B}, experts: 64, active_experts: 4}
serving: {model: measured, hardware: h200-sxm, precision: fp8, price: $2/h,
          accelerators: 1, max_time_per_output_token: 20 ms}
demand:
  - {name: a, requests: 1M/day, input_tokens: 1000, output_tokens: 400,
     lifetime: 2 years}
  - {name: b, requests: 1M/day, input_tokens: 4000, output_tokens: 100,
     lifetime: 1 years, serving: {accelerators: 2, max_time_per_output_token: 9 ms}}
"""


def fractions(found: WholePlan) -> float:
    """What the optimum with batches in fractions costs, or s under a budget."""
    plan = found.fractions or found.standing
    return plan.solution.value


def agree(scenario, *varied):
    """The statuses of the rows, after each is held against the search of it alone."""
    asked = plan(scenario, varied)
    found = rows(asked, 0, asked.count)
    totals = found.results[:, list(RESULTS).index("cost_total")]
    for row, total in enumerate(totals.tolist()):
        alone = [
            planned(member(replace(asked, scenario=single), row))
            for single in scenario.singles
        ]
        least = min((fractions(one[1]) for one in alone if one), default=math.inf)
        status = STATUSES[found.status[row]]
        assert status == ("infeasible" if least == math.inf else "optimal"), row
        if status == "optimal":
            assert total == pytest.approx(least, rel=1e-8), row
    return [STATUSES[status] for status in found.status]


@pytest.mark.parametrize("sets", [(), ("experts=32", "serving.accelerators=1")])
def test_a_limit_on_cost_is_held_against_the_cheapest_plan(sets):
    """From $126,039 on there is a plan, of 32 experts on one accelerator.

    The monomial near the guessed size has none below $130,000, and with these sets
    none at $140,000.
    """
    scenario = load_scenario(MOE, ["limits.parameters=1B", *sets])
    ends = agree(scenario, "limits.total_cost=120000,126000,126040,127000,140000")
    assert ends == ["infeasible", "infeasible", "optimal", "optimal", "optimal"]


@pytest.mark.parametrize(
    ("text", "varied"),
    [
        (TIGHT, "serving.max_time_per_output_token=2ms:40ms:log:12"),
        (TIGHT, "demand.input_tokens=100:20000:log:8"),
        (TIGHT + "limits: {total_cost: $1M}\n", "limits.total_cost=40000:2e6:log:12"),
        (REPEATED, "data.unique_tokens=1e10:3e12:log:10"),
        (REPEATED, "demand.a.requests=1e4/day:1e8/day:log:8"),
    ],
)
def test_rows_are_what_each_scenario_has_by_itself(text, varied):
    assert "optimal" in agree(read_scenario(text), varied)


def test_rows_are_the_same_alone_and_among_many():
    """Alone a row is a plain number, among others a column of a batch."""
    asked = plan(
        read_scenario(TIGHT), ["serving.max_time_per_output_token=2ms:40ms:log:700"]
    )
    many = rows(asked, 0, asked.count)
    for row in (0, 17, 130, 400, 699):
        one = rows(asked, row, row + 1)
        assert one.status[0] == many.status[row]
        np.testing.assert_allclose(
            one.results[0, :8], many.results[row, :8], rtol=1e-7, equal_nan=True
        )


def test_a_budget_buys_the_loss_of_the_best_batches():
    text = TIGHT.replace("target: {loss: 2.2}", "budget: {cost: $200k}")
    scenario = read_scenario(text)
    asked = plan(scenario, ["budget.cost=100000:2e6:log:6"])
    found = rows(asked, 0, asked.count)
    losses = found.results[:, list(RESULTS).index("loss")]
    for row, loss in enumerate(losses.tolist()):
        best = best_planned(member(asked, row))
        assert best is not None
        _, question, plan_ = best
        size = question.size((plan_.fractions or plan_.standing).solution.point)
        assert loss == pytest.approx(question.loss_at(size), rel=1e-9)
