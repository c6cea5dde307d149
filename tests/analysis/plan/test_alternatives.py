"""Buying and keeping: prices by hand, and where training overtakes by brute force."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.analysis.plan.alternatives import _root, scaled
from optimizer.analysis.plan.optimum import solve
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.report.formats.text import render
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks

BASE = """\
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}
serving: {hardware: h100-sxm, mfu: {prefill: 0.4, decode: 0.05}, price: $2/h}
"""
STREAM = (
    "{requests: 1M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years%s}"
)
DEMAND = f"demand: {STREAM % ''}\n"
REQUESTS = 1e6 * 2 * 365.25
BUY = "buy: {input: $0.5/M, output: $2/M}\n"


def ask(text, *overrides):
    return solve(read_scenario(BASE + text, "s.yaml", overrides))


def test_a_price_list_is_paid_by_the_token():
    (buy,) = ask(DEMAND + BUY).others
    assert buy.total == pytest.approx(REQUESTS * (800 * 0.5e-6 + 300 * 2e-6))
    assert buy.per_token == pytest.approx(buy.total / (REQUESTS * 1100))
    assert buy.loss is None


def test_an_existing_model_costs_its_serving_alone():
    """2·N FLOP a token over peak and MFU; training is paid, fixed costs are not its."""
    text = DEMAND + "existing: {parameters: 8B, tokens: 15T}\ncosts: {fixed: $1M}\n"
    (kept,) = ask(text).others
    second = 2 * 8e9 * REQUESTS * (800 / 0.4 + 300 / 0.05) / 989e12
    assert kept.total == pytest.approx(second / 3600 * 2, rel=1e-2)
    law = read_scenario(BASE + text).law.surface()
    assert kept.loss == pytest.approx(law.loss(8e9, 15e12))


@pytest.mark.parametrize(
    "text",
    [
        DEMAND + BUY,
        DEMAND + "existing: {model: llama-2-70b}\n",
        f"demand: {STREAM % ', cost_share: 30 %'}\n" + BUY,
        DEMAND + BUY + "costs: {fixed: $2M}\n",
        DEMAND + BUY + "money: {discount_rate: 10 %, price_decline: 20 %}\n",
        DEMAND + BUY + "fix: {parameters: 9B}\n",
        DEMAND + BUY + "limits: {total_cost: $200k}\n",
    ],
)
def test_training_overtakes_where_costs_are_equal(text):
    """On a grid of demands: equal at the crossing, and the cheaper changes there."""
    scenario = read_scenario(BASE + text)
    answer = solve(scenario)
    (other,) = answer.others
    at = other.overtaken_at / answer.demand.tokens
    alone = scenario.spec.model_copy(update={"buy": None})
    plain = replace(scenario, spec=alone, existing=None)
    for factor in (0.2, 0.9, 0.99, 1.0, 1.01, 1.1, 5.0):
        found = solve(scaled(plain, at * factor))
        if found.cost is None:  # a wall of money ends the demand that can be met
            assert factor > 1
            continue
        gap = found.cost.total / (other.total * at * factor) - 1
        if factor == 1.0:
            assert gap == pytest.approx(0, abs=1e-6)
        else:
            assert np.sign(gap) == np.sign(1 - factor)


def test_what_no_price_beats_and_what_none_can_match():
    free = "buy: {input: $0/M, output: $0/M}\n"
    dear = "buy: {input: $1000000/M, output: $1000000/M}\n"
    assert ask(DEMAND + free).others[0].overtaken_at is None
    crossing = ask(DEMAND + dear).others[0].overtaken_at
    assert 0 <= crossing < 1e6
    # Serving a small model is dearer than an API this cheap, at any demand.
    cheap = "buy: {input: $0.0001/M, output: $0.0001/M}\n"
    assert ask(DEMAND + cheap).others[0].overtaken_at is None


def test_what_nobody_pays_is_never_overtaken():
    text = f"demand: {STREAM % ', cost_share: 0'}\n" + BUY
    (buy,) = ask(text).others
    assert buy.total == 0
    assert buy.overtaken_at is None


def test_streams_are_bought_each_at_its_share():
    streams = (
        f"demand: [{STREAM % ', name: a'}, {STREAM % ', name: b, cost_share: 25 %'}]\n"
    )
    whole = ask(DEMAND + BUY).others[0].total
    assert ask(streams + BUY).others[0].total == pytest.approx(1.25 * whole)


def test_later_tokens_are_bought_with_later_money():
    """At 10 % a year, the mean of (1.1)^(-m/12) over 24 months."""
    now = ask(DEMAND + BUY).others[0].total
    later = ask(DEMAND + BUY + "money: {discount_rate: 10 %}\n").others[0].total
    mean = np.mean(1.1 ** (-np.arange(24) / 12))
    assert later / now == pytest.approx(mean, rel=1e-12)
    # The list is fixed in dollars: cheaper hardware is no cheaper API.
    cheaper = ask(DEMAND + BUY + "money: {price_decline: 20 %}\n").others[0].total
    assert cheaper == pytest.approx(now, rel=1e-12)


def test_a_wall_of_money_does_not_hide_where_training_pays():
    """Above some demand no plan keeps the wall; the crossing lies far below it."""
    open_ = ask(DEMAND + BUY).others[0].overtaken_at
    walled = ask(DEMAND + BUY + "limits: {total_cost: $400k}\n").others[0].overtaken_at
    assert walled == pytest.approx(open_, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("demand: {tokens: 0}\n" + BUY, "serves demand, and there is none"),
        ("demand: {tokens: 1T}\n" + BUY, "an API charges input and output apart"),
        ("demand: {tokens: 0}\nexisting: {parameters: 8B}\n", "there is none"),
    ],
)
def test_what_cannot_be_compared_is_refused(text, told):
    with pytest.raises(InputError, match=told):
        read_scenario(BASE + text)


def test_where_no_plan_fits_what_needs_no_training_is_told():
    """`There is no plan`, beside a model that exists and reaches the target."""
    walls = "limits: {training_compute: 1e21}\n"
    exists = "existing: {model: llama-2-13b}\n"
    stuck = ask(DEMAND + BUY + exists + walls)
    free = ask(DEMAND + BUY + exists)
    assert stuck.plan is None
    assert [(w.name, w.total) for w in stuck.others] == [
        (w.name, pytest.approx(w.total)) for w in free.others
    ]
    assert stuck.cheapest == "existing llama-2-13b"
    told = headline(stuck)
    assert told.index("There is no plan") < told.index("Without training, llama-2-13b")
    assert "its loss of 2.0292 is 0.074 better than you ask" in told
    assert "a new model wins" not in render(answer_blocks(stuck))
    worse = ask(DEMAND + BUY + exists + walls, "target.match.parameters=70B")
    assert "llama-2-13b" not in headline(worse)
    assert "Without training, buying costs" in headline(worse)


def test_what_breaks_the_limit_of_the_life_is_not_offered():
    stuck = ask(DEMAND + BUY + "limits: {total_cost: $1k}\n")
    (buy,) = stuck.others
    assert stuck.plan is None
    assert buy.total is None
    assert "limits.total_cost is $1k" in buy.reason
    assert "Without training" not in headline(stuck)


@pytest.mark.parametrize(
    ("slope", "level", "wanted"),
    [
        (0.4, 0.5, np.exp(1.25)),  # the other way is cheaper until demand grows
        (0.4, -0.5, np.exp(-1.25)),
        (0.1, -5.0, 0.0),  # a new model wins at any demand
        (0.1, 5.0, None),  # at none
    ],
)
def test_a_crossing_is_sought_from_the_stated_demand_on(slope, level, wanted):
    """Far looks are dear: each solve starts from where the one before ended."""
    looks = []

    def excess(log):
        looks.append(log)
        return level - slope * log

    assert _root(excess) == (wanted if wanted is None else pytest.approx(wanted))
    assert len(looks) == len(set(looks))
    if wanted:
        assert max(map(abs, looks)) <= 3.0
        assert len(looks) <= 8


def test_a_wall_beyond_the_crossing_hides_it_not():
    """No plan from e^1.3 times the demand on, and the crossing at e^1.25."""
    found = _root(lambda log: np.inf if log > 1.3 else 0.5 - 0.4 * log)
    assert found == pytest.approx(np.exp(1.25))
    assert _root(lambda log: np.inf if log > 1.2 else 0.5 - 0.4 * log) is None
