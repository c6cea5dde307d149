"""Formats, zeros and optimisers as factors of N and D, against a grid."""

import numpy as np
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import RESULTS, rows
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan

LAW = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
CHIP = "{{name: c, peaks: {{bf16: 1e15 FLOP/s, fp4: {fp4} FLOP/s}}}}"
CASE = """\
law: besiroglu-2024
objective: dollars
target: {{match: {{parameters: 13B}}}}
demand: {{tokens: 2T}}
training: {{hardware: {chip}, precision: {train}, mfu: 40 %, price: $2.00/h}}
serving: {{hardware: {chip}, precision: {serve}, mfu: 40 %, price: $2.00/h}}
"""
# n and d of N and D, fitted anew to the runs of arXiv 2505.14669 (30M to 200M).
FACTORS = {
    ("mxfp4", "mxfp4"): (0.654, 0.815),
    ("mxfp4", "bf16"): (0.660, 0.895),
    ("bf16", "mxfp4"): (0.968, 0.929),
    ("bf16", "bf16"): (1.0, 1.0),
}
# Of the parameters, at 0, 20, 40, 60 and 80 % of zeros (arXiv 2506.01863).
ZEROS = {
    "weights": (1, 0.84, 0.65, 0.47, 0.27),
    "activations": (1, 0.76, 0.5, 0.32, 0.19),
}


def read(text, *sets):
    return read_scenario(text, "s.yaml", sets)


def case(fp4, train, serve):
    return CASE.format(chip=CHIP.format(fp4=fp4), train=train, serve=serve)


@pytest.mark.parametrize(
    ("fp4", "ratio"), [("2e15", 0.854), ("1e15", 1.707)], ids=["half", "equal"]
)
def test_the_case_in_mxfp4_at_half_and_at_equal_price(fp4, ratio):
    """besiroglu-2024, as good as its 13B in bf16, 2T served tokens: 9.8B on 824B."""
    plain = solve(read(case(fp4, "bf16", "bf16")))
    few = solve(read(case(fp4, "mxfp4", "fp4")))
    assert few.plan.parameters == pytest.approx(9.8e9, rel=5e-3)
    assert few.plan.tokens == pytest.approx(8.24e11, rel=1e-3)
    assert few.cost.total / plain.cost.total == pytest.approx(ratio, abs=6e-4)
    assert few.plan.loss == pytest.approx(plain.plan.loss, rel=1e-12)
    assert passes(few.certificate)


