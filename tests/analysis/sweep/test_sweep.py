"""Sweeps against single solves, row by row, and draws against their distributions."""

import math

import numpy as np
import pytest

from optimizer.algebra.batch_value import Divided, Many
from optimizer.algebra.program import Status
from optimizer.analysis.plan.bills import bill
from optimizer.analysis.plan.extremes import training_optimal
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import search
from optimizer.analysis.sweep.sweep import (
    RESULTS,
    STATUSES,
    compiles_first,
    rows,
    sweep,
)
from optimizer.engine import batch
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import member, plan

PLAIN = (
    "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
    "demand: {tokens: 2T}\n"
)
SCARCE = (
    "law: muennighoff-2023\ntarget: {match: {parameters: 13B}}\n"
    "demand: {tokens: 2T}\ndata: {unique_tokens: 200B}\n"
)
MONEY = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 256}
serving: {hardware: h100-sxm, mfu: {prefill: 40 %, decode: 2 %}, price: $2/h}
demand:
  - {name: chat, requests: 1M/day, input_tokens: 800, output_tokens: 300,
     lifetime: 2 years, growth: 2 %/month, cost_share: 50 %}
  - {name: batch, requests: {low: 1e8, expected: 3e8, high: 1e9}, input_tokens: 2000,
     output_tokens: 100}
money: {discount_rate: 8 %, price_decline: 10 %}
data: {price: $0.01 per million tokens}
costs: {fixed: $100k, restart: 5 %}
limits: {training_time: 60 days, total_cost: $20M}
"""
ROOFLINE = """
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 30B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving:
  model: roofline
  hardware: h100-sxm
  mfu: {prefill: 50 %, decode: 40 %}
  mbu: 70 %
  price: $2/h
  accelerators: 8
  max_time_per_output_token: 50 ms
demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300, lifetime: 2 years}
"""


def asked(text, varied, sample=None, seed=0):
    return plan(read_scenario(text, "scenario.yaml"), varied, sample, seed)


def whole(sweeping, **more):
    parts = list(sweep(sweeping, lambda: False, **more))
    status = [STATUSES[i] for part in parts for i in part.status]
    return status, np.concatenate([part.results for part in parts])


def in_fractions(scenario):
    """The same of the relaxed program, which is what a sweep's rows are of."""
    question, found = search(scenario)
    point = question.complete({**question.fixed, **found.point})
    N, D = point["N"], point["D"]
    best = training_optimal(question, question.reducible, point)
    cost = bill(question, point)
    return [
        *(N, D, D / N, D / question.optimal_tokens(N), question.loss_at(point)),
        *(cost.training, cost.inference, cost.total),
        1 - cost.total / bill(question, question.complete(best)).total,
    ]


def single(scenario):
    """The columns of `RESULTS` as a single solve finds them, or None."""
    answer = solve(scenario)
    if answer.status is Status.INFEASIBLE:
        return None
    plan, cost = answer.plan, answer.cost
    if answer.relaxed is not None:
        return in_fractions(scenario)
    return [
        *(plan.parameters, plan.tokens, plan.tokens_per_parameter),
        answer.overtraining.factor,
        plan.loss,
        *(cost.training, cost.inference, cost.total),
        answer.savings.fraction,
    ]


@pytest.mark.parametrize(
    ("text", "varied", "chosen"),
    [
        (PLAIN, ["demand.tokens=1e9:1e15:log:40"], range(0, 40, 6)),
        (PLAIN, ["target.loss=1.7:2.6:40"], range(0, 40, 7)),
        (PLAIN, ["demand.tokens=0,1T", "law.alpha=0.33,0.35"], range(4)),
        (PLAIN, ["budget.compute=1e20:1e25:log:9"], range(0, 9, 4)),
        (PLAIN, ["fix.parameters=1B:20B:9", "demand.tokens=0,5T"], range(0, 18, 5)),
        (MONEY, ["demand.chat.lifetime=3 days:4 years:30"], range(0, 30, 8)),
        (
            MONEY,
            ["serving.price=1:9:5", "limits.training_time=10 days,90 days"],
            [3, 8],
        ),
        (MONEY, ["demand.chat.requests=0/day,1M/day,9M/day"], range(3)),
        (
            ROOFLINE,
            ["demand.requests=1M/day:20M/day:log:5", "serving.mbu=0.5,0.8"],
            [3],
        ),
        (PLAIN + "data: {unique_tokens: 300B}\n", ["demand.tokens=1T,9T"], [1]),
        (
            SCARCE,
            ["data.unique_tokens=30B:3T:log:12", "law.alpha=0.33,0.36"],
            range(0, 24, 3),
        ),
        (SCARCE, ["budget.compute=1e21:1e24:log:5"], range(5)),
        (SCARCE, ["fix.tokens=300B,900B", "data.unique_tokens=90B,400B"], range(4)),
        (
            ROOFLINE + "data: {unique_tokens: 1T}\nlimits: {total_cost: $40M}\n",
            ["demand.requests=1M/day,9M/day", "data.unique_tokens=200B,1T"],
            range(4),
        ),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, list) else "",
)
def test_a_row_is_what_a_single_solve_says(text, varied, chosen):
    sweeping = asked(text, varied)
    status, results = whole(sweeping)
    assert len(status) == sweeping.count
    for row in chosen:
        wanted = single(member(sweeping, row))
        if wanted is None:
            assert status[row] == "infeasible"
            assert np.isnan(results[row]).all()
        else:
            assert status[row] == "optimal"
            np.testing.assert_allclose(
                results[row, : len(wanted)], wanted, rtol=1e-6, atol=1e-9
            )
            assert results[row, -3:].max() <= 1e-8


