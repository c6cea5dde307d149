"""The sentence for a product manager, in each situation that a plan can be in."""

from dataclasses import replace

import pytest

from optimizer.analysis.plan.answer import Alternative, Fixed, LimitUsed, Savings
from optimizer.analysis.plan.doubts import Beyond, Chance
from optimizer.analysis.plan.priced import Pair
from optimizer.analysis.plan.sensitivity import Sensitivity
from optimizer.analysis.plan.wording import compared, times
from optimizer.report.formats.text import render
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks


def wall(name, bound, unit, binding=True):
    return LimitUsed(name, bound, bound, unit, binding, -0.005, -0.5, -1.0, 5)


def test_the_sentence_that_the_design_fixes(answer):
    assert headline(answer) == (
        "Train 6.97B parameters on 1.25T tokens. Over 2T served tokens that costs 17 % "
        "less than the 13B that is cheapest to train to the same loss. It is 4.5 × the "
        "Chinchilla-optimal tokens of its size."
    )


def test_each_objective_has_its_word(answer):
    words = {
        "USD": "that costs 17 % less than the 13B",
        "kWh": "that takes 17 % less energy than the 13B",
        "kgCO2e": "that emits 17 % less carbon than the 13B",
    }
    for unit, word in words.items():
        told = headline(replace(answer, cost=replace(answer.cost, unit=unit)))
        assert word in told


def test_more_than_twice_as_much_is_a_factor():
    assert compared(0.3, "USD") == "costs 30 % more than"
    assert compared(1.11, "USD") == "costs 2.1 × as much as"
    assert compared(1.11, "kWh") == "takes 2.1 × as much energy as"


def test_next_to_no_difference_is_no_saving(ask):
    """`costs 5.3e-5 % less ... It is 1 x the Chinchilla-optimal`, of equal models."""
    text = "law: besiroglu-2024-refit\ntarget: {match: {parameters: 13B}}\n"
    assert "To three digits this is the training-optimal model." in headline(
        ask(text + "demand: {tokens: 20M}\n")
    )
    told = headline(ask(text + "demand: {tokens: 4B}\n"))
    assert "costs as much, to 0.01 %, as the 13B" in told
    assert "It is 1.01 × the Chinchilla-optimal tokens" in told


def test_a_factor_near_one_is_told_from_it():
    """`an extrapolation: 1 × the most tokens per parameter`."""
    assert times(1.0287) == "1.03"
    assert times(1.00042) == "1.0004"
    assert (times(1.0), times(5.863), times(0.9)) == ("1", "5.9", "0.9")


def test_where_attention_counts_the_rule_is_not_chinchillas(ask):
    text = (
        "law: besiroglu-2024-refit\ntarget: {match: {parameters: 1B}}\n"
        "training: {attention: true}\ndemand: {tokens: 1T}\n"
        "architecture: {layers: 24, width: 2048, sequence: 16384}\n"
    )
    answer = ask(text)
    assert answer.overtraining.attention
    assert "Chinchilla" not in headline(answer)
    assert "training-optimal for its size, attention counted" in headline(answer)


def test_repeated_data_have_a_factor_of_data_read_once(ask):
    """It divided by other tokens than it named, and the optimum's stood blank."""
    text = (
        "law: muennighoff-2023\ntarget: {match: {parameters: 7B}}\n"
        "demand: {tokens: 500B}\ndata: {unique_tokens: 60B}\n"
    )
    answer = ask(text)
    over, best, law = answer.overtraining, answer.training_optimal, answer.law
    for model, factor in ((answer.plan, over.factor), (best, over.optimal_factor)):
        # By the law alone: D_opt(N) is where α·A·N^-α = β·B·D^-β.
        share = law.alpha * law.A * model.parameters**-law.alpha
        once = (share / (law.beta * law.B)) ** (-1 / law.beta)
        assert factor == pytest.approx(model.tokens / once, rel=1e-9)
    assert over.factor > over.optimal_factor > 1.1
    told = headline(answer)
    assert (
        "It is 3.3 × the Chinchilla-optimal tokens of its size on data read once."
        in (told)
    )
    plenty = ask(text, "data.unique_tokens=2T")
    assert plenty.overtraining.left_out == ()
    assert plenty.overtraining.optimal_factor == 1
    assert "on data read once" not in headline(plenty)
    row = next(
        line
        for line in render(answer_blocks(answer), 100).splitlines()
        if "overtraining factor" in line
    )
    assert row.split()[-2:] == ["3.28", "1.25"]


WAYS = (
    Alternative("existing llama-2-13b", 1e4, 7.6e-8, 2.0292, 1.62e12),
    Alternative("buy", 3.5e4, 2.7e-7, None, 2.77e11),
)


def dear(answer, *ways):
    cost = replace(answer.cost, unit="USD", total=6.64e4)
    return replace(answer, cost=cost, others=ways)


