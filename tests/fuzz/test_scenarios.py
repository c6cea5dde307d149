"""Any scenario ends as documented: with a plan, a refusal or what would help.

The daily sample is fixed; OVERTRAIN_THOROUGH=1 searches for hours (tests/chance.py).
"""

import json

from hypothesis import example
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
