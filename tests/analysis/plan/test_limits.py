"""Limits and budgets: each made to bind, its price against a finite difference."""

import math

import pytest

SCENARIO = """
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 256}
serving:
  hardware: h100-sxm
  precision: fp8
  weights: int4
  kv: bf16
  mfu: {prefill: 50 %, decode: 10 %}
  price: $2.50/h
  batch: 16
  context: 4000
architecture:
  {layers: 32, width: 4096, kv_heads: 8, head_size: 128, sequence: 4096}
demand:
  {requests: 4M/day, input_tokens: 1000, output_tokens: 200, lifetime: 2 years}
energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}
data: {price: $0.1 per million tokens}
money: {discount_rate: 30 %}
costs: {fixed: $20k, restart: 5 %}
"""
UNITS = {
    "training_time": " s",
    "memory": " B",
    "energy": " kWh",
    "parameters": "",
    "tokens": "",
    "training_compute": "",
    "training_cost": "",
    "total_cost": "",
}

# Between the least that some plan uses and what the plan without limits uses.
BINDING = [
    ("parameters", "compute", 5.5e9),
    ("parameters", "dollars", 7e9),
    ("tokens", "compute", 1e12),
    ("training_compute", "compute", 5e22),
    ("training_time", "compute", 0.49e6),
    ("training_time", "carbon", 0.49e6),
    ("training_cost", "energy", 69e3),
    ("memory", "compute", 11e9),
    ("memory", "dollars", 11.5e9),
    ("total_cost", "compute", 260e3),
    ("total_cost", "energy", 250e3),
    ("energy", "compute", 36.2e3),
    ("energy", "dollars", 38e3),
]


def limited(ask, word, objective, bound):
    return ask(
        SCENARIO, f"objective={objective}", f"limits.{word}={bound!r}{UNITS[word]}"
    )


@pytest.mark.parametrize(("word", "objective", "bound"), BINDING)
def test_a_binding_limit_has_the_price_of_its_finite_difference(
    ask, word, objective, bound
):
    answer = limited(ask, word, objective, bound)
    free = ask(SCENARIO, f"objective={objective}")
    assert answer.plan is not None, answer.infeasibility.reason
    assert answer.cost.total > free.cost.total
    (limit,) = answer.limits
    assert limit.binding
    assert limit.name == f"limits.{word}"
    assert limit.value == pytest.approx(bound, rel=1e-9)
    h = 1e-5
    up, down = (
        limited(ask, word, objective, bound * (1 + step)).cost.total for step in (h, -h)
    )
    per_unit = (up - down) / (2 * h * bound)
    assert limit.shadow_price == pytest.approx(per_unit, rel=1e-5)
    relative = math.log(up / down) / math.log((1 + h) / (1 - h))
    assert limit.elasticity == pytest.approx(relative, rel=1e-5)
    assert limit.elasticity < 0
    move = next(s for s in answer.sensitivities if s.input == limit.name)
    assert move.elasticity == pytest.approx(limit.elasticity, rel=1e-9)
    assert limit.line is None or limit.line > 0


@pytest.mark.parametrize(("word", "objective", "bound"), BINDING)
def test_a_wide_limit_costs_nothing(ask, word, objective, bound):
    answer = limited(ask, word, objective, 10 * bound)
    (limit,) = answer.limits
    assert not limit.binding
    assert limit.elasticity == 0
    assert limit.shadow_price == 0
    assert limit.value < limit.bound
    free = ask(SCENARIO, f"objective={objective}")
    assert answer.cost.total == pytest.approx(free.cost.total, rel=1e-12)


