"""One plan for several scenarios or forms: what is told before it, and of it."""

import re

import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.under_laws import in_both_forms
from optimizer.report.formats.text import render
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.short import short_blocks


def flat(blocks):
    return " ".join(render(list(blocks), 200).split())


def loaded(root, name, *overrides):
    return load_scenario(root / f"scenarios/{name}.yaml", overrides)


def asked(root, name, demands, *overrides):
    """The comparison of a scenario at several demands, and what it says first."""
    found = compare(
        [
            loaded(root, name, f"demand.requests={each}", f"name={each}", *overrides)
            for each in demands
        ]
    )
    told = flat(comparison_blocks(found)).removeprefix("Comparison ")
    return found, re.split(r" (?:Plans|Warnings) ", told)[0]


def test_where_nothing_is_to_be_trained_that_is_said_before_the_joint_plan(root):
    """`Train 7.9B on 469B`, above two columns that say not to train."""
    found, told = asked(root, "buy-or-build", ("100k/day", "300k/day"))
    assert {plan.cheapest for plan in found.plans} == {"existing llama-2-13b"}
    assert told.startswith(
        "Do not train in any of these scenarios: llama-2-13b, which exists, costs "
        "$10k to $30k, and reaches the target; a new model costs $66.4k to $79.4k. "
        "If you train, not knowing which will come, train 8.45B on 426B: at most "
    )
    assert "If it is not known" not in told


def test_scenarios_in_which_not_to_train_are_named(root):
    found, told = asked(root, "buy-or-build", ("100k/day", "30M/day"))
    assert [plan.cheapest for plan in found.plans] == ["existing llama-2-13b", "train"]
    assert told.startswith("Do not train in 100k/day: llama-2-13b, which exists,")
    assert "a new model costs $66.4k. In 30M/day, train. If you train, not " in told
    found, told = asked(root, "buy-or-build", ("20M/day", "30M/day"))
    assert {plan.cheapest for plan in found.plans} == {"train"}
    assert told.startswith("If it is not known which will come, train ")


def test_of_two_forms_too(root):
    """`Build 9.94B`, where what exists costs a sixth under both."""
    found = compare(in_both_forms(loaded(root, "buy-or-build")))
    told = flat(comparison_blocks(found)).split(" Plans ")[0]
    assert {plan.cheapest for plan in found.plans} == {"existing llama-2-13b"}
    assert told.startswith(
        "Comparison Do not train under any of these laws: llama-2-13b, which exists, "
        "costs $10k, and reaches the target; a new model costs $66.4k to $70.3k. If "
        "you train, not knowing which form is true, build 9.94B and train until "
    )


def test_what_is_fixed_is_no_optimum_and_its_cost_is_told(root):
    """`Train 4B on 2.06T: at the optimum`, of what costs 98 % more than that."""
    fixed = "fix.parameters=4B"
    found, told = asked(root, "internal-use", ("137k/day", "1.37M/day"), fixed)
    costs = [plan.fixed.fraction for plan in found.plans]
    assert costs == pytest.approx([0.984, 0.200], abs=1e-3)
    assert told == (
        "If it is not known which will come, train the fixed 4B on 2.06T: at the "
        "optimum of whichever does, given what is fixed. What is fixed costs 20 % to "
        "98 % more than the optimum without it."
    )


@pytest.mark.parametrize("name", ["sixty-days", "smollm3", "internal-use"])
def test_a_regret_is_promised_only_where_there_is_one(root, name):
    """`compare --forms has the regret of each`, of budgets where it has none."""
    scenario = loaded(root, name)
    answer = solve(scenario)
    there = compare(in_both_forms(scenario)).forms is not None
    assert there == (name == "internal-use")
    for page in (answer_blocks, short_blocks):
        told = flat(page(answer))
        assert ("compare --forms has the regret of each." in told) == there
        assert ("compare --forms sets both side by side." in told) != there


def test_a_regret_below_what_is_proven_is_none(root):
    """`At most 1.6e-13 % above`."""
    none = "demand={tokens: 0}"
    found = compare([loaded(root, "internal-use", none)] * 2)
    assert abs(found.robust.minimax.value - 1) < 1e-8
    page = flat(comparison_blocks(found))
    assert page.count("at the optimum") == 2
    assert "% above" not in page.split("One plan for all of them")[1]


def test_a_loss_above_another_by_rounding_is_not_above_it():
    """`A loss 4.44e-16 above that of the best plan`."""
    text = (
        "law: besiroglu-2024-refit\nbudget: {compute: 1e24}\ndemand: {tokens: 2T}\n"
        "limits: {parameters: 10B}\n"
    )
    found = compare(in_both_forms(read_scenario(text, "s.yaml")))
    assert found.forms.excess < 1e-8
    page = flat(comparison_blocks(found))
    assert "its loss is no higher than that of the best plan of whichever" in page
    assert not re.search(r"e-\d\d above", page)
