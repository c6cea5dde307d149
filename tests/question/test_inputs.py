"""Every number of a scenario is an input, and its derivative is exact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from optimizer.question.formulate import Question, formulate
from optimizer.question.inputs import STEP, inputs, stepped
from optimizer.question.load import read_scenario

COMMON = """\
name: Everything
law: {E: 1.69, A: 406.4, B: 410.7, alpha: 0.336, beta: 0.283}
training:
  {hardware: h100-sxm, mfu: 0.4, price: $2/h, accelerators: 384, attention: true}
serving:
  hardware:
    name: mine
    peaks: {bf16: 400 TFLOP/s, fp8: 800 TFLOP/s}
    memory: 80 GB
    bandwidth: 2 TB/s
    tdp: 500 W
  precision: fp8
  weights: int4
  kv: fp8
  mfu: {prefill: 0.5, decode: 0.01}
  price: $3/h
  batch: 32
  context: 4000
  attention: true
demand:
  - name: assistant
    requests: {low: 2M/day, expected: 5M/day, high: 8M/day}
    input_tokens: 800
    output_tokens: 300
    samples: 4
    lifetime: 2.03 years
    growth: 5 %/month
    start: 3.3 months
    cost_share: 60 %
  - name: batch
    tokens: 2T
    serving: {mfu: 30 %, price: example, hardware: h100-sxm, attention: false}
data: {price: $0.01 per million tokens}
architecture: {layers: 32, width: 4096, kv_heads: 8, head_size: 128, sequence: 4096}
money: {discount_rate: 8 %, price_decline: 20 %}
energy: {pue: 1.2, power_fraction: 0.7, grid: 0.35 kg/kWh}
costs: {fixed: $500k, restart: 5 %}
limits:
  parameters: 70B
  tokens: 30T
  training_compute: 1e26 FLOP
  training_time: 900 days
  training_cost: $900M
  total_cost: $5B
  memory: 80 GB
  energy: 9 TWh
