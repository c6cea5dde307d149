"""`overtrain uncertainty`: its formats, its first sentence, and bad options."""

import csv
import json
import re

import pytest

TRIAL = """\
name: Trial
law: besiroglu-2024-refit
target: {loss: 2.0}
demand: {tokens: 1e13}
"""
EXACT = """\
name: Exact
law: hoffmann-2022-devries
target: {match: {parameters: 30B}}
demand: {tokens: {low: 1T, expected: 3T, high: 20T}}
"""
WORDS = ("parameters", "tokens", "tokens_per_parameter", "loss", "cost_total", "saving")


@pytest.fixture
def trial(here):
    (here / "trial.yaml").write_text(TRIAL)
    (here / "exact.yaml").write_text(EXACT)
    return here


def test_the_first_sentence_has_the_robust_plan_and_the_right_size(trial, run):
    done = run("uncertainty", "trial.yaml")
    assert done.code == 0
    assert done.err == ""
    lines = done.out.splitlines()
    assert " ".join(done.out.split("\n\n")[1].split()) == (
        "With 90 % confidence the target takes 29.4B parameters and 3.47T tokens: 59 % "
        "more lifetime compute than the plan for the expected numbers, 20B on 2.98T, "
        "which reaches it in 48 % of the draws. If besiroglu-2024-refit is right, the "
        "best size is anywhere from 13.3B to 36.4B in nine of ten draws of its error."
    )
    assert "Only the law varies" in done.out
    assert max(map(len, lines)) <= 80


def test_a_fixed_size_is_not_called_the_best_one(run, root):
    """`the best size is 3.1B in nearly every draw` was said of a size that is fixed."""
    path = root / "scenarios" / "smollm3.yaml"
    done = run("uncertainty", str(path), "--draws", "50")
    text = " ".join(done.out.split())
    assert "the best size is" not in text
    told = "the fixed 3.08B takes 11.2T tokens in nine of ten draws of its error"
    assert told in text


def test_warnings_stand_before_the_table_and_in_the_json(run, root):
    """Its D/N are far past the 341 of the law's runs; nothing said so."""
    path = str(root / "scenarios" / "own-plan.yaml")
    out = run("uncertainty", path, "--draws", "50").out
    assert 0 < out.index("outside-range") < out.index("The right plan of each draw")
    found = json.loads(run("uncertainty", path, "--draws", "50", "--format=json").out)
    assert [one["code"] for one in found["warnings"]] == ["outside-range", "own-plan"]
    far = found["tokens_per_parameter"]["p95"] / 341
    assert f"is {far:.2g} × the most, 341" in found["warnings"][0]["message"]


def test_ranges_are_named_beside_the_error_of_the_law(run, root):
    path = root / "scenarios" / "regulated-internal-assistant.yaml"
    text = " ".join(run("uncertainty", str(path), "--draws", "50").out.split())
    assert "in nine of ten draws of its error and the ranges" in text


def test_an_exact_law_is_told(trial, run):
    out = " ".join(run("uncertainty", "exact.yaml", "--draws", "100").out.split())
    assert (
        "Exact The error of hoffmann-2022-devries is not in these numbers: it carries "
        in out
    )
    assert "reach the target" not in out
    assert "If hoffmann-2022-devries is right, the best size is anywhere from" in out
    assert "hoffmann-2022-devries carries neither a covariance nor draws" in out
    assert "expected is what single plans are priced at, and is not drawn" in out


def test_json_has_the_words_of_the_contract(trial, run):
    done = run("uncertainty", "trial.yaml", "--draws", "50", "--format", "json")
    data = json.loads(done.out)
    assert (data["draws"], data["seed"], data["unreachable"]) == (50, 0, 0)
    for word in WORDS:
        ends = data[word]
        assert ends["p5"] <= ends["p50"] <= ends["p95"]
        assert set(ends) == {"p5", "p50", "p95"}
    words = {"probability", "parameters", "tokens", "cost_total", "reached"}
    assert set(data["robust"]) == words
    assert data["robust"]["probability"] == 0.9
    assert data["robust"]["reached"] >= 0.9
    assert set(data["expected"]) == {*WORDS, "reached"}
    assert data["reason"] is None


def test_the_same_seed_prints_the_same_bytes(trial, run):
    wanted = ("uncertainty", "trial.yaml", "--draws", "200", "--format", "json")
    first, second = (run(*wanted, "--seed", "5").out for _ in range(2))
    assert first == second
    assert run(*wanted, "--seed", "6").out != first


def test_csv_has_a_row_a_quantity(trial, run):
    run("uncertainty", "trial.yaml", "--draws", "20", "-o", "rows.csv")
    with open("rows.csv", newline="") as file:
        rows = {row["quantity"]: row for row in csv.DictReader(file)}
    assert tuple(rows) == (*WORDS, "reached")
    assert float(rows["parameters"]["robust"]) > float(rows["parameters"]["expected"])
    assert rows["saving"]["robust"] == rows["reached"]["p50"] == ""


def test_markdown_is_a_page(trial, run):
    wanted = ("--draws", "20", "--format", "markdown")
    out = run("uncertainty", "trial.yaml", *wanted).out
    assert out.startswith("# Trial\n\n**With 90 % confidence the target takes")
    assert "|  | p5 | p50 | p95 | expected | robust |" in out


