"""Post-training quantization against brute force where the loss turns up in D.

The law is that of Kumar et al. 2024, appendix K, table 2, with its penalty
δ = C_T·D^γ_D / N^γ_N · exp(−P/γ_post), and their penalty on another law.
"""

import math

import numpy as np
import pytest

from optimizer.engine.certify import passes
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario

LAW = {"E": 1.81722, "A": 477.826, "B": 2143.417, "alpha": 0.34731, "beta": 0.367172}
C_T, G_D, G_N, G_P = 0.0598, 0.5068, 0.3439, 0.5907

TEXT = """
law: besiroglu-2024-refit
target: {match: {parameters: 3B}}
demand: {tokens: 20T}
serving: {weights: int4, quantization_penalty: true}
"""


def delta(N, D, bits=4):
    return C_T * D**G_D / N**G_N * np.exp(-bits / G_P)


def reducible(N, D, bits=4):
    a, b = LAW["alpha"], LAW["beta"]
    return LAW["A"] / N**a + LAW["B"] / D**b + delta(N, D, bits)


def target(size):
    """Of a training-optimal model in full precision: the reference has no δ."""
    a, b = LAW["alpha"], LAW["beta"]
    D = (b * LAW["B"] * size**a / (a * LAW["A"])) ** (1 / b)
    return LAW["A"] / size**a + LAW["B"] / D**b


def turn(N, bits=4):
    """The tokens beyond which more raise the loss: βB/D^β = γ_D·δ."""
    c = C_T * np.exp(-bits / G_P) / N**G_N
    b = LAW["beta"]
    return (b * LAW["B"] / (G_D * c)) ** (1 / (G_D + b))


def least_tokens(N, s, bits=4):
    """The least root in D for each N by bisection; infinite where there is none."""
    low, high = np.full(np.shape(N), 10.0), np.log(turn(N, bits))
    reached = reducible(N, np.exp(high), bits) <= s
    for _ in range(70):
        middle = (low + high) / 2
        enough = reducible(N, np.exp(middle), bits) <= s
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached, np.exp(high), np.inf)


def least(cost, low=1e8, high=1e13):
    low, high = math.log(low), math.log(high)
    for _ in range(13):
        N = np.exp(np.linspace(low, high, 61))
        at = int(np.argmin(cost(N)))
        step = (high - low) / 60
        low, high = math.log(N[at]) - 2 * step, math.log(N[at]) + 2 * step
    return float(N[at]), float(cost(N)[at])


@pytest.mark.parametrize("demand", [0, 2e13, 1e16])
@pytest.mark.parametrize(("words", "bits"), [("int4", 4), ("fp8", 8), ("bf16", 16)])
def test_the_plan_is_that_of_brute_force(ask, demand, words, bits):
    s = target(3e9)

    def cost(N):
        return 6 * N * least_tokens(N, s, bits) + 2 * N * demand

    answer = ask(TEXT, f"demand.tokens={demand!r}", f"serving.weights={words}")
    N, best = least(cost)
    assert passes(answer.certificate)
    assert answer.cost.total == pytest.approx(best, rel=1e-8)
    assert answer.plan.parameters == pytest.approx(N, rel=1e-4)
    assert reducible(answer.plan.parameters, answer.plan.tokens, bits) == (
        pytest.approx(s, rel=1e-9)
    )
    # The training-optimal model includes the penalty, the reference does not.
    _, compute = least(lambda N: 6 * N * least_tokens(N, s, bits))
    optimal = answer.training_optimal
    assert 6 * optimal.parameters * optimal.tokens == pytest.approx(compute, rel=1e-8)
    assert answer.reference.loss == pytest.approx(answer.target_loss, rel=1e-12)
    codes = {warning.code for warning in answer.warnings}
    assert "quantization-constants" in codes
    for near in answer.near_optimal:
        for size, tokens in zip(near.parameters, near.tokens, strict=True):
            least_D = float(least_tokens(np.array([size]), s, bits)[0])
            if math.isinf(least_D):
                # At the turn itself, which rounding may put just above the loss.
                least_D = float(turn(size, bits))
                assert reducible(size, least_D, bits) == pytest.approx(s, rel=1e-9)
            # The root is double there, and known to half the digits.
            assert tokens == pytest.approx(least_D, rel=1e-6)


def test_the_penalty_is_off_by_default(ask):
    plain = ask("\n".join(TEXT.splitlines()[:-1]))
    answer = ask(TEXT, "serving.quantization_penalty=false")
    assert answer.cost.total == plain.cost.total
    assert "quantization-constants" not in {w.code for w in answer.warnings}
    word = next(w for w in ask(TEXT).warnings if w.code == "quantization-constants")
    assert "useful elsewhere" in word.message


