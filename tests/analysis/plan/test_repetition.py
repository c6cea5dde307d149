"""Repeated data against brute force on the true curves of Muennighoff et al. 2023."""

import math

import numpy as np
import pytest

from optimizer.analysis.plan.extremes import critical, training_optimal
from optimizer.engine import settle as settling
from optimizer.engine.certify import passes
from optimizer.engine.solve import solve
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import load_scenario, read_scenario
from tests.shipped import ROOT

# The authors' repository: ln A, ln B, ln E, one exponent, R_D* and R_N*.
A, B, E = np.exp(6.255414), np.exp(7.3049974), np.exp(0.6254804)
EXPONENT, R_D, R_N = 0.3526596, 15.387756, 5.309743

BOTH = """
law: muennighoff-2023
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
data: {unique_tokens: 50B}
"""
# The same law with D' alone.
DATA_ALONE = BOTH.replace(
    "law: muennighoff-2023",
    "law: {name: own, form: chinchilla, extras: {R_D_star: 15.387756}, coefficients: "
    "{E: 1.8691436784054858, A: 520.8249516599187, B: 1487.716093782861, "
    "alpha: 0.3526596, beta: 0.3526596}}",
)
PRICED = """
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
serving: {hardware: h100-sxm, mfu: 40 %, price: $2/h}
objective: dollars
"""


def worth(amount, unique, star):
    """Eq. 5 of the paper: what an amount is worth of which `unique` is new."""
    more = np.maximum(amount / unique - 1, 0)
    return np.where(
        amount <= unique, amount, unique + unique * star * -np.expm1(-more / star)
    )


def reducible(N, D, unique, parameters=True):
    G = (A / B) ** (1 / (2 * EXPONENT))  # alpha = beta
    supported = np.minimum(D, unique) * G**2
    size = worth(N, supported, R_N) if parameters else N
    return A / size**EXPONENT + B / worth(D, unique, R_D) ** EXPONENT


def target(size):
    G = (A / B) ** (1 / (2 * EXPONENT))
    return A / size**EXPONENT + B / (size / G**2) ** EXPONENT


def tokens_for(N, s, unique, parameters):
    """The least D at each N, by bisection; infinite beyond 500 epochs."""
    low, high = np.full(N.shape, 15.0), np.full(N.shape, np.log(500 * unique))
    reached = reducible(N, np.exp(high), unique, parameters) <= s
    for _ in range(70):
        middle = (low + high) / 2
        enough = reducible(N, np.exp(middle), unique, parameters) <= s
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached, np.exp(high), np.inf)


def least(cost, low, high, rounds=14):
    """Zooms on ln N of a convex cost."""
    low, high = math.log(low), math.log(high)
    for _ in range(rounds):
        N = np.exp(np.linspace(low, high, 61))
        costs = cost(N)
        at = int(np.argmin(costs))
        step = (high - low) / 60
        low, high = math.log(N[at]) - 2 * step, math.log(N[at]) + 2 * step
    return float(N[at]), float(costs[at])


def test_the_published_constants(ask):
    """N_opt(U) = 0.0509865 U, as the authors' repository prints."""
    assert target(0.0509865 * 1e11) == pytest.approx(
        reducible(0.0509865 * 1e11, 1e11, 1e11), rel=1e-6
    )
    # At four epochs repeated tokens are worth almost as much as new ones (figure 1).
    assert worth(4.0, 1.0, R_D) == pytest.approx(4.0, rel=0.08)


