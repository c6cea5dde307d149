"""Frontiers of mixtures under measured serving: each point as `solve` answers it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import load_scenario

MOE = Path(__file__).parents[3] / "scenarios" / "moe-api.yaml"
ONE = ["experts=32", "serving.accelerators=1", "limits.total_cost=140000"]


@pytest.mark.parametrize("sets", [["limits.parameters=1B"], ONE])
def test_points_near_a_limit_are_what_solve_finds(sets):
    found = frontier(load_scenario(MOE, sets), points=7, span=1.4)
    assert 1 < len(found.points) < 7
    assert found.points[found.own].loss == pytest.approx(2.2)
    for point in found.points:
        alone = load_scenario(MOE, [*sets, f"target.loss={point.loss!r}"])
        answer = solve(alone, whole=False)
        assert point.cost_total == pytest.approx(answer.cost.total, rel=1e-8)
        assert dict(point.choice) == answer.choice
    # The next has none, and `solve` has none for it either.
    reason = "no plan within the limits reaches"
    assert found.reason.startswith(reason)
    loss = found.reason.removeprefix(reason).split()[0]
    after = load_scenario(MOE, [*sets, f"target.loss={loss}"])
    assert solve(after, whole=False).plan is None


def test_training_against_serving_is_a_trade():
    """Serving that weighs more costs less, and training more: along the whole line.

    With one monomial for all points it was not so.
    """
    found = frontier(load_scenario(MOE, ONE), points=9).tradeoff
    for before, after in pairwise(found):
        slack = 1 + 1e-7
        assert after.cost_inference <= before.cost_inference * slack
        assert after.cost_training * slack >= before.cost_training
    least = min(found, key=lambda point: point.cost_total)
    assert least.weight == 1.0
