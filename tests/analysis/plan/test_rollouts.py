"""Rollouts after pre-training, against a grid and against the published rule."""

import numpy as np
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan

LAW = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
CASE = """\
law: besiroglu-2024
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
post_training: {rollout_tokens: 100B, trained_on: 100 %}
"""
# Dense bf16 peak [FLOP/s] of an H100 SXM and TDP [W], from NVIDIA's datasheet.
PEAK, TDP = 989.4e12, 700.0


def read(text, *sets):
    return read_scenario(text, "s.yaml", sets)


@pytest.mark.parametrize(
    ("rollouts", "N", "D"),
    [
        ("1e11", "5.83e9", "8.03e11"),
        ("5e11", "5.18e9", "1.04e12"),
        ("2e12", "4.26e9", "1.72e12"),
    ],
)
def test_the_table_of_rollouts_that_are_all_trained_on(rollouts, N, D):
    """8·N·R under besiroglu-2024 at 2T served tokens and the loss of its 13B."""
    found = solve(read(CASE, f"post_training.rollout_tokens={rollouts}"))
    assert f"{found.plan.parameters:.2e}".replace("e+0", "e") == N
    assert f"{found.plan.tokens:.2e}".replace("e+", "e") == D
    assert passes(found.certificate)


@pytest.mark.parametrize("seed", range(30))
def test_random_rollouts_against_a_grid(seed):
    """Compute or dollars, with other prices and MFU where tokens are generated."""
    random = np.random.default_rng(seed)
    T, R = 10 ** random.uniform(10, 13), 10 ** random.uniform(9, 13)
    part, s = random.uniform(0, 1), random.uniform(0.2, 0.6)
    mfu = random.uniform(0.1, 0.6, 3)
    price = random.uniform(1, 5, 3)
    dollars = bool(seed % 2)
    words = ", ".join(f"{k}: {v!r}" for k, v in LAW.items())

    def machine(i):
        return f"{{hardware: h100-sxm, mfu: {mfu[i]:.6f}, price: ${price[i]:.6f}/h}}"

    found = solve(
        read(
            f"law: {{{words}}}\ntarget: {{loss: {LAW['E'] + s!r}}}\n"
            f"demand: {{tokens: {T!r}}}\n"
            f"objective: {'dollars' if dollars else 'compute'}\n"
            f"training: {machine(0)}\nserving: {machine(1)}\n"
            f"post_training: {{rollout_tokens: {R!r}, trained_on: {part!r}, "
            f"serving: {machine(2)}}}\n"
        )
    )
    unit = [
        float(f"{p:.6f}") / 3600 / PEAK / float(f"{u:.6f}")
        for p, u in zip(price, mfu, strict=True)
    ]
    if not dollars:
        unit = [1.0] * 3
    sizes = np.geomspace(1e6, 1e14, 40_001)
    for _ in range(3):
        rest = s - LAW["A"] * sizes ** -LAW["alpha"]
        with np.errstate(all="ignore"):
            tokens = np.where(rest > 0, (LAW["B"] / rest) ** (1 / LAW["beta"]), np.inf)
        cost = (
            unit[0] * 6 * sizes * (tokens + part * R)
            + unit[1] * 2 * sizes * T
            + unit[2] * 2 * sizes * R
        )
        best = int(np.argmin(cost))
        sizes = np.geomspace(sizes[best - 2], sizes[best + 2], 40_001)
    assert found.cost.total == pytest.approx(cost.min(), rel=1e-8)
    assert found.cost.other == pytest.approx(
        found.plan.parameters * R * (2 * unit[2] + 6 * part * unit[0]), rel=1e-9
    )
    hours = 2 * found.plan.parameters * R / PEAK / float(f"{mfu[2]:.6f}") / 3600
    assert found.post_training.generation_hours == pytest.approx(hours, rel=1e-9)


MACHINES = """\
objective: carbon
training: {hardware: h100-sxm, mfu: 40 %, price: $2.00/h}
serving: {hardware: h100-sxm, mfu: 30 %, price: $2.00/h}
energy: {pue: 1.2, power_fraction: 70 %, grid: 0.35 kg/kWh}
"""


