"""What differs between two files: each alone, and what only all of it does."""

import math

import pytest

from optimizer.analysis.comparison.compare import compare, probabilities
from optimizer.errors import InputError
from optimizer.question.load import read_scenario

FIRST = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
limits: {parameters: 20B}
"""
ONE = "low: 50T, expected: 60T, high: 70T"


def differ(second, first=FIRST, *overrides):
    found = compare(
        [
            read_scenario(text, f"{name}.yaml", overrides)
            for name, text in (("a", first), ("b", second))
        ]
    )
    return found, {row.path: row for row in found.differences[0]}


def test_what_each_does_and_the_rest_multiply_to_the_whole():
    second = (
        FIRST.replace("2T", "50T")
        .replace("13B", "20B")
        .replace("20B}\ndem", "20B}\ndem")
        + "data: {price: $0/M}\ncosts: {restart: 5 %}\n"
    )
    found, rows = differ(second)
    assert set(rows) == {
        "target.match.parameters",
        "demand.tokens",
        "data",
        "costs",
        "the rest",
    }
    for word, of in (
        ("parameters", lambda a: a.plan.parameters),
        ("tokens", lambda a: a.plan.tokens),
        ("total", lambda a: a.cost.total),
    ):
        product = math.prod(getattr(row, word) for row in rows.values())
        whole = of(found.plans[1]) / of(found.plans[0])
        assert product == pytest.approx(whole, rel=1e-9)


def test_each_is_the_first_file_with_that_line_changed(ask):
    _, rows = differ(FIRST.replace("2T", "50T").replace("13B", "30B"))
    base, alone = ask(FIRST), ask(FIRST, "demand.tokens=50T")
    row = rows["demand.tokens"]
    assert (row.before, row.after) == ("2T", "50T")
    assert row.parameters == pytest.approx(alone.plan.parameters / base.plan.parameters)
    assert row.total == pytest.approx(alone.cost.total / base.cost.total)


def test_one_difference_leaves_no_rest():
    _, rows = differ(FIRST.replace("2T", "3T"))
    assert list(rows) == ["demand.tokens"]


def test_a_range_changes_as_a_whole(ask):
    """Its numbers are in order, so that one alone could not be moved past another."""
    first = FIRST.replace("2T", "{low: 1T, expected: 2T, high: 4T}")
    _, rows = differ(first.replace("low: 1T, expected: 2T, high: 4T", ONE), first)
    assert list(rows) == ["demand.tokens"]
    row = rows["demand.tokens"]
    assert row.after == f"{{{ONE}}}"
    alone = ask(FIRST, "demand.tokens=60T").plan.parameters
    wanted = alone / ask(FIRST).plan.parameters
    assert row.parameters == pytest.approx(wanted, rel=1e-9)
    _, mixed = differ(FIRST, first)
    assert mixed["demand.tokens"].parameters == pytest.approx(1, rel=1e-9)


def test_names_and_probabilities_are_no_differences():
    found, rows = differ(
        FIRST + "name: B\ndescription: other\nprobability: 40 %\n",
        FIRST + "probability: 60 %\n",
    )
    assert rows == {}
    assert found.robust.expected is not None


def test_streams_of_the_same_names_differ_word_by_word():
    streams = (
        "demand: [{name: lab, tokens: 1T}, {name: crowd, tokens: 5T, cost_share: %s}]\n"
    )
    first = FIRST.replace("demand: {tokens: 2T}\n", streams % "0")
    found, rows = differ(first.replace("cost_share: 0", "cost_share: 1"), first)
    assert list(rows) == ["demand.crowd.cost_share"]
    row = rows["demand.crowd.cost_share"]
    ratio = found.plans[1].plan.parameters / found.plans[0].plan.parameters
    assert row.parameters == pytest.approx(ratio, rel=1e-9)
    added = first.replace(", cost_share: 0", "")
    _, rows = differ(added, first)
    assert (rows["demand.crowd.cost_share"].after) == ""


def test_words_that_exclude_each_other_change_together():
    _, rows = differ(FIRST.replace("match: {parameters: 13B}", "loss: 2.1"))
    assert list(rows) == ["target"]
    assert rows["target"].before == "{match: {parameters: 13B}}"
    assert rows["target"].parameters is not None
    streams = "demand: [{name: a, %s, lifetime: 1 year}]\n"
    requests = "requests: 1M/day, input_tokens: 5, output_tokens: 5"
    first = FIRST.replace("demand: {tokens: 2T}\n", streams % "tokens: 1T/day")
    second = FIRST.replace("demand: {tokens: 2T}\n", streams % requests)
    _, rows = differ(second, first)
    assert "the rest" not in rows
    assert next(iter(rows.values())).reason == ""


def test_what_cannot_stand_alone_says_why_and_hides_the_rest():
    dollars = (
        "objective: dollars\ntraining: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
        "serving: {hardware: h100-sxm, mfu: 0.4, price: $2/h}\n"
    )
    _, rows = differ(FIRST + dollars)
    assert rows["objective"].parameters is None
    assert rows["objective"].reason.startswith("not alone: needs more figures")
    assert rows["training"].parameters == pytest.approx(1)
    assert rows["the rest"].parameters is None


def test_a_change_without_a_plan_says_why():
    _, rows = differ(FIRST.replace("20B", "1M").replace("13B", "14B"))
    assert rows["limits.parameters"].parameters is None
    assert "limits.parameters" in rows["limits.parameters"].reason


def test_overrides_of_the_law_hold_for_each_change():
    """`--set law.alpha` waits for the law's file; the changed files wait too."""
    plain, _ = differ(FIRST.replace("2T", "50T"))
    moved, rows = differ(FIRST.replace("2T", "50T"), FIRST, "law.alpha=0.3")
    ratio = moved.plans[1].plan.parameters / moved.plans[0].plan.parameters
    assert rows["demand.tokens"].parameters == pytest.approx(ratio, rel=1e-9)
    assert plain.plans[0].plan.parameters != moved.plans[0].plan.parameters


def test_probabilities_of_some_or_of_too_much_are_refused():
    files = [
        read_scenario(FIRST + f"probability: {p}\n", f"{p}.yaml") for p in (0.5, 0.6)
    ]
    with pytest.raises(InputError) as caught:
        probabilities(files)
    assert str(caught.value) == (
        "0.5.yaml:5:14: probability: those of all scenarios must sum to 100 %, and "
        "they sum to 110 %"
    )
    files[1] = read_scenario(FIRST, "none.yaml")
    with pytest.raises(InputError) as caught:
        probabilities(files)
    assert str(caught.value) == (
        "none.yaml:1:1: probability: is missing, and other scenarios have one; give "
        "every scenario one, or none"
    )
    assert probabilities(files[:1]) is None
    assert compare(files[:1]).robust is None
