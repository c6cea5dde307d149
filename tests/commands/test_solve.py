"""`solve` and `compare`: what is printed where, and every exit code."""

import csv
import io
import json
from pathlib import Path

import pytest

from optimizer.errors import Defect
from optimizer.world.shapes import Entry

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_the_main_job(here, run):
    """Sardana et al. 2024: 13B quality at 2T inference tokens is a 7B on 1.25T."""
    done = run("solve", "good.yaml")
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith(
        "Good\n\nTrain 6.97B parameters on 1.25T tokens. Over 2T served tokens that "
        "costs 17 %\nless than the 13B that is cheapest to train to the same loss. It "
        "is 4.5 × the\nChinchilla-optimal tokens of its size. This is an "
        "extrapolation: 2.5 × the most\ntokens that hoffmann-2022-devries was fitted "
        "to.\n\nPlan\n"
    )


def test_a_screen_is_enough_and_full_has_the_rest(here, run):
    """Deciders read 35 lines; what makers need is one word away."""
    short, full = run("solve", "good.yaml").out, run("solve", "good.yaml", "--full").out
    assert short.count("\n") <= 35
    assert short.endswith("the best possible cost. --full has the rest.\n")
    for title in ("Warnings", "What moves lifetime compute", "Law and proof"):
        assert title not in short.splitlines()
        assert title in full.splitlines()
    paper = {" ".join(line.split()) for line in full.splitlines()}
    shown = [line.split() for line in short.splitlines() if " FLOP" in line]
    assert len(shown) == 3
    assert all(" ".join(line[-6:]) in " / ".join(paper) for line in shown)
    lead = short.partition("\n\n")[2].partition("\n\n")[0]
    assert lead in full
    words = ("solve", "good.yaml", "--format", "json")
    assert run(*words).out == run(*words, "--brief").out


def test_brief_is_a_line_a_plan(here, run):
    done = run("solve", "good.yaml", "impossible.yaml", "--brief")
    assert done.code == 3
    rows = [line.split() for line in done.out.splitlines()[2:4]]
    assert rows == [
        ["Good", "6.97B", "1.25T", "4.54", "8.00e22", "17", "%", "!"],
        ["Impossible", "no", "plan"],
    ]
    words = ("solve", "good.yaml", "--brief", "--law")
    laws = run(*words, "hoffmann-2022-devries", "--law", "kumar-2024").out
    assert "\n  hoffmann-2022-devries  6.97B " in laws
    assert "\n  kumar-2024 " in laws


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_brief_is_a_line_a_plan_however_long_its_name(run, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    files = sorted({*SCENARIOS.glob("*.yaml")} - {SCENARIOS / "portfolio.yaml"})
    lines = run("solve", *files, "--brief").out.splitlines()
    assert max(map(len, lines)) <= int(width)
    rows = lines[2 : lines.index("")]
    assert len(rows) == len(files) > 10
    cut = [row for row in rows if "…" in row]
    assert bool(cut) == (width != "200")
    assert len({row.split("  ")[1] for row in rows}) == len(rows)  # still apart
    assert any(row.startswith("  Buy or bu") and row.endswith("§") for row in rows)


def test_standard_input_and_overrides(here, run):
    text = (here / "good.yaml").read_bytes()
    sets = ("--set", "demand.tokens=0", "--set", "target.loss=2.1")
    done = run("solve", "-", *sets, "--format", "json", stdin=text)
    (plan,) = json.loads(done.out)["plans"]
    assert plan["file"] == "<stdin>"
    assert plan["overtraining"]["factor"] == pytest.approx(1, rel=1e-9)
    assert plan["target_loss"] == 2.1


def test_three_mistakes_at_once_and_nothing_is_solved(here, run):
    done = run("solve", "good.yaml", "bad.yaml", "absent.yaml", "-o", "out.json")
    assert done.code == 2
    assert done.out == ""
    lines = done.err.splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "absent.yaml:",
        "bad.yaml:2:6:",
        "bad.yaml:3:30:",
        "bad.yaml:4:10:",
    ]
    assert not (here / "out.json").exists()


def test_infeasible_plans_are_printed_with_the_others(here, run):
    done = run("solve", "impossible.yaml", "good.yaml", "--format", "json")
    assert done.code == 3
    plans = json.loads(done.out)["plans"]
    assert [plan["status"] for plan in plans] == ["infeasible", "optimal"]
    assert "limits.tokens" in plans[0]["infeasibility"]["conflict"]
    page = run("solve", "impossible.yaml")
    assert page.code == 3
    assert page.out.startswith("Impossible\n\nThere is no plan: ")


