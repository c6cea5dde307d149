"""Sweeps on a real Dask cluster of this machine, with workers that are lost."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import pandas
import polars
import pytest
from pyarrow import parquet

import cli
from optimizer.analysis.sweep.cluster import connected
from optimizer.analysis.sweep.swept import swept
from optimizer.commands.dataset import clustered
from optimizer.question.load import load_scenario
from optimizer.question.vary import plan

ROOT = Path(__file__).parents[3]
VARY = ("demand.tokens=1e9:1e14:log:1000", "target.loss=1.6:2.2:100")
WORDS = ("sweep", "good.yaml", "--vary", VARY[0], "--vary", VARY[1])
NOWHERE = "tcp://127.0.0.1:1"
GOOD = """\
name: Good
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""

# Dask's sockets and loops may outlive a test by a moment; ours have none.
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:.*:DeprecationWarning:(distributed|dask|tornado)"
    ),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module")
def client():
    with connected("local", 2) as found:
        yield found


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "good.yaml").write_text(GOOD)
    return tmp_path


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same sweep in this process."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "good.yaml").write_text(GOOD)
    words = [*WORDS, "-o", str(folder / "out.parquet")]
    words[1] = str(folder / "good.yaml")
    assert cli.main(words) == 0
    return parquet.read_table(folder / "out.parquet")


def test_workers_hear_neither_ctrl_c_nor_sigterm(client):
    """They end when the command tells them to, which keeps what they have done."""
    masks = client.run(lambda: signal.pthread_sigmask(signal.SIG_BLOCK, []))
    assert len(masks) == 2
    assert all({signal.SIGINT, signal.SIGTERM} <= set(m) for m in masks.values())


def parts(folder, name="out.parquet"):
    return sorted((folder / name).glob("part-*.parquet"))


def begun(address, here, stopped):
    """A sweep of 13 parts of a block each, until told to stop."""
    sweeping = plan(load_scenario("good.yaml"), VARY)
    asked = swept(load_scenario("good.yaml"), VARY)
    columns = (asked.inputs, asked.results)
    output = here / "out.parquet"
    return clustered(sweeping, address, output, columns, 8192, stopped)


def on(client, *words):
    address = client.scheduler.address
    return cli.main([*WORDS, "--cluster", address, "-o", "out.parquet", *words])


def test_a_lost_worker_costs_its_chunk_only(client, here, alone):
    pids = list(client.run(os.getpid).values())
    found = begun(client.scheduler.address, here, lambda: False)
    done = next(found).done
    os.kill(pids[0], signal.SIGKILL)
    done += sum(summary.done for summary in found)
    assert done == 100_000
    assert len(parts(here)) == 13
    table = parquet.read_table(here / "out.parquet")
    assert table.equals(alone)
    assert [f.metadata for f in table.schema] == [f.metadata for f in alone.schema]


