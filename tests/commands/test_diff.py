"""`diff`: what moved between two answers, from saved files or from scenarios."""

import json
from pathlib import Path

import pytest

import overtrain


@pytest.fixture
def saved(here, run):
    """Two answers to one scenario, of 2T and of 6T served tokens."""
    assert run("solve", "good.yaml", "--format", "json", "-o", "old.json").code == 0
    more = ("--set", "demand.tokens=6T", "--format", "json", "-o", "new.json")
    assert run("solve", "good.yaml", *more).code == 0
    return here


def test_every_part_is_that_of_the_two_answers(saved, run):
    """Each change is recomputed from the files themselves."""
    done = run("diff", "old.json", "new.json", "--format", "json")
    assert done.code == 0
    (plan,) = json.loads(done.out)["plans"]
    old, new = (
        json.loads(Path(f"{name}.json").read_text())["plans"][0]
        for name in ("old", "new")
    )
    assert [row["name"] for row in plan["inputs"]] == ["demand.tokens"]
    assert plan["inputs"][0]["change"] == pytest.approx(2)
    told = {row["name"]: row for row in plan["outputs"]}
    assert "plan.loss" not in told  # the target is the same
    for name in ("plan.parameters", "plan.tokens", "cost.total", "cost.training"):
        section, word = name.split(".")
        before, after = old[section][word], new[section][word]
        assert told[name]["before"] == before
        assert told[name]["after"] == after
        assert told[name]["change"] == pytest.approx(after / before - 1)
    moves = [abs(told[name]["change"]) for name in ("plan.parameters", "cost.total")]
    assert plan["moved"] >= max(moves)


def test_the_first_sentence_says_what_to_train_now(saved, run):
    done = run("diff", "old.json", "new.json")
    assert done.out.startswith("What changed\n\nGood: train ")
    assert "where it was 6.97B on 1.25T" in done.out
    assert "rises by 59 %, to 1.27e23 FLOP." in done.out
    assert "demand.tokens" in done.out


def test_the_same_answer_has_not_changed(saved, run):
    done = run("diff", "old.json", "old.json", "--fail-on", "changed")
    assert done.code == 0
    assert "Good: nothing changed." in done.out
    assert not done.err


def test_a_scenario_is_solved(saved, run):
    assert "nothing changed" in run("diff", "old.json", "good.yaml").out
    assert "demand.tokens" in run("diff", "good.yaml", "new.json").out


def test_standard_input_holds_what_git_shows(saved, run):
    old = Path("old.json").read_bytes()
    assert "6T" in run("diff", "-", "new.json", stdin=old).out


def test_another_name_is_still_the_only_scenario(saved, run):
    text = Path("old.json").read_text().replace('"Good"', '"Earlier"')
    Path("renamed.json").write_text(text)
    assert "Good: nothing changed." in run("diff", "renamed.json", "old.json").out


def test_a_plan_that_is_gone_has_moved_as_far_as_can_be(saved, run):
    done = run("diff", "old.json", "impossible.yaml", "--fail-on", "moved > 90 %")
    assert "Impossible: there is no plan now: target and limits.tokens" in done.out
    assert done.code == 4
    back = run("diff", "impossible.yaml", "old.json")
    assert "there was no plan before" in back.out


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("changed", True),
        ("moved > 5 %", True),
        ("moved > 300 %", False),
        ("cost.total > 5 %", True),
        ("cost.total < 0 %", False),
        ("plan.parameters < -5 %", True),
        ("plan.parameters > 0.0", False),
        ("plan.loss != 0 %", False),
        ("warnings", False),
        ("outside-range", False),
    ],
)
def test_conditions_are_on_changes(saved, run, condition, holds):
    done = run("diff", "old.json", "new.json", "--fail-on", condition)
    assert done.code == (4 if holds else 0)
    assert (f"Good: --fail-on {condition} holds" in done.err) is holds


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("chnged", 'did you mean "changed"?'),
        ("cost.totl > 5 %", 'did you mean "cost.total"?'),
        ("cost.total > much", 'must be a part such as 5 %, got "much"'),
    ],
)
def test_a_condition_with_a_mistake_is_bad_input(saved, run, condition, told):
    done = run("diff", "old.json", "new.json", "--fail-on", condition)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


HOSTILE = {
    "[]": "must be an object",
    "{}": "format_version must be 1",
    '{"format_version": 1}': "holds no plans",
    '{"format_version": 1, "plans": [3]}': "plans.0: is not as solve",
    '{"format_version": 1, "plans": [{"scenario": 3}]}': "plans.0.scenario",
    '{"format_version": 2, "plans": []}': "format_version must be 1",
    "{": "is not JSON",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_answer_is_told(saved, run, text):
    Path("bad.json").write_text(text)
    done = run("diff", "old.json", "bad.json")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("bad.json")
    assert HOSTILE[text] in done.err


def test_each_word_of_a_plan_that_is_cut_out_is_named_or_not_needed(saved, run):
    whole = json.loads(Path("old.json").read_text())
    for word in whole["plans"][0]:
        plan = {key: value for key, value in whole["plans"][0].items() if key != word}
        Path("cut.json").write_text(json.dumps({**whole, "plans": [plan]}))
        done = run("diff", "cut.json", "new.json")
        assert done.code in (0, 2), word
        assert done.code == 0 or f"plans.0.{word}" in done.err


def test_names_that_stand_twice_are_told_by_their_laws(here, run):
    text = Path("good.yaml").read_text()
    other = text.replace("hoffmann-2022-devries", "besiroglu-2024")
    Path("other.yaml").write_text(other)
    for name, more in (("a", ()), ("b", ("--set", "demand.tokens=3T"))):
        written = ("--format", "json", "-o", f"{name}.json")
        run("solve", "good.yaml", "other.yaml", *more, *written)
    done = run("diff", "a.json", "b.json")
    assert "Good under besiroglu-2024: train" in done.out
    assert "Good under hoffmann-2022-devries: train" in done.out


def test_python_takes_answers_files_and_dictionaries(saved):
    scenario = overtrain.load("good.yaml")
    answer = overtrain.solve(scenario)
    other = overtrain.solve(scenario.set(demand__tokens="6T"))
    found = overtrain.diff("old.json", other)
    assert overtrain.diff(answer.to_dict(), [other]) == found
    assert repr(found) == "<AnswerDiff Good changed>"
    assert found.to_dict()["plans"][0]["inputs"][0]["after"] == 6e12
    assert overtrain.diff(answer, "old.json").plans[0].same