@pytest.mark.parametrize(
    ("word", "objective"), [("total_cost", "dollars"), ("energy", "energy")]
)
def test_a_limit_on_the_objective_itself_is_slack_or_infeasible(ask, word, objective):
    least = ask(SCENARIO, f"objective={objective}").cost.total
    wide = limited(ask, word, objective, 1.01 * least)
    assert wide.cost.total == pytest.approx(least, rel=1e-10)
    assert not wide.limits[0].binding
    assert wide.limits[0].shadow_price == 0
    narrow = limited(ask, word, objective, 0.99 * least)
    assert narrow.plan is None
    assert set(narrow.infeasibility.conflict) == {"target", f"limits.{word}"}
    (way,) = (w for w in narrow.infeasibility.relaxations if w.name != "target")
    assert way.after == pytest.approx(least, rel=2e-6)


def test_what_each_limit_measures(ask):
    """Every value of a plan against its definition."""
    wide = {
        "parameters": "1e12",
        "tokens": "1e15",
        "training_compute": "1e30",
        "training_time": "99 years",
        "training_cost": "$1B",
        "total_cost": "$1B",
        "memory": "100 TB",
        "energy": "100 TWh",
    }
    answer = ask(SCENARIO, *(f"limits.{k}={v}" for k, v in wide.items()))
    used = {limit.name.partition(".")[2]: limit.value for limit in answer.limits}
    N, D = answer.plan.parameters, answer.plan.tokens
    train = 1.05 * 6 * N * D
    seconds = train / (989.4e12 * 0.4)
    prompt = 4e6 * 730.5 * 1000
    serve = 2 * N * (prompt / 0.5 + 0.2 * prompt / 0.1) / 1979e12
    fade = sum((1 / 1.3) ** (m / 12) for m in range(24)) / 24
    expected = {
        "parameters": N,
        "tokens": D,
        "training_compute": train,
        "training_time": seconds / 256,
        "training_cost": seconds / 3600 * 2,
        "total_cost": seconds / 3600 * 2 + serve * fade / 3600 * 2.5 + D * 1e-7 + 20e3,
        # int4 weights, and two bf16 numbers a layer, head and position.
        "memory": N / 2 + 16 * 4000 * 2 * 32 * 8 * 128 * 2,
        "energy": (seconds + serve) * 700 * 0.7 * 1.2 / 3.6e6,
    }
    assert used == pytest.approx(expected, rel=1e-9)


def test_kv_bytes_of_a_token_as_published(ask):
    """Llama 3 8B: 131,072 bytes a token in bf16; SmolLM3: 73,728 (their configs)."""
    for layers, heads, size in ((32, 8, 131072), (36, 4, 73728)):
        shape = f"{{layers: {layers}, width: 1, kv_heads: {heads}, head_size: 128}}"
        one, two = (
            ask(
                SCENARIO,
                *(f"architecture={shape}", "serving.batch=1", "limits.memory=1 TB"),
                f"serving.context={context}",
            )
            .limits[0]
            .value
            for context in (1, 1001)
        )
        assert two - one == pytest.approx(1000 * size, rel=1e-6)


def test_streams_with_machines_of_their_own_each_have_a_memory_limit(ask):
    text = SCENARIO.partition("demand:")[0] + (
        "demand:\n"
        "  - {name: cloud, tokens: 1T, input_tokens: 5, output_tokens: 1}\n"
        "  - {name: phone, tokens: 1T, input_tokens: 5, output_tokens: 1, serving: "
        "{weights: bf16, batch: 1, context: 1000}}\n"
        "limits: {memory: 14 GB}\n"
    )
    answer = ask(text)
    cloud, phone = answer.limits
    assert (cloud.name, phone.name) == ("limits.memory", "limits.memory (phone)")
    assert not cloud.binding
    assert phone.binding
    cache = 1000 * 131072
    assert answer.plan.parameters == pytest.approx((14e9 - cache) / 2, rel=1e-9)
    assert phone.line == cloud.line == text.count("\n")


BUDGETS = [
    ("compute", "1e24", ""),
    ("cost", "3e6", ""),
    ("training_compute", "5e23", ""),
    ("training_time", "5e6", " s"),
    ("training_cost", "2e6", ""),
]


