"""YAML text to marked values, what is refused with its place, and `--set`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import InputError, Mark
from optimizer.reading import yamltext
from optimizer.reading.document import (
    Document,
    dotted,
    load_file,
    load_text,
    nearest,
    override,
    parse_assignment,
    suggest,
)

SCENARIO = """\
name: x
target: {loss: 1.9}
demand:
  - name: assistant
    tokens: 2T
  - name: batch
    requests: 5
"""
ONE_OF = (
    frozenset({("target",), ("budget",)}),
    frozenset({("target", "loss"), ("target", "match")}),
    frozenset({("demand", "*", "tokens"), ("demand", "*", "requests")}),
)


def wrong(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        load_text(text, "f.yaml")
    return str(caught.value)


@pytest.fixture(params=["C parser", "Python parser"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "Python parser":
        monkeypatch.setattr(yamltext, "_LOADER", yaml.SafeLoader)


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e12", 1e12),
        ("1.5E3", 1500.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("007", 7),
        ("0x10", 16),
        ("0o17", 15),
        ("true", True),
        ("no", "no"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ('"5"', "5"),
        ("'null'", "null"),
        ("~", None),
        ("", None),
        ("2T", "2T"),
        ("!!str 5", "5"),
        ("9" * 5000, float("inf")),
        ("1e400", "1e400"),  # which no double is
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    """Source: YAML 1.2.2, section 10.3, the core schema."""
    read = load_text(f"a: {text}", "f.yaml").value
    assert isinstance(read, dict)
    assert read["a"] == value
    assert type(read["a"]) is type(value)


@pytest.mark.usefixtures("_parser")
def test_every_value_and_key_has_its_place() -> None:
    document = load_text(SCENARIO, "f.yaml")
    assert document.mark(()) == Mark("f.yaml", 1, 1)
    assert document.mark(("demand", 0, "tokens")) == Mark("f.yaml", 5, 13)
    assert document.key_mark(("demand", 0, "tokens")) == Mark("f.yaml", 5, 5)
    assert document.mark(("target", "loss")) == Mark("f.yaml", 2, 16)
    # What is not there is placed at what would hold it.
    assert document.mark(("demand", 1, "growth", "x")) == Mark("f.yaml", 6, 5)


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "3:1: a: stands twice, the first time in line 1"),
        (
            "a: {b: 1, b: 2}",
            "1:11: a.b: stands twice, the first time in line 1; keep one",
        ),
        ("a: {b: 1}\na: {b: 2}", "f.yaml:2:1: a: stands twice"),
        ("a: &x 1", '1:4: a: "&x" refers to another place'),
        ("a: &x 1\nb: *x", '2:4: b: "*x" refers to another place'),
        ("<<: {a: 1}", '1:1: "<<" is not supported'),
        ("a: !!python/object:os.system 1", "1:4: a: the tag "),
        ("a: !!int x", '1:4: a: "x" is not of the type int'),
        ("a: 1\n---\nb: 2", "2:1: a second document begins here"),
        ("1: x", '1:1: a key must be a word, not "1"; quote it'),
        ("true: x", '1:1: a key must be a word, not "true"; quote it'),
        ("? [a]\n: b", "1:3: a key must be a word, not a list"),
        ("a:\n\tb: 1", "2:1: a tab stands here; indent with spaces"),
        ("a: 1\n\tb: 2", "2:1: a tab stands here; indent with spaces"),
        ("a: b: c", '1:5: a ":" cannot stand here'),
        ("a:\n  b: 1\n c: 2", "3:2: this line does not fit the indentation"),
        ("a: [1, 2\nb: 3", 'a "[" lacks its "]"'),
        ("a: {b: 2", 'a "{" lacks its "}"'),
        ("a: 'x", "a quote is not closed"),
        ('a: "\\q"', "a backslash in it means nothing"),
        ("a: @x", "1:4: a value cannot start like this"),
        ("a: %x", "1:4: a value cannot start like this"),
        ("a: }", "a bracket has no partner"),
        ("key: value\nother", 'has no ":" after it'),
        ("", "f.yaml: the file is empty"),
        ("# only a comment\n", "f.yaml: the file is empty"),
        ("---\n", "f.yaml: the file is empty"),
        (b"a: 1\nb: \xff", "2:4: byte 8 is not UTF-8; save the file as UTF-8"),
        ("é: 1\nü: 2".encode("latin-1"), "1:1: byte 0 is not UTF-8"),
        ("a: 1".encode("utf-16"), "f.yaml: is written in UTF-16"),
        (b"\x7fELF\0\0", "this is a binary file"),
        (b"PK\x03\x04\xff\0", "this is a binary file"),
        ("a: \x07", "1:4: the invisible character U+0007 is not allowed"),
        ("a: \ud800", "1:4: the invisible character U+D800 is not allowed"),
        ("[" * 21 + "]" * 21, "1:21: is nested more than 20 levels deep"),
        ("[" * 300_000, "1:21: is nested more than 20 levels deep"),
        ("\n".join(" " * n + "- " for n in range(400)), "nested more than 20"),
        ("{" + "[" * 5000, "1:2: a key must be a word, not a list"),
        ("a: 1\na: 2\nb: " + "{c: " * 5000, "2:1: a: stands twice, the first"),
        ("a: '" + "x" * 1_000_000, "f.yaml: is larger than 1 MB"),
    ],
)
def test_refused_with_place_and_plain_words(text: str | bytes, message: str) -> None:
    said = wrong(text)
    assert message in said
    assert all(line.startswith("f.yaml") for line in said.splitlines())
    assert "scanning" not in said
    assert "token" not in said


@pytest.mark.parametrize(
    "text",
    ["[" * 5000, "{a: " * 1500, "- " * 1500, "[\n" * 5000, "a: [é" * 400],
)
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_what_is_nested_too_deep_is_told_by_us(
    text: str, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsers have limits of their own: 1,000 in libyaml 0.2.6, none before."""
    monkeypatch.setattr(yamltext, "_LOADER", getattr(yaml, loader))
    assert wrong(text).endswith("is nested more than 20 levels deep")