def test_an_accelerator_of_the_scenario_s_own_can_vary():
    """Half the bandwidth at the same price serves the same plan for more."""
    chip = (
        "{name: mine, memory: 80 GB, bandwidth: 3.35 TB/s, peaks: {bf16: 989 TFLOP/s}}"
    )
    text = ROOFLINE.replace("hardware: h100-sxm", f"hardware: {chip}")
    sweeping = asked(
        text,
        [
            "serving.hardware.bandwidth=1.675TB/s,3.35TB/s",
            "serving.hardware.peaks.bf16=500TFLOP/s,989TFLOP/s",
        ],
    )
    status, results = whole(sweeping)
    assert status == ["optimal"] * 4
    for row in range(4):
        wanted = single(member(sweeping, row))
        np.testing.assert_allclose(results[row, : len(wanted)], wanted, rtol=1e-6)
    total = results[:, list(RESULTS).index("cost_total")]
    assert total[3] < min(total[1], total[2]) <= max(total[1], total[2]) < total[0]
    units = {number.name: number.unit for number in sweeping.numbers}
    assert units["serving.hardware.bandwidth"] == "bytes/s"


def test_rows_say_nothing_without_a_plan_and_all_with_one():
    status, results = whole(asked(PLAIN, ["target.loss=1.7:2.6:60"]))
    samples = list(RESULTS).index("samples")  # which this law does not ask for
    assert np.isnan(results[:, samples]).all()
    results = np.delete(results, samples, axis=1)
    for word, row in zip(status, results, strict=True):
        assert np.isfinite(row).all() if word == "optimal" else np.isnan(row).all()
    assert {"optimal", "infeasible"} == set(status)


def test_a_member_that_is_no_scenario_is_an_invalid_row_with_its_reason():
    """Growth of 1e12 a year leaves more tokens than any number after 40 years."""
    text = PLAIN.replace("{tokens: 2T}", "{tokens: 1B/day, lifetime: 40 years}")
    sweeping = asked(text, ["demand.growth=0.01,1e12,0.02"])
    found = rows(sweeping, 0, 3)
    assert [STATUSES[i] for i in found.status] == ["optimal", "invalid", "optimal"]
    assert any("overflow" in p or "beyond" in p for p in found.problems)


def test_blocks_and_workers_change_no_row(monkeypatch):
    sweeping = asked(MONEY, ["demand.chat.growth=0:0.5:30", "serving.price=1:5:30"])
    status, results = whole(sweeping)
    monkeypatch.setattr(batch, "BLOCK", 77)
    again, other = whole(sweeping, workers=3)
    assert again == status
    np.testing.assert_allclose(other[:, :9], results[:, :9], rtol=1e-12)


def test_the_last_axis_varies_fastest():
    sweeping = asked(PLAIN, ["demand.tokens=1T:3T:3", "law.beta=0.35,0.36"])
    columns = sweeping.columns(0, 6)
    assert columns[:, 0].tolist() == [1e12, 1e12, 2e12, 2e12, 3e12, 3e12]
    assert columns[:, 1].tolist() == [0.35, 0.36] * 3
    np.testing.assert_array_equal(sweeping.columns(3, 5), columns[3:5])


def test_a_grid_meets_both_ends():
    sweeping = asked(PLAIN, ["demand.tokens=3e9:7e14:log:50"])
    values = sweeping.columns(0, 50)[:, 0]
    assert (values[0], values[-1]) == (3e9, 7e14)
    ratios = values[1:] / values[:-1]
    np.testing.assert_allclose(ratios, (7e14 / 3e9) ** (1 / 49))


