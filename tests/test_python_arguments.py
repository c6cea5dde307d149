"""What the functions are given: whatever it is, a plan or a sentence with a cure."""

import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import overtrain as ot

ROOT = Path(__file__).parents[1]
FILE = ROOT / "scenarios" / "open-release.yaml"
OTHER = ROOT / "scenarios" / "internal-use.yaml"
FUNCTIONS = [n for n in ot.__all__ if inspect.isfunction(getattr(ot, n))]
ODD = (
    *(None, 3, -1, 0, 1e300, float("nan"), True, "x", "a.yaml", b"x", [], (), {}),
    *(["x"], [3], {"x": 1}, object(), FILE, range(2), np.ones(3)),
)


@pytest.fixture(scope="module")
def scenario():
    return ot.load_scenario(FILE)


def ended(name, *given, **named):
    """Whether a call was answered, or refused in a sentence of ours."""
    try:
        getattr(ot, name)(*given, **named)
    except ot.InputError:
        pass  # its sentences have tests of their own
    except TypeError as error:
        told = str(error)
        assert "object is not" not in told
        assert "has no attribute" not in told
        # It names the function, or is that of a record that is no answer.
        assert told.startswith(f"{name}: ") or "such as solve returns" in told
    return True


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whatever_a_function_is_given_it_ends_in_a_sentence(name, scenario):
    signature = inspect.signature(getattr(ot, name))
    for odd in (*ODD, scenario, [scenario], ot.solve(scenario)):
        assert ended(name, odd)
    assert ended(name)
    assert ended(name, **{"no such word": 1})
    first = next(iter(signature.parameters.values()), None)
    if first is None or "Scenario" not in str(first.annotation):
        return
    for word in list(signature.parameters)[1:]:
        for odd in ODD:
            assert ended(name, scenario, **{word: odd})


def test_scenarios_are_compared_and_reported_alone_or_in_a_list(scenario):
    other = ot.load_scenario(OTHER)
    apart, listed = ot.compare(scenario, other), ot.compare([scenario, other])
    assert json.dumps(apart.to_dict()) == json.dumps(listed.to_dict())
    assert len(ot.compare(scenario).plans) == 1
    told = (
        ot.report(scenario, other, form="json"),
        ot.report([scenario, other], form="json"),
    )
    assert told[0] == told[1]
    apart = ot.plot("split", scenario, scenario).to_dict()
    assert apart == ot.plot("split", [scenario, scenario]).to_dict()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (lambda s: ot.compare(), "no scenario"),
        (lambda s: ot.compare([]), "no scenario"),
        (lambda s: ot.compare(s, "a.yaml"), r"a text: 'a.yaml'.*load_scenario\(path\)"),
        (lambda s: ot.compare([s, ot.solve(s)]), "a Scenario and an Answer"),
        (lambda s: ot.compare(one for one in [s]), "put what it gives into a list"),
        (lambda s: ot.compare(s, tial=0.1), 'did you mean "tail"'),
        (lambda s: ot.frontier(FILE), r"scenario must be a Scenario, got a path"),
        (lambda s: ot.frontier([s]), "give it without the list"),
        (lambda s: ot.frontier(s, points=2), "at least 3 and at most 10,001, got 2"),
        (lambda s: ot.frontier(s, points=5.5), "whole number, got a number: 5.5"),
        (lambda s: ot.uncertainty(s, 0), "draws must be at least 1"),
        (lambda s: ot.uncertainty(s, probability=90), "at most 1, got 90"),
        (lambda s: ot.under_laws(s, "all"), "put it into a list"),
        (lambda s: ot.load_scenario(FILE, "demand.tokens=5T"), "put it into a list"),
        (lambda s: ot.report(s, form="pdf"), "'html', 'markdown', 'json' or 'csv'"),
        (lambda s: ot.report(s, pages=2), "it takes scenarios, laws, form"),
        (lambda s: ot.diff(ot.solve(s)), "missing a required argument: 'after'"),
        (lambda s: ot.judge(FILE), r"fit\(runs\) makes one"),
        (lambda s: ot.fit([]), "there is no file"),
        (lambda s: ot.read_runs([]), "there is no file"),
        (lambda s: ot.load(True), "a text or a path, got True"),
        (lambda s: ot.law_names(1), "takes none"),
    ],
)
def test_the_sentence_says_what_is_allowed(scenario, asked, words):
    with pytest.raises((TypeError, ot.InputError), match=words):
        asked(scenario)


def test_what_is_near_enough_is_taken(scenario, tmp_path):
    one = ot.sweep(scenario, {"demand.tokens": 5e12})
    assert one["demand.tokens"].tolist() == [5e12]
    points = ot.frontier(scenario, np.int64(5), span=np.float64(1.5)).points
    assert len(points) == 5
    law = ot.load_law("sardana-2024-100")
    file = tmp_path / "mine.yaml"
    file.write_text(ot.law_text(replace(law, name="mine")))
    assert ot.load_law(file).coefficients == law.coefficients


def test_a_refusal_has_no_line_of_the_inside(scenario):
    """The traceback ends where the function is entered."""
    with pytest.raises(TypeError) as caught:
        ot.compare(scenario, "a.yaml")
    files = [entry.path.name for entry in caught.traceback]
    assert files[-1] == "guard.py"
    assert inspect.signature(ot.compare).parameters["tail"].default is None
    assert ot.compare.__doc__.startswith("Solves several scenarios")
