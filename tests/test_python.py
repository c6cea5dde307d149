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
    assert overtrain.__all__ == optimizer.__all__
    assert all(
        getattr(overtrain, n) is getattr(optimizer, n) for n in overtrain.__all__
    )
    code = "import overtrain, sys; print('numpy' in sys.modules, overtrain.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "False"


def test_a_changed_scenario_is_that_of_set(scenario):
    changed = overtrain.change(scenario, demand__tokens=5e12, objective="compute")
    read = overtrain.load_scenario(FILE, ["demand.tokens=5T"])
    assert overtrain.solve(changed).plan == overtrain.solve(read).plan
    assert overtrain.solve(scenario).demand.tokens == 2e12
    with pytest.raises(InputError, match="tokns"):
        overtrain.change(scenario, demand__tokns=1)


def test_the_dictionary_is_the_json(scenario, capsys):
    import cli  # noqa: PLC0415

    assert cli.main(["solve", str(FILE), "--format", "json"]) == 0
    (printed,) = json.loads(capsys.readouterr().out)["plans"]
    assert (
        json.loads(json.dumps(overtrain.to_dict(overtrain.solve(scenario)))) == printed
    )


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
