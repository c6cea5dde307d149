"""`import overtrain`, and what the commands do as functions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import optimizer
import overtrain
from optimizer.errors import InputError

ROOT = Path(__file__).parents[1]
FILE = ROOT / "scenarios" / "open-release.yaml"


@pytest.fixture(scope="module")
def scenario():
    return overtrain.load_scenario(FILE)


def test_both_names_are_one_package_and_cost_nothing_to_import():
    assert overtrain.__all__ == [*optimizer.__all__, "report"]
    assert all(
        getattr(overtrain, n) is getattr(optimizer, n) for n in optimizer.__all__
    )
    assert callable(overtrain.report)
    code = "import overtrain, sys; print('numpy' in sys.modules, overtrain.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "False"


def command(capsys, *words):
    """What a command prints as JSON."""
    import cli  # noqa: PLC0415

    assert cli.main([*map(str, words), "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_changed_scenario_is_that_of_set(scenario):
    changed = overtrain.change(scenario, demand__tokens=5e12, objective="compute")
    read = overtrain.load_scenario(FILE, ["demand.tokens=5T"])
    assert overtrain.solve(changed).plan == overtrain.solve(read).plan
    assert overtrain.solve(scenario).demand.tokens == 2e12
    with pytest.raises(InputError, match="tokns"):
        overtrain.change(scenario, demand__tokns=1)
    with pytest.raises(InputError, match="got object"):
        scenario.set(demand__tokens=object())
    twice = scenario.set(demand__tokens=5e12).set(target__match__parameters="8B")
    assert overtrain.solve(twice).demand.tokens == 5e12
    assert twice.spec.target.match.parameters == 8e9


def test_numbers_of_numpy_ranges_and_lists_can_be_set(scenario):
    import numpy as np  # noqa: PLC0415

    ranged = scenario.set(demand__tokens={"low": 1e12, "expected": 2e12, "high": 4e12})
    assert overtrain.uncertainty(ranged, 20).varied
    plain = scenario.set(demand__tokens=np.float64(3e12))
    assert overtrain.solve(plain).demand.tokens == 3e12
    listed = scenario.set(demand=[{"tokens": 1e12}, {"name": "b", "tokens": "2T"}])
    assert overtrain.solve(listed).demand.tokens == 3e12


def test_a_law_that_is_a_record_stands_in_for_its_file(scenario, tmp_path):
    """Of the same coefficients under another name: the same plan."""
    from dataclasses import replace  # noqa: PLC0415

    known = overtrain.load_law("sardana-2024-100")
    mine = replace(known, name="mine")
    file = tmp_path / "mine.yaml"
    file.write_text(overtrain.law_text(mine))
    read = overtrain.load_scenario(FILE, [f"law={file}"])
    one = overtrain.solve(scenario.set(law=mine))
    assert one.law.name == "mine"
    assert one.plan == overtrain.solve(read).plan
    built_in = scenario.set(law=known)
    assert built_in.document.value["law"] == "sardana-2024-100"


def test_a_portfolio_is_asked_like_a_scenario(capsys):
    file = ROOT / "scenarios" / "portfolio.yaml"
    read = overtrain.load(file)
    found = overtrain.solve(read)
    printed = command(capsys, "solve", file)
    told = json.loads(json.dumps(found.to_dict()))
    for each, other in zip(told["plans"], printed["plans"], strict=True):
        assert {**each, "file": ""} == {**other, "file": ""}
    assert told["portfolio"]["cost"] == printed["portfolio"]["cost"]
    dearer = overtrain.solve(read.set(shared__training_cost="$800k"))
    assert dearer.total > found.total


def test_a_prompt_shows_a_line_and_print_the_page(scenario):
    answer = overtrain.solve(scenario)
    assert repr(answer).splitlines() == [
        "<Answer Open release: 6.08B on 730B, 5.86 × Chinchilla-optimal, 5.09e22 FLOP>"
    ]
    assert "within 1 %" in str(answer)
    assert answer._repr_html_().startswith("<div")
    assert len(repr(scenario)) < 100
    others = overtrain.compare([scenario]), overtrain.frontier(scenario, 3)
    assert all(len(repr(other).splitlines()) == 1 for other in others)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda s: overtrain.frontier(s, 5), ["frontier", FILE, "--points", "5"]),
        (
            lambda s: overtrain.uncertainty(s, 50),
            ["uncertainty", FILE, "--draws", "50"],
        ),
        (lambda s: overtrain.compare([s]), ["compare", FILE]),
    ],
    ids=["frontier", "uncertainty", "compare"],
)
def test_functions_say_what_commands_say(scenario, capsys, asked, words):
    printed = command(capsys, *words)
    told = json.loads(json.dumps(asked(scenario).to_dict()))
    assert told.items() <= printed.items()


def test_a_model_is_audited_by_name_path_or_numbers(scenario, capsys):
    by_name = overtrain.audit("llama-3-8b")
    (first, *_) = command(capsys, "audit", "llama-3-8b")["audits"]
    assert json.loads(json.dumps(by_name.to_dict())) == first
    numbers = overtrain.audit("mine", "8B", 15e12, scenario=scenario)
    assert (numbers.parameters, numbers.tokens) == (8e9, 15e12)
    assert numbers.law == scenario.law.name
    assert numbers.lifetime is not None
    with pytest.raises(InputError, match="did you mean"):
        overtrain.audit("llama-3-8")
    with pytest.raises(InputError, match="surface"):
        overtrain.audit("llama-3-8b", law="hoffmann-2022-approach-1")


def test_runs_become_a_law_that_plans(scenario, tmp_path):
    """The law that made the runs is found: Chinchilla's form with round numbers."""
    rows = ["parameters,tokens,loss"]
    for n in (7e7, 1.6e8, 4.1e8, 1.4e9):
        for ratio in (10, 20, 40, 160):
            loss = 1.8 + 400 * n**-0.34 + 2000 * (n * ratio) ** -0.37
            rows.append(f"{n},{n * ratio},{loss!r}")
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(rows))
    settings = overtrain.Settings(draws=50, starts=10)
    judged = overtrain.judge(overtrain.fit(file, settings), "mine")
    assert judged.law.coefficients["alpha"] == pytest.approx(0.34, rel=1e-3)
    assert repr(judged).startswith("<Judged mine: 16 runs, E 1.8")
    plan = overtrain.solve(scenario.set(law=judged.law)).plan
    assert plan.loss == pytest.approx(
        1.8 + 400 * plan.parameters**-0.34 + 2000 * plan.tokens**-0.37, rel=1e-3
    )