def test_the_ratios_that_the_paper_implies():
    """Doubling D multiplies δ by 2^0.5068 = 1.421, doubling N divides it by 1.269, and
    one bit less multiplies it by exp(1/0.5907) = 5.435."""

    def penalty(bits):
        text = TEXT.replace("int4", bits)
        (term,) = (
            t
            for t in formulate(read_scenario(text)).loss
            if "D" in t.exponents and t.exponents["D"] > 0
        )
        return term

    term = penalty("int4")
    assert 2 ** term.exponents["D"] == pytest.approx(1.421, abs=5e-4)
    assert 2 ** -term.exponents["N"] == pytest.approx(1.269, abs=5e-4)
    ratio = term.coefficient / penalty("fp8").coefficient
    assert ratio ** (1 / 4) == pytest.approx(5.435, abs=5e-4)
    # 1.7B parameters on 26B tokens, without the offset b: 0.00871 nats at 4 bits.
    size = 1.7e9 ** term.exponents["N"] * 26e9 ** term.exponents["D"]
    assert term.coefficient * size == pytest.approx(0.00871, rel=1e-3)


@pytest.mark.parametrize("size", [2e9, 3e9, 8e9, 40e9])
def test_a_fixed_size_takes_the_least_root(ask, size):
    """The loss reaches the target twice in D; the first time costs less."""
    answer = ask(TEXT, f"fix.parameters={size!r}")
    s = target(3e9)
    D = float(least_tokens(np.array([size]), s)[0])
    if not math.isfinite(D):
        assert answer.plan is None
        return
    assert answer.plan.tokens == pytest.approx(D, rel=1e-9)
    assert reducible(size, 1e8 * turn(size)) > s
    a, b = LAW["alpha"], LAW["beta"]
    w = (a * LAW["A"] / size**a + G_N * delta(size, D)) / (
        b * LAW["B"] / D**b - G_D * delta(size, D)
    )
    assert answer.fixed.implied_demand == pytest.approx(3 * D * (w - 1), rel=1e-7)
    if answer.fixed.implied_demand > 0:
        again = ask(TEXT, f"demand.tokens={answer.fixed.implied_demand!r}")
        assert again.plan.parameters == pytest.approx(size, rel=1e-5)


def test_tokens_that_raise_the_loss_suit_no_demand(ask):
    """100T tokens are past the turn of every size that then reaches the target, so
    that the smallest such size has no demand for which it would be the best."""
    answer = ask(TEXT, "fix.tokens=100T")
    N = answer.plan.parameters
    s = target(3e9)
    assert turn(N) < 1e14
    assert reducible(N, 1e14) == pytest.approx(s, rel=1e-9)
    assert reducible(N * (1 - 1e-6), 1e14) > s
    assert answer.fixed.implied_demand is None


def test_reachability_minimises_over_tokens(ask):
    """A size too small for the target reaches its lowest loss at the turn, and the
    least size that would do has its turn at the target."""
    answer = ask(TEXT, "fix.parameters=1B")
    why = answer.infeasibility
    assert set(why.conflict) == {"target", "fix.parameters"}
    low = reducible(1e9, turn(1e9))
    assert why.nearest_loss == pytest.approx(LAW["E"] + low, rel=1e-9)
    ways = {way.name: way for way in why.relaxations}
    least_size = ways["fix.parameters"].after
    s = target(3e9)
    assert reducible(least_size, turn(least_size)) == pytest.approx(s, rel=1e-5)
    # Without the penalty this size would do.
    assert ask(TEXT, "fix.parameters=1.2B", "serving.quantization_penalty=false").plan
    floor = ask(TEXT).critical.floor
    assert floor == pytest.approx(least_size, rel=1e-5)


def test_a_budget_never_reads_past_the_turn(ask):
    """With much compute and a limit on the size, tokens stop where they would harm."""
    text = TEXT.replace("target: {match: {parameters: 3B}}", "budget: {compute: 1e26}")
    answer = ask(text, "limits.parameters=3B", "demand.tokens=0")
    assert answer.plan.parameters == pytest.approx(3e9, rel=1e-9)
    assert answer.plan.tokens == pytest.approx(turn(3e9), rel=1e-6)
    assert answer.plan.loss == pytest.approx(
        LAW["E"] + reducible(3e9, turn(3e9)), rel=1e-10
    )


def test_the_fewest_bits_of_all_streams_count(ask):
    two = TEXT.replace(
        "demand: {tokens: 20T}",
        "demand:\n  - {name: server, tokens: 10T, serving: {weights: fp8}}\n"
        "  - {name: phone, tokens: 10T}",
    )
    assert ask(two).cost.total == pytest.approx(ask(TEXT).cost.total, rel=1e-9)


def test_every_elasticity_is_a_finite_difference(ask):
    answer = ask(TEXT)
    h = 1e-4
    for move in answer.sensitivities:
        ends = [
            ask(TEXT, f"{move.input}={move.value * math.exp(sign * h)!r}").cost.total
            for sign in (1, -1)
        ]
        slope = math.log(ends[0] / ends[1]) / (2 * h)
        assert move.elasticity == pytest.approx(slope, rel=3e-6, abs=1e-7), move.input


def test_few_bits_without_a_penalty_are_warned_of(ask):
    """Kumar et al. 2024: the loss of quantized weights grows with the tokens seen."""
    text = (
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 7B}}\n"
        "demand: {tokens: 1T}\nserving: {weights: int4}\n"
    )
    assert "quantization-free" in {w.code for w in ask(text).warnings}
    for change in ("serving.quantization_penalty=true", "serving.weights=int8"):
        assert "quantization-free" not in {w.code for w in ask(text, change).warnings}
