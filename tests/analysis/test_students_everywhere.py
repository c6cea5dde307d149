"""Students and own plans in sweeps, frontiers, draws and comparisons.

Each is held to what a single solve of the same scenario answers.
"""

import csv
import json

import numpy as np
import pytest

from cli import main
from optimizer.analysis.comparison.compare import compare
from optimizer.analysis.frontier.frontier import frontier
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.sweep.sweep import STATUSES, results_of, told
from optimizer.analysis.uncertainty.uncertainty import uncertainty
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan
from optimizer.report.formats.text import render
from optimizer.report.pages.comparison import comparison_blocks

TEXT = """\
law: busbridge-2025
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
distillation:
  teacher: [{parameters: 30B, tokens: 3T}, {parameters: 70B, tokens: 1.4T}]
  logits: free
"""
WORDS = ("student_parameters", "student_tokens", "student_cost", "student_ratio")


def read(text, *sets):
    return read_scenario(text, "s.yaml", sets)


def single(text, *sets):
    """The best student of one scenario, in the columns of a sweep."""
    way = solve(read(text, *sets)).distillation.ways[0]
    if way.student is None:
        return [None] * 4
    return [way.student.parameters, way.student.tokens, way.total, way.ratio]


def row(scenario, found, index):
    return dict(zip(results_of(scenario), found.results[index].tolist(), strict=True))


@pytest.mark.parametrize(
    ("vary", "sets"),
    [
        ("demand.tokens=200B,20T", ()),
        ("target.match.parameters=7B,20B", ("distillation.logits=paid",)),
        ("limits.parameters=4B,8B", ("limits.parameters=8B",)),
    ],
)
def test_a_row_has_the_student_of_its_scenario(vary, sets):
    scenario = read(TEXT, *sets)
    path, values = vary.split("=")
    found = told(plan(scenario, [vary]), 0, 2)
    for index, value in enumerate(values.split(",")):
        mine = row(scenario, found, index)
        want = single(TEXT, *sets, f"{path}={value}")
        assert [mine[word] for word in WORDS] == pytest.approx(want, rel=1e-9)
        assert 0 <= mine["student_gap"] < 1.1e-5
        assert mine["teacher"] in {1.0, 2.0}


def test_the_teacher_of_a_row_is_told_by_its_place_in_the_list():
    """Logits of 30B cost less than half of those of 70B."""
    for logits, place in (("free", 2.0), ("paid", 1.0)):
        scenario = read(TEXT, f"distillation.logits={logits}")
        found = told(plan(scenario, ["demand.tokens=2T,3T"]), 0, 1)
        assert row(scenario, found, 0)["teacher"] == place


def test_where_no_plan_keeps_a_limit_a_student_may():
    """318B tokens do for a student where training alone needs 600B."""
    scenario = read(TEXT, "limits.tokens=250B")
    found = told(plan(scenario, ["limits.tokens=250B,400B"]), 0, 2)
    assert [STATUSES[i] for i in found.status] == ["optimal", "optimal"]
    bounded = read(TEXT, "limits.tokens=250B", "limits.parameters=7B")
    found = told(plan(bounded, ["limits.parameters=7B,7.5B"]), 0, 1)
    assert STATUSES[found.status[0]] == "infeasible"
    mine = row(bounded, found, 0)
    assert np.isnan(mine["cost_total"])
    assert np.isnan(mine["student_ratio"])
    assert mine["student_tokens"] <= 250e9 * (1 + 1e-9)
    assert mine["student_parameters"] <= 7e9 * (1 + 1e-9)


def test_a_target_that_no_student_reaches_leaves_its_columns_empty():
    """Teachers of 1.7367 and 1.7587 have no students below."""
    scenario = read(TEXT.replace("match: {parameters: 13B}", "loss: 1.7"))
    found = told(plan(scenario, ["target.loss=1.7,1.9"]), 0, 2)
    assert np.isnan(row(scenario, found, 0)["student_cost"])
    assert row(scenario, found, 0)["cost_total"] > 0
    assert row(scenario, found, 1)["student_cost"] > 0


def test_a_list_of_choices_takes_the_student_of_the_best(tmp_path):
    """Machines of which one is cheaper to train on, the other to serve with."""
    text = TEXT + (
        "objective: dollars\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2.00/h}\n"
        "serving: {hardware: [h100-sxm, a100-sxm-80gb], mfu: 30 %, price: $1.00/h}\n"
    )
    scenario = read(text)
    found = told(plan(scenario, ["demand.tokens=2T,4T"]), 0, 2)
    for index, value in enumerate(("2T", "4T")):
        mine = row(scenario, found, index)
        want = single(text, f"demand.tokens={value}")
        assert [mine[word] for word in WORDS] == pytest.approx(want, rel=1e-9)