def test_a_failed_certificate_is_our_fault_in_one_line(here, run, monkeypatch):
    def fail(_scenario):
        raise Defect("the point failed its certificate")

    monkeypatch.setattr("optimizer.analysis.plan.optimum.solve", fail)
    done = run("solve", "good.yaml", "-o", "out.txt")
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert "the point failed its certificate" in done.err
    assert "Traceback" not in done.err
    assert not (here / "out.txt").exists()


def test_a_bug_is_one_line_too(here, run, monkeypatch):
    monkeypatch.setattr("optimizer.analysis.plan.optimum.solve", lambda _: 1 / 0)
    done = run("solve", "good.yaml")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "ZeroDivisionError" in done.err


def test_fail_on_names_the_plan_and_the_condition(here, run):
    arguments = ("solve", "good.yaml", "--format", "csv", "--fail-on")
    held = run(*arguments, "overtraining.factor > 4", "--fail-on", "cost.total<1")
    assert held.code == 4
    assert held.err == "good.yaml: Good: --fail-on overtraining.factor > 4 holds\n"
    assert held.out.count("\n") == 2
    assert run(*arguments, "plan.parameters >= 8B").code == 0
    assert run(*arguments, "unit_cost.total > 0").code == 0


def test_an_infeasible_plan_goes_before_a_condition(here, run):
    held = ("--fail-on", "plan.parameters > 1")
    assert run("solve", "good.yaml", "impossible.yaml", *held).code == 3


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("cost.totl > 1", 'there is no number "cost.totl" in an answer; did you mean'),
        ("plan > 1", "there are target_loss, demand.tokens, "),
        ("cost.total", "must be a path, one of <=, >=, ==, !=, <, >, and a number"),
        (
            "cost.total > much",
            'must be a cost such as $2M, 1e24 FLOP or 5 GWh, got "much"',
        ),
        ("cost.total > nan", '5 GWh, got "nan"'),
        ("", 'got ""'),
    ],
)
def test_a_malformed_condition_is_bad_input(here, run, condition, told):
    done = run("solve", "good.yaml", "--fail-on", condition)
    assert done.code == 2
    assert done.out == ""
    assert told in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("solve",),
        ("slove", "good.yaml"),
        ("solve", "good.yaml", "--format", "pdf"),
        ("solve", "good.yaml", "--nope"),
    ],
)
def test_usage_errors(here, run, arguments):
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("Usage: overtrain")


def test_a_misspelt_command_is_suggested(run):
    assert 'did you mean "solve"?' in run("slove").err


def test_compare_has_a_column_a_scenario(here, run):
    done = run("compare", "good.yaml", "impossible.yaml")
    assert done.code == 3
    lines = {line[2:24].strip(): line[24:].split() for line in done.out.splitlines()}
    assert lines["status"] == ["optimal", "infeasible"]
    assert lines["parameters"] == ["6.97B"]
    assert "Impossible: There is no plan" in done.out


def test_compare_gives_the_same_plans_as_solve(here, run):
    files = ("good.yaml", "impossible.yaml", "--format")
    assert run("compare", *files, "csv").out == run("solve", *files, "csv").out
    compared, solved = (
        json.loads(run(command, *files, "json").out) for command in ("compare", "solve")
    )
    assert compared["plans"] == solved["plans"]
    table = run("compare", *files, "markdown").out
    assert "|  | Good | Impossible |\n| :--- | ---: | ---: |\n" in table


def test_the_name_of_the_file_chooses_the_format(here, run):
    for name in ("a.json", "a.csv", "a.md", "a.txt"):
        assert run("solve", "good.yaml", "-o", name).out == ""
    assert json.loads((here / "a.json").read_text())["format_version"] == 1
    (row,) = csv.DictReader(io.StringIO((here / "a.csv").read_text()))
    assert row["scenario"] == "Good"
    assert (here / "a.md").read_text().startswith("# Good\n")
    assert (here / "a.txt").read_text().startswith("Good\n\nTrain")


def test_check_tells_of_every_file(here, run):
    done = run("check", "good.yaml", "bad.yaml", "impossible.yaml")
    assert done.code == 2
    assert done.out == "good.yaml: ok\nimpossible.yaml: ok\n"
    assert len(done.err.splitlines()) == 3
    assert run("check", "good.yaml").code == 0


def test_standard_input_is_read_once(here, run):
    done = run("check", "-", stdin=b"\xff\x00")
    assert done.code == 2
    assert done.err.startswith("<stdin>")
    twice = run("solve", "-", "-", stdin=b"")
    assert twice.code == 2
    assert "only once" in twice.err


def test_the_help_of_snap_has_every_word_of_an_architecture(run):
    """The words stand there as text: help is shown without reading any model."""
    told = " ".join(run("solve", "--help").out.split())
    words = told.partition("Words: ")[2].partition(".")[0].split(", ")
    assert set(words) == set(Entry.model_fields)
