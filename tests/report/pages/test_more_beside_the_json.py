"""More sentences that the JSON beside them contradicted, as a reader found them."""

import re

import pytest

from optimizer.analysis.audit import audit
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.near_ends import near_ends
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.wording import figure, nearly
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.fitting.oddities import Note, summed
from optimizer.question.load import load_scenario, read_scenario
from optimizer.question.portfolio_file import load_portfolio
from optimizer.reading.quantity import PARAMETERS, read
from optimizer.report.formats.text import render
from optimizer.report.pages.audit import audits_blocks
from optimizer.report.pages.frontier import frontier_blocks, frontier_data
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.portfolio import portfolio_blocks, portfolio_headline
from optimizer.report.pages.short import short_blocks

SHARING = """
law: besiroglu-2024-refit
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
models:
  - name: a
    target: {match: {parameters: 7B}}
    demand: {tokens: 1T}
  - name: b
    target: {match: {parameters: 5B}}
    demand: {requests: 300M, input_tokens: 800, output_tokens: 200}
    buy: {input: $0.01/M, output: $0.03/M}
shared: {training_cost: $60k}
"""
BOUGHT = """
law: besiroglu-2024-refit
budget: {training_compute: 1e22}
limits: {parameters: 5B}
demand: {tokens: 5T}
"""
LATER = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 7B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
demand: {requests: 3M/day, input_tokens: 800, output_tokens: 200, lifetime: 3 years}
buy: {input: $0.10/M, output: $0.30/M}
money: {discount_rate: 10 %/year}
"""


def flat(blocks):
    return " ".join(render(list(blocks), 120).split())


def loaded(root, name, *overrides):
    return load_scenario(root / f"scenarios/{name}.yaml", overrides)


def joint(folder, text):
    (folder / "several.yaml").write_text(text, encoding="utf-8")
    return solve_portfolio(load_portfolio(folder / "several.yaml"))


def test_a_model_of_several_that_is_cheaper_to_buy_is_said_to_be(tmp_path):
    """`buy` of a model was read, and dropped without a word."""
    found = joint(tmp_path, SHARING)
    a, b = found.members
    assert (a.cheapest, b.cheapest) == ("train", "buy")
    (way,) = b.others
    assert way.total == pytest.approx(300e6 * (800 * 1e-8 + 200 * 3e-8))
    assert "But buying serves b for $4.20k" in portfolio_headline(found)
    dear = joint(tmp_path, SHARING.replace("$0.01/M", "$1/M"))
    assert "But" not in portfolio_headline(dear)


def test_what_models_without_a_joint_plan_need_alone_is_said_to_be_alone(tmp_path):
    held = SHARING.replace("name: a\n", "name: a\n    limits: {parameters: 500M}\n")
    page = flat(portfolio_blocks(joint(tmp_path, held)))
    joint_part, alone = page.split("Below, what a would take alone, with nothing")
    assert "There is no joint plan" in joint_part
    assert "limits.parameters" in alone


def test_the_middle_of_a_budgets_frontier_is_not_called_its_plan():
    """It has half the size of the plan, and takes more than the budget."""
    scenario = read_scenario(BOUGHT)
    found, plan = frontier(scenario, points=3, span=1.2), solve(scenario).plan
    assert found.plan.parameters < 0.7 * plan.parameters
    assert found.plan.loss == pytest.approx(plan.loss, rel=1e-8)
    assert found.plan.cost_training > 1.5e22
    page = flat(frontier_blocks(found))
    assert "(plan)" not in page
    assert f"{plan.loss:.4f} nats is the loss that the budget buys" in page
    assert frontier_data(found)["own"] == found.own


def test_notes_alike_but_for_their_numbers_are_not_told_as_one():
    """`512 sequences do not fit …; so 19 points` was true of 2 of them."""
    alike = [Note(line, "64 sequences do not fit", "") for line in range(3, 9)]
    (told,) = summed(alike, "points")
    assert told.message == "64 sequences do not fit; so 6 points: lines 3 to 8"
    alike[2] = Note(5, "512 sequences do not fit", "")
    (told,) = summed(alike, "points")
    assert "on line 3; the same with numbers of their own" in told.message


def test_a_model_whose_demand_costs_nothing_suits_none_for_that_reason(root):
    """`Fewer training tokens would give it a lower loss`, under a plain law."""
    scenario = loaded(root, "on-device", "fix.parameters=2.9B")
    asked = loaded(root, "on-device")
    law = scenario.law
    fewer, more = (law.surface().loss(2.9e9, D) for D in (400e9, 520e9))
    assert more < fewer
    for reason in (
        solve(scenario).fixed.implied_reason,
        audit("x", 3.08e9, 11.2e12, law, scenario=asked).implied_demand.reason,
    ):
        assert "what it serves costs nothing" in reason


def test_costs_beside_training_are_named_whatever_is_minimised(root):
    """`With training $0.40`, of which a million dollars of fixed costs was most."""
    fixed = ("costs.fixed=$1M", "energy.pue=1.2", "energy.power_fraction=70 %")
    for objective in ("dollars", "energy"):
        asked = loaded(root, "consumer-api", *fixed, f"objective={objective}")
        answer = solve(asked)
        assert answer.unit_cost.further
        assert "with all costs $" in flat(short_blocks(answer))
    plain = solve(loaded(root, "consumer-api"))
    assert plain.unit_cost.further == (plain.cost.other > 0)


def test_a_price_per_token_is_the_one_of_its_list_where_money_is_discounted():
    """Discounted dollars stood over tokens that were not."""
    answer = solve(read_scenario(LATER))
    (way,) = answer.others
    mix = (800 * 0.10 + 200 * 0.30) / 1000
    assert 1e6 * way.per_token == pytest.approx(mix, rel=1e-9)
    page = flat(answer_blocks(answer))
    row = re.search(r"this plan \$[\d.]+k \$([\d.]+)", page)[1]
    assert float(row) == pytest.approx(answer.unit_cost.with_training, abs=0.005)
    assert "a million tokens, at present value" in page


def test_what_every_loss_stays_above_is_rounded_down(root):
    """`Every loss stays above 2.3592`, and a target of 2.35916 had a plan."""
    short = ("limits.training_compute=3e20", "demand.requests=0")
    why = solve(loaded(root, "moe-api", *short)).infeasibility
    assert not why.nearest_reached
    told = float(re.search(r"stays above ([\d.]+)", why.lowest)[1])
    assert told <= why.nearest_loss < told + 1e-4


def test_how_near_the_least_cost_is_told_is_over_the_least_cost():
    assert nearly(0.2) == ", within 25 % of the least cost in whole machines"


def test_an_audit_names_the_limit_that_a_model_cannot_keep(root):
    """A model on too much data `cannot be served`."""
    asked = loaded(root, "api-at-scale", "limits.tokens=10T")
    found = [
        audit(name, 7e9, tokens, asked.law, scenario=asked)
        for name, tokens in (("few", 2e12), ("many", 36e12))
    ]
    assert found[1].cannot.startswith("limits.tokens")
    page = flat(audits_blocks(found))
    assert f"many cannot keep {found[1].cannot}." in page


def test_slopes_of_whole_machines_are_said_to_be_in_fractions(root):
    machines = solve(loaded(root, "latency-bound-assistant"))
    assert "Limits that hold it, moved in fractions of batches" in flat(
        short_blocks(machines)
    )
    drawn = solve(loaded(root, "verified-code", "demand.samples.at_most=8"))
    page = flat(short_blocks(drawn))
    assert "batches" not in page.partition("Limits that hold it")[2]


def test_the_optimum_beside_a_fixed_size_is_said_to_be_an_extrapolation(root):
    """Of 9.77B on 6.4T, 1.9 times the ratio of any run, nothing was said."""
    answer = solve(loaded(root, "llama-3-8b", "fix.parameters=13B"))
    free = solve(loaded(root, "llama-3-8b", "fix.parameters=9.77B"))
    (far,) = answer.fixed.extrapolation
    (same,) = free.extrapolation
    assert far.what == same.what == "tokens_per_parameter"
    assert far.factor == pytest.approx(same.factor, rel=1e-2)
    assert f"That optimum is an extrapolation: {far.factor:.2g} ×" in headline(answer)


@pytest.mark.parametrize(
    "name", ["open-release", "sixty-days", "data-limited-language"]
)
def test_printed_ends_of_a_range_lie_within_it(root, name):
    answer = solve(loaded(root, name))
    plan = figure(answer.plan.parameters, "parameters")
    for near in answer.near_optimal:
        low, high = near_ends(answer, near, "parameters")
        first, last = near.parameters
        # An end that is the plan is written as the plan is.
        assert low == plan or first <= read(low, PARAMETERS) < first * 1.01
        assert high == plan or last * 0.99 < read(high, PARAMETERS) <= last