"""
QUESTIONS = {
    "match": "objective: carbon\ntarget: {match: {parameters: 13B, tokens: 400B}}\n",
    "optimal": "objective: dollars\ntarget: {match: {parameters: 13B}}\n",
    "loss": "objective: energy\ntarget: {loss: 1.95}\nfix: {parameters: 7B}\n",
    "budget": "budget: {cost: $30M}\nfix: {tokens: 1T}\n",
    "time": "budget: {training_time: 30 days}\n",
}
NAMES = [
    *("demand.assistant.requests.expected", "demand.assistant.input_tokens"),
    *("demand.assistant.output_tokens", "demand.assistant.samples"),
    *("demand.assistant.lifetime", "demand.assistant.growth"),
    *("demand.assistant.start", "demand.assistant.cost_share"),
    *("demand.batch.serving.price", "demand.batch.tokens", "demand.batch.serving.mfu"),
    *("training.mfu", "training.price", "training.accelerators"),
    *("serving.mfu.prefill", "serving.mfu.decode", "serving.price"),
    *("serving.batch", "serving.context"),
    *("serving.hardware.peaks.bf16", "serving.hardware.peaks.fp8"),
    *("serving.hardware.memory", "serving.hardware.bandwidth", "serving.hardware.tdp"),
    *("limits.parameters", "limits.tokens", "limits.training_compute"),
    *("limits.training_time", "limits.training_cost", "limits.total_cost"),
    *("limits.memory", "limits.energy", "data.price"),
    *("architecture.layers", "architecture.width", "architecture.kv_heads"),
    *("architecture.head_size", "architecture.sequence"),
    *("money.discount_rate", "money.price_decline"),
    *("energy.pue", "energy.power_fraction", "energy.grid"),
    *("costs.fixed", "costs.restart"),
    *("law.E", "law.A", "law.B", "law.alpha", "law.beta"),
]
OWN = {
    "match": ["target.match.parameters", "target.match.tokens"],
    "optimal": ["target.match.parameters"],
    "loss": ["target.loss", "fix.parameters"],
    "budget": ["budget.cost", "fix.tokens"],
    "time": ["budget.training_time"],
}
UNITS = {
    "requests.expected": "/day",
    **dict.fromkeys((".lifetime", ".start", ".training_time"), "s"),
    **dict.fromkeys(("bf16", "fp8"), "FLOP/s"),
    **{"limits.memory": "B", "hardware.memory": "B", "bandwidth": "B/s"},
    **{"tdp": "W", "limits.energy": "kWh", "grid": "kg/kWh"},
}
# These must be whole numbers; every coefficient is affine in each, or goes as 1/x.
WHOLE = (
    *("accelerators", "batch", "context", "layers", "width", "kv_heads"),
    *("head_size", "sequence"),
)
# These move nothing: a precision that no one computes in, and figures for a roofline.
IDLE = {
    *("serving.hardware.peaks.bf16", "serving.hardware.memory"),
    "serving.hardware.bandwidth",
}
# E cancels where a reference sets the quality; the grid matters for carbon alone.
UNUSED = {
    "match": {"law.E"},
    "optimal": {"law.E", "energy.grid"},
    "loss": {"energy.grid"},
    "budget": {"law.E", "energy.grid"},
    "time": {"law.E", "energy.grid"},
}


def numbers(question: Question) -> np.ndarray:
    """Every number of the program, with what is fixed, in one row."""
    program = question.free
    rows: Iterator[object] = (
        array
        for posynomial in (
            program.objective,
            *(constraint.posynomial for constraint in program.constraints),
        )
        for array in (posynomial.coefficients, posynomial.exponents)
    )
    fixed = list(question.fixed.values())
    return np.concatenate([np.ravel(np.asarray(row)) for row in (*rows, fixed)])


@pytest.mark.parametrize("ask", QUESTIONS)
def test_every_number_of_the_file_is_an_input(ask: str) -> None:
    found = inputs(read_scenario(COMMON + QUESTIONS[ask], "all.yaml"))
    assert sorted(i.name for i in found) == sorted([*NAMES, *OWN[ask]])
    values = {i.name: i.value for i in found}
    assert values["demand.assistant.requests.expected"] == 5e6
    assert values["serving.hardware.tdp"] == 500.0
    assert values["money.discount_rate"] == 0.08
    assert values["law.alpha"] == 0.336


def test_what_is_no_amount_and_what_the_file_does_not_say_is_no_input() -> None:
    """Experts are a choice of model; defaults are not the user's numbers."""
    scenario = read_scenario(
        "law: ludziejewski-2025\nexperts: 8\ntarget: {match: {model: llama-3-8b}}\n"
        "demand: {tokens: {low: 1T, expected: 2T, high: 3T}}\n"
        "training: {attention: false, precision: bf16}\n"
    )
    names = [i.name for i in inputs(scenario) if not i.name.startswith("law.")]
    assert names == ["demand.tokens.expected"]


@pytest.mark.parametrize("ask", QUESTIONS)
def test_the_complex_step_is_the_central_difference_by_set(ask: str) -> None:
    """Each input goes by the same name in `--set`, which moves it for a difference.

    Source of the step: Squire & Trapp, SIAM Review 40 (1998).
    """
    text = COMMON + QUESTIONS[ask]
    scenario = read_scenario(text, "all.yaml")
    here = numbers(formulate(scenario))
    there = np.where(here == 0, 1.0, here)
    idle = set()
    for item in inputs(scenario):
        exact = numbers(formulate(stepped(scenario, item.path))).imag / STEP
        step = 1.0 if item.name.endswith(WHOLE) else 1e-6 * item.value
        below, above = (
            numbers(formulate(read_scenario(text, "all.yaml", [assignment])))
            for assignment in (
                assigned(item.name, item.value - step),
                assigned(item.name, item.value + step),
            )
        )
        if item.name == "training.accelerators":
            # Coefficients go as 1/x: the difference is exact for the inverses.
            used = above != below
            rise = np.zeros_like(here)
            rise[used] = -(here[used] ** 2) * (1 / above[used] - 1 / below[used])
        else:
            rise = above - below
        found = rise * item.value / (2 * step)
        np.testing.assert_allclose(
            exact / there, found / there, rtol=2e-6, atol=1e-7, err_msg=item.name
        )
        if not np.any(exact):
            idle.add(item.name)
    assert idle == IDLE | UNUSED[ask]


def assigned(name: str, value: float) -> str:
    """What `--set` takes for an input and a value in its base unit."""
    whole = name.endswith(WHOLE)
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    return f"{name}={round(value) if whole else repr(value)} {unit}".strip()