def test_stopping_ends_the_sweep_early(monkeypatch):
    monkeypatch.setattr(batch, "BLOCK", 10)
    asked_for = 0

    def stopped():
        nonlocal asked_for
        asked_for += 1
        return asked_for > 3

    parts = list(sweep(asked(PLAIN, ["demand.tokens=1T:9T:1000"]), stopped, workers=1))
    assert 0 < sum(len(part.status) for part in parts) < 1000


# Draws


def test_draws_have_the_percentiles_that_the_scenario_states():
    text = PLAIN.replace("2T", "{low: 1T, expected: 2T, high: 9T}")
    sweeping = asked(text, [], sample=40_000, seed=3)
    names = [number.name for number in sweeping.numbers]
    coefficients = ("A", "B", "E", "alpha", "beta")
    assert names == ["demand.tokens", *(f"law.{c}" for c in coefficients)]
    drawn = sweeping.columns(0, 40_000)
    logs = np.log(drawn[:, 0])
    np.testing.assert_allclose(
        np.percentile(logs, [10, 90]), [math.log(1e12), math.log(9e12)], atol=0.03
    )


def test_draws_of_a_law_keep_its_covariance():
    sweeping = asked(PLAIN, [], sample=40_000, seed=4)
    law = sweeping.scenario.law
    drawn = sweeping.columns(0, 40_000)
    columns = [
        np.log(column) if word.startswith("ln_") else column
        for word, column in zip(law.covariance.order, drawn.T, strict=True)
    ]
    found, wanted = np.cov(columns), np.array(law.covariance.matrix)
    size = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
    np.testing.assert_allclose(found / size, wanted / size, atol=0.04)


def test_a_draw_does_not_depend_on_how_many_there_are():
    few, many = asked(PLAIN, [], 10, 5), asked(PLAIN, [], 9000, 5)
    np.testing.assert_array_equal(few.columns(0, 10), many.columns(0, 10))
    np.testing.assert_array_equal(
        many.columns(0, 9000)[8000:8100], many.columns(8000, 8100)
    )
    assert (asked(PLAIN, [], 10, 6).columns(0, 10) != few.columns(0, 10)).all()


def test_what_is_varied_is_not_drawn():
    text = PLAIN.replace("2T", "{low: 1T, expected: 2T, high: 9T}")
    sweeping = asked(text, ["demand.tokens=1T,2T"], 5)
    assert [n.name for n in sweeping.numbers].count("demand.tokens") == 1
    assert sweeping.count == 10


# Hostile words


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        (
            "demand.tokns=1T,2T",
            'demand.tokns: unknown word "tokns"; did you mean "tokens"? allowed: '
            "cached_input_tokens, cost_share, growth, input_tokens, lifetime, name, "
            "output_tokens, requests, samples, serving, start, tokens",
        ),
        ("demand.tokens=2T:1T:3", "a grid must rise from low to high, got "),
        ("demand.tokens=1T:1T:3", "a grid must rise from low to high, got "),
        ("demand.tokens=1T:2T:0", "steps must be at least 2, got 0"),
        ("demand.tokens=1T:2T:1", "steps must be at least 2, got 1"),
        ("demand.tokens=1T:2T:1000000000", "steps must be below 1,000,000,000, got"),
        ("demand.tokens=1T:2T:2.5", "steps must be a whole number of at least 2"),
        ("demand.tokens=1T:2T:-3", "steps must be a whole number of at least 2"),
        ("demand.tokens=0:2T:log:5", 'a log grid must start above 0, got "0"'),
        ("demand.tokens=1T:2T:cubic:5", 'a grid is lin or log, got "cubic"'),
        ("demand.tokens=1T:2T", "a grid is LOW:HIGH:STEPS or LOW:HIGH:log:STEPS"),
        ("demand.tokens=1T::3", "a grid is LOW:HIGH:STEPS or LOW:HIGH:log:STEPS"),
        ("demand.tokens=", "needs values, as in demand.tokens=1e9:1e15:log:200"),
        ("demand.tokens=1T,,2T", "needs values, as in"),
        ("demand.tokens", "needs a path, = and values, as in"),
        ("=1:2:3", "needs a path, = and values, as in"),
        ("demand.tokens=1T,lots", 'a number of tokens such as 2T, got "lots"'),
        ("demand.tokens=-1T,2T", "must be at least 0, got "),
        ("law.alpha=-1:1:5", "law.alpha: must be above 0, got -1"),
        ("law.gamma=1:2:5", 'no coefficient "gamma"'),
        ("serving.precision=fp8,bf16", "is not a number of the scenario, so it "),
        ("training.accelerators=1:4:3", "takes whole numbers only; list them"),
        ("experts=1,8", "is for dense models and has no experts"),
    ],
)
def test_a_wrong_vary_is_told(varied, message):
    scenario = read_scenario(PLAIN, "scenario.yaml")
    with pytest.raises(InputError) as caught:
        plan(scenario, [varied])
    told = str(caught.value)
    assert message in told
    assert "--vary " + varied in told


