"""Prices and money as ranges: their draws, their plans, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optimizer.analysis.frontier.band import banded
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.timeline import tornado
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan as varied

PLAIN = """\
law: hoffmann-2022-devries
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 30 %, price: $3/h}
demand:
  - {name: chat, tokens: 2T, lifetime: 2 years}
  - {name: batch, tokens: 1T, lifetime: 1 year, serving: {hardware: l4, price: $1/h}}
data: {price: $0.10 per million tokens}
costs: {fixed: $200k}
money: {discount_rate: 8 %, price_decline: 20 %}
"""
# path → low, expected and high, in base units.
RANGES = {
    "training.price": (1.5, 2.0, 4.0),
    "serving.price": (1.0, 3.0, 5.0),
    "demand.batch.serving.price": (0.5, 1.0, 1.2),
    "data.price": (0.05, 0.1, 0.4),
    "costs.fixed": (1e5, 2e5, 1e6),
    "money.discount_rate": (-0.01, 0.08, 0.12),
    "money.price_decline": (0.0, 0.2, 0.4),
}
PAID = tuple(path for path in RANGES if path.endswith("price"))


def ranged(*paths):
    return [
        f"{path}={{low: {low!r}, expected: {middle!r}, high: {high!r}}}"
        for path, (low, middle, high) in RANGES.items()
        if path in paths
    ]


def read(*overrides):
    return read_scenario(PLAIN, "scenario.yaml", overrides)


def drawn(scenario, count, seed=0):
    plan = varied(scenario, (), count, seed)
    names = [number.name for number in plan.numbers]
    return dict(zip(names, plan.columns(0, count).T, strict=True))


# Draws


def test_a_tenth_of_the_draws_lies_beyond_each_end():
    """By count, within four standard errors of a binomial of 40,000 draws."""
    count = 40_000
    found = drawn(read(*ranged(*RANGES)), count, seed=1)
    assert set(found) == set(RANGES)
    error = 4 * math.sqrt(0.1 * 0.9 / count)
    for path, (low, _, high) in RANGES.items():
        # A decline below 0 is cut there, so that its tenth is at 0.
        assert (found[path] <= low).mean() == pytest.approx(0.1, abs=error), path
        assert (found[path] >= high).mean() == pytest.approx(0.1, abs=error), path


def test_rates_are_log_normal_as_they_compound():
    """ln(1 + r) of a discount rate and ln(1 − d) of a decline are symmetric."""
    found = drawn(read(*ranged(*RANGES)), 40_000)
    for path, sign in (("money.discount_rate", 1), ("money.price_decline", -1)):
        low, _, high = RANGES[path]
        middle = math.sqrt((1 + sign * low) * (1 + sign * high))
        assert np.median(1 + sign * found[path]) == pytest.approx(middle, rel=2e-3)
    assert found["money.price_decline"].max() < 1


def test_prices_of_one_accelerator_are_one_market():
    """They have one rank in every draw; those of another have nothing to do with it."""
    found = drawn(read(*ranged(*RANGES)), 4000)
    ranks = {path: np.argsort(np.argsort(v)) for path, v in found.items()}
    np.testing.assert_array_equal(ranks["training.price"], ranks["serving.price"])
    others = [path for path in RANGES if path != "serving.price"]
    table = np.corrcoef([ranks[path] for path in others])
    assert np.abs(table - np.eye(len(others))).max() < 0.06
    told = uncertainty(read(*ranged(*PAID)), draws=20).notes
    assert "training.price and serving.price are high together." in told


@pytest.mark.parametrize("law", ["besiroglu-2024-refit", "hoffmann-2022-devries"])
def test_a_draw_is_the_same_whatever_else_is_drawn(law):
    """Bit by bit: adding a range moves neither the other numbers nor the law's."""
    every = drawn(read(f"law={law}", *ranged(*RANGES)), 5000, seed=3)
    for path in RANGES:
        alone = drawn(read(f"law={law}", *ranged(path)), 5000, seed=3)
        assert path in alone
        for name, values in alone.items():
            np.testing.assert_array_equal(values, every[name])
    other = drawn(read(f"law={law}", *ranged(*RANGES)), 5000, seed=4)
    assert all((other[name] != values).any() for name, values in every.items())


