"""What a comparison says beyond its columns: decisions, dashes and reasons."""

from dataclasses import replace

import pytest

from optimizer.algebra.program import Certificate
from optimizer.analysis.comparison.community_share import ShareThreshold
from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.comparison.differences import Difference
from optimizer.analysis.comparison.regret import Regret
from optimizer.analysis.comparison.safe_plan import Robust, RobustPlan
from optimizer.analysis.plan.answer import Alternative
from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.practice import Parties
from optimizer.report.formats.decisions import compared
from optimizer.report.formats.text import render
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.under_laws import laws_side_blocks

PROOF = Certificate(1e-16, 0.0, 1e-14, 1e12)


def robust(value=1.07, expected=None, cvar=None, reason=""):
    minimax = None if value is None else RobustPlan(9.1e9, 3e12, value, "ratio", PROOF)
    return Robust(minimax, expected, cvar, 0.2, reason)


@pytest.fixture
def pair_of(answer):
    def make(**parts):
        plans = (
            replace(answer, scenario="Inside"),
            replace(answer, scenario="Outside"),
        )
        return Comparison(plans, **parts)

    return make


def page(comparison, width=100):
    return " ".join(render(comparison_blocks(comparison), width).split())


def test_the_first_sentence_is_the_decision(pair_of):
    assert page(pair_of(robust=robust())).startswith(
        "Comparison If it is not known which will come, train 9.1B on 3T: at most "
        "7 % above the optimum of whichever does. Warnings outside-range: "
    )


def test_with_probabilities_it_is_followed_by_theirs(pair_of):
    best = RobustPlan(8e9, 4e12, 1e23, "FLOP", PROOF)
    told = page(pair_of(robust=robust(1.00001, best, best)))
    assert "train 9.1B on 3T: at the optimum of whichever does." in told
    assert "By their probabilities, train 8B on 4T." in told
    assert "least cost of the worst 20 % 8.00B 4.00T 500 1.00e23 FLOP" in told


def test_without_one_plan_it_says_why(pair_of):
    told = page(pair_of(robust=robust(None, reason="Outside has a budget")))
    assert "No one plan suits all of these scenarios: Outside has a budget." in told
    assert "One plan for all" not in told


def test_a_dash_has_its_reason(pair_of):
    regret = Regret(
        ("Inside", "Outside"),
        ((1.0, None), (1.21, 1.0)),
        ((None, "misses the target"), (None, None)),
    )
    told = page(pair_of(regret=regret))
    assert "Inside 1 — Outside 1.21 1" in told
    assert "Inside: — in Outside: misses the target." in told


def test_a_plan_that_does_not_exist_is_explained_once(pair_of):
    reason = "Inside has no plan"
    regret = Regret(
        ("Inside", "Outside"),
        ((None, None), (None, 1.0)),
        ((reason, reason), ("Inside has no optimum to compare with", None)),
    )
    told = page(pair_of(regret=regret))
    assert told.count(reason) == 1
    assert f"Inside: — everywhere: {reason}." in told


def test_differences_are_factors_and_dashes(pair_of):
    rows = (
        Difference("demand.tokens", "2T", "50T", 0.812, 2.5, 3.1),
        Difference("objective", "", "dollars", None, None, None, "not alone: x"),
        Difference("the rest", "", "", None, None, None),
    )
    told = page(pair_of(differences=(rows,)))
    assert "From Inside to Outside" in told
    assert "demand.tokens 2T → 50T × 0.812 × 2.5 × 3.1" in told
    assert "objective nothing → dollars — — —" in told
    assert "objective: not alone: x." in told
    assert "the rest — — —" in told
    assert "Nothing differs" in page(pair_of(differences=((),)))


def test_what_is_not_counted_is_told_where_anything_is(pair_of, answer):
    """`Who pays: lab` of machines that the scenario says are the community's."""
    assert "What is counted" not in page(pair_of())
    shared = replace(answer, parties=Parties(8e22, 3e22, 1.1e23))
    told = page(Comparison((answer, shared)))
    assert "What is counted counted left to others in all" in told
    assert "lab" not in told.partition("What is counted")[2].split()
    assert "8.00e22 FLOP 3.00e22 FLOP 1.10e23 FLOP" in told


