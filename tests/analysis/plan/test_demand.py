"""Demand, through to the answer: months, money over time, streams and who pays."""

import math

import pytest

SCENARIO = """
law: hoffmann-2022-devries
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 30 %, price: $2/h}
demand:
  requests: 1M/day
  input_tokens: 900
  output_tokens: 150
  samples: 3
  lifetime: 20.25 months
  growth: 4 %/month
  start: 2.5 months
money: {discount_rate: 9 %, price_decline: 25 %}
"""


def by_month(life, growth, start, discount, decline):
    """Lifetime tokens in units of the first month's, and their mean present price.

    Month m = 0, 1, … of service begins m months after it starts; all of a month is
    paid at its beginning; the last month counts in part.
    """
    tokens = money = 0.0
    left, age = life, 0
    demand, price = 1.0, ((1 - decline) / (1 + discount)) ** (start / 12)
    while left > 0:
        part = min(left, 1.0)
        tokens += part * demand
        money += part * demand * price
        demand += demand * growth
        price *= (1 - decline) ** (1 / 12)
        price /= (1 + discount) ** (1 / 12)
        left, age = left - 1, age + 1
    return tokens, money / tokens


@pytest.mark.parametrize("life", [0.3, 1, 12, 20.25, 24, 120.5])
@pytest.mark.parametrize(
    ("growth", "start", "discount", "decline"),
    [
        (0, 0, 0, 0),
        (0.04, 0, 0, 0),
        (-0.05, 2.5, 0.09, 0.25),
        (0.04, 2.5, 0.09, 0.25),
        (0.04, 40, -0.02, 0),
    ],
)
def test_the_life_of_a_stream_month_by_month(
    ask, life, growth, start, discount, decline
):
    answer = ask(
        SCENARIO,
        f"demand.lifetime={life} months",
        f"demand.growth={100 * growth} %/month",
        f"demand.start={start} months",
        f"money.discount_rate={100 * discount} %",
        f"money.price_decline={100 * decline} %",
    )
    months, price = by_month(life, growth, start, discount, decline)
    a_month = 1e6 * 30.4375 * (900 + 3 * 150)
    assert answer.demand.tokens == pytest.approx(a_month * months, rel=1e-12)
    per_token = 2 * answer.plan.parameters / (989.4e12 * 0.3) / 3600 * 2
    assert answer.cost.inference == pytest.approx(
        a_month * months * price * per_token, rel=1e-10
    )
    # One chip, one price: T_eff is the tokens at the ratio of MFU and mean price.
    effective = a_month * months * price * 40 / 30
    assert answer.demand.effective_tokens == pytest.approx(effective, rel=1e-12)


def test_a_total_is_spread_over_the_months_and_stays_a_total(ask):
    total = ("demand.tokens=3T", "demand.input_tokens=600", "demand.output_tokens=100")
    answer = ask(SCENARIO, *total)
    _, price = by_month(20.25, 0.04, 2.5, 0.09, 0.25)
    assert answer.demand.tokens == 3e12
    assert answer.demand.effective_tokens == pytest.approx(
        3e12 * price * 4 / 3, rel=1e-12
    )
    # Of 600 + 3 · 100 tokens two thirds are input.
    (stream,) = answer.demand.streams
    assert stream.input_tokens == pytest.approx(2e12, rel=1e-12)
    assert stream.output_tokens == pytest.approx(1e12, rel=1e-12)


def test_rates_by_day_month_and_year_are_the_same_demand(ask):
    daily = ask(SCENARIO, "demand.requests=12M/day")
    yearly = ask(SCENARIO, f"demand.requests={12 * 365.25}M/year")
    monthly = ask(SCENARIO, f"demand.requests={12 * 30.4375}M per month")
    assert yearly.demand.tokens == pytest.approx(daily.demand.tokens, rel=1e-12)
    assert monthly.demand.tokens == pytest.approx(daily.demand.tokens, rel=1e-12)
    # 79.5856 % a year is 5 % a month, since rates compound.
    a = ask(SCENARIO, "demand.growth=5 %/month")
    b = ask(SCENARIO, f"demand.growth={100 * (1.05**12 - 1)!r} %")
    assert b.demand.tokens == pytest.approx(a.demand.tokens, rel=1e-12)


def test_samples_multiply_the_answers_alone(ask):
    (three,) = ask(SCENARIO).demand.streams
    (one,) = ask(SCENARIO, "demand.samples=1").demand.streams
    assert three.input_tokens == one.input_tokens
    assert three.output_tokens == pytest.approx(3 * one.output_tokens, rel=1e-12)


