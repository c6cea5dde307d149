"""Dollars: the published cases, the identity with FLOPs, and every line of a bill."""

import math

import pytest

SARDANA = """
law: hoffmann-2022-devries
target: {loss: 1.947}
"""
DOLLARS = f"""{SARDANA}
objective: dollars
training: {{hardware: a100-80-sxm, precision: bf16, mfu: 50 %, price: $1.40/h}}
serving:
  hardware: a100-40-sxm
  precision: int8
  mfu: {{prefill: 40 %, decode: 20 %}}
  price: $0.60/h
demand: {{requests: 1e10, input_tokens: 1000, output_tokens: 250}}
"""


def test_dollars_reproduce_sardanas_readme_to_the_cent(ask):
    """Sardana et al. 2024, README of the authors' code, `cost_optimal`.

    Baseline $1,605,531.94; optimum 2.053e10 on 3.302e12, training $1.014e6, total
    $1,425,059.70; 60.23 %, 182.41 % and 88.76 % of the baseline.
    """
    answer = ask(DOLLARS)
    assert f"{answer.training_optimal.cost.total:.2f}" == "1605531.94"
    assert f"{answer.cost.total:.2f}" == "1425059.70"
    assert f"{answer.cost.training:.3e}" == "1.014e+06"
    assert f"{answer.plan.parameters:.3e}" == "2.053e+10"
    assert f"{answer.plan.tokens:.3e}" == "3.302e+12"
    ratios = answer.overtraining
    assert f"{100 * ratios.parameters_ratio:.2f}" == "60.23"
    assert f"{100 * ratios.tokens_ratio:.2f}" == "182.41"
    assert f"{100 * ratios.cost_ratio:.2f}" == "88.76"


def test_flops_reproduce_sardanas_readme(ask):
    """The same README, `compute_optimal --loss 1.947 --inference_tokens 2e12`."""
    answer = ask(f"{SARDANA}demand: {{tokens: 2T}}")
    best = answer.training_optimal
    assert f"{best.parameters:.3e} {best.tokens:.3e}" == "3.408e+10 1.810e+12"
    assert f"{best.cost.training:.3e} {best.cost.total:.3e}" == "3.702e+23 5.065e+23"
    plan = answer.plan
    assert f"{plan.parameters:.3e} {plan.tokens:.3e}" == "2.418e+10 2.657e+12"
    assert f"{answer.cost.training:.3e}" == "3.855e+23"
    assert f"{answer.cost.total:.3e}" == "4.823e+23"
    ratios = answer.overtraining
    assert f"{100 * ratios.parameters_ratio:.2f}" == "70.96"
    assert f"{100 * ratios.tokens_ratio:.2f}" == "146.77"
    assert f"{100 * ratios.cost_ratio:.2f}" == "95.22"


LATER = (
    "money.discount_rate=8 %",
    "money.price_decline=20 %",
    "demand.start=3 months",
    "demand.lifetime=29.5 months",
    "demand.growth=3 %/month",
)


@pytest.mark.parametrize(
    "changes",
    [
        (),
        LATER,
        ("demand.cost_share=35 %",),
        ("costs.restart=5 %", "training.mfu=33 %"),
        ("objective=energy", "energy.pue=1.2", "energy.power_fraction=0.7"),
    ],
)
def test_the_dollar_plan_is_the_flop_plan_at_effective_tokens(ask, changes):
    """T_eff = (c_inf/c_train)·U_train·(T_in/U_in + T_out/U_out): an identity."""
    dollars = ask(DOLLARS, *changes)
    flops = ask(f"{SARDANA}demand: {{tokens: {dollars.demand.effective_tokens!r}}}")
    for field in ("parameters", "tokens"):
        ours, theirs = (getattr(a.plan, field) for a in (dollars, flops))
        assert ours == pytest.approx(theirs, rel=1e-9)
    if not changes:
        rate = (0.60 / 624) / (1.40 / 312)
        expected = rate * 0.5 * (1e13 / 0.4 + 2.5e12 / 0.2)
        assert dollars.demand.effective_tokens == pytest.approx(expected, rel=1e-12)


FULL = """
law: hoffmann-2022-devries
objective: dollars
target: {match: {parameters: 13B}}
training:
  hardware: h100-sxm
  mfu: 40 %
  price: $2/h
  accelerators: 128
  attention: true
serving: {hardware: h100-sxm, precision: fp8, mfu: 30 %, price: $2.5/h}
architecture: {layers: 32, width: 4096, sequence: 8192}
demand:
  - name: chat
    requests: 2M/day
    input_tokens: 1000
    output_tokens: 200
    samples: 2
    lifetime: 2 years
    serving: {mfu: {prefill: 50 %, decode: 5 %}, attention: true}
  - name: batch
    tokens: 700B
    start: 6 months
    cost_share: 40 %
    serving: {hardware: l4, precision: bf16, price: $0.5/h, mfu: 20 %}
money: {discount_rate: 10 %, price_decline: 30 %}
energy: {pue: 1.3, power_fraction: 0.6, grid: 0.4 kg/kWh}
data: {price: $0.3 per million tokens}
costs: {fixed: $400k, restart: 7 %}
"""


