"""Audits in words: every case that an implied demand can be in."""

from dataclasses import replace

import pytest

from optimizer.analysis.audit import Asked, Audit, Implied
from optimizer.analysis.plan.answer import Critical
from optimizer.analysis.plan.priced import Cost, Line, Pair
from optimizer.report.formats.csv import AUDIT, audits
from optimizer.report.formats.decisions import audited
from optimizer.report.formats.text import render
from optimizer.report.pages.audit import audit_sentences, audits_blocks

FIELDS = {
    *("name", "law", "parameters", "tokens", "loss", "w", "implied_demand"),
    *("overhead", "k_N", "k_D", "overtraining", "critical", "training_optimal"),
    *("lifetime", "frontier"),
}


@pytest.fixture
def made():
    return Audit(
        name="llama-3-8b",
        law="besiroglu-2024",
        parameters=8e9,
        tokens=15e12,
        loss=2.02,
        w=5.2,
        implied_demand=Implied(190e12, 190e12, 190e12),
        overhead=4.6,
        k_N=0.237,
        k_D=23.7,
        overtraining=92.5,
        critical=Critical(5e9, 11.6e9, 4.6),
        training_optimal=Pair(34e9, 6.3e11, 18.5, 2.02),
        lifetime=None,
        frontier=(Asked("line-law", 3.7e12, 4.05),),
        outside=("D/N = 1870 is 5.5 × the most, 341",),
        note="the card says 15T+",
    )


def told(*audits):
    return " ".join(audit_sentences(audits))


def with_demand(audit, *three):
    return replace(audit, implied_demand=Implied(*three))


def test_the_sentence_that_the_issue_fixes(made):
    other = with_demand(replace(made, law="hoffmann-2022-devries"), *[88e12] * 3)
    assert told(made, other) == (
        "8B on 15T is lifetime-optimal if it serves 190T tokens (besiroglu-2024; 88T "
        "under hoffmann-2022-devries)."
    )


def test_below_zero_it_is_undertrained(made):
    low = replace(with_demand(made, *[-2e12] * 3), overhead=1.0)
    assert told(low) == (
        "8B on 15T is undertrained (besiroglu-2024): even to serve nothing, 34B on "
        "630B reaches the same loss with 50 % less training compute."
    )
    both = told(low, replace(low, law="other"))
    assert "(besiroglu-2024, and under the other laws too)" in both
    assert "; undertrained under other)" in told(made, replace(low, law="other"))


@pytest.mark.parametrize(
    ("three", "words"),
    [
        ((190e12, None, 190e12), "at most 190T tokens"),
        ((190e12, 190e12, None), "at least 190T tokens"),
        ((-1e12, -1e12, None), "any tokens"),
        ((190e12, None, None), "any tokens"),
    ],
)
def test_a_binding_limit_leaves_one_side_open(made, three, words):
    assert f"if it serves {words} (" in told(with_demand(made, *three))


def test_a_ceiling_below_zero_is_undertrained_too(made):
    assert "is undertrained" in told(with_demand(made, -1e12, None, -1e12))


def test_no_demand_at_all(made):
    none = with_demand(made, None, None, None)
    assert told(none) == (
        "No demand is known to make 8B on 15T lifetime-optimal (besiroglu-2024)."
    )
    suits = replace(none.implied_demand, reason="it does not keep limits.memory")
    assert told(replace(none, implied_demand=suits)).endswith(
        "(besiroglu-2024): it does not keep limits.memory."
    )
    even = replace(with_demand(made, 0.0, 0.0, 0.0), w=1.0)
    assert told(even) == (
        "8B on 15T is training-optimal: right if it serves nothing (besiroglu-2024)."
    )


