"""`init` and `schema`: from an empty directory to a plan."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_empty_directory_becomes_a_plan(empty, run):
    done = run("init")
    assert done.code == 0
    assert {path.name for path in empty.iterdir()} == {
        "internal-use.yaml",
        "scenario.schema.json",
    }
    first, rest = (empty / "internal-use.yaml").read_text().split("\n", 1)
    assert first == "# yaml-language-server: $schema=scenario.schema.json"
    shipped = (ROOT / "scenarios/internal-use.yaml").read_text()
    assert shipped.split("\n", 1)[1] == rest
    assert run("solve", "internal-use.yaml").code == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_starter_runs_as_it_is(empty, run, name):
    assert run("init", name).code == 0
    assert run("check", f"{name}.yaml").out == f"{name}.yaml: ok\n"


def test_nothing_is_written_over(empty, run):
    (empty / "internal-use.yaml").write_text("mine")
    done = run("init")
    assert done.code == 2
    assert "--force" in done.err
    assert (empty / "internal-use.yaml").read_text() == "mine"
    assert not (empty / "scenario.schema.json").exists()
    assert run("init", "--force").code == 0
    assert (empty / "internal-use.yaml").read_text() != "mine"


def test_another_place(empty, run):
    (empty / "sub").mkdir()
    assert run("init", "open-release", "-o", "sub/x.yaml").code == 0
    assert {path.name for path in (empty / "sub").iterdir()} == {
        "x.yaml",
        "scenario.schema.json",
    }
    assert run("init", "open-release", "-o", "absent/x.yaml").code == 2
    printed = run("init", "open-release", "-o", "-")
    assert "law:" in printed.out
    assert [path.name for path in empty.iterdir()] == ["sub"]


def test_an_unknown_name_lists_the_starters(empty, run):
    done = run("init", "open-relase")
    assert done.code == 2
    assert 'did you mean "open-release"?' in done.err
    assert all(name in done.err for name in SCENARIOS)
    assert list(empty.iterdir()) == []
    assert run("init", "../../etc/passwd").code == 2


def test_the_schema_in_the_docs_is_the_one_that_is_printed(run):
    """`overtrain schema -o docs/scenario.schema.json` writes it anew."""
    shipped = (ROOT / "docs/scenario.schema.json").read_text()
    assert run("schema").out == shipped


def test_the_schema_names_its_dialect_and_closes_its_objects(run):
    schema = json.loads(run("schema").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert "$id" not in schema
    assert schema["additionalProperties"] is False
    assert {"law", "target", "budget", "demand"} <= set(schema["properties"])
    assert schema["anyOf"] == [{"required": ["law"]}, {"required": ["models"]}]


def test_the_schema_knows_the_models_of_a_portfolio(run):
    """Every word of a model is one of a scenario, by a pointer that leads there."""
    schema = json.loads(run("schema").out)
    words = set(schema["properties"]) - {"models", "shared"}
    model = schema["properties"]["models"]["items"]
    assert set(model["properties"]) == words
    for word, entry in model["properties"].items():
        assert entry == {"$ref": f"#/properties/{word}"}
    assert model["required"] == ["name"]
    assert model["additionalProperties"] is False
    shared = schema["properties"]["shared"]
    assert "training_time" in shared["properties"]
    assert shared["additionalProperties"] is False


def test_the_list_has_every_starter_with_its_question(here, run):
    from optimizer import starter_names  # noqa: PLC0415

    done = run("init", "--list")
    assert done.code == 0
    told = [line.split()[0] for line in done.out.splitlines() if line[0] != " "]
    assert told == starter_names()
    assert all(len(line) > 40 for line in done.out.splitlines() if line[0] != " ")
    assert max(map(len, done.out.splitlines())) <= 80
    starts = [line for line in done.out.splitlines() if line[0] != " "]
    questions = [line.split(maxsplit=1)[1] for line in starts]
    assert len(set(questions)) == len(questions)  # no two starters read alike