def test_every_line_in_every_unit_by_hand(ask):
    """Each amount of a scenario with everything on, recomputed from its definition."""
    answer = ask(FULL)
    N, D = answer.plan.parameters, answer.plan.tokens
    train = 1.07 * (6 * N * D + 12 * 32 * 4096 * 8192 * D)
    seconds = train / (989.4e12 * 0.4)

    requests = 2e6 * 730.5
    prompt, written = requests * 1000, requests * 2 * 200
    prefill = 2 * N * prompt + 2 * 32 * 4096 * 1000 * prompt
    decode = 2 * N * written
    chat = prefill / (1979e12 * 0.5) + decode / (1979e12 * 0.05)
    batch_flop = 2 * N * 7e11
    assert answer.demand.tokens == pytest.approx(prompt + written + 7e11, rel=1e-12)

    month = (0.7 / 1.1) ** (1 / 12)
    fade = sum(month**m for m in range(24)) / 24
    by_name = {line.name: line.amount for line in answer.cost.lines}
    assert by_name["training"] == pytest.approx(seconds / 3600 * 2, rel=1e-9)
    assert by_name["chat"] == pytest.approx(chat / 3600 * 2.5 * fade, rel=1e-9)
    batch = batch_flop / (121e12 * 0.2)
    assert by_name["batch"] == pytest.approx(
        0.4 * batch / 3600 * 0.5 * month**6, rel=1e-9
    )
    assert by_name["data"] == pytest.approx(D * 0.3e-6, rel=1e-9)
    assert by_name["fixed"] == 400e3
    assert answer.cost.other == pytest.approx(D * 0.3e-6 + 400e3, rel=1e-9)
    assert answer.cost.total == pytest.approx(sum(by_name.values()), rel=1e-12)
    assert sum(line.share for line in answer.cost.lines) == pytest.approx(1)

    amounts = answer.amounts
    assert amounts["USD"] == answer.cost.total
    flop = train + prefill + decode + 0.4 * batch_flop
    assert amounts["FLOP"] == pytest.approx(flop, rel=1e-9)
    # Energy is the time of accelerators; discounting is for dollars alone.
    watt = 0.6 * 1.3
    kwh = ((seconds + chat) * 700 + 0.4 * batch * 72) * watt / 3.6e6
    assert amounts["kWh"] == pytest.approx(kwh, rel=1e-9)
    assert amounts["kgCO2e"] == pytest.approx(0.4 * kwh, rel=1e-9)

    run = answer.training_run
    assert run.accelerator_hours == pytest.approx(seconds / 3600, rel=1e-9)
    assert run.time == pytest.approx(seconds / 128, rel=1e-9)

    paid = chat / 3600 * 2.5 * fade + batch / 3600 * 0.5 * month**6
    ours = by_name["training"] + by_name["chat"] + by_name["batch"] + answer.cost.other
    community = 0.6 * batch / 3600 * 0.5 * month**6
    assert answer.parties.lab == pytest.approx(ours, rel=1e-9)
    assert answer.parties.community == pytest.approx(community, rel=1e-9)
    assert answer.parties.social == pytest.approx(ours + community, rel=1e-9)

    # Tokens of later months are paid later: both sides at their present value.
    present = (1 / 1.1) ** (1 / 12)
    worth = (prompt + written) * sum(present**m for m in range(24)) / 24
    worth += 7e11 * present**6
    unit = answer.unit_cost
    assert unit.total == pytest.approx(1e6 * paid / worth, rel=1e-9)
    everything = ours + community
    assert unit.with_training == pytest.approx(1e6 * everything / worth, rel=1e-9)
    # The batch stream gives no split, so neither price can be told.
    assert unit.input is None
    assert unit.output is None


def test_the_price_of_input_and_output_tokens(ask):
    """Sardana's machines: $0.60/h at 624 TOP/s, 40 % for input and 20 % for output."""
    answer = ask(DOLLARS)
    token = 1e6 * 2 * answer.plan.parameters / (624e12 * 3600) * 0.60
    assert answer.unit_cost.input == pytest.approx(token / 0.4, rel=1e-9)
    assert answer.unit_cost.output == pytest.approx(token / 0.2, rel=1e-9)
    mixed = (4 * token / 0.4 + token / 0.2) / 5
    assert answer.unit_cost.total == pytest.approx(mixed, rel=1e-9)
    assert answer.unit_cost.with_training == pytest.approx(
        1e6 * answer.cost.total / 12.5e12, rel=1e-9
    )
    # The community's bill is part of what a token costs, whoever pays it.
    shared = ask(DOLLARS, "demand.cost_share=0 %")
    token = 1e6 * 2 * shared.plan.parameters / (624e12 * 3600) * 0.60
    assert shared.unit_cost.input == pytest.approx(token / 0.4, rel=1e-9)


