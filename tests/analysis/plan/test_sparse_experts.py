"""Sparse experts in a scenario, beside searches that are written apart.

The loss of a sparse model is that of the dense one that is EL times as large, with EL
as arXiv 2507.17702 prints it; D for an N by bisection, N by zooming on grids.
"""

import math

import numpy as np
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.plan.search import search
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, rows
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario
from optimizer.question.vary import member
from optimizer.question.vary import plan as planned
from optimizer.world.serving.constants import library

E, A, B, ALPHA, BETA = 1.8172, 482.01, 2085.43, 0.3478, 0.3658  # besiroglu-2024
BASE = """
law: tian-2025-leverage
sparse: {activation: 3.1 %, granularity: 12, beyond_fit: true}
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
WAYS = BASE.replace("3.1 %", "[100 %, 10 %, 6.25 %, 3.1 %]")


def leverage(C, share, G):
    if share == 1:
        return 1.0
    seen = 1 / (1 / (share + 1 / (1 / 0.0163 - 1 / 5.28e16)) + 1 / 5.28e16)
    fine = math.log2(G)
    return seen ** (1.23 - 0.0761 * np.log10(C) + 0.0167 * fine**2 - 0.117 * fine)


def excess(N, D, share, G):
    """L − E of a sparse model."""
    grown = leverage(6 * N * D, share, G) * N
    return A * grown**-ALPHA + B * D**-BETA


def tokens(N, s, share, G):
    """By bisection in ln D, for an array of sizes."""
    low, high = np.full(N.shape, 5.0), np.full(N.shape, 120.0)
    for _ in range(80):
        middle = (low + high) / 2
        above = excess(N, np.exp(middle), share, G) > s
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(high > 119, np.inf, np.exp(high))


def least(cost, s, share, G, low=1e6, high=1e12):
    """The size of least cost by zooming on grids."""
    for _ in range(9):
        N = np.geomspace(low, high, 200)
        total = cost(N, tokens(N, s, share, G))
        best = int(np.nanargmin(np.where(np.isfinite(total), total, np.inf)))
        low, high = N[max(best - 2, 0)], N[min(best + 2, len(N) - 1)]
    return N[best], float(total[best])


def dense_optimum(N):
    """Reducible loss of a training-optimal dense model."""
    D = (BETA * B / (ALPHA * A) * N**ALPHA) ** (1 / BETA)
    return A * N**-ALPHA + B * D**-BETA


@pytest.mark.parametrize(
    ("share", "N", "D", "ratio"),
    [
        ("10 %", 1.50e9, 784e9, 0.254),
        ("6.25 %", 1.19e9, 792e9, 0.202),
        ("3.1 %", 0.878e9, 804e9, 0.151),
    ],
)
def test_the_reference_results(ask, share, N, D, ratio):
    """As good as a dense 13B, 2e12 served tokens; evaluated apart from the product."""
    answer = ask(BASE, f"sparse.activation={share}")
    dense = ask(BASE, "sparse.activation=100 %")
    assert dense.plan.parameters == pytest.approx(6.10e9, rel=2e-3)
    assert answer.plan.parameters == pytest.approx(N, rel=5e-3)
    assert answer.plan.tokens == pytest.approx(D, rel=1e-3)
    assert answer.cost.total / dense.cost.total == pytest.approx(ratio, abs=6e-4)
    assert passes(answer.certificate)


def test_of_the_choices_the_best_is_taken_and_each_is_priced(ask):
    answer = ask(WAYS)
    assert answer.choice == {"sparse.activation": "3.1 %"}
    totals = {c.choice["sparse.activation"]: c.total for c in answer.alternatives}
    for share, total in totals.items():
        alone = ask(BASE, f"sparse.activation={share}")
        assert total == pytest.approx(alone.cost.total, rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_thirty_random_cases_by_brute_force(ask, seed):
    """Demand, prices, a limit, four choices: the plan and its choice."""
    chance = np.random.default_rng(seed)
    size = 10 ** chance.uniform(9, 11)
    T = 10 ** chance.uniform(10.5, 13.5)
    shares = [round(float(a), 4) for a in 10 ** chance.uniform(-2.0, -0.5, 2)]
    grains = [8, round(float(chance.uniform(8.5, 12)), 3)]
    dear = float(chance.uniform(0.5, 4))  # a served FLOP over a trained one
    text = (
        f"law: tian-2025-leverage\nsparse: {{activation: {shares}, granularity: "
        f"{grains}, beyond_fit: true}}\ntarget: {{match: {{parameters: {size!r}}}}}\n"
        f"objective: dollars\ntraining: {{hardware: h100-sxm, mfu: 0.5, price: $1/h}}\n"
        f"serving: {{model: mfu, hardware: h100-sxm, mfu: 0.5, price: ${dear!r}/h}}\n"
        f"demand: {{tokens: {T!r}}}\n"
    )
    most = None
    if seed % 3 == 0:
        most = 0.05 * size
        text += f"limits: {{parameters: {most!r}}}\n"
    answer = ask(text)
    flop = 989.4e12 * 0.5 * 3600  # a dollar of training

    def cost(N, D):
        total = (6 * N * D + 2 * N * T * dear) / flop
        return total if most is None else np.where(most < N, np.inf, total)

    s = dense_optimum(size)
    high = 1e13 if most is None else most
    found = {(a, g): least(cost, s, a, g, 1e5, high) for a in shares for g in grains}
    best = min(found, key=lambda way: found[way][1])
    picked = tuple(float(v.rstrip("%")) for v in answer.choice.values())
    assert picked == pytest.approx(best)
    assert answer.cost.total == pytest.approx(found[best][1], rel=1e-7)
    assert answer.plan.parameters == pytest.approx(found[best][0], rel=2e-3)
    assert passes(answer.certificate)
    # The ends: training optimum and critical size, by the same search.
    N0, C0 = least(lambda N, D: 6 * N * D, s, *best)
    optimal = answer.training_optimal
    assert 6 * optimal.parameters * optimal.tokens == pytest.approx(C0, rel=1e-7)
    sizes = np.geomspace(N0 / 1e3, N0, 4001)
    work = 6 * sizes * tokens(sizes, s, *best)
    twice = float(np.interp(-2 * C0, -work, sizes))
    assert answer.critical.size == pytest.approx(twice, rel=1e-3)


def test_a_budget_buys_the_lowest_loss(ask):
    answer = ask(
        BASE.replace("target: {match: {parameters: 13B}}", "budget: {compute: 1e22}")
    )
    N = np.geomspace(1e7, 1e11, 200_001)
    D = (1e22 - 2 * N * 2e12) / (6 * N)
    with np.errstate(invalid="ignore"):
        loss = np.where(D > 0, E + excess(N, np.abs(D), 0.031, 12), np.inf)
    assert answer.plan.loss == pytest.approx(loss.min(), rel=1e-9)
    assert passes(answer.certificate)


def test_each_sensitivity_is_the_slope_of_solving_again(ask):
    answer = ask(BASE)
    for item in answer.sensitivities:
        if item.elasticity is None or item.input.startswith("target"):
            continue
        h, ends = 1e-5, []
        for side in (1 + h, 1 - h):
            ends.append(ask(BASE, f"{item.input}={item.value * side!r}").cost.total)
        slope = (math.log(ends[0]) - math.log(ends[1])) / (2 * h)
        assert item.elasticity == pytest.approx(slope, abs=1e-5), item.input


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("sparse.activation=0.5 %", "activation 0.5 % (fitted: 0.8 % to 100 %)"),
        ("sparse.granularity=20", "granularity 20 (fitted: 8 to 12)"),
        ("sparse.activation=3.1 %", "and the plan takes 4.23e21 FLOP"),
    ],
)
def test_outside_its_fit_it_is_refused_or_marked(ask, change, told):
    with pytest.raises(InputError, match=r"sparse\.beyond_fit: true") as refused:
        ask(BASE, "sparse.beyond_fit=false", change)
    assert told in refused.value.problems[0].message
    assert refused.value.problems[0].path == "sparse"
    answer = ask(BASE, change)
    said = {w.code: w.message for w in answer.warnings}
    assert told in said["leverage-extrapolated"]
    assert "near the training optimum" in said["sparse-experts"]


def test_within_its_fit_nothing_need_be_insisted_on(ask):
    small = (
        "target.match.parameters=1.5B",
        "demand.tokens=10B",
        "sparse.beyond_fit=false",
    )
    answer = ask(BASE, *small)
    assert 3e18 <= 6 * answer.plan.parameters * answer.plan.tokens <= 3e20
    assert "leverage-extrapolated" not in {w.code for w in answer.warnings}


def test_a_choice_outside_is_a_row_with_the_reason(ask):
    answer = ask(WAYS, "sparse.beyond_fit=false")
    assert answer.choice == {"sparse.activation": "100 %"}
    refused = [c for c in answer.alternatives if c.status == "refused"]
    assert len(refused) == 3
    assert all("fitted to runs of 3e18 to 3e20 FLOP" in c.reason for c in refused)


def test_memory_goes_by_all_parameters(ask):
    """1/A times the active ones, at most; a memory limit holds the stored model."""
    text = BASE + "serving: {precision: fp8}\nlimits: {memory: 20 GB}\n"
    answer = ask(text)
    (limit,) = answer.limits
    assert limit.binding
    assert answer.plan.parameters == pytest.approx(20e9 * 0.031, rel=1e-9)
    s = dense_optimum(13e9)
    D = tokens(np.array([answer.plan.parameters]), s, 0.031, 12)[0]
    assert answer.plan.tokens == pytest.approx(D, rel=1e-9)


MEASURED = (
    BASE
    + """
