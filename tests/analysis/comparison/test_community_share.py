"""The cost share at which the plan has moved, by solving again there."""

import pytest

from optimizer.analysis.comparison.community_share import share_thresholds
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import read_scenario

TEXT = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand:
  - {name: lab, tokens: 200B}
  - {name: crowd, tokens: 2T, cost_share: 0}
  - {name: press, tokens: 30B, cost_share: 50 %}
"""


def size(text, *overrides):
    return solve(read_scenario(text, "s.yaml", overrides)).plan.parameters


@pytest.mark.parametrize("move", [0.02, 0.1, 0.4])
def test_at_the_threshold_the_size_has_moved_by_as_much_as_stated(move):
    crowd, press = share_thresholds(read_scenario(TEXT), move)
    assert (crowd.stream, press.stream) == ("demand.crowd", "demand.press")
    base = size(TEXT, "demand.crowd.cost_share=0")
    assert crowd.parameters == pytest.approx(base, rel=1e-9)
    there = size(TEXT, f"demand.crowd.cost_share={crowd.share!r}")
    assert there == pytest.approx(base * (1 - move), rel=1e-6)


def test_a_stream_too_small_to_matter_has_none():
    _, press = share_thresholds(read_scenario(TEXT), 0.1)
    assert press.share is None
    assert size(TEXT, "demand.press.cost_share=1") > press.parameters * 0.9


def test_streams_that_count_without_saying_so_are_left_out():
    text = TEXT.replace(", cost_share: 0}", "}").replace(", cost_share: 50 %", "")
    assert share_thresholds(read_scenario(text)) == ()


def test_a_single_stream_goes_by_its_word():
    text = (
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: 2T, cost_share: 0}\n"
    )
    (only,) = share_thresholds(read_scenario(text))
    assert only.stream == "demand"
    assert 0 < only.share < 1


def test_a_plan_that_ends_before_it_moves_has_no_threshold():
    """A wall of money is passed before the size is 40 % smaller."""
    text = TEXT + (
        "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
    )
    free = share_thresholds(read_scenario(text), 0.4)[0]
    assert free.share is not None
    wall = solve(read_scenario(text)).cost.total * 1.02
    walled = share_thresholds(
        read_scenario(text + f"limits: {{total_cost: {wall!r}}}\n"), 0.4
    )[0]
    assert walled.share is None


def test_a_fixed_size_never_moves():
    text = TEXT + "fix: {parameters: 9B}\n"
    assert [t.share for t in share_thresholds(read_scenario(text))] == [None, None]
