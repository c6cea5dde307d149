"""The sentence for a product manager, in each situation that a plan can be in."""

from dataclasses import replace

from optimizer.analysis.plan.answer import Fixed, LimitUsed, Pair, Savings
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.report.pages.headline import headline


def wall(name, bound, unit, binding=True):
    return LimitUsed(name, bound, bound, unit, binding, -0.5, -1.0, 5)


def test_the_sentence_that_the_design_fixes(answer):
    assert headline(answer) == (
        "Train 7.0B parameters on 1.25T tokens: 4.5 × Chinchilla-optimal for this "
        "size (2.2 × the tokens of the equally good 13B). It saves 17 % of lifetime "
        "compute at 2T served tokens."
    )


def test_a_target_that_is_no_training_optimal_model_names_it_so(answer):
    for reference in (None, Pair(8e9, 15e12, 1875, 2.0453)):
        told = headline(replace(answer, reference=reference))
        assert "(2.2 × the tokens of the equally good training-optimal 13B)" in told


def test_each_objective_has_its_word(answer):
    words = {"USD": "cost", "kWh": "energy", "kgCO2e": "carbon"}
    for unit, word in words.items():
        told = headline(replace(answer, cost=replace(answer.cost, unit=unit)))
        assert f"saves 17 % of lifetime {word} at" in told


def test_no_demand_gives_the_training_optimal_model(answer):
    optimal = answer.training_optimal
    none = replace(answer.demand, tokens=0.0, counted_tokens=0.0)
    told = headline(
        replace(
            answer,
            demand=none,
            plan=Pair(optimal.parameters, optimal.tokens, 44.3, optimal.loss),
            savings=Savings(0.0, 0.0),
        )
    )
    assert told == (
        "Train 13B parameters on 576B tokens. This is the training-optimal model: no "
        "served tokens are counted."
    )


def test_negative_savings_name_the_limits_that_cause_them(answer):
    told = headline(
        replace(
            answer,
            savings=Savings(-1e22, -0.3),
            training_optimal=replace(answer.training_optimal, feasible=False),
            limits=(
                wall("limits.tokens", 4e11, "tokens"),
                wall("limits.memory", 2e9, "bytes"),
                wall("limits.parameters", 9e12, "parameters", binding=False),
            ),
        )
    )
    assert told.endswith(
        "It takes 30 % more lifetime compute at 2T served tokens than the "
        "training-optimal 13B, which limits.tokens of 400B and limits.memory of 2 GB "
        "rule out."
    )


def test_a_budget_tells_the_loss_that_it_buys(answer):
    told = headline(
        replace(
            answer,
            question="budget",
            reference=None,
            limits=(wall("budget.compute", 1e24, "FLOP"),),
        )
    )
    assert told.startswith(
        "The budget of 1e24 FLOP buys a loss of 2.0453: train 7.0B parameters on 1.25T "
        "tokens, 4.5 × Chinchilla-optimal for this size ("
    )


def test_a_budget_of_time_says_so(answer):
    walls = (wall("budget.training_time", 24 * 86400, "s"),)
    told = headline(replace(answer, question="budget", limits=walls))
    assert told.startswith("The training time budget of 24 days buys a loss of 2.0453")


def fixed(answer, suits, demand=2e12):
    asked = replace(answer.demand, tokens=demand, counted_tokens=demand)
    asked = replace(asked, effective_tokens=2 * demand or None)
    return replace(
        answer,
        plan=Pair(3e9, 8.71e12, 2900, 2.0453),
        demand=asked,
        fixed=Fixed(answer.plan, 9e22, 1.11, suits),
        sensitivities=(Sensitivity("fix.parameters", 3e9, -2.3, None, None, 4),),
    )


def test_a_fixed_size_tells_what_it_costs_and_whom_it_suits(answer):
    told = headline(fixed(answer, 132e12))
    assert told.startswith("Train the 3B parameters you fixed on 8.71T tokens: ")
    assert told.endswith(
        "That takes 110 % more lifetime compute at 2T served tokens than the optimum, "
        "7.0B on 1.25T tokens. 3B is right for 132T served tokens; you expect 2T."
    )


def test_a_fixed_size_that_no_demand_suits(answer):
    assert headline(fixed(answer, -1e12)).endswith(
        "No demand makes 3B right: even a model that serves nothing should be smaller "
        "and trained on more tokens."
    )
    assert headline(fixed(answer, None)).endswith("7.0B on 1.25T tokens.")


def test_a_fixed_size_without_any_demand_expected(answer):
    assert headline(fixed(answer, 95e12, 0.0)).endswith(
        "3B is right for 95T served tokens; you expect none."
    )


def test_tokens_that_only_partly_count_are_told(answer):
    part = replace(answer.demand, counted_tokens=2e11)
    assert headline(replace(answer, demand=part)).endswith(
        "at 2T served tokens, 200B of them counted."
    )


def test_an_infeasible_plan_starts_with_the_reason(infeasible):
    assert headline(infeasible) == (
        "There is no plan: the target of 1.9000 nats cannot be reached."
    )