def test_a_report_is_text_and_no_file(scenario, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("vl_convert")
    page = overtrain.report(scenario)
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") >= 5
    assert "overtrain report" not in page  # nobody typed that
    told = json.loads(overtrain.report(scenario, form="json"))
    assert told["plans"][0]["plan"] == overtrain.solve(scenario).to_dict()["plan"]
    assert "# Cost report" in overtrain.report(scenario, form="markdown")
    assert not list(tmp_path.iterdir())


def test_a_chart_that_is_none_is_told(scenario):
    with pytest.raises(InputError, match='did you mean "tornado"'):
        overtrain.plot("tornados", scenario)
    with pytest.raises(InputError, match="two or more"):
        overtrain.plot("regret", scenario)


def test_the_dictionary_is_the_json(scenario, capsys):
    (printed,) = command(capsys, "solve", FILE)["plans"]
    answer = overtrain.solve(scenario)
    assert json.loads(json.dumps(answer.to_dict())) == printed
    assert overtrain.to_dict(answer) == answer.to_dict()
    with pytest.raises(TypeError, match="got Scenario"):
        overtrain.to_dict(scenario)


def test_a_sweep_is_a_table_whose_rows_are_plans(scenario):
    import pandas as pd  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    found = overtrain.sweep(scenario, {"demand.tokens": ["1T", 5e12]})
    one = overtrain.solve(overtrain.change(scenario, demand__tokens="5T"))
    assert found["demand.tokens"].tolist() == [1e12, 5e12]
    assert found["status"] == ["optimal", "optimal"]
    assert found["parameters"][1] == pytest.approx(one.plan.parameters, rel=1e-7)
    assert pd.DataFrame(found).shape[0] == pl.DataFrame(found).height == 2
    assert pa.table(found).column_names == list(found)


def test_a_plot_is_an_altair_chart(scenario):
    import altair  # noqa: PLC0415

    chart = overtrain.plot("tornado", scenario)
    assert isinstance(chart, altair.TopLevelMixin)
    assert "demand.tokens" in json.dumps(chart.to_dict())
