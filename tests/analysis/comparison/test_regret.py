"""Plans for several futures: regret, minimax, expected cost and CVaR."""

import math

import numpy as np
import pytest

from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.comparison.regret import cost_of, missing, regret
from optimizer.analysis.comparison.safe_plan import robust, worst_weights
from optimizer.analysis.plan.optimum import solve
from optimizer.engine.certify import passes
from optimizer.errors import InputError
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario

LAW = "law: besiroglu-2024-refit\n"
MATCH = LAW + "target: {match: {parameters: 13B}}\n"


def scenarios(*texts):
    found = [
        read_scenario(text + f"name: s{index}\n") for index, text in enumerate(texts)
    ]
    return found, [solve(s) for s in found]


FUTURES = scenarios(
    MATCH + "demand: {tokens: 1T}\n",
    MATCH + "demand: {tokens: 1e14}\nlimits: {tokens: 9T}\n",
    LAW + "target: {match: {parameters: 15B}}\ndemand: {tokens: 5T}\n",
)
WEIGHTS = [0.5, 0.2, 0.3]


def points(answers, count=4000):
    """Random models around the plans."""
    rng = np.random.default_rng(3)
    base = np.log([[a.plan.parameters, a.plan.tokens] for a in answers])
    spread = base[rng.integers(len(base), size=count)] + rng.normal(0, 0.5, (count, 2))
    return [{"N": math.exp(n), "D": math.exp(d)} for n, d in spread]


def test_the_diagonal_is_one_and_the_rest_at_least_one_or_explained():
    table = regret(*FUTURES)
    for i, (row, reasons) in enumerate(zip(table.table, table.reasons, strict=True)):
        for j, (entry, reason) in enumerate(zip(row, reasons, strict=True)):
            if i == j:
                assert entry == pytest.approx(1, abs=1e-12)
            if entry is None:
                assert reason
            else:
                assert entry >= 1 - 1e-9
                assert reason is None


def test_a_plan_that_misses_a_target_or_breaks_a_limit_is_null_with_the_reason():
    table = regret(*FUTURES)
    assert table.table[0][2] is None
    assert "misses the target" in table.reasons[0][2]
    wide = scenarios(
        MATCH + "demand: {tokens: 1e16}\n",
        MATCH + "demand: {tokens: 1T}\nlimits: {tokens: 2T}\n",
    )
    assert "breaks limits.tokens" in regret(*wide).reasons[0][1]


def test_an_entry_is_the_cost_there_over_the_optimum_there():
    found, answers = FUTURES
    entry = regret(found, answers).table[2][0]
    plan = answers[2].plan
    cost = 6 * plan.parameters * plan.tokens + 2 * plan.parameters * 1e12
    assert entry == pytest.approx(cost / answers[0].cost.total, rel=1e-12)


def test_no_sampled_plan_has_less_regret_than_the_minimax_plan():
    found, answers = FUTURES
    best = robust(found, answers).minimax
    assert passes(best.certificate)
    questions = [formulate(s) for s in found]
    optima = [a.cost.total for a in answers]
    seen = 0
    for point in points(answers):
        if any(missing(q, point) for q in questions):
            continue
        seen += 1
        worst = max(
            cost_of(q, point) / o for q, o in zip(questions, optima, strict=True)
        )
        assert worst >= best.value * (1 - 1e-9)
    assert seen > 100
    at = {"N": best.parameters, "D": best.tokens}
    assert not any(missing(q, at) for q in questions)


def test_the_expected_plan_is_the_plan_for_the_mean_demand():
    """Where costs are linear in T only the mean of the demand matters."""
    found, answers = scenarios(
        MATCH + "demand: {tokens: 1T}\n", MATCH + "demand: {tokens: 9T}\n"
    )
    plan = robust(found, answers, [0.25, 0.75]).expected
    mean = solve(read_scenario(MATCH + "demand: {tokens: 7T}\n"))
    assert plan.parameters == pytest.approx(mean.plan.parameters, rel=1e-8)
    assert plan.value == pytest.approx(mean.cost.total, rel=1e-10)
    assert plan.unit == "FLOP"


def test_the_cvar_plan_against_the_primal_definition_at_random_points():
    """CVaR = min_t t + E[(cost − t)+]/tail (Rockafellar & Uryasev 2000)."""
    found, answers = FUTURES
    tail = 0.35
    best = robust(found, answers, WEIGHTS, tail).cvar
    questions = [formulate(s) for s in found]

    def cvar(point):
        costs = np.array([cost_of(q, point) for q in questions])
        return min(t + np.dot(WEIGHTS, np.maximum(costs - t, 0)) / tail for t in costs)

    at = {"N": best.parameters, "D": best.tokens}
    assert cvar(at) == pytest.approx(best.value, rel=1e-9)
    for point in points(answers):
        if not any(missing(q, point) for q in questions):
            assert cvar(point) >= best.value * (1 - 1e-9)


