"""The canary tells what differs, and nothing else."""

import json

import pytest

from benchmarks import canary

ANSWER = {"plan": {"N": 6.1e9, "name": "a"}, "certificate": {"gap": 1e-15}, "x": [None]}


def test_numbers_have_their_paths_and_certificates_have_none():
    assert dict(canary.numbers(ANSWER)) == {"plan.N": 6.1e9, "x[0]": None}


@pytest.mark.parametrize(
    ("today", "told"),
    [
        ({"plan.N": 6.1e9 * (1 + 9e-10), "x[0]": None, "new": 1.0}, []),
        (
            {"plan.N": 6.1e9 * (1 + 2e-9), "x[0]": None},
            ["plan.N: 6100000000.0 is 6100000012.2"],
        ),
        ({"plan.N": 6.1e9, "x[0]": 0.0}, ["x[0]: None is 0.0"]),
        ({"x[0]": None}, ["plan.N: 6100000000.0 is gone"]),
    ],
)
def test_what_differs_is_told(today, told):
    kept = dict(canary.numbers(ANSWER))
    assert list(canary.differences(kept, today)) == told


def test_a_changed_answer_and_a_changed_text_end_with_1(tmp_path, monkeypatch, capsys):
    """The kept file is written and read as a user would, with two scenarios."""
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.yaml").write_text("law: nobody\n")
    (bad / "a.txt").write_text("something else\n")
    file = tmp_path / "kept.json"
    values = {"one": {"N": 1.0}, "two": {"N": 2.0}}
    monkeypatch.setattr(canary, "answers", lambda: values)
    monkeypatch.setattr(canary, "BAD", bad)
    monkeypatch.setattr("sys.argv", ["canary", "--write", str(file)])
    assert canary.main() == 0
    assert json.loads(file.read_text())["answers"] == values
    values["two"] = {"N": 2.1}
    monkeypatch.setattr("sys.argv", ["canary", str(file)])
    assert canary.main() == 1
    said = capsys.readouterr().out
    assert "two: N: 2.0 is 2.1" in said
    assert "a.yaml: said was 'something else'" in said
    assert "2 of 2 numbers and 1 bad files differ" in said