def test_goes_on_where_it_stopped(client, here, alone, capsys):
    enough = []
    for _ in begun(client.scheduler.address, here, lambda: len(enough) > 2):
        enough.append(len(parts(here)))
    before = {path: path.stat().st_mtime_ns for path in parts(here)}
    assert 3 <= len(before) < 13
    broken = next(iter(before))
    broken.write_bytes(broken.read_bytes()[:100])
    assert on(client) == 0
    assert (
        "100,000 rows in out.parquet: 85,000 optimal, 15,000" in capsys.readouterr().out
    )
    del before[broken]
    assert before.items() <= {p: p.stat().st_mtime_ns for p in parts(here)}.items()
    assert parquet.read_table(here / "out.parquet").equals(alone)
    pattern = str(here / "out.parquet" / "*.parquet")
    cost = alone["cost_total"].to_pylist()
    assert polars.read_parquet(pattern)["cost_total"].to_list() == cost
    query = f"SELECT cost_total FROM '{pattern}'"  # noqa: S608 - the test's own
    assert [row[0] for row in duckdb.sql(query).fetchall()] == cost
    assert len(pandas.read_parquet(here / "out.parquet")) == len(cost)
    assert not list((here / "out.parquet").glob(".*"))
    # All is there now, so that nobody is asked.
    assert cli.main([*WORDS, "--cluster", NOWHERE, "-o", "out.parquet"]) == 0
    assert "100,000 rows in out.parquet: 85,000 optimal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--set", "law.alpha=0.35"), "the scenario, its law or its hardware has"),
        (("--vary", "demand.tokens=1e9,2e9"), "it varies demand.tokens=1000000000.0:"),
        (("--chunk", "7"), "its parts have 30000 rows, and --chunk asks for 7"),
    ],
)
def test_another_sweep_is_refused(client, here, capsys, change, message):
    words = ["sweep", "good.yaml", "--vary", "demand.tokens=1e9:1e14:log:60000"]
    address = ["--cluster", client.scheduler.address, "-o", "out.parquet"]
    assert cli.main([*words, *address, "--chunk", "30000"]) == 0
    if change[0] == "--vary":
        words = words[:2]
    capsys.readouterr()
    assert cli.main([*words, *address, *change]) == 2
    told = capsys.readouterr().err
    assert told.startswith("out.parquet: holds another sweep: ")
    assert message in told
    assert len(parts(here)) == 2


def test_without_a_file_the_summary_is_the_same(client, here, capsys):
    assert cli.main([*WORDS, "--cluster", client.scheduler.address]) == 0
    there = capsys.readouterr().out
    assert cli.main([*WORDS]) == 0
    assert capsys.readouterr().out == there
    assert [path.name for path in here.iterdir()] == ["good.yaml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cluster", "somewhere"), "must be local or an address such as tcp://"),
        (("--cluster", NOWHERE), "no Dask scheduler answers there"),
        (("--cluster", "local", "-o", "a.csv"), "the name must end in .parquet"),
        (("--cluster", "local", "-o", "f.parquet"), "this is a file; a cluster"),
        (("--cluster", "local", "-o", "full.parquet"), "not empty and has no _sweep"),
        (("--cluster", "local", "-o", "no/a.parquet"), "there is no directory no"),
        (("--chunk", "10"), "is for a cluster; add --cluster local"),
    ],
)
def test_what_cannot_be_is_told(here, capsys, words, message, monkeypatch):
    monkeypatch.setattr("optimizer.analysis.sweep.cluster.PATIENCE", 1)
    (here / "f.parquet").touch()
    (here / "full.parquet").mkdir()
    (here / "full.parquet" / "diary.txt").touch()
    assert cli.main([*WORDS, *words]) == 2
    assert message in capsys.readouterr().err


def test_missing_dask_names_the_extra(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert cli.main([*WORDS, "--cluster", "local"]) == 2
    told = capsys.readouterr().err
    assert told == (
        "--cluster local: needs distributed; in the checkout of overtrain: "
        "pip install '.[cluster]'\n"
    )


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_parts_and_says_how_to_go_on(here, stop):
    """As a terminal or a batch system sends it: to the command and to its workers."""
    command = [sys.executable, str(ROOT / "cli.py"), "sweep", "good.yaml"]
    command += ["--vary", "demand.tokens=1e9:1e14:log:100000"]
    command += ["--vary", "target.loss=1.8:2.2:10000", "--chunk", "8192", "--yes"]
    process = subprocess.Popen(
        [*command, "--cluster", "local", "-o", "out.parquet"],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    while process.poll() is None and len(parts(here)) < 2:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    os.killpg(process.pid, stop)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    first, *rest = err.splitlines()
    assert first.startswith("1,000,000,000 rows, about ")
    assert rest == ["the same command goes on from here", "interrupted"]
    done = sum(parquet.read_metadata(path).num_rows for path in parts(here))
    assert done >= 2 * 8192
    assert f"{done:,} of 1,000,000,000 rows in out.parquet" in out