def test_cvar_lies_between_the_mean_and_the_worst_case():
    found, answers = FUTURES
    whole = robust(found, answers, WEIGHTS, 1.0)
    assert whole.cvar.value == pytest.approx(whole.expected.value, rel=1e-9)
    narrow = robust(found, answers, WEIGHTS, 0.01).cvar
    assert narrow.value > whole.expected.value


def test_worst_weights_fill_the_dearest_first():
    assert worst_weights([1, 3, 2], [0.5, 0.2, 0.3], 0.4) == pytest.approx(
        [0, 0.5, 0.5]
    )


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            [MATCH + "demand: {tokens: 1T}\n", LAW + "budget: {compute: 1e24}\n"],
            "has a budget",
        ),
        (
            [
                MATCH + "demand: {tokens: 1T}\nfix: {parameters: 9B}\n",
                MATCH + "demand: {tokens: 1T}\nfix: {parameters: 10B}\n",
            ],
            "fix N at different values",
        ),
        (
            [
                MATCH + "demand: {tokens: 1T}\nlimits: {parameters: 14B}\n",
                LAW
                + "target: {match: {parameters: 70B}}\ndemand: {tokens: 1T}\n"
                + "limits: {tokens: 1.4T}\n",
            ],
            "no plan meets all",
        ),
        (
            [
                MATCH + "demand: {tokens: 1T}\n",
                LAW + "target: {loss: 1}\ndemand: {tokens: 1}\n",
            ],
            "has no plan of its own",
        ),
    ],
)
def test_where_no_plan_suits_all_it_says_why(texts, words):
    found = robust(*scenarios(*texts))
    assert found.minimax is None
    assert words in found.reason


def test_costs_in_different_units_have_no_mean_but_a_regret():
    machine = (
        "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: h100-sxm, mfu: 0.3, price: $2/h}\n"
    )
    found, answers = scenarios(
        MATCH + "demand: {tokens: 1T}\n", MATCH + "demand: {tokens: 9T}\n" + machine
    )
    result = robust(found, answers, [0.5, 0.5])
    assert result.minimax is not None
    assert result.expected is None
    assert "no common mean" in result.reason


def test_a_plan_is_served_by_the_best_machine_of_the_scenario_it_runs_in():
    """Serving is chosen anew; of a list, the cheapest that fits counts."""
    dollars = (
        "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {model: mfu, hardware: %s, mfu: 0.3, price: $2/h}\n"
    )
    small = MATCH + "demand: {tokens: 1T}\n" + dollars % "h100-sxm"
    large = MATCH + "demand: {tokens: 50T}\n" + dollars
    found = scenarios(small, large % "[l4, h100-sxm]")
    entry = regret(*found).table[0][1]
    chips = [
        regret(*scenarios(small, large % chip)).table[0][1] * solve_cost(large % chip)
        for chip in ("l4", "h100-sxm")
    ]
    assert entry * found[1][1].cost.total == pytest.approx(min(chips), rel=1e-9)
    minimax = robust(*found).minimax
    assert 1 < minimax.value < entry


def solve_cost(text):
    return solve(read_scenario(text)).cost.total


def test_of_many_the_pairs_wait_until_they_are_asked_for():
    demands = [f"{MATCH}name: n{i}\ndemand: {{tokens: {i + 1}T}}\n" for i in range(21)]
    many = [read_scenario(text) for text in demands]
    found = compare(many)
    assert found.regret is None
    assert found.differences == found.shares == ()
    assert "only --pairs says what each plan costs in the others" in found.notes[-1]
    steps: list[int] = []
    asked = compare(many, pairs=True, advance=steps.append)
    assert asked.regret == regret(many, asked.plans)
    assert len(asked.differences) == 20
    assert sum(steps) == 21 + 441
    # What is said of all together is said either way, and the plans are the same.
    assert asked.robust == found.robust
    assert [one.plan for one in asked.plans] == [one.plan for one in found.plans]


def test_pairs_beyond_a_million_are_refused_before_any_plan():
    one = read_scenario(MATCH + "demand: {tokens: 1T}\n")
    with pytest.raises(InputError, match="1,001 scenarios have 1,002,001 pairs"):
        compare([one] * 1001, pairs=True)