def test_amounts_are_told_exactly_where_their_inputs_are_given(ask):
    plain = f"{SARDANA}demand: {{tokens: 2T}}"
    chip = "training.hardware=h100-sxm"
    cases = [
        ((), {"FLOP"}),
        ((chip,), {"FLOP"}),
        ((chip, "training.mfu=40 %"), {"FLOP"}),
        (
            (
                *(chip, "training.mfu=40 %", "training.price=$2/h"),
                *("serving.hardware=h100-sxm", "serving.mfu=20 %"),
            ),
            {"FLOP"},
        ),
        (
            (
                *(chip, "training.mfu=40 %", "training.price=$2/h"),
                *("serving.hardware=h100-sxm", "serving.mfu=20 %"),
                "serving.price=$2/h",
            ),
            {"FLOP", "USD"},
        ),
    ]
    for changes, known in cases:
        answer = ask(plain, *changes)
        found = {unit for unit, amount in answer.amounts.items() if amount is not None}
        assert found == known
        assert (answer.training_run is None) == ("training.mfu=40 %" not in changes)
        assert (answer.unit_cost is None) == ("USD" not in known)
    nothing = ask(f"{SARDANA}demand: {{tokens: 0}}", *cases[-1][0])
    assert nothing.unit_cost is None
    hours = nothing.cost.total / (989.4e12 * 0.4) / 3600
    assert nothing.amounts["USD"] == pytest.approx(2 * hours, rel=1e-12)


def test_data_at_a_price_means_fewer_tokens_and_a_larger_model(ask):
    free = ask(DOLLARS)
    priced = ask(DOLLARS, "data.price=$1 per million tokens")
    assert priced.plan.tokens < free.plan.tokens
    assert priced.plan.parameters > free.plan.parameters
    # What no choice changes moves no choice.
    fixed = ask(DOLLARS, "costs.fixed=$3M")
    assert fixed.plan.parameters == pytest.approx(free.plan.parameters, rel=1e-7)
    assert fixed.cost.total == pytest.approx(free.cost.total + 3e6, rel=1e-12)


def test_an_example_price_is_the_librarys_and_is_named(ask):
    text = DOLLARS.replace("price: $1.40/h", "price: example")
    answer = ask(text)
    assert any(w.code == "peak-price-example" for w in answer.warnings)
    named = next(w for w in answer.warnings if w.code == "peak-price-example").message
    price = float(named.partition("$")[2].partition("/h")[0])
    assert "2026" in named
    same = ask(DOLLARS, f"training.price=${price}/h")
    assert answer.cost.total == pytest.approx(same.cost.total, rel=1e-12)


SMOLLM3 = """
law: besiroglu-2024-refit
target: {match: {parameters: 3075098624, tokens: 11.2T}}
fix: {parameters: 3075098624}
demand: {tokens: 0}
training: {hardware: h100-sxm, mfu: 100 %, accelerators: 384}
architecture: {layers: 36, width: 2048, sequence: 4096}
"""


def test_smollm3s_published_run(ask):
    """384 H100 for 24 days is 26 % MFU by 6·N·D and 31 % with attention.

    N from its released configuration, 11.2T tokens and the hours from its README;
    Chowdhery et al. 2022, appendix B, for 12·L·H·Q·T.
    """
    paid = 384 * 24 * 24
    bare = ask(SMOLLM3)
    assert bare.plan.tokens == pytest.approx(11.2e12, rel=1e-9)
    assert 100 * bare.training_run.accelerator_hours / paid == pytest.approx(
        26.2, abs=0.05
    )
    whole = ask(SMOLLM3, "training.attention=true")
    mfu = whole.training_run.accelerator_hours / paid
    assert 100 * mfu == pytest.approx(31.4, abs=0.05)
    again = ask(SMOLLM3, "training.attention=true", f"training.mfu={100 * mfu} %")
    assert again.training_run.time == pytest.approx(24 * 86400, rel=1e-9)


def test_attention_of_a_long_context_costs_prefill(ask):
    """2·L·width·T a prompt token, the causal mean; decode and the plan's size apart."""
    text = f"{SARDANA}demand: {{requests: 1e8, input_tokens: 20k, output_tokens: 100}}"
    shape = ("architecture.layers=32", "architecture.width=4096")
    bare = ask(text)
    seen = ask(text, *shape, "serving.attention=true")
    extra = 2 * 32 * 4096 * 20e3 * (1e8 * 20e3)
    assert seen.cost.total - bare.cost.total == pytest.approx(extra, rel=1e-6)
    # It costs the same for every size, so the plan stays.
    assert math.isclose(seen.plan.parameters, bare.plan.parameters, rel_tol=1e-6)