objective: dollars
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {model: measured, hardware: h100-sxm, price: $2/h, precision: fp8,
          batch: 8}
architecture: {layers: 32, width: 2048, kv_heads: 4, head_size: 128}
"""
).replace(
    "demand: {tokens: 2T}",
    "demand: {requests: 5M/day, input_tokens: 800, output_tokens: 300, "
    "lifetime: 2 years}",
)


def test_a_measured_step_reads_the_experts_that_a_batch_touches(ask):
    """Of N/A stored bytes, all in experts, 8 sequences read 1 − (1 − A)^8."""
    answer = ask(MEASURED)
    (use,) = answer.serving
    c = library().find("mixture", "h100-sxm", "fp8").constants
    N = answer.plan.parameters
    read = N / 0.031 * (1 - 0.969**8)
    cache = 8 * 950 * 2 * 32 * 4 * 128 * 2
    step = (
        (c.layer + c.routed * 12) * 32
        + (read + cache) / (3350e9 * c.memory)
        + 2 * N * 8 / (1978.9e12 * c.arithmetic)
        + c.sequence * 8
    )
    assert use.step_time == pytest.approx(step, rel=1e-3)
    assert passes(answer.certificate)


def test_a_row_of_a_sweep_is_the_plan_or_says_why_there_is_none():
    plan = planned(
        read_scenario(BASE), ("demand.tokens=1e11,1e12,1e13", "law.d=-0.07,-0.08")
    )
    found = rows(plan, 0, plan.count)
    assert (found.status == 0).all()
    for inputs, results in zip(
        found.inputs.tolist(), found.results.tolist(), strict=True
    ):
        row = dict(zip(RESULTS, results, strict=True))
        one = solve(
            read_scenario(
                BASE, "x", [f"demand.tokens={inputs[0]!r}", f"law.d={inputs[1]!r}"]
            )
        )
        assert row["cost_total"] == pytest.approx(one.cost.total, rel=1e-9)
        assert row["saving"] == pytest.approx(one.savings.fraction, rel=1e-8)
        assert row["overtraining_factor"] == pytest.approx(
            one.overtraining.factor, rel=1e-5
        )
    strict = read_scenario(BASE, "x", ["sparse.beyond_fit=false", "demand.tokens=1e9"])
    sizes = planned(strict, ("target.match.parameters=1B,13B",)) if strict else None
    told = rows(sizes, 0, 2)
    assert [STATUSES[s] for s in told.status] == ["optimal", "invalid"]
    assert "beyond_fit: true" in told.problems[0]


def test_draws_of_a_law_of_leverage_have_a_robust_plan(tmp_path):
    """The plan that reaches the target in 9 of 10 draws, counted one by one."""
    chance = np.random.default_rng(3)
    c = {
        **{"E": E, "A": A, "B": B, "alpha": ALPHA, "beta": BETA},
        **{"a": 1.23, "d": -0.0761, "gamma": 0.0167, "beta_G": -0.117},
        **{"A_start": 0.0163, "A_max": 5.28e16},
    }
    drawn = {w: [v] * 40 for w, v in c.items()}
    drawn["A"] = (A * np.exp(0.1 * chance.standard_normal(40))).tolist()
    drawn["d"] = (-0.0761 + 0.002 * chance.standard_normal(40)).tolist()
    file = tmp_path / "law.yaml"
    file.write_text(
        f"form: leverage\ncounts: active\ncoefficients: {c}\ndraws: {drawn}\n"
    )
    loss = E + dense_optimum(13e9)
    text = BASE.replace("tian-2025-leverage", str(file)).replace(
        "{match: {parameters: 13B}}", f"{{loss: {loss!r}}}"
    )
    scenario = read_scenario(text)
    told = uncertainty(scenario, 200, 0, 0.9)
    robust = told.robust
    assert robust is not None
    reached = 0
    plan = planned(scenario, (), 200, 0)
    for row in range(200):
        law = member(plan, row).law.coefficients
        single = formulate(member(plan, row)).surface
        assert single.A != A or law["A"] == A
        reached += single.loss(robust.parameters, robust.tokens) <= loss * (1 + 1e-9)
    assert 180 <= reached <= 185  # draws come several times


def test_the_program_is_certified_for_an_own_plan_too(ask):
    answer = ask(
        BASE.replace(
            "target: {match: {parameters: 13B}}", "plan: {parameters: 1B, tokens: 1T}"
        )
    )
    assert answer.own.plan.loss == pytest.approx(
        E + excess(1e9, 1e12, 0.031, 12), rel=1e-12
    )
    assert answer.own.extra > 0
    question, solution = search(
        read_scenario(BASE, "x", [f"target.loss={answer.own.plan.loss!r}"])
    )
    assert answer.cost.total == pytest.approx(solution.value, rel=1e-9)
    assert passes(solution.certificate)
    assert question.surface.mixed


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("data.unique_tokens=1T", "data.unique_tokens"),
        ("training.precision=mxfp4", "training"),
        ("existing.parameters=8B", "existing"),
        ("target.match.model=qwen3-30b-a3b", "target.match.model"),
        ("experts=8", "experts"),
        ("law=besiroglu-2024", "sparse"),
    ],
)
def test_what_sparse_experts_cannot_stand_beside_is_refused(ask, change, path):
    with pytest.raises(InputError) as refused:
        ask(BASE, change)
    assert path in {p.path for p in refused.value.problems}


def test_without_its_word_the_law_asks_for_it(ask):
    with pytest.raises(InputError, match=r"add sparse: \{activation"):
        ask("law: tian-2025-leverage\ntarget: {loss: 2.1}\ndemand: {tokens: 2T}\n")