@pytest.fixture
def run(tmp_path, capsys):
    """What a command prints of the scenario, which is its second word."""
    path = tmp_path / "s.yaml"
    path.write_text(TEXT)

    def done(word, *words):
        assert main([word, str(path), *words]) == 0
        return capsys.readouterr().out

    return done


def test_the_page_and_the_rows_of_a_sweep(run):
    vary = ["sweep", "--vary", "demand.tokens=1T,2T"]
    page = run(*vary)
    assert "6.28B on 319B" in page
    assert "no size is cheaper by more than" in " ".join(page.split())
    sheet = list(csv.DictReader(run(*vary, "-o", "-", "--format", "csv").splitlines()))
    assert float(sheet[1]["student_ratio"]) == pytest.approx(0.768, abs=6e-4)
    assert json.loads(run(*vary, "-o", "-", "--format", "json"))


def test_a_frontier_has_the_student_of_each_loss(run):
    found = frontier(read(TEXT), points=5, span=1.3)
    for point in found.points:
        bare = TEXT.replace("match: {parameters: 13B}", f"loss: {point.loss!r}")
        size, tokens, total, ratio = single(bare)
        way = point.student
        assert way.student.parameters == pytest.approx(size, rel=1e-6)
        assert way.student.tokens == pytest.approx(tokens, rel=1e-6)
        assert (way.total, way.ratio) == pytest.approx((total, ratio), rel=1e-8)
    assert all(point.student is None for point in found.tradeoff)
    page = " ".join(run("frontier", "--points", "5").split())
    assert "A teacher pays from" in page
    told = json.loads(run("frontier", "--points", "5", "--format", "json"))
    assert told["points"][2]["student"]["ratio"] == pytest.approx(0.768, abs=6e-4)
    sheet = run("frontier", "--points", "5", "--format", "csv").splitlines()
    assert float(list(csv.DictReader(sheet))[2]["student_cost"]) > 0


def test_draws_have_the_student_of_each(run):
    """Percentiles over draws of the demand, of which each is solved by itself."""
    spread = ("demand.tokens={low: 1T, expected: 2T, high: 4T}",)
    scenario = read(TEXT, *spread, "plan={parameters: 8B, tokens: 700B}")
    found = uncertainty(scenario, draws=9, seed=3)
    amounts = plan(scenario, [], sample=9, seed=3).columns(0, 9)[:, 0].tolist()
    ways = [single(TEXT, f"demand.tokens={amount!r}") for amount in amounts]
    sizes = np.percentile([way[0] for way in ways], (5, 50, 95))
    ratios = np.percentile([way[3] for way in ways], (5, 50, 95))
    told_sizes = found.beside.intervals["student_parameters"]
    assert list(vars(told_sizes).values()) == pytest.approx(list(sizes), rel=1e-6)
    told_ratios = found.beside.intervals["student_ratio"]
    assert list(vars(told_ratios).values()) == pytest.approx(list(ratios), rel=1e-8)
    assert (found.beside.pays, found.beside.fails) == (1.0, 0.0)
    own = [6 * 8e9 * 7e11 + 2 * 8e9 * amount for amount in amounts]
    costs = found.beside.intervals["own_cost"]
    assert list(vars(costs).values()) == pytest.approx(
        list(np.percentile(own, (5, 50, 95)))
    )
    sets = ("--set", spread[0], "--draws", "10")
    page = " ".join(run("uncertainty", *sets).split())
    assert "A teacher pays in 100 % of the draws." in page
    content = json.loads(run("uncertainty", *sets, "--format", "json"))
    assert content["beside"]["student_ratio"]["p95"] < 1
    sheet = run("uncertainty", *sets, "--format", "csv").splitlines()
    assert any(line.startswith("student_cost,") for line in sheet)


def test_a_comparison_runs_each_student_in_the_other_scenario():
    """By the law as the paper prints it: enough tokens, and what the bill says."""
    few, many = read(TEXT), read(TEXT, "demand.tokens=6T", "distillation.logits=paid")
    found = compare([few, many])
    one, other = (answer.distillation.ways[0] for answer in found.plans)
    N, D, big = one.student.parameters, one.student.tokens, one.teacher.parameters
    there = 6 * N * D + 2 * N * 6e12 + 2 * big * D
    assert found.students.table[0][1] == pytest.approx(there / other.total, rel=1e-9)
    assert found.students.table[0][0] == pytest.approx(1, rel=1e-9)
    assert found.regret.table[0][1] > 1
    assert "without a teacher" in found.notes[0]


