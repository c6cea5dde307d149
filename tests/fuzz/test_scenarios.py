"""Any scenario ends as documented: with a plan, a refusal or what would help.

The daily sample is fixed; OVERTRAIN_THOROUGH=1 searches for hours (tests/chance.py).
"""

import json

from hypothesis import assume, example
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.question.load import read_scenario
from tests.fuzz.command import run, well_ended
from tests.fuzz.judged import agrees
from tests.fuzz.search import search
from tests.fuzz.words import SCHEMA, SECTIONS, scenarios, text

SHOWN = [
    ["solve", "--format", "json"],
    ["solve", "--format", "json"],
    ["solve", "--full"],
    ["solve", "--brief", "--format", "markdown"],
    ["solve", "--format", "csv"],
    ["check"],
]


@search(90, scenario=scenarios(), shown=st.sampled_from(SHOWN))
def test_any_scenario_ends_as_documented(scenario, shown):
    done = run([shown[0], "-", *shown[1:]], text(scenario))
    well_ended(done)
    if "json" in shown and done.code in (0, 3):
        for plan in json.loads(done.out, parse_constant=_no_number).get("plans", []):
            agrees(plan, "models" in scenario)


TIGHT = {
    "parameters": ["1", "100M", "1B"],
    "tokens": ["1", "1B", "100B"],
    "training_compute": ["1e15", "1e20", "1e22"],
    "training_time": ["1 s", "1 day"],
    "training_cost": ["$1", "$10k"],
    "total_cost": ["$1", "$10k"],
    "memory": ["1 KB", "100 MB", "2 GB"],
}

UNITS = {"bytes": " B", "s": " s"}


@st.composite
def tight(draw):
    """A scenario of one model with a limit or two that few plans keep."""
    found = draw(scenarios())
    assume("models" not in found)
    words = st.lists(st.sampled_from(sorted(TIGHT)), min_size=1, max_size=2)
    found["limits"] = {w: draw(st.sampled_from(TIGHT[w])) for w in draw(words)}
    return found


@search(25, scenario=tight())
def test_a_relaxation_put_back_in_exactly_gives_a_plan(scenario):
    """Each that is told, alone, to the last digit."""
    solve = ["solve", "-", "--format", "json"]
    done = run(solve, text(scenario))
    well_ended(done)
    if done.code != 3:
        return
    for plan in json.loads(done.out)["plans"]:
        for way in plan["infeasibility"]["relaxations"]:
            if way["to"] is None:
                continue
            name = "target.loss" if way["name"] == "target" else way["name"]
            unit = UNITS.get(way["unit"], "")
            moved = [*solve, "--set", f"{name}={way['to']!r}{unit}"]
            again = run(moved, text(scenario))
            assert again.code == 0, (moved, again.err, again.out)


def _no_number(name):
    raise AssertionError(f"{name} is not JSON")


def test_every_word_of_the_schema_is_drawn_from():
    assert set(SCHEMA["properties"]) <= set(SECTIONS)


@search(90, scenario=scenarios())
@example(
    scenario={"law": "kaplan-2020", "target": {"loss": 2}, "demand": {"tokens": 1}}
)
def test_reading_refuses_with_a_place_or_reads(scenario):
    problems = ()
    try:
        read_scenario(text(scenario).decode(), "scenario.yaml")
    except InputError as error:
        problems = error.problems
    for problem in problems:
        assert problem.message
        assert problem.mark.line is None or problem.mark.line >= 1