@pytest.mark.parametrize("unique", [20e9, 50e9, 255e9, 500e9])
@pytest.mark.parametrize("demand", [0, 1e14])
@pytest.mark.parametrize("text", [BOTH, DATA_ALONE], ids=["both", "D' alone"])
def test_the_cost_is_that_of_brute_force(ask, text, unique, demand):
    parameters = text is BOTH
    s = target(13e9)

    def cost(N):
        return 6 * N * tokens_for(N, s, unique, parameters) + 2 * N * demand

    answer = ask(text, f"data.unique_tokens={unique!r}", f"demand.tokens={demand!r}")
    N, best = least(cost, 1e9, 1e12)
    if not math.isfinite(best):
        assert answer.plan is None
        assert set(answer.infeasibility.conflict) == {"target", "data.unique_tokens"}
        return
    assert passes(answer.certificate)
    assert answer.cost.total == pytest.approx(best, rel=1e-8)
    plan = answer.plan
    assert plan.parameters == pytest.approx(N, rel=1e-4)
    reached = reducible(plan.parameters, plan.tokens, unique, parameters)
    assert reached == pytest.approx(s, rel=1e-9)
    assert plan.loss == pytest.approx(E + s, rel=1e-9)
    assert answer.epochs == pytest.approx(plan.tokens / unique, rel=1e-12)
    codes = {warning.code for warning in answer.warnings}
    assert ("many-epochs" in codes) == (answer.epochs > 4)
    base, least_compute = least(
        lambda N: 6 * N * tokens_for(N, s, unique, parameters), 1e9, 1e12
    )
    optimal = answer.training_optimal
    assert 6 * optimal.parameters * optimal.tokens == pytest.approx(
        least_compute, rel=1e-8
    )
    assert optimal.parameters == pytest.approx(base, rel=1e-4)


@pytest.mark.parametrize(
    ("price", "unique"), [(1, 100e9), (1, 134e9), (1, 135e9), (3, 120e9), (10, 115e9)]
)
def test_dear_data_may_stop_just_where_they_would_repeat(ask, price, unique):
    """A model larger than its data support has N' below N also on unique data. Then
    the last unique token is worth more than the first repeated one: a kink, at which
    the optimum stands over a range of prices."""
    s = target(13e9)

    def cost(N):
        D = tokens_for(N, s, unique, True)
        return 6 * N * D / (989.4e12 * 0.4) / 1800 + price * D / 1e6

    _, best = least(cost, 1e9, 1e12)
    answer = ask(
        BOTH + PRICED,
        *("demand.tokens=0", f"data.unique_tokens={unique!r}"),
        f"data.price=${price} per million tokens",
    )
    assert passes(answer.certificate)
    assert answer.cost.total == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize(
    ("unique", "compute"), [(5e9, 1e21), (50e9, 1e23), (50e9, 1e25), (1e13, 1e23)]
)
@pytest.mark.parametrize("text", [BOTH, DATA_ALONE], ids=["both", "D' alone"])
def test_a_budget_buys_the_loss_of_brute_force(ask, text, unique, compute):
    demand = 1e11

    def loss(N):
        D = np.minimum((compute / N - 2 * demand) / 6, 500 * unique)
        good = reducible(N, np.maximum(D, 1e6), unique, text is BOTH)
        return np.where(D > 1e6, good, np.inf)

    _, best = least(loss, 1e8, 1e13, 16)
    answer = ask(
        text.replace("target: {match: {parameters: 13B}}", "budget: {compute: 1e23}"),
        f"budget.compute={compute!r}",
        f"data.unique_tokens={unique!r}",
        f"demand.tokens={demand!r}",
    )
    assert passes(answer.certificate)
    # A budget that buys nothing more has the cheapest of what is equal to a millionth.
    worn = "saturated" in [warning.code for warning in answer.warnings]
    assert worn == (text is BOTH and compute == 1e25)
    assert answer.plan.loss - E == pytest.approx(best, rel=1.01e-6 if worn else 1e-8)


@pytest.mark.parametrize("size", [7e9, 13e9, 40e9])
def test_a_fixed_size_takes_the_tokens_of_the_true_curve(ask, size):
    answer = ask(BOTH, f"fix.parameters={size!r}")
    s = target(13e9)
    D = float(tokens_for(np.array([size]), s, 50e9, True)[0])
    assert answer.plan.tokens == pytest.approx(D, rel=1e-9)
    # The demand it suits makes it the optimum.
    demand = answer.fixed.implied_demand
    if demand > 0:
        again = ask(BOTH, f"demand.tokens={demand!r}")
        assert again.plan.parameters == pytest.approx(size, rel=1e-5)


def test_fixed_tokens_take_the_size_of_the_true_curve(ask):
    answer = ask(BOTH, "fix.tokens=1T")
    N = answer.plan.parameters
    assert reducible(N, 1e12, 50e9) == pytest.approx(target(13e9), rel=1e-9)
    assert reducible(N * (1 - 1e-6), 1e12, 50e9) > target(13e9)


