"""`overtrain frontier`: its formats, its first sentence, and bad options."""

import csv
import json

import pytest

TRIAL = """\
name: Trial
law: besiroglu-2024-refit
target: {loss: 2.0}
demand: {tokens: 1e13}
"""


@pytest.fixture
def trial(here):
    (here / "trial.yaml").write_text(TRIAL)
    return here


def test_the_first_sentence_says_what_more_quality_costs(trial, run):
    done = run("frontier", "trial.yaml", "--points", "5")
    assert done.code == 0
    lines = done.out.splitlines()
    assert " ".join(lines[2:6]) == (
        "The next 1 % of reducible loss costs 4.3 % more lifetime compute: "
        "2.0000 nats takes 20B on 2.98T tokens and 7.57e23 FLOP. From 2.1828 nats "
        "down to 1.9086 nats, lifetime compute goes from "
        "5.13e22 FLOP to 1.73e25 FLOP, and the model from 1.85B to 231B parameters."
    )
    assert (
        "  2.0000 (plan)   7.57e23   3.57e23  4.00e23       20.0B   2.98T" in done.out
    )
    assert "All 5 points are shown." in done.out


def test_a_long_frontier_shows_some_points_and_says_so(trial, run):
    out = run("frontier", "trial.yaml", "--points", "99").out
    assert "points; --format csv and json have all." in out
    table = out.split("Loss against")[1].split("Training against")[0]
    rows = [line for line in table.splitlines() if line.startswith("  ")]
    assert 10 <= len(rows) <= 16
    assert sum("(plan)" in line for line in rows) == 1


def test_json_has_the_words_of_the_contract(trial, run):
    done = run("frontier", "trial.yaml", "--points", "4", "--format", "json")
    data = json.loads(done.out)
    assert data["format_version"] == 1
    assert (data["unit"], data["own"], data["reason"]) == ("FLOP", 2, None)
    assert len(data["points"]) == len(data["tradeoff"]) == 4
    words = {
        *("loss", "cost_total", "cost_training", "cost_inference"),
        *("parameters", "tokens", "tokens_per_parameter", "choice", "certificate"),
    }
    for point in data["points"]:
        assert set(point) == {*words, "elasticity", "student"}
    for point in data["tradeoff"]:
        assert set(point) == {*words, "weight"}
        parts = point["cost_training"] + point["cost_inference"]
        assert parts == pytest.approx(point["cost_total"], rel=1e-12)


def test_csv_has_every_point_of_both(trial, run):
    done = run("frontier", "trial.yaml", "--points", "3", "-o", "rows.csv")
    assert (done.code, done.out) == (0, "")
    with open("rows.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frontier"] for row in rows] == ["loss"] * 3 + ["tradeoff"] * 3
    assert [row["weight"] for row in rows] == ["", "", "", "0.01", "1.0", "100.0"]
    assert float(rows[1]["loss"]) == pytest.approx(2, abs=1e-12)


def test_markdown_is_a_page(trial, run):
    out = run("frontier", "trial.yaml", "--points", "3", "--format", "markdown").out
    assert out.startswith("# Trial\n\n**The next 1 % of reducible loss")
    assert "| 2.0000 (plan) | 7.57e23 |" in out


def test_no_plan_is_an_answer_with_its_own_code(trial, run):
    done = run("frontier", "trial.yaml", "--set", "target.loss=1.8")
    assert done.code == 3
    assert "There is no frontier: the target of 1.8000 nats is at or below" in done.out
    limits = ("--set", "limits.tokens=1T", "--set", "limits.parameters=15B")
    done = run("frontier", "trial.yaml", "--points", "41", *limits)
    assert done.code == 3
    assert "There is no plan for the scenario's own loss. From 2.1828 nats" in done.out
    assert "(plan)" not in done.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--span", "1"), "--span: must be above 1 and at most 100, got 1\n"),
        (("--span", "1e3"), "--span: must be above 1 and at most 100, got 1e3\n"),
        (("--span", "nan"), '--span: must be a number, got "nan"\n'),
        (("--span", "half"), '--span: must be a number, got "half"\n'),
        (("--span", "-2"), "--span: must be above 1 and at most 100, got -2\n"),
        (("-o", "no/where.csv"), "no/where.csv: there is no directory no\n"),
    ],
)
def test_a_bad_option_is_told_with_its_cure(trial, run, options, told):
    done = run("frontier", "trial.yaml", *options)
    assert (done.code, done.out, done.err) == (2, "", told)


@pytest.mark.parametrize("points", ["2", "-1", "1e9", "ten", "10002"])
def test_a_bad_number_of_points_is_refused(trial, run, points):
    done = run("frontier", "trial.yaml", "--points", points)
    assert done.code == 2
    assert done.out == ""
    assert "Invalid value for '--points'" in done.err


def test_files_are_checked_first(trial, run):
    done = run("frontier", "bad.yaml")
    assert done.code == 2
    assert "tokns" in done.err
    done = run("frontier", "missing.yaml")
    assert done.code == 2
    assert "missing.yaml" in done.err