def test_energy_carbon_and_hours_are_those_of_each_machine():
    found = solve(read(CASE + MACHINES))
    N, R = found.plan.parameters, 1e11
    joules = (2 * N * R / 0.3 + 6 * N * R / 0.4) / PEAK * TDP * 0.7 * 1.2
    assert found.cost.other == pytest.approx(joules / 3.6e6 * 0.35, rel=1e-12)
    after = found.post_training
    assert after.training_hours == pytest.approx(6 * N * R / 0.4 / PEAK / 3600)
    assert after.share == pytest.approx(8 * R / (6 * found.plan.tokens), rel=1e-12)
    names = [line.name for line in found.cost.lines]
    assert names == ["training", "demand", "rollouts", "training on rollouts"]


ROOFLINE = """\
objective: dollars
law: besiroglu-2024
target: {match: {parameters: 13B}}
demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300, lifetime: 1 year}
training: {hardware: h100-sxm, mfu: 40 %, price: $2.00/h}
serving: {model: roofline, hardware: h100-sxm, mfu: 50 %, mbu: 70 %, price: $2.00/h,
  max_time_per_output_token: 20 ms}
architecture: {layers: 40, width: 5120, kv_heads: 8, head_size: 128}
post_training: {rollout_tokens: 500B, trained_on: 20 %, input_tokens: 500,
  output_tokens: 8000}
"""


def test_on_a_roofline_rollouts_have_a_batch_of_their_own():
    """Nobody waits for one, so that the time limit of users is not theirs."""
    found = solve(read(ROOFLINE))
    assert passes(found.certificate)
    chat, rollouts = found.serving
    assert (chat.bound_by, rollouts.bound_by) == ("latency", "memory")
    steps = 500e9 / rollouts.batch * rollouts.step_time
    read_prompts = 2 * found.plan.parameters * 500e9 / 8000 * 500 / (PEAK * 0.5)
    line = next(line for line in found.cost.lines if line.name == "rollouts")
    assert line.amount == pytest.approx((steps + read_prompts) / 3600 * 2, rel=1e-9)


def test_a_sweep_and_a_solve_say_the_same():
    swept = plan(read(CASE), ["post_training.rollout_tokens=10B:10T:log:4"])
    found = rows(swept, 0, 4)
    at = list(RESULTS).index("cost_total")
    for values, results in zip(found.inputs, found.results, strict=True):
        value = f"post_training.rollout_tokens={float(values[0])!r}"
        one = solve(read(CASE, value), whole=False)
        assert results[at] == pytest.approx(one.cost.total, rel=1e-9)


def test_its_numbers_may_be_ranges_and_are_drawn():
    spread = "{low: 50B, expected: 100B, high: 1T}"
    drawn = plan(read(CASE.replace("100B", spread)), [], sample=200)
    names = [number.name for number in drawn.numbers]
    assert "post_training.rollout_tokens" in names
    found = rows(drawn, 0, 200)
    sizes = found.results[:, list(RESULTS).index("parameters")]
    assert np.corrcoef(np.log(found.inputs[:, 0]), np.log(sizes))[0, 1] < -0.9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            ROOFLINE.replace(", input_tokens: 500,\n  output_tokens: 8000", ""),
            "post_training: is generated on a roofline, which needs the length",
        ),
        (
            CASE.replace("tokens: 2T", "name: rollouts, tokens: 2T"),
            'demand.name: "rollouts" is the name of another cost',
        ),
        (
            CASE.replace("100 %}", "100 %, input_tokens: 5}"),
            "needs input_tokens and output_tokens together",
        ),
        (CASE.replace(", trained_on: 100 %", ""), "post_training.trained_on: is miss"),
        (
            CASE
            + MACHINES.replace("carbon", "dollars")
            .replace("$2.00/h}\ne", "")
            .replace("serving: {hardware: h100-sxm, mfu: 30 %, price: nergy", "energy"),
            "objective: needs more figures",
        ),
    ],
)
def test_what_is_missing_is_told(text, said):
    with pytest.raises(InputError, match=said):
        read(text)