def optimum(text, *overrides):
    """The least cost alone, without the rest of an answer."""
    question = formulate(read_scenario(text, "s.yaml", overrides))
    found = solve(question.program, question.start(question.program))
    return question, found


@pytest.mark.parametrize(
    ("law", "unique", "extra"),
    [
        ("muennighoff-2023", 50e9, ""),
        ("besiroglu-2024-refit", 200e9, ""),
        ("muennighoff-2023", 2e12, ""),
        ("besiroglu-2024-refit", 50e9, "fix: {parameters: 11B}\n"),
    ],
)
def test_every_elasticity_is_a_finite_difference(ask, law, unique, extra):
    text = BOTH.replace("muennighoff-2023", law) + extra
    base = (f"data.unique_tokens={unique!r}",)
    answer = ask(text, *base)
    h = 2e-5
    for move in answer.sensitivities:
        name = move.input
        ends = []
        for sign in (1, -1):
            moved = move.value * math.exp(sign * h)
            question, found = optimum(text, *base, f"{name}={moved!r}")
            z = found.optimum[0]
            ends.append(float(question.program.objective.log_value(z[None])[0]))
        slope = (ends[0] - ends[1]) / (2 * h)
        assert move.elasticity == pytest.approx(slope, rel=1e-5, abs=1e-6), name
    limit = next(x for x in answer.limits if x.name == "data.unique_tokens")
    move = next(m for m in answer.sensitivities if m.input == limit.name)
    assert limit.elasticity == pytest.approx(min(move.elasticity, 0), abs=1e-9)
    assert limit.value == pytest.approx(min(unique, answer.plan.tokens), rel=1e-9)


@pytest.mark.parametrize("unique", [50e9, 130e9, 260e9])
def test_near_optimal_sizes_cost_what_they_say(ask, unique):
    answer = ask(BOTH, f"data.unique_tokens={unique!r}", "demand.tokens=2e11")
    s = target(13e9)

    def cost(N):
        return 6 * N * tokens_for(N, s, unique, True) + 2 * N * 2e11

    for near in answer.near_optimal:
        for N, D in zip(near.parameters, near.tokens, strict=True):
            assert (
                pytest.approx(
                    float(tokens_for(np.array([N]), s, unique, True)[0]), rel=1e-8
                )
                == D
            )
            assert float(cost(np.array([N]))[0]) == pytest.approx(
                answer.cost.total * (1 + near.within), rel=1e-8
            )


def test_the_critical_size_and_the_floor_are_those_of_the_true_curves(ask):
    answer = ask(BOTH)
    s = target(13e9)
    _, compute = least(lambda N: 6 * N * tokens_for(N, s, 50e9, True), 1e9, 1e12)
    size = answer.critical.size
    D = float(tokens_for(np.array([size]), s, 50e9, True)[0])
    assert 6 * size * D == pytest.approx(2 * compute, rel=1e-8)
    assert size < answer.training_optimal.parameters
    floor = answer.critical.floor
    assert reducible(floor, 500 * 50e9, 50e9) == pytest.approx(s, rel=1e-9)


def test_what_unique_tokens_cannot_reach_is_explained(ask):
    """The lowest loss has every model size and 500 epochs; the cure is exact."""
    answer = ask(BOTH, "data.unique_tokens=5B")
    why = answer.infeasibility
    assert set(why.conflict) == {"target", "data.unique_tokens"}
    assert passes(why.certificate)
    low = reducible(1e18, 500 * 5e9, 5e9)
    assert why.nearest_loss == pytest.approx(E + low, rel=1e-9)
    assert "data.unique_tokens of 5B" in why.reason
    ways = {way.name: way for way in why.relaxations}
    assert ways["data.unique_tokens"].line is None or ways["data.unique_tokens"].line
    # So many unique tokens reach the target, and 2 % fewer do not.
    enough = ways["data.unique_tokens"].after
    assert reducible(1e18, 500 * enough, enough) == pytest.approx(
        target(13e9), rel=1e-3
    )
    assert ask(BOTH, f"data.unique_tokens={enough!r}").plan is not None
    assert ask(BOTH, f"data.unique_tokens={enough * 0.98!r}").plan is None
    assert ask(
        BOTH, "data.unique_tokens=5B", f"target={{loss: {ways['target'].after!r}}}"
    )