def test_shares_say_each_warning_once(pair_of, answer):
    unpaid = Warning("community-unpaid", "the serving cost of crowd counts for nothing")
    told = page(
        Comparison(
            (replace(answer, warnings=(unpaid,)), answer),
            shares=(
                (ShareThreshold("demand.crowd", 0.1, 1e10, 0.075),),
                (ShareThreshold("demand.crowd", 0.1, 1e10, None),),
            ),
        )
    )
    assert "demand.crowd 10.0B 7.5 %" in told
    assert "demand.crowd 10.0B never" in told
    assert "best size is 10 % smaller" in told
    assert told.count("the serving cost of crowd counts for nothing") == 1


def test_other_ways_stand_beside_each_plan(answer):
    bought = replace(answer, others=(Alternative("buy", 1e23, 5e10, None, 3e12),))
    told = page(Comparison((bought, answer)))
    assert "Train, buy, or keep what exists" in told
    assert "buy 1.00e23 FLOP above 3T" in told


def test_json_has_the_words_of_the_contract(pair_of):
    regret = Regret(
        ("Inside", "Outside"), ((1.0, None), (1.2, 1.0)), ((None, "x"),) * 2
    )
    best = RobustPlan(8e9, 4e12, 1e23, "FLOP", PROOF)
    data = compared(
        pair_of(
            regret=regret,
            robust=robust(1.07, best, best),
            differences=((Difference("a", "1", "2", 1.0, 1.0, None, "why"),),),
            shares=((), (ShareThreshold("demand", 0.1, 1e10, None),)),
        )
    )
    assert data["regret"]["scenarios"] == ["Inside", "Outside"]
    assert data["regret"]["table"] == [[1.0, None], [1.2, 1.0]]
    assert {"parameters", "tokens", "regret"} <= set(data["minimax"])
    assert data["expected"]["cost"] == data["cvar"]["cost"] == 1e23
    assert data["cvar"]["tail"] == 0.2
    assert data["reason"] is None
    assert data["differences"][0]["changes"][0]["path"] == "a"
    assert data["shares"][1]["thresholds"][0]["share"] is None


def test_one_scenario_is_compared_with_nothing(answer):
    data = compared(Comparison((answer,)))
    for key in ("regret", "minimax", "expected", "cvar", "reason"):
        assert data[key] is None
    assert data["differences"] == data["shares"] == []
    assert len(data["plans"]) == 1


def test_the_spread_of_laws_is_the_message(answer, infeasible):
    small = replace(answer, plan=replace(answer.plan, parameters=5.1e9, tokens=5e11))
    large = replace(answer, plan=replace(answer.plan, parameters=2.2e10, tokens=4e12))
    told = " ".join(render(list(laws_side_blocks("X", [small, large])), 80).split())
    assert (
        "X: law against law Across laws, the best size is anywhere from 5.1B to "
        "22B, on 500B to 4T tokens: they differ by a factor of 4.3 in size and 8 in "
        "tokens." in told
    )
    told = " ".join(render(list(laws_side_blocks("X", [small, small])), 80).split())
    assert "The laws agree: train 5.1B on 500B." in told
    told = " ".join(render(list(laws_side_blocks("X", [small, infeasible]))).split())
    assert "Only one law gives a plan: 5.1B on 500B." in told
    assert "some-law no plan" in told
    assert "some-law: the target of 1.9000 nats cannot be reached." in told
    told = render(list(laws_side_blocks("X", [infeasible, infeasible])))
    assert "Under none of these laws is there a plan." in told


@pytest.mark.parametrize("width", [30, 60, 80])
def test_pages_stay_within_their_width(pair_of, answer, width):
    rows = (Difference("demand.tokens", "2T", "{a: b}" * 9, 0.812, 2.5, 3.1),)
    regret = Regret(("Inside", "Outside"), ((1.0, 1.2), (1.2, 1.0)), ((None,) * 2,) * 2)
    blocks = comparison_blocks(
        pair_of(differences=(rows,), regret=regret, robust=robust())
    )
    text = render(blocks, width) + render(
        list(laws_side_blocks("X", [answer] * 3)), width
    )
    if width >= 60:
        assert max(map(len, text.splitlines())) <= width
    assert "Inside" in text