def test_a_range_is_in_the_period_of_its_expected_number():
    """1M a day is 30.4M a month; a tenth of the draws lies below it."""
    three = "{low: 1M/day, expected: 62M/month, high: 1.2B/year}"
    lengths = ("demand.chat.input_tokens=700", "demand.chat.output_tokens=100")
    scenario = read("demand.chat.requests=" + three, *lengths)
    values = drawn(scenario, 20_000)["demand.chat.requests"]
    ends = np.percentile(values, [10, 90])
    assert ends == pytest.approx([1e6 * 365.25 / 12, 1.2e9 / 12], rel=0.02)
    swing = next(
        s for s in tornado(scenario, solve(scenario)).swings if "requests" in s.input
    )
    assert swing.values == pytest.approx((1e6 * 365.25 / 12, 1e8), rel=1e-12)
    # Lengths and lifetime as they are, cost goes with the requests.
    assert swing.results[0] < solve(scenario).cost.total < swing.results[1]


# Plans


def test_a_solve_uses_the_expected_numbers():
    plain, ranges = solve(read()), solve(read(*ranged(*RANGES)))
    assert plain.plan == ranges.plan
    assert plain.cost == ranges.cost
    elasticity = {s.input: s.elasticity for s in plain.sensitivities}
    for item in ranges.sensitivities:
        name = item.input.removesuffix(".expected")
        assert (name in RANGES) == (name != item.input)
        assert item.elasticity == elasticity[name]
        if name in RANGES:
            assert item.value == RANGES[name][1]


def test_the_elasticity_of_a_price_is_its_share_of_the_bill():
    answer = solve(read(*ranged(*RANGES)))
    lines = {line.name: line.amount / answer.cost.total for line in answer.cost.lines}
    found = {s.input: s.elasticity for s in answer.sensitivities}
    for path, line in (
        ("training.price.expected", "training"),
        ("serving.price.expected", "chat"),
        ("demand.batch.serving.price.expected", "batch"),
        ("data.price.expected", "data"),
        ("costs.fixed.expected", "fixed"),
    ):
        assert found[path] == pytest.approx(lines[line], rel=1e-9)


def test_each_draw_is_the_plan_of_its_own_prices():
    plan = varied(read(*ranged(*RANGES)), (), 8, 5)
    found = rows(plan, 0, 8)
    for values, results in zip(found.inputs, found.results, strict=True):
        sets = [
            f"{n.name}={x!r}"
            for n, x in zip(plan.numbers, values.tolist(), strict=True)
        ]
        answer = solve(read(*sets))
        row = dict(zip(RESULTS, results, strict=True))
        assert row["parameters"] == pytest.approx(answer.plan.parameters, rel=1e-7)
        assert row["cost_total"] == pytest.approx(answer.cost.total, rel=1e-9)


@pytest.mark.parametrize("path", PAID)
def test_the_cost_of_a_size_that_is_fixed_is_linear_in_each_price(path):
    """So its percentiles are those of the price, which are known in closed form."""
    scenario = read("fix.parameters=10B", *ranged(path))
    low, _, high = RANGES[path]
    none, one = (solve(read("fix.parameters=10B", f"{path}={x}")) for x in (1.0, 2.0))
    slope = one.cost.total - none.cost.total
    found = uncertainty(scenario, draws=4000).intervals["cost_total"]
    middle = math.log(low * high) / 2
    step = math.log(high / low) / 2 / 1.2815515655446004 * 1.6448536269514722
    for word, z in (("p5", -step), ("p50", 0.0), ("p95", step)):
        price = math.exp(middle + z)
        cost = none.cost.total + slope * (price - 1)
        spent = getattr(found, word) - cost
        assert abs(spent) < 0.05 * slope * price, word


def test_what_a_limit_of_money_excludes_is_counted_by_the_price():
    """At a size and tokens that are given, the training is too dear beyond a price."""
    limit = "limits.training_cost=$70k"
    scenario = read("fix.parameters=10B", limit, *ranged("training.price"))
    cost = solve(read("fix.parameters=10B")).cost.lines[0].amount
    prices = drawn(scenario, 1000)["training.price"]
    found = uncertainty(scenario, draws=1000)
    assert found.unreachable == (prices > 2.0 * 70e3 / cost).mean()
    assert 0.2 < found.unreachable < 0.8
    assert found.plan.reached is None  # only the law decides that, and says nothing


def test_of_lists_every_choice_has_the_same_draws():
    """Each draw has the best choice at its own prices, as one by one."""
    sets = ("serving.hardware=[h100-sxm, l4]", *ranged("training.price", *PAID[1:2]))
    both = uncertainty(read(*sets), draws=40)
    plan = varied(replace(read(*sets), variants=()), (), 40, 0)
    costs = []
    for values in plan.columns(0, 40).tolist():
        prices = [f"{n.name}={x!r}" for n, x in zip(plan.numbers, values, strict=True)]
        costs.append(solve(read(sets[0], *prices)).cost.total)
    ends = both.intervals["cost_total"]
    wanted = np.percentile(costs, [5, 50, 95])
    assert (ends.p5, ends.p50, ends.p95) == pytest.approx(tuple(wanted), rel=1e-9)