def test_what_exists_and_is_better_and_cheaper_is_said_first(answer):
    """A report said "Train 9.6B, it saves 2.3 %" above a table with $10k for $66k."""
    found = dear(answer, *WAYS)
    assert found.cheapest == "existing llama-2-13b"
    assert headline(found).startswith(
        "Do not train: over 2T served tokens llama-2-13b, which exists, costs $10k, "
        "and its loss of 2.0292 is 0.016 better. A new model costs $66.4k; one "
        "planned for more wins above 1.62T served tokens. If you train, train 6.97B "
        "parameters on 1.25T tokens. "
    )


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (None, None, "none wins at any demand."),
        (1.001e11, None, "none wins below 100B served tokens, and above it whole"),
        (0.0, None, "whole replicas decide at which demands one planned for more wins"),
        (0.0, 3.001e12, "above 3.01T served tokens, and below it whole replicas"),
        (1.001e11, 3.001e12, "above 3.01T served tokens, none below 100B, and in"),
        (3e12, 3e12, "one planned for more wins above 3T served tokens."),
    ],
)
def test_where_whole_replicas_decide_both_ends_are_told(answer, first, last, told):
    way = replace(WAYS[0], cheaper_below=first, overtaken_at=last)
    assert told in headline(dear(answer, way))


def test_of_what_is_bought_nobody_knows_the_loss(answer):
    bought = replace(WAYS[1], total=5e3)
    told = headline(dear(answer, WAYS[0], bought))
    assert told.startswith(
        "Do not train: over 2T served tokens buying costs $5k, if what you buy is good "
        "enough; llama-2-13b, which exists, costs $10k, and its loss of 2.0292 is "
        "0.016 better. A new model costs $66.4k; one planned for more wins above "
        "1.62T served tokens."
    )


def test_as_good_is_said_of_losses_that_look_alike(answer):
    """`its loss of 2.0292 is as good`, where 2.1028 was asked."""
    alike = replace(WAYS[0], loss=answer.plan.loss - 3e-5)
    assert "2.0453 is as good. A new" in headline(dear(answer, alike))
    much = replace(WAYS[0], loss=answer.plan.loss - 0.2)
    assert "is 0.2 better. A new" in headline(dear(answer, much))


def test_what_misses_the_target_or_is_dearer_does_not_count(answer):
    missing = replace(WAYS[0], loss=2.3)
    dearer = replace(WAYS[1], total=7e4)
    found = dear(answer, missing, dearer)
    assert found.cheapest == "train"
    assert headline(found).startswith("Train 6.97B")


def test_the_table_of_other_ways_follows_the_verdict(answer):
    page = render(answer_blocks(dear(answer, *WAYS)), 100)
    assert page.index("Warnings") < page.index("Other ways") < page.index("Plan\n")


def test_an_extrapolation_says_how_far_in_the_first_paragraph(answer):
    far = (
        Beyond("tokens", 9.23e12, 5e11, "above", 18.46),
        Beyond("tokens_per_parameter", 1.0, 3.0, "below", 3.0),
    )
    told = headline(replace(answer, extrapolation=far))
    assert told.endswith(
        "This is an extrapolation: 18 × the most tokens and 1/3 of the fewest tokens "
        "per parameter that some-law was fitted to."
    )


def test_the_chance_to_reach_the_target_is_said(answer):
    told = headline(replace(answer, reached=Chance(0.477, 1000, 0)))
    assert told.endswith(
        "The plan reaches the target in 48 % of 1,000 draws of the law's error."
    )


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
            training_optimal=replace(
                answer.training_optimal,
                feasible=False,
                breaks=("limits.tokens", "limits.memory"),
            ),
            limits=(
                wall("limits.tokens", 4e11, "tokens"),
                wall("limits.parameters", 9e12, "parameters", binding=False),
            ),
        )
    )
    assert told.endswith(
        "Over 2T served tokens that costs 30 % more than the 13B that is cheapest to "
        "train to the same loss, which limits.tokens of 400B and limits.memory rule "
        "out. It is 4.5 × the Chinchilla-optimal tokens of its size."
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
        "The budget of 1e24 FLOP buys a loss of 2.0453: train 6.97B parameters on "
        "1.25T tokens. Over 2T"
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
    assert told.startswith(
        "Train the 3B parameters you fixed on 8.71T tokens, 4.5 × the Chinchilla-"
        "optimal tokens of its size. "
    )
    assert told.endswith(
        "Over 2T served tokens that costs 2.1 × as much as the optimum, 6.97B on 1.25T "
        "tokens. 3B is right for 132T served tokens; you expect 2T."
    )


def test_a_fixed_size_that_no_demand_suits(answer):
    assert headline(fixed(answer, -1e12)).endswith(
        "No demand makes 3B right: even a model that serves nothing should be smaller "
        "and trained on more tokens."
    )
    none = fixed(answer, None)
    assert headline(none).endswith("6.97B on 1.25T tokens.")
    why = replace(none.fixed, implied_reason="another plan is cheaper")
    assert headline(replace(none, fixed=why)).endswith(
        "No demand is known to make 3B right: another plan is cheaper."
    )


def test_a_fixed_size_that_whole_machines_disfavour_a_little(answer):
    near = fixed(answer, 95e12)
    near = replace(near, fixed=replace(near.fixed, implied_within=0.0015))
    assert headline(near).endswith(
        "3B is right for 95T served tokens, within 0.15 % of the least cost in whole "
        "machines; you expect 2T."
    )


def test_a_fixed_size_without_any_demand_expected(answer):
    assert headline(fixed(answer, 95e12, 0.0)).endswith(
        "3B is right for 95T served tokens; you expect none."
    )


def test_tokens_that_only_partly_count_are_told(answer):
    part = replace(answer.demand, counted_tokens=2e11)
    told = headline(replace(answer, demand=part))
    assert "Over 2T served tokens, 200B of them counted, that costs 17 % less" in told


def test_an_infeasible_plan_starts_with_the_reason(infeasible):
    assert headline(infeasible) == (
        "There is no plan: the target of 1.9000 nats cannot be reached."
    )
