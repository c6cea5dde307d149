"""Limits in pictures: lines on which a limit is used up, through the plan it holds."""

import math

import pytest

from optimizer import load_scenario, solve
from optimizer.analysis.story.contour import contour
from optimizer.analysis.story.curves import overhead
from tests.shipped import ROOT


def drawn(name):
    scenario = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    answer = solve(scenario)
    chosen = scenario.chosen(answer.choice)
    found = contour(chosen, answer)
    assert overhead(chosen, answer).held == tuple(w.name for w in found.walls)
    return answer, found


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("internal-use", "limits.parameters"),
        ("api-at-scale", "limits.tokens"),
        ("on-device", "limits.memory"),
        ("regulated-internal-assistant", "limits.training_time"),
    ],
)
def test_a_limit_that_binds_is_a_line_through_the_plan(name, limit):
    answer, found = drawn(name)
    (wall,) = found.walls
    assert wall.name == limit
    (told,) = [one for one in answer.limits if one.name == limit]
    plan = answer.plan
    for N, D in wall.line:
        assert found.box[0] <= N <= found.box[1]
        assert found.box[2] <= D <= found.box[3]
        if limit == "limits.parameters":
            assert pytest.approx(told.bound, rel=1e-5) == N
        elif limit == "limits.tokens":
            assert pytest.approx(told.bound, rel=1e-5) == D
        elif limit == "limits.training_time":  # as long as 6·N·D takes
            assert pytest.approx(plan.parameters * plan.tokens, rel=1e-3) == N * D
    ahead = [math.copysign(1, math.log(N / plan.parameters)) for N, _ in wall.line]
    if limit == "limits.training_time":
        assert ahead[0] > 0 > ahead[-1]  # the plan lies between its ends


def test_nothing_is_drawn_of_limits_that_are_slack_or_not_of_size_and_tokens_alone():
    assert drawn("open-release")[1].walls == ()
    answer, found = drawn("latency-bound-assistant")
    assert any(limit.binding for limit in answer.limits)
    assert found.walls == ()
