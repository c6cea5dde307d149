"""Energy and carbon: accelerator hours × TDP × power fraction × PUE, × the grid."""

import pytest

from optimizer.errors import InputError

SCENARIO = """
law: hoffmann-2022-devries
objective: energy
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %}
serving: {hardware: l4, mfu: {prefill: 30 %, decode: 3 %}}
demand: {requests: 1e9, input_tokens: 500, output_tokens: 500}
energy: {pue: 1.25, power_fraction: 0.7, grid: 0.35 kg/kWh}
"""


def test_energy_is_the_time_of_accelerators_at_their_mean_power(ask):
    """TDP: H100 SXM 700 W, L4 72 W (their datasheets)."""
    answer = ask(SCENARIO)
    N, D = answer.plan.parameters, answer.plan.tokens
    assert answer.cost.unit == "kWh"
    hours = 6 * N * D / (989.4e12 * 0.4) / 3600
    assert answer.training_run.accelerator_hours == pytest.approx(hours, rel=1e-12)
    assert answer.cost.training == pytest.approx(hours * 0.7 * 0.7 * 1.25, rel=1e-12)
    # 500 B tokens of each kind, an L4 at 121 TFLOP/s.
    seconds = 2 * N * 5e11 * (1 / 0.30 + 1 / 0.03) / 121e12
    served = seconds / 3600 * 0.072 * 0.7 * 1.25
    assert answer.cost.inference == pytest.approx(served, rel=1e-12)
    assert answer.amounts["kgCO2e"] == pytest.approx(0.35 * answer.cost.total, rel=1e-9)
    assert answer.amounts["USD"] is None


def test_mean_power_and_pue_scale_energy_and_change_no_plan(ask):
    """They multiply both sides alike: a plan of least energy does not know them."""
    here = ask(SCENARIO)
    there = ask(SCENARIO, "energy.pue=1.5", "energy.power_fraction=35 %")
    assert there.plan.parameters == pytest.approx(here.plan.parameters, rel=1e-9)
    assert there.cost.total == pytest.approx(here.cost.total * 1.2 / 2, rel=1e-9)
    carbon = ask(SCENARIO, "objective=carbon", "energy.grid=20 g/kWh")
    assert carbon.plan.parameters == pytest.approx(here.plan.parameters, rel=1e-9)
    assert carbon.cost.unit == "kgCO2e"
    assert carbon.cost.total == pytest.approx(0.02 * here.cost.total, rel=1e-9)


def test_an_efficient_chip_for_serving_moves_the_plan(ask):
    """Where a served token costs less energy, the model may be larger."""
    hungry = ask(SCENARIO, "serving.hardware=a100-80-sxm")
    frugal = ask(SCENARIO, "serving.hardware=gb200")
    watts = {"a100": 400 / 312e12, "gb200": 1200 / 2500e12}
    assert watts["gb200"] < watts["a100"]
    assert frugal.plan.parameters > hungry.plan.parameters
    assert frugal.cost.total < hungry.cost.total


def test_without_a_grid_there_is_energy_and_no_carbon(ask):
    text = SCENARIO.replace(", grid: 0.35 kg/kWh", "")
    answer = ask(text)
    assert answer.amounts["kWh"] == pytest.approx(ask(SCENARIO).cost.total, rel=1e-12)
    assert answer.amounts["kgCO2e"] is None
    with pytest.raises(InputError) as raised:
        ask(text, "objective=carbon")
    assert "grid" in str(raised.value)


def refusal(ask, *changes, text=SCENARIO):
    with pytest.raises(InputError) as raised:
        ask(text, *changes)
    return str(raised.value)


def test_a_chip_without_a_thermal_design_power_is_refused_with_its_reason(ask):
    """Google publishes no TDP of a TPU; an estimate is the user's to give."""
    message = refusal(ask, "serving.hardware=tpu-v5e")
    assert "serving" in message
    assert "tpu-v5e has no thermal design power" in message
    assert "Google publishes no TDP" in message
    assert "tdp: 300 W" in message
    message = refusal(ask, "training.hardware=tpu-v5p")
    assert "training" in message
    assert "tpu-v5p has no thermal design power" in message
    # Described by the user, with a figure of his own, it goes.
    mine = (
        "serving.hardware={name: my-tpu, peaks: {bf16: 197 TFLOP/s}, tdp: 300 W, "
        "memory: 16 GB, bandwidth: 819 GB/s}"
    )
    assert ask(SCENARIO, mine).plan is not None
    # Nor does energy that nobody asks for need one.
    plain = SCENARIO.replace("energy: {", "description: was {").partition("descr")[0]
    answer = ask(plain, "objective=compute", "serving.hardware=tpu-v5e")
    assert answer.amounts["kWh"] is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("energy.pue=0.9",), "energy.pue: must be at least 1"),
        (("energy.power_fraction=1.2",), "energy.power_fraction: must be at most 1"),
        (("objective=carbon", "energy.grid=0"), "the carbon of every plan is zero"),
        (("objective=dollars",), "training: {price: $2.50/h}"),
        (("serving.model=flops",), "model: mfu"),
    ],
)
def test_figures_that_cannot_be(ask, changes, words):
    assert words in refusal(ask, *changes)


def test_energy_without_its_section_says_what_to_add(ask):
    message = refusal(ask, text=SCENARIO.partition("energy: {")[0])
    assert "scenario.yaml:3:12: objective" in message
    assert "energy: {pue: " in message
