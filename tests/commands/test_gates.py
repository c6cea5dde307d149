"""What a pipeline relies on: conditions, safe files, laws as they are asked."""

import json
import re
from pathlib import Path

import pytest

from optimizer.analysis.plan.warn import CODES
from optimizer.commands.condition import read_conditions
from optimizer.errors import InputError

DOLLARS = """\
name: Assistant
law: besiroglu-2024-refit
objective: dollars
target: {match: {parameters: 13B}}
training: {hardware: h100-sxm, mfu: 40 %, price: $2/h, accelerators: 64}
serving: {hardware: h100-sxm, mfu: 20 %, price: $2/h}
demand: {tokens: 2T}
limits: {parameters: 5B}
"""
LAW = """\
name: mine
form: chinchilla
coefficients: {E: 1.7, A: 400, B: 2000, alpha: 0.34, beta: 0.36}
source: a test
"""


@pytest.fixture
def team(here):
    Path("team.yaml").write_text(DOLLARS)
    return "team.yaml"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("cost.total > $20K", True),
        ("cost.total > $2M", False),
        ("training_run.time > 10 hours", True),
        ("training_run.time > 3000 days", False),
        ("savings.fraction < 50 %", True),
        ("savings.fraction < 0.1 %", False),
        ("plan.tokens > 1B tokens", True),
        ("amounts.FLOP > 1 ZFLOP", True),
        ("unit_cost.total < $40", True),
        # The plan is on its limit, whatever the last digit says.
        ("plan.parameters > 5B", False),
        ("plan.parameters < 5B", False),
        ("plan.parameters >= 5B", True),
        ("outside-range", False),
        ("many-epochs", False),
    ],
)
def test_conditions_have_the_units_of_files(team, run, condition, holds):
    done = run("solve", team, "--fail-on", condition)
    assert done.code == (4 if holds else 0)
    assert (f"--fail-on {condition} holds" in done.err) is holds


@pytest.mark.parametrize("condition", ["warnings", "outside-range"])
def test_an_extrapolation_can_be_stopped(team, run, condition):
    words = ("solve", team, "--set", "target.match.parameters=300B")
    free = ("--set", "limits.parameters=1T")
    assert run(*words, *free, "--fail-on", condition).code == 4
    assert run("solve", team, "--fail-on", condition).code == 0


def test_a_cost_in_another_unit_is_refused_before_any_work(team, run):
    done = run("solve", team, "--fail-on", "cost.total > 1e24 FLOP")
    assert done.code == 2
    assert "Assistant counts USD; compare amounts.FLOP" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("outside-rang", 'did you mean "outside-range"?'),
        ("cost.total > 5 parsecs", "must be a cost such as $2M"),
        ("training_run.time > $5", "must be a time such as"),
    ],
)
def test_a_wrong_condition_says_what_is_right(text, message):
    with pytest.raises(InputError) as caught:
        read_conditions((text,))
    assert message in str(caught.value)


def test_every_code_of_a_warning_is_known_and_explained(root):
    made = set()
    for file in (root / "optimizer").rglob("*.py"):
        made |= set(re.findall(r'Warning\(\s*"([^"]+)"', file.read_text()))
    odd = (root / "optimizer/question/forgotten.py").read_text()
    made |= set(re.findall(r'yield \(?\s*"([^"]+)"', odd))
    assert made == set(CODES)
    told = (root / "docs/warnings.md").read_text()
    # Each has its row: when it is given, and what to do.
    rows = dict(re.findall(r"^\| `([\w-]+)` \| .{15,} \| (.{15,}) \|$", told, re.M))
    assert set(rows) == set(CODES)


@pytest.mark.parametrize("ending", ["pdf", "docx", "html", "xlsx", "png", "yaml"])
def test_an_ending_that_means_nothing_here_is_refused(team, run, ending):
    name = f"plan.{ending}"
    done = run("solve", team, "-o", name)
    assert done.code == 2
    assert f"no format here has the ending .{ending}; give one of .json" in done.err
    assert not Path(name).exists()
    assert run("solve", team, "-o", name, "--format", "json").code == 0
    assert json.loads(Path(name).read_text())["plans"]


@pytest.mark.parametrize("name", ["plan", "plan.txt"])
def test_a_table_needs_no_ending(team, run, name):
    assert run("solve", team, "-o", name).code == 0
    assert "5B parameters" in Path(name).read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("solve", "team.yaml", "--format", "table", "-o", "team.yaml"),
        ("solve", "team.yaml", "--format", "table", "-o", "../{here}/./team.yaml"),
        ("compare", "good.yaml", "team.yaml", "--format", "json", "-o", "team.yaml"),
        ("report", "team.yaml", "--format", "markdown", "-o", "team.yaml"),
        (
            "solve",
            "team.yaml",
            "--law",
            "law.yaml",
            "--format",
            "csv",
            "-o",
            "law.yaml",
        ),
        ("solve", "own.yaml", "--format", "csv", "-o", "law.yaml"),
    ],
)
def test_no_input_is_ever_written_over(team, run, words):
    Path("law.yaml").write_text(LAW)
    Path("own.yaml").write_text(DOLLARS.replace("besiroglu-2024-refit", "law.yaml"))
    before = {p: p.read_bytes() for p in Path().glob("*.yaml")}
    words = [word.format(here=Path.cwd().name) for word in words]
    done = run(*words)
    assert done.code == 2
    assert "this is what the command reads; give another name" in done.err
    assert {p: p.read_bytes() for p in Path().glob("*.yaml")} == before


def test_the_scenario_is_checked_against_the_law_that_is_asked_for(team, run):
    """An error on tasks means nothing under the file's law, but under the other."""
    words = ("solve", team, "--set", "target.error=60 %")
    own = run(*words)
    assert own.code == 2
    assert "besiroglu-2024-refit" in own.err
    done = run(*words, "--law", "gadre-2024-c4", "--set", "limits.parameters=1T")
    assert done.code == 0
    assert "gadre-2024-c4" in done.out
    # A loss stays one of the law that it was written for.
    lost = run("solve", team, "--set", "target.loss=2.0", "--law", "gadre-2024-c4")
    assert lost.code == 2
    assert "says nothing under gadre-2024-c4" in lost.err