def test_a_rate_is_varied_in_one_period():
    text = PLAIN.replace("{tokens: 2T}", "{tokens: 1B/day, lifetime: 2 years}")
    message = "must have one period for all values, such as /day"
    with pytest.raises(InputError, match=message):
        asked(text, ["demand.tokens=1B/day,3T"])
    (number,) = asked(text, ["demand.tokens=1B/day,2B/day"]).numbers
    assert number.unit == "tokens/day"


def test_a_path_is_varied_once():
    with pytest.raises(InputError, match="is varied twice; keep one of them"):
        asked(PLAIN, ["demand.tokens=1T,2T", "demand.tokens=1T:9T:3"])


def test_two_ways_to_say_one_thing_are_not_both_varied():
    with pytest.raises(InputError, match="cannot stand beside"):
        asked(PLAIN, ["target.loss=1.9,2", "target.match.parameters=7B,13B"])


def test_nothing_uncertain_is_told():
    text = PLAIN.replace("besiroglu-2024-refit", "hoffmann-2022-tex")
    with pytest.raises(InputError, match="--sample 5: nothing is uncertain"):
        asked(text, [], 5)


def test_an_uncertain_number_from_zero_has_no_logarithm():
    text = PLAIN.replace("2T", "{low: 0, expected: 2T, high: 9T}")
    with pytest.raises(InputError, match="low: must be above 0 to draw from, got 0"):
        asked(text, [], 5)


# Many numbers as one


def test_many_numbers_decide_only_together():
    many = Many(np.array([1.0, 2.0, 3.0]))
    assert many > 0
    assert not many > 3
    with pytest.raises(Divided) as parted:
        bool(many > 1)
    assert parted.value.mask.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("more", "waits"),
    [
        ("target: {loss: 2.1}", False),
        ("target: {loss: 2.1}\nfix: {parameters: 9B}", False),
        ("budget: {compute: 1e24}", False),
        ("target: {loss: 2.1}\ndata: {unique_tokens: 100B}", False),
        (
            "target: {loss: 2.1}\ndata: {unique_tokens: 100B}\n"
            "limits: {parameters: 7B}",
            True,
        ),
    ],
)
def test_a_compiler_is_told_only_where_rows_need_it(more, waits, monkeypatch):
    monkeypatch.setattr(batch, "compiling_pays", lambda _: True)
    monkeypatch.setattr(batch, "compiled", lambda: False)
    text = f"law: besiroglu-2024-refit\n{more}\ndemand: {{tokens: 2T}}\n"
    asked = plan(read_scenario(text, "s.yaml"), ["demand.tokens=1T:4T:9"])
    assert compiles_first(asked) == waits


@np.errstate(all="ignore")
def test_many_numbers_fail_as_floats_do():
    with pytest.raises(ZeroDivisionError):
        1 / Many(np.array([0.0, 0.0]))
    with pytest.raises(OverflowError):
        Many(np.array([1e200, 1e300])) ** 2
    with pytest.raises(Divided):
        1 / Many(np.array([0.0, 1.0]))
    with pytest.raises(Divided):
        Many(np.array([1e200, 1.0])) ** 2


def test_all_results_have_a_unit():
    assert set(RESULTS) >= {"parameters", "saving", "gap"}


def test_a_row_of_a_scenario_with_choices_is_its_best_choice():
    """As `solve` chooses, row by row: which precision is best depends on demand."""
    text = (
        "law: besiroglu-2024-refit\nobjective: dollars\n"
        "target: {match: {parameters: 13B}}\n"
        "training: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: [h100-sxm, l4], mfu: 0.3, price: $2/h}\n"
        "demand: {tokens: 1T}\n"
    )
    swept = rows(plan(read_scenario(text), ("demand.tokens=1e10,1e12,1e14",)), 0, 3)
    for index, demand in enumerate((1e10, 1e12, 1e14)):
        answer = solve(read_scenario(text, overrides=[f"demand.tokens={demand!r}"]))
        cost = dict(zip(RESULTS, swept.results[index], strict=True))["cost_total"]
        assert cost == pytest.approx(answer.cost.total, rel=1e-9)