@pytest.mark.parametrize(("fp4", "best"), [("8e15", "mxfp4"), ("1e15", "bf16")])
def test_the_answer_says_whether_it_pays(fp4, best):
    found = solve(read(case(fp4, "[bf16, mxfp4]", "bf16")))
    assert found.choice == {"training.precision": best}
    totals = {c.choice["training.precision"]: c.total for c in found.alternatives}
    for word, total in totals.items():
        alone = solve(read(case(fp4, word, "bf16")), whole=False)
        assert total == pytest.approx(alone.cost.total, rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_random_runs_against_a_grid(seed):
    """Any formats of the passes, zeros, speedup and data efficiency."""
    random = np.random.default_rng(seed)
    forward, backward = random.choice(["bf16", "mxfp4"], 2)
    zeros = {word: random.uniform(0, 0.8) for word in ZEROS}
    speed, rho = random.uniform(1, 2), random.uniform(0.8, 2.2)
    ratio, T = random.uniform(1, 4), 10 ** random.uniform(10, 14)
    s = random.uniform(0.2, 0.6)
    words = ", ".join(f"{k}: {v!r}" for k, v in LAW.items())
    chip = CHIP.format(fp4=f"{ratio * 1e15:.6e}")
    found = solve(
        read(
            f"law: {{{words}}}\ntarget: {{loss: {LAW['E'] + s!r}}}\n"
            f"objective: dollars\ndemand: {{tokens: {T!r}}}\n"
            f"training: {{hardware: {chip}, mfu: 40 %, price: $2.00/h, "
            f"precision: {{forward: {forward}, backward: {backward}}}, "
            f"data_efficiency: {rho!r}, sparsity: {{weights: {zeros['weights']!r}, "
            f"activations: {zeros['activations']!r}, speedup: {speed!r}}}}}\n"
            f"serving: {{hardware: {chip}, mfu: 20 %, price: $3.00/h}}\n"
        )
    )
    n, d = FACTORS[forward, backward]
    for word, share in zeros.items():
        n *= np.interp(share, [0, 0.2, 0.4, 0.6, 0.8], ZEROS[word])
    fp4 = float(f"{ratio * 1e15:.6e}")
    peaks = {"bf16": 1e15, "mxfp4": fp4}
    second = 2 / peaks[forward] + 4 / peaks[backward]
    sizes = np.geomspace(1e6, 1e15, 40_001)
    for _ in range(3):
        rest = s - LAW["A"] * (n * sizes) ** -LAW["alpha"]
        with np.errstate(all="ignore"):
            tokens = (LAW["B"] / rest) ** (1 / LAW["beta"]) / (d * rho)
        tokens = np.where(rest > 0, tokens, np.inf)
        cost = second / 0.4 / speed * 2 / 3600 * sizes * tokens
        cost = cost + 2 / 1e15 / 0.2 * 3 / 3600 * sizes * T
        best = int(np.argmin(cost))
        sizes = np.geomspace(sizes[best - 2], sizes[best + 2], 40_001)
    assert found.cost.total == pytest.approx(cost.min(), rel=1e-8)
    assert passes(found.certificate)


EFFICIENT = """\
law: besiroglu-2024
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
training: {data_efficiency: 2.08}
"""


def test_a_data_efficiency_makes_tokens_worth_more():
    """At 2.08 the case is 5.13B on 509B: .7046 of 6.10B on 737B."""
    plain = solve(read(EFFICIENT, "training.data_efficiency=1"))
    found = solve(read(EFFICIENT))
    assert found.plan.parameters == pytest.approx(5.13e9, rel=1e-3)
    assert found.plan.tokens == pytest.approx(5.09e11, rel=1e-3)
    assert found.cost.total / plain.cost.total == pytest.approx(0.7046, abs=1e-3)
    assert found.reference == plain.reference
    assert [w.code for w in found.warnings].count("optimizer-claim") == 1
    assert "optimizer-claim" not in [w.code for w in plain.warnings]


def test_it_is_a_sensitivity_and_a_sweep_and_a_range():
    step = 1e-5
    low, high = (
        solve(read(EFFICIENT, f"training.data_efficiency={1.4 * np.exp(h):.12f}"))
        for h in (-step, step)
    )
    found = solve(read(EFFICIENT, "training.data_efficiency=1.4"))
    word = "training.data_efficiency"
    (move,) = (m for m in found.sensitivities if m.input == word)
    slope = np.log(high.cost.total / low.cost.total) / (2 * step)
    assert move.elasticity == pytest.approx(slope, rel=1e-4)
    swept = rows(plan(read(EFFICIENT), [f"{word}=1:2:5"]), 0, 5)
    totals = swept.results[:, list(RESULTS).index("cost_total")]
    assert (np.diff(totals) < 0).all()
    spread = EFFICIENT.replace("2.08", "{low: 1.1, expected: 1.4, high: 2.1}")
    drawn = plan(read(spread), [], sample=300)
    values = drawn.columns(0, 300)[:, 0]
    assert 1.1 < np.median(values) < 2.1


def test_an_existing_model_and_a_reference_are_trained_as_the_law_says():
    text = EFFICIENT + "existing: {parameters: 13B, tokens: 260B}\n"
    found = solve(read(text))
    plain = solve(read(text, "training.data_efficiency=1"))
    assert found.others[0].loss == plain.others[0].loss
    assert found.target_loss == plain.target_loss


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("training.precision=mxfp5", "must be one of bf16, fp8, int8, fp4, mxfp4"),
        ("training.precision={forward: mxfp4}", "precision.backward: is missing"),
        ("training.precision=mxfp4", None),
        ("training.sparsity.weights=90 %", "must be at most 80 %"),
        ("training.data_efficiency=20", "must be at most 10"),
        ("training.hardware=h100-sxm", None),
    ],
)
def test_what_cannot_be_is_told(change, said):
    if said is None:
        solve(read(EFFICIENT, change), whole=False)
        return
    with pytest.raises(InputError, match=said):
        read(EFFICIENT, change)


def test_a_chip_without_fp4_is_told():
    with pytest.raises(InputError, match="h100-sxm has no fp4 peak"):
        read(EFFICIENT, "training.hardware=h100-sxm", "training.precision=mxfp4")
