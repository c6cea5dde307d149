"""A corpus of bad scenario files, each beside the exact text that is said about it.

`bad/NAME.yaml` is the file and `bad/NAME.txt` all that is said. After a change of
words, run this file as a program to write the texts anew, and read the difference.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import pytest

from optimizer.errors import InputError
from optimizer.question.load import load_scenario, read_scenario

BAD = Path(__file__).parent / "bad"
NAMES = sorted(path.stem for path in BAD.glob("*.yaml"))
# Of these no line is to blame.
WHOLE = {"empty", "only-comments", "utf-16"}
PLACED = re.compile(r"[\w/.-]+\.yaml:\d+:\d+: \S")

GOOD = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand:
  - {name: chat, tokens: 2T}
  - {name: code, tokens: 1T}
"""


def said(name: str) -> str:
    """All that is said about a file of the corpus, read from its own folder."""
    with contextlib.chdir(BAD):
        with pytest.raises(InputError) as caught:
            load_scenario(f"{name}.yaml")
        return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_bad_file(name: str) -> None:
    text = said(name)
    assert text == (BAD / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")
    if name not in WHOLE:
        for line in text.splitlines():
            assert PLACED.match(line), "no file, line and column"
    assert text.isprintable() or "\n" in text
    assert "\x1b" not in text


def test_the_corpus_is_whole() -> None:
    assert len(NAMES) >= 100
    assert sorted(path.stem for path in BAD.glob("*.txt")) == NAMES


def test_mistakes_stand_in_the_order_of_the_file() -> None:
    places = [tuple(map(int, re.findall(r"\d+", line)[:2])) for line in told_lines()]
    assert places == sorted(places)
    assert [line for line, _ in places] == [1, 4, 5]


def told_lines() -> list[str]:
    lines = said("three-at-once").splitlines()
    return [line.removeprefix("three-at-once.yaml:") for line in lines]


def test_a_file_of_50_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.write(b"law: besiroglu-2024-refit\n")
        stream.truncate(50_000_000)
    with pytest.raises(InputError, match="larger than 1 MB, the most that is read"):
        load_scenario(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no endless device here")
def test_an_endless_device_is_refused() -> None:
    with pytest.raises(InputError, match="larger than 1 MB"):
        load_scenario("/dev/zero")


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "".join(f"a{i}: 1\n" for i in range(20_000)),
        GOOD + "".join(f"a{i}:\n" for i in range(20_000)),
        GOOD + "a: 1\n" * 20_000,
        GOOD + "".join(f"  - {{name: s{i}, tokens: 1T}}\n" for i in range(9_000)),
        GOOD.replace("2T", "2" * 300_000),
        GOOD.replace("2T", '"' + " " * 300_000 + '2"'),
        GOOD.replace("2T", '"2' + " per" * 100_000 + '"'),
        GOOD.replace("13B", "[" * 100_000),
        GOOD.replace("besiroglu", "b" * 300_000),
    ],
    ids=[
        *("unknown words", "empty words", "repeated words", "streams"),
        *("digits", "spaces", "units", "brackets", "name"),
    ],
)
def test_a_large_file_is_answered_shortly(text: str) -> None:
    """A reader sees at most some hundred lines, and never the whole value again."""
    with pytest.raises(InputError) as caught:
        read_scenario(text, "f.yaml")
    assert len(str(caught.value).splitlines()) <= 250
    assert len(str(caught.value)) < 60_000


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("demand.chat.tokens", 'needs a "=", as in --set demand.tokens=5T'),
        ("=5T", "needs a path before the =, as in --set demand.tokens=5T"),
        (
            "demand.chta.tokens=5T",
            '"demand" has no member named "chta"; did you mean "chat"?',
        ),
        ("demand.7.tokens=5T", '"demand" has 2 members, from 0'),
        (
            "demand.chat.tokens=-1",
            "demand[0].tokens: must be at least 0, got -1",
        ),
        (
            "demand.chat.token=1",
            'demand[0].token: unknown word "token"; did you mean "tokens"? allowed: '
            "cached_input_tokens, cost_share, growth, input_tokens, lifetime, name, "
            "output_tokens, requests, samples, serving, start, tokens",
        ),
        ("demand.chat.tokens=", "demand[0].tokens: is empty; give it a value, or"),
        ("demand.chat.tokens=[1", 'demand.chat.tokens: a "[" lacks its "]"'),
        ("demand.chat.tokens.low=1T", '"demand[0].tokens" is a single value and has'),
        ("limits.parameters=7 GB", "limits.parameters: must be a number of parameters"),
        ("target.loss=.nan", "target.loss: must be a finite number, got nan"),
        ("budget.compute=lots", "budget.compute: must be an amount of compute such as"),
        (
            "law.aplha=0.3",
            'law.aplha: law besiroglu-2024-refit has no coefficient "aplha"; did you '
            'mean "alpha"? it has E, A, B, alpha, beta',
        ),
        ("law.alpha=yes", 'law.alpha: must be a number, got "yes"'),
        ("law.alpha=-1", "law.alpha: must be above 0, got -1"),
        ("law.alpha=.inf", "law.alpha: must be a number below 1e308, got inf"),
        (
            "law.range.alpha=0.3",
            "law.range.alpha: cannot be set; coefficients can: law.E, law.A, law.B, "
            "law.alpha, law.beta",
        ),
        ("law=besiroglu-2025", 'law: there is no law "besiroglu-2025"; did you mean'),
        ("serving.hardware=h100-sxn", "serving.hardware: must be a .yaml file or one"),
    ],
)
def test_set_says_what_is_wrong(assignment: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_scenario(GOOD, "f.yaml", [assignment])
    text = str(caught.value)
    assert text.startswith(f"--set {assignment}: {message}")
    assert len(text.splitlines()) == 1


def test_mistakes_of_set_and_of_the_file_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        read_scenario(
            GOOD.replace("2T", "2 GB"), "f.yaml", ["limit.tokens=1", "a", "law.x=1"]
        )
    places = [line.split(": ")[0] for line in str(caught.value).splitlines()]
    assert places == [
        *("--set a", "--set law.x=1", "--set limit.tokens=1"),
        "f.yaml:4:26",
    ]


if __name__ == "__main__":
    os.chdir(BAD)
    for known in NAMES:
        try:
            load_scenario(f"{known}.yaml")
        except InputError as error:
            Path(f"{known}.txt").write_text(f"{error}\n", encoding="utf-8")
