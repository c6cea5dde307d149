"""Every command has its function, which says what the command says.

A command that comes without a function fails here: Python can do all that the command
line does, but for the server of a page.
"""

import json
from pathlib import Path

import pytest

import overtrain as ot
from optimizer.commands.group import COMMANDS
from tests.commands.test_every_output import POINTS, RUNS

ROOT = Path(__file__).parents[2]
FILE = ROOT / "scenarios" / "open-release.yaml"
OTHER = ROOT / "scenarios" / "internal-use.yaml"
VARY = "demand.tokens=1T,2T"
FEW = ot.Settings(draws=50, starts=5)
LINE = 200  # characters of a repr: a prompt shows a line or two


def scenario():
    return ot.load(FILE)


def told(record):
    return json.loads(json.dumps(record.to_dict()))


def swept():
    table = ot.sweep(scenario(), {"demand.tokens": ["1T", "2T"]})
    return [
        dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)
    ]


def diffed():
    before = ot.solve(scenario())
    return told(ot.diff(before, ot.solve(scenario().set(demand__tokens="5T"))))


def saved(run):
    """The files of answers that `diff` reads."""
    for name, words in (("old", ()), ("new", ("--set", "demand.tokens=5T"))):
        assert run("solve", FILE, *words, "-o", f"{name}.json").code == 0


# Of each command whose answer is JSON: its words, and the same from functions; what
# stands in the command's document is compared by the keys that the function has.
SAME = {
    "solve": ([FILE], lambda: {"plans": [told(ot.solve(scenario()))]}),
    "compare": (
        [FILE, OTHER],
        lambda: told(ot.compare([scenario(), ot.load(OTHER)])),
    ),
    "diff": (["old.json", "new.json"], diffed),
    "audit": (
        ["llama-3-8b", "--law", "besiroglu-2024-refit"],
        lambda: {"audits": [told(ot.audit("llama-3-8b"))]},
    ),
    "frontier": ([FILE, "--points", "5"], lambda: told(ot.frontier(scenario(), 5))),
    "uncertainty": (
        [FILE, "--draws", "50"],
        lambda: told(ot.uncertainty(scenario(), 50)),
    ),
    "report": ([FILE], lambda: json.loads(ot.report(scenario(), form="json"))),
    "calibrate": (
        ["points.csv", "--fresh"],
        lambda: {"calibration": told(ot.calibrate("points.csv", fresh=True))},
    ),
    "fit": (
        ["runs.csv", "--draws", "50", "--starts", "5"],
        lambda: {"fit": told(ot.judge(ot.fit("runs.csv", FEW)))},
    ),
    "laws": (
        ["kumar-2024"],
        lambda: {"laws": [told(ot.load_law("kumar-2024"))]},
    ),
    "hardware": (
        ["h100-sxm"],
        lambda: {"hardware": [told(ot.load_hardware("h100-sxm"))]},
    ),
    "model": (
        ["llama-3-8b"],
        lambda: {"models": [told(ot.load_architecture("llama-3-8b"))]},
    ),
}


def the_rows(run):
    printed = json.loads(run("sweep", FILE, "--vary", VARY, "--format", "json").out)
    rows = printed["rows"] if isinstance(printed, dict) else printed
    for row, mine in zip(rows, swept(), strict=True):
        assert row["status"] == mine["status"]
        assert row["parameters"] == pytest.approx(mine["parameters"], rel=1e-12)


def the_points(run):
    printed = json.loads(run("serving", "points.csv", "--format", "json").out)
    mine = ot.serving("points.csv")
    for point, one in zip(printed["points"], mine, strict=True):
        assert point["predicted_tpot_ms"] == pytest.approx(1e3 * one.answer.per_token)


def the_picture(run):
    assert run("plot", "tornado", FILE, "-o", "a.svg").code == 0
    picture = Path("a.svg").read_text()
    mine = json.dumps(ot.plot("tornado", scenario()).to_dict())
    for word in ("demand.tokens", "target.match.parameters"):
        assert word in picture
        assert word in mine


def the_mistake(run):
    Path("bad.yaml").write_text("law: kaplan\n")
    done = run("check", "bad.yaml")
    with pytest.raises(ot.InputError) as caught:
        ot.load("bad.yaml")
    assert done.err.strip() == str(caught.value).strip()


def the_starter(run):
    mine = ot.starter("on-device")
    assert (
        run("init", "on-device", "-o", "-").out.splitlines()[1:]
        == (mine.splitlines()[1:])
    )
    assert ot.read_scenario(mine).name == "On device"
    assert "open-release" in ot.starter_names()


def the_schema(run):
    assert json.loads(run("schema").out) == ot.schema()


OTHERWISE = {
    "sweep": the_rows,
    "serving": the_points,
    "plot": the_picture,
    "check": the_mistake,
    "init": the_starter,
    "schema": the_schema,
}
SERVER = {"explore"}  # a page; what it asks are `scenario.set` and `solve`


@pytest.fixture
def files(here):
    Path("runs.csv").write_text(RUNS)
    Path("points.csv").write_text(POINTS)
    return here


def test_every_command_has_its_function():
    assert set(COMMANDS) == {*SAME, *OTHERWISE, *SERVER}


@pytest.mark.parametrize("name", SAME)
def test_a_function_says_what_its_command_says(files, run, name):
    words, asked = SAME[name]
    if name == "diff":
        saved(run)
    done = run(name, *words, "--format", "json")
    assert done.code == 0, done.err
    printed, mine = json.loads(done.out), asked()
    assert mine
    mine.pop("command", None)  # nobody typed one
    for document in (mine, printed):
        if "fit" in document:
            document["fit"]["law"]["fit"].pop("command", None)
    for key, value in mine.items():
        assert printed[key] == value, key


@pytest.mark.parametrize("name", OTHERWISE)
def test_and_so_do_those_that_print_no_answer(files, run, name):
    OTHERWISE[name](run)


def test_what_is_read_and_found_has_a_short_repr(files):
    one = scenario()
    records = [
        *(one, ot.load(ROOT / "scenarios" / "portfolio.yaml"), ot.solve(one)),
        *(ot.load_law("kumar-2024"), ot.load_hardware("h100-sxm")),
        *(ot.load_model("llama-3-8b"), ot.load_architecture("llama-3-8b")),
        *(ot.snap(one, [("7B", 7e9)]), ot.Settings(), ot.audit("llama-3-8b")),
        ot.fit("runs.csv", FEW),
        *ot.under_laws(one, ["kumar-2024"]),
    ]
    long = [repr(record) for record in records if len(repr(record)) > LINE]
    assert not long
    assert ot.law_names()
    for record in records[3:5]:
        assert record.name in str(record)
        assert record._repr_html_().startswith("<div")