def test_an_exact_law_says_what_varies_also_where_no_price_does():
    for paths in (("serving.price",), ()):
        demand = "demand.chat.tokens={low: 1T, expected: 2T, high: 9T}"
        found = uncertainty(read(demand, *ranged(*paths)), draws=20)
        assert found.varied == ("demand.chat.tokens", *paths)
        assert found.notes[0] == (
            "hoffmann-2022-devries carries neither a covariance nor draws, so only the "
            "demand and the prices that are given as ranges vary: the law's own error "
            "is not in these numbers."
        )


# What is varied, and what is wrong


def test_a_price_is_varied_as_the_demand_is():
    """By its own name or that of its expected number; then it is not drawn."""
    costs = []
    for name in ("serving.price", "serving.price.expected"):
        plan = varied(read(*ranged(*PAID)), [f"{name}=1.5:4.5:3"], 2)
        others = [number.name for number in plan.numbers[1:]]
        assert others == ["demand.batch.serving.price", "training.price", "data.price"]
        found = rows(plan, 0, 6)
        assert found.inputs[:, 0].tolist() == [1.5, 1.5, 3.0, 3.0, 4.5, 4.5]
        costs.append(found.results[:, list(RESULTS).index("cost_total")])
    np.testing.assert_array_equal(*costs)
    assert (np.diff(costs[0][::2]) > 0).all()


def test_an_end_of_a_range_is_not_varied():
    message = (
        "serving.price.low: moves no single plan; vary serving.price or "
        "serving.price.expected"
    )
    with pytest.raises(InputError, match=message):
        varied(read(*ranged("serving.price")), ["serving.price.low=1,2"])


@pytest.mark.parametrize(
    ("three", "message"),
    [
        ("{low: 3, expected: 2, high: 4}", "serving.price: must have low ≤ expected"),
        ("{low: 1, expected: 5, high: 4}", "serving.price: must have low ≤ expected"),
        ("{low: -1, expected: 2, high: 4}", "price.low: must be above 0, got -1"),
        ("{low: 0, expected: 2, high: 4}", "price.low: must be above 0, got 0"),
        ("{low: 1, high: 4}", 'add for example "expected: $2.50/h"'),
        ("{low: 1, expected: example, high: 4}", "price.expected: must be a price"),
        ("{low: 1, expected: 2, hihg: 4}", 'unknown word "hihg"; did you mean "high"?'),
        ("[1, 2, 3]", 'must be a price such as $2.50/h or "example", got a list'),
        ("{low: 1M/day, expected: 2, high: 4}", "must have low ≤ expected ≤ high"),
    ],
)
def test_a_wrong_range_of_a_price_is_told_at_its_place(three, message):
    text = PLAIN.replace("price: $3/h", f"price: {three}")
    with pytest.raises(InputError) as caught:
        read_scenario(text, "scenario.yaml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("scenario.yaml:5:")


@pytest.mark.parametrize(
    ("given", "where"),
    [("$0.10 per million tokens", "9:21: data.price"), ("$200k", "10:22: costs.fixed")],
)
def test_a_range_from_zero_has_no_logarithm(given, where):
    text = PLAIN.replace(given, "{low: 0, expected: 1, high: 2}")
    scenario = read_scenario(text, "scenario.yaml")
    assert solve(scenario).plan is not None
    told = rf"^scenario.yaml:{where}.low: must be above 0 to draw from, got 0$"
    with pytest.raises(InputError, match=told):
        uncertainty(scenario)


def test_the_laws_own_draws_need_no_logarithm_of_a_price():
    """Those of a target and of a frontier were refused for a price that has none."""
    text = PLAIN.replace("hoffmann-2022-devries", "besiroglu-2024-refit")
    zero = text.replace("$200k", "{low: 0, expected: $200k, high: 1e6}")
    known, asked = (read_scenario(one, "scenario.yaml") for one in (text, zero))
    assert solve(asked).reached == solve(known).reached
    assert solve(asked).reached is not None
    assert banded(asked, 3, 50).band == banded(known, 3, 50).band


def test_prices_that_fall_to_nothing_are_refused():
    three = "money.price_decline={low: 10 %, expected: 20 %, high: 100 %}"
    message = "money.price_decline.high: must be below 100 %, got 100 %"
    with pytest.raises(InputError, match=message):
        read(three)