def test_a_scenario_prices_it(made):
    cost = Cost("USD", 1e6, 1e6, 0.0, 2e6, (Line("training", 1e6, 0.5),))
    priced = replace(
        made,
        lifetime=cost,
        demand=2e12,
        lifetime_optimal=Pair(9.8e9, 6.4e12, 650, 2.02),
        lifetime_overhead=0.13,
    )
    assert told(priced).endswith(
        "At the 2T tokens of the scenario it takes 13 % more lifetime cost than the "
        "best model of the same loss, 9.8B on 6.4T."
    )
    text = render(audits_blocks([priced]))
    assert "lifetime cost" in text
    assert "$2.00M" in text
    walled = replace(priced, lifetime_optimal=None, lifetime_overhead=None)
    assert told(walled).endswith("leave no plan of this loss.")
    outside = replace(priced, lifetime_overhead=-0.2)
    assert "20 % less lifetime cost than" in told(outside)
    assert "that the scenario allows" in told(outside)
    best = replace(priced, lifetime_overhead=1e-12)
    assert told(best).endswith("nothing of its loss is cheaper.")


def test_one_model_is_told_in_full(made):
    text = " ".join(render(audits_blocks([made, replace(made, law="b")])).split())
    assert "suits a demand of 190T 190T" in text
    assert "line-law 3.7T 4.05 ×" in text
    assert "outside-range: the model lies outside the runs of besiroglu-2024" in text
    assert "note: the card says 15T+." in text


def test_of_several_models_the_extrapolations_are_told_before_the_tables(made):
    """No warning stood on the page of several models."""
    other = replace(made, name="gpt", outside=())
    text = " ".join(render(audits_blocks([made, other])).split())
    told = (
        "outside-range: llama-3-8b (D/N = 1870 is 5.5 × the most, 341) lies outside "
        "the runs of besiroglu-2024, where its loss is an extrapolation."
    )
    assert text.index(told) < text.index("overtraining")
    many = [replace(made, name=f"m{i}") for i in range(9)]
    text = " ".join(render(audits_blocks(many)).split())
    assert "9 of 9 models lie outside the runs of besiroglu-2024" in text


def test_laws_that_are_left_out_are_named(made):
    left = {"kaplan-2020": "its D is no count of tokens seen"}
    text = render(audits_blocks([made], left=left))
    assert "kaplan-2020: its D is no count of tokens seen." in text


def test_several_models_are_a_table_a_law(made):
    low = with_demand(replace(made, name="gpt", note=""), -1.0e12, -1e12, -1e12)
    text = " ".join(render(audits_blocks([made, low], "Told.")).split())
    assert (
        "Undertrained, even to serve nothing, are 1 under besiroglu-2024, of 2" in text
    )
    assert "llama-3-8b 8.00B 15.0T 92.5 5.60 190T" in text
    assert "gpt 8.00B 15.0T 92.5 5.60 undertrained" in text
    assert "llama-3-8b: the card says 15T+." in text
    assert text.endswith("Told.")


def test_a_model_that_suits_no_known_demand_is_not_said_to_suit_one(made):
    """`The others suit the served tokens in the last column`, which said none."""
    none = with_demand(made, None, None, None)
    text = " ".join(render(audits_blocks([made, replace(none, name="b")])).split())
    assert "No demand is known to suit 1 under besiroglu-2024. The others suit" in text
    text = " ".join(render(audits_blocks([none, replace(none, name="b")])).split())
    assert "No demand is known to suit 2 under besiroglu-2024." in text
    assert "The others" not in text


def test_the_table_of_models_fits_a_terminal(made):
    rows = [replace(made, name=f"nemotron-{i}-nano-30b-a3b") for i in range(3)]
    text = render(audits_blocks(rows), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "nemotron-0-nano-30b-a3b" in text
    assert "size: " not in text  # a table, and not a list of lines


def test_json_and_csv(made):
    data = audited([made])["audits"]
    assert set(data[0]) >= FIELDS
    assert data[0]["implied_demand"] == {
        "tokens": 190e12,
        "low": 190e12,
        "high": 190e12,
        "within": None,
        "reason": None,
        "replicas": None,
    }
    head, row = audits(data).splitlines()
    assert len(head.split(",")) == len(AUDIT)
    assert row.startswith("llama-3-8b,besiroglu-2024,8000000000.0,")
    assert "lifetime_total" in head