def bought(ask, word, amount, unit, *more):
    text = SCENARIO.replace(
        "target: {match: {parameters: 13B}}", f"budget: {{{word}: {amount}{unit}}}"
    )
    return ask(text, *more)


@pytest.mark.parametrize(("word", "amount", "unit"), BUDGETS)
def test_a_budget_buys_the_lowest_loss_and_is_spent(ask, word, amount, unit):
    answer = bought(ask, word, amount, unit)
    (limit,) = answer.limits
    assert limit.name == f"budget.{word}"
    assert limit.binding
    assert limit.value == pytest.approx(float(amount), rel=1e-9)
    h = 1e-5
    losses = [
        bought(ask, word, repr(float(amount) * (1 + step)), unit).plan.loss
        for step in (h, -h)
    ]
    s = answer.plan.loss - answer.law.E
    per_unit = (losses[0] - losses[1]) / (2 * h * float(amount))
    assert limit.shadow_price == pytest.approx(per_unit, rel=1e-5)
    assert limit.elasticity == pytest.approx(per_unit * float(amount) / s, rel=1e-5)
    # Turned round: that loss at the least of what was budgeted costs the budget.
    if word in ("compute", "cost"):
        objective = {"compute": "compute", "cost": "dollars"}[word]
        back = ask(
            SCENARIO,
            f"target.loss={answer.plan.loss!r}",
            f"objective={objective}",
        )
        assert back.cost.total == pytest.approx(float(amount), rel=1e-9)
        assert back.plan.parameters == pytest.approx(answer.plan.parameters, rel=1e-6)


@pytest.mark.parametrize(("word", "amount", "unit"), BUDGETS)
@pytest.mark.parametrize("fixed", [("N", "fix.parameters=3B"), ("D", "fix.tokens=3T")])
def test_a_budget_with_a_fixed_choice_spends_all_on_the_other(
    ask, word, amount, unit, fixed
):
    variable, assignment = fixed
    answer = bought(ask, word, amount, unit, assignment)
    (limit,) = answer.limits
    assert limit.value == pytest.approx(float(amount), rel=1e-9)
    held = answer.plan.parameters if variable == "N" else answer.plan.tokens
    assert held == (3e9 if variable == "N" else 3e12)
    free = bought(ask, word, amount, unit)
    assert answer.fixed.optimum.parameters == pytest.approx(
        free.plan.parameters, rel=1e-9
    )
    extra = answer.plan.loss - free.plan.loss
    assert answer.fixed.extra == pytest.approx(extra, abs=1e-12)
    assert extra > 0


def test_a_budget_under_a_wall(ask):
    """A training budget with a memory wall: the rest of the money goes into tokens."""
    answer = bought(ask, "training_cost", "2e6", "", "limits.memory=10 GB")
    memory, budget = answer.limits
    assert memory.binding
    assert budget.binding
    cache = 16 * 4000 * 131072
    N = 2 * (10e9 - cache)
    assert answer.plan.parameters == pytest.approx(N, rel=1e-9)
    seconds = 2e6 / 2 * 3600
    D = seconds * 989.4e12 * 0.4 / (1.05 * 6 * N)
    assert answer.plan.tokens == pytest.approx(D, rel=1e-9)


def test_each_objective_reaches_its_own_least(ask):
    """No objective's plan is better in another's unit."""
    units = {
        "compute": "FLOP",
        "dollars": "USD",
        "energy": "kWh",
        "carbon": "kgCO2e",
    }
    answers = {name: ask(SCENARIO, f"objective={name}") for name in units}
    for name, unit in units.items():
        assert answers[name].cost.unit == unit
        assert answers[name].cost.total == pytest.approx(
            answers[name].amounts[unit], rel=1e-12
        )
        for other in answers.values():
            assert other.amounts[unit] >= answers[name].amounts[unit] * (1 - 1e-9)
