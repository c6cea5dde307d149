"""Words of a page that a reader took for more than the answer says."""

import re

import pytest

from optimizer.report.formats.text import render
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks

TEXT = """\
name: s
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {requests: 5M/day, input_tokens: 1000, output_tokens: 500, lifetime: 2 years}
"""
SERVED = (
    TEXT
    + """\
objective: dollars
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
serving: {model: measured, hardware: h200-sxm, precision: fp8, price: $2/h}
"""
)


def page(answer):
    return " ".join(render(answer_blocks(answer)).split())


@pytest.mark.parametrize("limit", ["500M", "700M", "1.1B", "1.7B"])
def test_the_factor_that_loosens_all_limits_is_enough(ask, limit):
    """1.413059 was told as 1.41, with which there is no plan."""
    answer = ask(TEXT + f"limits: {{parameters: {limit}}}\n")
    (told,) = re.findall(r"each looser by a factor ([\d.]+)", page(answer))
    assert answer.infeasibility.uniform <= float(told)
    assert float(told) < answer.infeasibility.uniform * 1.01


def test_capacity_for_a_peak_is_told_where_it_is_paid(ask):
    """A price of all hours stood beside that of work, the same, without a peak."""
    assert "all hours" not in page(ask(SERVED))
    assert "Whole batches are the plan." in page(ask(SERVED))
    paid = "precision: fp8, peak_to_mean: 3, idle_paid: true,"
    peak = SERVED.replace("precision: fp8,", paid)
    assert "all hours" in page(ask(peak))
    assert "Whole batches and replicas are the plan." in page(ask(peak))


def test_chances_beside_an_own_plan_are_the_optimums(ask):
    told = headline(ask(TEXT + "plan: {parameters: 8B, tokens: 15T}\n"))
    assert "The optimum reaches the target in " in told
    assert "The plan reaches" not in told
    assert "The plan reaches the target in " in headline(ask(TEXT))


def test_a_model_matches_itself_without_chance(ask):
    """A plan held at the model to match reached its target in 100 % of the draws."""
    held = TEXT.replace("{parameters: 13B}", "{model: llama-3-8b}")
    held += "fix: {parameters: 8030261248}\n"
    assert ask(held).reached is None
    assert ask(TEXT).reached.probability < 1