def test_more_epochs_than_the_law_covers_are_refused(ask):
    answer = ask(BOTH, "fix.tokens=26T")
    why = answer.infeasibility
    assert set(why.conflict) == {"data.unique_tokens", "fix.tokens"}
    assert "at most 500 epochs" in why.reason
    ways = {way.name: way for way in why.relaxations}
    assert ways["data.unique_tokens"].after == pytest.approx(52e9, rel=1e-5)
    assert ways["data.unique_tokens"].line == 5
    assert ways["fix.tokens"].after == pytest.approx(25e12, rel=1e-5)
    assert ways["target"].after is None
    assert ask(BOTH, "fix.tokens=24.9T").plan is not None


def test_a_limit_on_the_size_is_in_the_conflict(ask):
    answer = ask(BOTH, "limits.parameters=4B")
    why = answer.infeasibility
    assert set(why.conflict) == {"target", "data.unique_tokens", "limits.parameters"}
    ways = {way.name: way for way in why.relaxations}
    s = target(13e9)
    for name, (N, U) in {
        "limits.parameters": (ways["limits.parameters"].after, 50e9),
        "data.unique_tokens": (4e9, ways["data.unique_tokens"].after),
    }.items():
        assert reducible(N, 500 * U, U) == pytest.approx(s, rel=2e-4), name
    assert why.nearest_loss == pytest.approx(
        E + reducible(4e9, 500 * 50e9, 50e9), rel=1e-8
    )


def test_plenty_of_unique_tokens_change_nothing(ask):
    plain = ask(BOTH.replace("data: {unique_tokens: 50B}", ""))
    answer = ask(BOTH, "data.unique_tokens=1e15")
    assert answer.cost.total == pytest.approx(plain.cost.total, rel=1e-10)
    assert answer.plan.parameters == pytest.approx(plain.plan.parameters, rel=1e-7)
    limit = next(x for x in answer.limits if x.name == "data.unique_tokens")
    assert not limit.binding


def test_the_critical_size_is_guessed_where_its_bounds_bind(monkeypatch):
    """Newton gets there in a few steps, from prices of what binds and no others."""
    steps = []
    whole = settling._step

    def counted(*words):
        steps.append(words)
        return whole(*words)

    scenario = load_scenario(ROOT / "scenarios" / "data-limited-language.yaml")
    question = formulate(scenario)
    s = question.reducible
    best = training_optimal(question, s)
    monkeypatch.setattr(settling, "_step", counted)
    size = critical(question, s, best)
    assert len(steps) <= 5
    twice = 2 * best["N"] * best["D"] / size
    at_twice = question.reducible_at({"N": size, "D": twice})
    assert at_twice == pytest.approx(s, rel=1e-9)
    assert size < best["N"]


def test_how_repetition_fades_moves_the_plan_and_says_where_it_came_from(ask):
    """R_D* and R_N* were in no sensitivity, and `--set` of a law was told as law."""
    text = (
        "law: muennighoff-2023\ntarget: {match: {parameters: 7B}}\n"
        "demand: {tokens: 500B}\ndata: {unique_tokens: 20B}\n"
    )
    first = "law.extras.R_D_star=20"
    answer = ask(text, first, "law.beta=0.36")
    moves = {move.input: move for move in answer.sensitivities}
    assert moves["law.extras.R_D_star"].source == f"--set {first}"
    assert moves["law.beta"].source == "--set law.beta=0.36"
    assert moves["law.alpha"].source == "law"
    for name in ("law.extras.R_D_star", "law.extras.R_N_star"):
        value = moves[name].value
        up, down = (
            ask(text, first, "law.beta=0.36", f"{name}={value * f!r}").cost.total
            for f in (1.001, 0.999)
        )
        slope = math.log(up / down) / math.log(1.001 / 0.999)
        assert moves[name].elasticity == pytest.approx(slope, rel=1e-3, abs=1e-6)
    unread = ask(text[: text.index("data:")])
    assert not any("extras" in move.input for move in unread.sensitivities)
    with pytest.raises(InputError, match="must be above 0, got -3"):
        ask(text, "law.extras.R_D_star=-3")
