"""Scenarios that ask different questions get no plan together."""

from optimizer.analysis.comparison.compare import compare
from optimizer.question.load import read_scenario
from optimizer.report.formats.decisions import compared
from optimizer.report.formats.text import render
from optimizer.report.pages.comparison import comparison_blocks

BASE = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
DOLLARS = """\
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
"""


def together(*texts):
    scenarios = [
        read_scenario(f"name: s{index}\n{text}", f"{index}.yaml")
        for index, text in enumerate(texts)
    ]
    return compare(scenarios)


def first(found):
    return " ".join(render(comparison_blocks(found), 80).split("\n\n")[1].split())


def test_a_joint_plan_across_targets_units_and_laws_is_nonsense():
    """It said "train 40B on 9.23T: at most 4600 % above the optimum"."""
    better = BASE.replace("13B", "30B") + DOLLARS
    found = together(BASE, better)
    assert found.robust is None
    assert first(found) == (
        "These are unlike questions, and no one plan is sought for all of them: the "
        "targets are 2.1028 nats and 2.0308 nats; they count lifetime compute and "
        "lifetime cost."
    )
    assert compared(found)["minimax"] is None
    assert len(compared(found)["unlike"]) == 2


def test_laws_do_not_come():
    other = BASE.replace("besiroglu-2024-refit", "hoffmann-2022-devries")
    found = together(BASE, other)
    assert "the laws are besiroglu-2024-refit and hoffmann-2022-devries" in first(found)
    assert found.robust is None
    # What one plan is worth under the other law is told all the same.
    assert found.regret.table[1][0] > 1


def test_a_budget_is_no_target():
    found = together(
        BASE,
        BASE.replace("target: {match: {parameters: 13B}}", "")
        + "budget: {compute: 1e23}\n",
    )
    assert "others for the best of a budget" in first(found)


def test_demands_limits_and_prices_are_one_question():
    found = together(BASE, BASE.replace("2T", "9T") + "limits: {parameters: 9B}\n")
    assert found.unlike == ()
    assert first(found).startswith("If it is not known which will come, train ")