def test_the_expected_of_three_numbers_is_solved(ask):
    spread = ask(
        SCENARIO,
        "demand.requests={low: 100k/day, expected: 1M/day, high: 90M/day}",
        "demand.lifetime={low: 1 year, expected: 20.25 months, high: 9 years}",
        "demand.growth={low: 0, expected: 4 %/month, high: 10 %/month}",
    )
    single = ask(SCENARIO)
    assert spread.plan == single.plan
    assert spread.cost.total == single.cost.total


def test_who_pays_moves_the_plan_between_the_two_extremes(ask):
    """At share 0 nothing is served, as far as the plan goes; the community pays."""
    plans = {share: ask(SCENARIO, f"demand.cost_share={share} %") for share in (0, 50)}
    plans[100] = ask(SCENARIO)
    sizes = [plan.plan.parameters for plan in plans.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1.2 * sizes[-1]
    unpaid = plans[0]
    assert unpaid.plan.parameters == pytest.approx(13e9, rel=1e-7)
    assert unpaid.demand.effective_tokens == 0
    assert unpaid.demand.counted_tokens == 0
    assert unpaid.demand.tokens == plans[100].demand.tokens
    for share, answer in plans.items():
        who = answer.parties
        assert who.lab == pytest.approx(answer.cost.total, rel=1e-12)
        assert who.social == pytest.approx(who.lab + who.community, rel=1e-12)
        full = answer.cost.inference / share * 100 if share else who.community
        assert who.community == pytest.approx((1 - share / 100) * full, abs=1e-6)
    assert min(plans.values(), key=lambda a: a.parties.social) is plans[100]
    assert min(plans.values(), key=lambda a: a.parties.lab) is unpaid


TWO = """
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 30 %, price: $2/h}
demand:
  - {name: chat, tokens: 1T}
  - {name: code, tokens: 2T, cost_share: 50 %}
"""


def test_streams_that_share_a_machine_add_up(ask):
    two = ask(TWO)
    one = ask(TWO.partition("demand:")[0] + "demand: {tokens: 2T}")
    assert two.plan.parameters == pytest.approx(one.plan.parameters, rel=1e-9)
    assert two.demand.tokens == 3e12
    assert two.demand.counted_tokens == 2e12
    assert [line.name for line in two.cost.lines] == ["training", "chat", "code"]


def test_a_stream_may_have_its_own_machine(ask):
    """A cheaper chip for one stream counts its tokens for less; the rest is shared."""
    own = TWO.replace(
        "cost_share: 50 %",
        "serving: {hardware: a100-80-sxm, precision: int8, price: $1/h}",
    )
    answer = ask(own)
    cheap = 1 / (624e12 * 0.3) / (2 / (989.4e12 * 0.4))
    expected = 1e12 * 4 / 3 + 2e12 * cheap
    assert answer.demand.effective_tokens == pytest.approx(expected, rel=1e-12)


PLAYBOOK = """
law: besiroglu-2024-refit
fix: {parameters: 3B}
budget: {training_time: 1 month}
training: {hardware: h100-sxm, mfu: 30 %, accelerators: 384}
"""


def test_the_playbooks_question(ask):
    """384 H100 for a month, 3B: how many tokens, what loss, and for what demand?

    6·N·D = 384 · 30.4375 days · 989.4 TFLOP/s · 30 %; w = 1 + T/(3·D) for the demand.
    """
    answer = ask(PLAYBOOK)
    seconds = 384 * 30.4375 * 86400
    D = seconds * 989.4e12 * 0.3 / (6 * 3e9)
    assert answer.plan.parameters == pytest.approx(3e9, rel=1e-12)
    assert answer.plan.tokens == pytest.approx(D, rel=1e-9)
    law = answer.law
    data = law.B * D**-law.beta
    size = law.A * 3e9**-law.alpha
    assert answer.plan.loss == pytest.approx(law.E + data + size, rel=1e-12)
    w = law.alpha * size / (law.beta * data)
    assert answer.fixed.implied_demand == pytest.approx(3 * D * (w - 1), rel=1e-9)
    # And for that demand 3B is right: the same loss at the least lifetime compute.
    back = ask(
        f"law: besiroglu-2024-refit\ntarget: {{loss: {answer.plan.loss!r}}}\n"
        f"demand: {{tokens: {answer.fixed.implied_demand!r}}}\n"
    )
    assert back.plan.parameters == pytest.approx(3e9, rel=1e-6)
    assert back.plan.tokens == pytest.approx(D, rel=1e-6)


@pytest.mark.parametrize("size", ["3B", "6B", "9B"])
def test_the_demand_that_a_size_would_suit_is_of_the_same_mix(ask, size):
    """In dollars, discounted, with restarts: as many more requests as it says."""
    extra = ("costs.restart=5 %", "demand.cost_share=80 %")
    fixed = ask(SCENARIO, *extra, f"fix.parameters={size}")
    scale = fixed.fixed.implied_demand / fixed.demand.tokens
    there = ask(SCENARIO, *extra, f"demand.requests={scale!r}M/day")
    assert there.demand.tokens == pytest.approx(fixed.fixed.implied_demand, rel=1e-9)
    assert there.plan.parameters == pytest.approx(fixed.plan.parameters, rel=1e-6)


@pytest.mark.parametrize(
    ("path", "value", "unit"),
    [
        ("demand.requests", 1.0, "M/day"),
        ("demand.input_tokens", 900, ""),
        ("demand.output_tokens", 150, ""),
        ("demand.samples", 3, ""),
        ("demand.lifetime", 20.25, " months"),
        ("demand.growth", 60.0, " %"),
        ("demand.start", 2.5, " months"),
        ("demand.cost_share", 40.0, " %"),
        ("money.discount_rate", 9.0, " %"),
        ("money.price_decline", 25.0, " %"),
        ("training.mfu", 40.0, " %"),
        ("serving.mfu", 30.0, " %"),
        ("training.price", 2.0, "/h"),
        ("serving.price", 2.0, "/h"),
        ("data.price", 0.5, " per million tokens"),
        ("costs.fixed", 20000, ""),
        ("costs.restart", 5.0, " %"),
    ],
)
def test_every_figure_moves_the_cost_by_its_elasticity(ask, path, value, unit):
    """Against a central difference of two solves."""
    here = ask(SCENARIO, f"{path}={value}{unit}")
    move = next(s for s in here.sensitivities if s.input == path)
    h = 1e-4
    up, down = (
        math.log(ask(SCENARIO, f"{path}={value * (1 + s)!r}{unit}").cost.total)
        for s in (h, -h)
    )
    difference = (up - down) / (math.log1p(h) - math.log1p(-h))
    assert move.elasticity == pytest.approx(difference, abs=2e-6)


@pytest.mark.parametrize("months", [24.0, 20.0, 1.0])
def test_a_life_of_whole_months_has_an_elasticity_to_each_side(ask, months):
    """The mean of 1.015 and 1.269 was given, which is right on neither side."""

    def cost(life):
        return math.log(ask(SCENARIO, f"demand.lifetime={life!r} months").cost.total)

    here = ask(SCENARIO, f"demand.lifetime={months} months")
    move = next(s for s in here.sensitivities if s.input == "demand.lifetime")
    h = 1e-5
    left = (cost(months) - cost(months * (1 - h))) / -math.log1p(-h)
    right = (cost(months * (1 + h)) - cost(months)) / math.log1p(h)
    assert abs(right - left) > 1e-4
    assert move.elasticity is None
    assert move.left == pytest.approx(left, rel=1e-3)
    assert move.right == pytest.approx(right, rel=1e-3)


def test_without_growth_or_discounting_both_sides_are_one(ask):
    steady = ("demand.growth=0 %", "money.discount_rate=0 %", "money.price_decline=0 %")
    here = ask(SCENARIO, *steady, "demand.lifetime=24 months")
    move = next(s for s in here.sensitivities if s.input == "demand.lifetime")
    requests = next(s for s in here.sensitivities if s.input == "demand.requests")
    assert move.left is move.right is None
    assert move.elasticity == pytest.approx(requests.elasticity, rel=1e-9)


PAIR = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: roofline, hardware: h100-sxm, mfu: 40 %, mbu: 60 %, price: $2/h}
architecture: {layers: 40, width: 5120, kv_heads: 8, head_size: 128}
demand:
  - {name: a, requests: 1M/day, input_tokens: 4000, output_tokens: 300,
     lifetime: 1 year}
  - {name: b, requests: 2M/day, input_tokens: 4000, output_tokens: 300,
     lifetime: 1 year}
"""


def test_the_longest_of_equal_sequences_has_an_elasticity_to_each_side(ask):
    """A longer prompt sizes the cache of all; a shorter one that of none."""

    def cost(tokens):
        # Sensitivities are those of the optimum in fractions: whole batches jump.
        answer = ask(PAIR, f"demand.a.input_tokens={tokens!r}")
        return math.log((answer.relaxed or answer.cost).total)

    here = ask(PAIR)
    move = next(s for s in here.sensitivities if s.input == "demand.a.input_tokens")
    h = 1e-5
    left = (cost(4000) - cost(4000 * (1 - h))) / -math.log1p(-h)
    right = (cost(4000 * (1 + h)) - cost(4000)) / math.log1p(h)
    assert right - left > 1e-2
    assert move.elasticity is None
    assert move.left == pytest.approx(left, rel=1e-3, abs=1e-5)
    assert move.right == pytest.approx(right, rel=1e-3)