def test_no_robust_plan_is_an_answer_with_its_own_code(trial, run):
    done = run("uncertainty", "trial.yaml", "--set", "target.loss=1.83")
    assert done.code == 3
    text = " ".join(done.out.split())
    assert "The target is out of reach in 32 % of the draws, and no plan" in text
    assert "no model reaches the target within the limits that often" in text
    done = run(
        *("uncertainty", "trial.yaml", "--set", "target.loss=1.5", "--format", "json")
    )
    data = json.loads(done.out)
    assert done.code == 3
    assert data["unreachable"] == 1
    assert [data[word] for word in (*WORDS, "robust", "expected")] == [None] * 8
    done = run("uncertainty", "trial.yaml", "--set", "target.loss=1.5")
    assert "No draw has a plan: the target is out of reach in all" in done.out


def test_where_none_can_be_the_robust_plan_is_left_out_or_refused(trial, run):
    budget = ("uncertainty", "trial.yaml", "--set", "budget.training_compute=1e24")
    done = run(*budget, "--draws", "20")
    assert done.code == 0
    assert "The budget buys a loss of 1." in done.out
    assert "a budget has no target to reach with a" in done.out
    done = run(*budget, "--probability", "0.9")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "--probability: there is no robust plan: a budget has no target to reach with "
        "a probability; leave the option out\n"
    )
    penalty = ("--set", "serving.quantization_penalty=true")
    few = ("--set", "serving.weights=int4", "--probability", "0.9")
    done = run("uncertainty", "trial.yaml", *penalty, *few)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "--probability: there is no robust plan: with the quantization penalty more "
        "tokens may raise the loss, so that no number of tokens is enough for sure; "
        "leave the option out\n"
    )


RANGE = "--probability: must be above 0 % and below 100 %, got "


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--probability", "0"), f"{RANGE}0\n"),
        (("--probability", "1"), f"{RANGE}1\n"),
        (("--probability", "100 %"), f"{RANGE}100 %\n"),
        (
            ("--probability", "nan"),
            '--probability: must be a fraction such as 40 %, got "nan"\n',
        ),
        (
            ("--set", "law=hoffmann-2022-devries"),
            "uncertainty: nothing is uncertain: give a number of the demand or a price "
            "as {low: 1T, expected: 2T, high: 4T}, or choose a law with a covariance, "
            "such as besiroglu-2024-refit\n",
        ),
        (
            # So many that their time is told first.
            ("--set", "law=hoffmann-2022-devries", "--draws", "1000000"),
            "uncertainty: nothing is uncertain: give a number of the demand or a price "
            "as {low: 1T, expected: 2T, high: 4T}, or choose a law with a covariance, "
            "such as besiroglu-2024-refit\n",
        ),
        (("-o", "no/where.csv"), "no/where.csv: there is no directory no\n"),
    ],
)
def test_a_bad_option_is_told_with_its_cure(trial, run, options, told):
    done = run("uncertainty", "trial.yaml", *options)
    assert (done.code, done.out, done.err) == (2, "", told)


def test_a_demand_that_may_be_nothing_is_told_at_its_line(trial, run):
    (trial / "zero.yaml").write_text(EXACT.replace("low: 1T", "low: 0"))
    done = run("uncertainty", "zero.yaml")
    assert (done.code, done.out) == (2, "")
    told = "zero.yaml:4:24: demand.tokens.low: must be above 0 to draw from, got 0"
    assert done.err.startswith(told)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--draws", "9"), ("--draws", "1e3"), ("--draws", "1000001"), ("--seed", "-1")],
)
def test_a_bad_number_is_refused(trial, run, option, value):
    done = run("uncertainty", "trial.yaml", option, value)
    assert done.code == 2
    assert done.out == ""
    assert f"Invalid value for '{option}'" in done.err


def test_many_draws_say_beforehand_what_they_take(trial, run, monkeypatch):
    monkeypatch.setattr("optimizer.analysis.sweep.forecast.LONG", 20)
    told = run("uncertainty", "trial.yaml", "--draws", "30").err
    assert re.fullmatch(r"30 draws, about .+ of work\n", told)
    assert run("uncertainty", "trial.yaml", "--draws", "20").err == ""


def test_students_of_many_draws_say_beforehand_what_they_take(trial, run, monkeypatch):
    """A thousand of them took a minute, without a word."""
    text = (
        "law: busbridge-2025\ntarget: {match: {parameters: 13B}}\n"
        "demand: {tokens: {low: 1T, expected: 2T, high: 4T}}\ndistillation:\n"
        "  teacher: [{parameters: 70B, tokens: 1.4T}, {parameters: 30B, tokens: 3T}]\n"
        "  logits: free\n"
    )
    (trial / "taught.yaml").write_text(text)
    monkeypatch.setattr("optimizer.analysis.sweep.forecast.SCANS", 20)
    told = run("uncertainty", "taught.yaml", "--draws", "11").err
    assert re.fullmatch(r"11 draws, about .+ of work\n", told)
    assert run("uncertainty", "taught.yaml", "--draws", "10").err == ""
    vary = ("--vary", "demand.tokens=1e12:4e12:11")
    assert run("sweep", "taught.yaml", *vary).err.startswith("11 rows, about ")