def test_every_mistake_is_told_at_once() -> None:
    said = wrong("a: 1\na: &x 2\n3: *x\nb: !foo 1\nb: ]\n")
    lines = [line.split(":")[1] for line in said.splitlines()]
    assert lines == ["2", "2", "3", "3", "4", "5", "5"]


def test_byte_order_mark_and_windows_lines_are_fine() -> None:
    document = load_text(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f.yaml")
    assert document.value == {"a": 1, "b": 2}
    assert document.mark(("b",)) == Mark("f.yaml", 2, 4)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    big = tmp_path / "big.yaml"
    big.write_bytes(b"a: 1\n" * 300_000)
    for path, message in (
        (tmp_path / "none.yaml", "there is no such file"),
        (tmp_path, "this is a directory, not a file"),
        (big, "is larger than 1 MB"),
        ("a\0b", "cannot be read: not a file name"),
        (tmp_path / ("x" * 300), "cannot be read: File name too long"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            load_file(path)
        assert str(caught.value).startswith(str(path))


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = load_text(text, "f.yaml")
    except InputError as error:
        placed = error.problems
    else:
        placed = ()
        assert document.marks[()].file == "f.yaml"
    assert all(problem.mark.file == "f.yaml" for problem in placed)


@given(st.text(alphabet="ab:-[]{},'\"&*!|>#?\n \t01.%@", max_size=60))
def test_both_parsers_read_the_same(text: str) -> None:
    """Where both accept a text, they agree on the values."""
    results = []
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yamltext, "_LOADER", loader)
            try:
                results.append(repr(load_text(text, "f").value))
            except InputError:
                return
    assert results[0] == results[1]


def changed(assignment: str, text: str = SCENARIO) -> Document:
    return override(load_text(text, "f.yaml"), assignment, ONE_OF, frozenset({"law"}))


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("name=y", ("name",), "y"),
        ("demand.batch.requests=5M/day", ("demand", 1, "requests"), "5M/day"),
        ("demand[1].requests=1e6", ("demand", 1, "requests"), 1e6),
        ("demand.1.requests=1e6", ("demand", 1, "requests"), 1e6),
        ("serving.hardware=[l4, h100]", ("serving", "hardware"), ["l4", "h100"]),
        ("a.b.c=x=y", ("a", "b", "c"), "x=y"),
        ("target.match={parameters: 13B}", ("target", "match", "parameters"), "13B"),
        ("data=", ("data",), None),
    ],
)
def test_set_puts_the_value_there(
    assignment: str, path: tuple[str | int, ...], value: object
) -> None:
    document = changed(assignment)
    found: object = document.value
    for step in path:
        found = found[step]  # type: ignore[index]
    assert found == value
    assert document.mark(path) == Mark(f"--set {assignment}")


