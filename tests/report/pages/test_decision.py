"""The first screen of a report: each of its numbers is one that `solve` gives."""

import re

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.wording import amount, figure, model, percent
from optimizer.analysis.story.case import case
from optimizer.question.load import load_scenario, read_scenario
from optimizer.report.formats.elements import Heading, Points, Tiles
from optimizer.report.pages.decision import decision_blocks, decision_row, priced
from optimizer.report.pages.plan import answer_blocks

PLAIN = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
DOLLARS = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
demand: {tokens: 2T}
limits: {parameters: 5B}
"""


def told(text):
    """The points of a first screen by their titles, and its answer."""
    scenario = read_scenario(text, "scenario.yaml")
    answer = solve(scenario)
    blocks = list(decision_blocks(case(scenario, answer, ())))
    return {b.title: b.items for b in blocks if isinstance(b, Points)}, answer


def test_twice_and_half_the_demand_are_solved(ask):
    points, _ = told(PLAIN)
    (said,) = (p for p in points["What could change it"] if "twice the demand" in p)
    for word, demand in (("twice", "4T"), ("half", "1T")):
        plan = ask(PLAIN, f"demand.tokens={demand}").plan
        told_plan = model(plan.parameters, plan.tokens)
        assert f"{word} the demand the plan is {told_plan} tokens" in said


def test_numbers_under_a_student_are_said_to_be_of_the_plan_without_a_teacher(root):
    """The tile `parameters` held 6.33B right under `Distil 6.28B`."""
    scenario = load_scenario(root / "scenarios/distillation.yaml")
    answer = solve(scenario)
    blocks = list(decision_blocks(case(scenario, answer, ())))
    (shown,) = (block for block in blocks if isinstance(block, Tiles))
    size = amount(answer.plan.parameters, "parameters")
    (tile,) = (tile for tile in shown.tiles if tile.value == size)
    assert tile.name == "parameters without a teacher"
    titles = [block.title for block in blocks if isinstance(block, Points)]
    assert "What could change the plan without a teacher" in titles
    headings = [b.text for b in answer_blocks(answer) if isinstance(b, Heading)]
    assert "Plan without a teacher" in headings
    assert "Plan" not in headings


def test_a_limit_and_a_price_are_moved_as_said(ask):
    points, answer = told(DOLLARS)
    wall, price = points["What could change it"][1:3]
    wider = ask(DOLLARS, "limits.parameters=5.5B").cost.total
    most = float(re.search(r"save at most about ([\d.]+) %", wall)[1]) / 100
    assert 0 < 1 - wider / answer.cost.total < most
    little = ask(DOLLARS, "limits.parameters=5.005B").cost.total
    slope = (1 - little / answer.cost.total) / 0.001
    assert most == pytest.approx(1 - 1.1**-slope, rel=0.02)
    assert price.startswith("If ")
    words = {"training uses the chips 20 % worse": ("training.mfu", "32 %")}
    words["serving uses the chips 20 % worse"] = ("serving.mfu", "16 %")
    words["training hours cost 20 % more"] = ("training.price", "$2.4/h")
    words["serving hours cost 20 % more"] = ("serving.price", "$2.4/h")
    ((path, value),) = (at for word, at in words.items() if word in price)
    more = ask(DOLLARS, f"{path}={value}").cost.total / answer.cost.total - 1
    assert f"costs {percent(more)} more than now" in price


def test_without_prices_compute_is_hours_of_a_named_chip():
    """989.4 TFLOP/s dense bf16, NVIDIA's H100 SXM datasheet, at 40 % of it."""
    answer = solve(read_scenario(PLAIN, "scenario.yaml"))
    value, note = priced(answer)
    hours = answer.cost.total / (0.4 * 989.4e12 * 3600)
    assert value == f"{hours / 1e3:.1f}k hours"
    assert amount(answer.cost.total, "FLOP") in note
    assert "H100" in note


def test_where_not_to_train_is_cheaper_the_screen_says_that_first(root):
    scenario = load_scenario(root / "scenarios" / "buy-or-build.yaml")
    answer = solve(scenario)
    _, what, cost, saved, _ = decision_row(answer)
    kept = next(way for way in answer.others if way.name != "buy")
    assert (what, cost) == ("keep llama-2-13b", figure(kept.total, "USD"))
    assert saved.startswith(percent(1 - kept.total / answer.cost.total))
    blocks = list(decision_blocks(case(scenario, answer, ())))
    assert blocks[0].text.startswith("Do not train")
    (tiles,) = (block for block in blocks if isinstance(block, Tiles))
    assert tiles.tiles[0].value == amount(kept.total, "USD")


def test_without_a_plan_the_ways_out_come_first():
    text = PLAIN + "limits: {tokens: 1B}\n"
    scenario = read_scenario(text, "scenario.yaml")
    blocks = list(decision_blocks(case(scenario, solve(scenario), ())))
    assert blocks[0].text.startswith("There is no plan")
    assert any(getattr(b, "text", "") == "What would make a plan" for b in blocks)


def test_the_size_of_a_law_that_a_limit_holds_is_told_as_such():
    """A report had other laws up to 4.61B, where 7 ms a token held all of them."""
    scenario = read_scenario(DOLLARS, "scenario.yaml")
    found = case(scenario, solve(scenario), laws=("hoffmann-2022-devries",))
    (sure,) = (
        block.items
        for block in decision_blocks(found)
        if isinstance(block, Points) and block.title == "How sure this is"
    )
    assert "5B (hoffmann-2022-devries, at a limit)" in " ".join(sure)