def test_a_student_misses_a_better_target_and_a_scenario_may_have_none():
    worse, better = read(TEXT), read(TEXT, "target.match.parameters=20B")
    bare = read(TEXT[: TEXT.index("distillation")])
    found = compare([worse, better, bare])
    assert found.students.table[0][1] is None
    assert found.students.reasons[0][1].startswith("misses the target")
    assert found.students.reasons[0][2] == "s has no student to compare with"
    assert compare([bare, bare]).students is None


def test_a_comparison_has_rows_for_a_student_and_a_plan_of_your_own(run):
    own = "plan={parameters: 8B, tokens: 700B}"
    page = run("compare", "--set", own)
    lines = {line.strip()[:22].strip(): line for line in page.splitlines()}
    assert "6.28B on 319B" in lines["student"]
    assert "× 0.768" in lines["student over it"]
    # 6·8e9·7e11 + 2·8e9·2e12 = 6.56e22, over 4.837e22.
    assert "6.56e22" in lines["your plan costs"]
    assert "+36 %" in lines["your plan over it"]
    content = json.loads(run("compare", "--set", own, "--format", "json"))
    assert content["students"] is None


@pytest.mark.parametrize("seed", range(6))
def test_the_own_plan_of_a_row_is_that_of_a_single_solve(seed):
    """With limits that it keeps or not, and lists of what serves it."""
    random = np.random.default_rng(seed)
    size, tokens = 10 ** random.uniform(9, 10.5), 10 ** random.uniform(11, 13)
    text = (
        f"law: besiroglu-2024-refit\nplan: {{parameters: {size!r}, tokens: {tokens!r}}}"
        "\ndemand: {tokens: 2T}\nobjective: dollars\nlimits: {tokens: 1T}\n"
        "training: {hardware: h100-sxm, mfu: 40 %, price: $2.00/h}\n"
        "serving: {hardware: [h100-sxm, a100-sxm-80gb], mfu: 30 %, price: $1.00/h}\n"
    )
    scenario = read(text)
    found = told(plan(scenario, ["demand.tokens=1T,8T"]), 0, 2)
    for index, value in enumerate(("1T", "8T")):
        own = solve(read(text, f"demand.tokens={value}"), whole=False).own
        mine = row(scenario, found, index)
        assert mine["own_cost"] == pytest.approx(own.cost.total, rel=1e-9)
        assert mine["own_loss"] == pytest.approx(own.plan.loss, rel=1e-12)
        assert mine["own_breaks"] == (tokens > 1e12)
        if own.fraction is None:
            assert np.isnan(mine["own_extra"])
        else:
            assert mine["own_extra"] == pytest.approx(own.fraction, abs=1e-8)


def test_many_scenarios_show_their_students_and_own_plans():
    """More than three are one table, in which neither had a place."""
    sizes = (1, 2, 3, 4)
    scenarios = [read(TEXT, f"demand.tokens={n}T", f"name=S{n}") for n in sizes]
    found = compare(scenarios)
    page = render(list(comparison_blocks(found)), 100)
    assert "with machines in fractions" not in " ".join(page.split())
    told = page.partition("Beside each plan")[2]
    for n in sizes:
        _, tokens, total, ratio = single(TEXT, f"demand.tokens={n}T")
        row = next(line for line in told.splitlines() if line.strip()[:2] == f"S{n}")
        assert f"{total:.2e}".replace("e+", "e") in row
        assert float(row.rpartition("×")[2]) == pytest.approx(ratio, abs=6e-4)
        assert f"on {tokens / 1e9:.3g}B" in row
    mine = read(TEXT, "plan={parameters: 8B, tokens: 700B}", "name=Mine")
    bare = read(TEXT[: TEXT.index("distillation")], "name=Bare")
    page = render(list(comparison_blocks(compare([*scenarios[:3], mine, bare]))), 120)
    told = page.partition("Beside each plan")[2].partition("All under")[0]
    assert "8B on 700B" in told
    assert "Bare" not in told


def test_a_great_many_scenarios_have_their_students_too(monkeypatch):
    """Their pairs wait for --pairs, and what stands beside a plan need not."""
    monkeypatch.setattr("optimizer.analysis.comparison.compare.MANY", 3)
    scenarios = [read(TEXT, f"demand.tokens={n}T") for n in (1, 2, 3, 4)]
    found = compare(scenarios)
    assert found.students is None
    want = single(TEXT, "demand.tokens=2T")
    assert found.plans[1].distillation.ways[0].total == pytest.approx(want[2])