def test_set_leaves_the_document_and_all_else() -> None:
    before = load_text(SCENARIO, "f.yaml")
    after = override(before, "demand.batch.growth=5 %", ONE_OF)
    assert before.value == load_text(SCENARIO, "f.yaml").value
    assert after.mark(("demand", 1, "requests")) == Mark("f.yaml", 7, 15)


def test_an_alternative_replaces_its_sibling() -> None:
    assert changed("budget.compute=1e24").value == {
        "name": "x",
        "budget": {"compute": 1e24},
        "demand": [
            {"name": "assistant", "tokens": "2T"},
            {"name": "batch", "requests": 5},
        ],
    }
    matched = changed("target.match.parameters=13B").value
    assert matched["target"] == {"match": {"parameters": "13B"}}  # type: ignore[index]
    demand = changed("demand.assistant.requests=7").value["demand"]  # type: ignore[index]
    assert demand[0] == {"name": "assistant", "requests": 7}
    assert demand[1] == {"name": "batch", "requests": 5}


def test_what_belongs_to_another_file_is_deferred() -> None:
    document = changed("law.alpha=0.3", "law: besiroglu-2024")
    assert document.value == {"law": "besiroglu-2024"}
    assert document.deferred == ((("law", "alpha"), 0.3, Mark("--set law.alpha=0.3")),)
    assert changed("law=other").value["law"] == "other"  # type: ignore[index]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("name", 'needs a "="'),
        ("=3", "needs a path before the ="),
        ("a..b=3", "needs a path before the ="),
        (".".join("a" * 5000) + "=3", "goes deeper than 20 levels"),
        ("name.first=3", '"name" is a single value and has no "first" in it'),
        ("demand.asistant.tokens=3", 'did you mean "assistant"?'),
        ("demand.tokens=3", 'no member named "tokens"; there are assistant, batch'),
        ("demand.2.tokens=3", '"demand" has 2 members, from 0'),
        (f"demand.{'9' * 5000}.tokens=3", '"demand" has 2 members, from 0'),
        ("a=[1", 'a "[" lacks its "]"'),
        ("a={b: 1, b: 2}", "a.b: stands twice"),
    ],
)
def test_set_says_what_is_wrong(assignment: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(assignment)
    assert str(caught.value).startswith(f"--set {assignment}: ")
    assert message in str(caught.value)


def test_an_assignment_alone() -> None:
    path, value = parse_assignment("demand.assistant.requests=5M/day")
    assert path == ("demand", "assistant", "requests")
    assert value.value == "5M/day"


def test_paths_and_suggestions() -> None:
    assert dotted(("demand", 0, "tokens")) == "demand[0].tokens"
    assert dotted(()) == ""
    assert suggest("paramters", ["tokens", "parameters"]) == (
        '; did you mean "parameters"?'
    )
    assert suggest("zzz", ["tokens"]) == ""


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("a100-sxm-80gb", "a100-80-sxm"),
        ("a100", "a100-80-sxm"),
        ("b200-sxm", "b200"),
        ("H100_SXM5", "h100-sxm"),
        ("mi300", "mi300x"),
        ("rtx-5090", None),
    ],
)
def test_names_in_parts_are_near_where_they_begin_alike(
    word: str, meant: str | None
) -> None:
    """Letters alone took a100-sxm-80gb for h100-sxm, and b200-sxm for h200-sxm."""
    chips = ["a100-80-pcie", "a100-80-sxm", "b200", "h100-sxm", "h200-sxm", "mi300x"]
    assert nearest(word, chips) == meant
