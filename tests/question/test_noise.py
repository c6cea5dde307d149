"""Noise: whatever stands in a file, it is a scenario or a list of mistakes."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError, Problem
from optimizer.question.formulate import formulate
from optimizer.question.load import read_scenario
from tests.chance import examples

PLAIN = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
STREAMS = PLAIN.replace(
    "demand: {tokens: 2T}",
    "demand:\n  - {name: chat, tokens: 2T}\n"
    "  - {name: code, requests: 1M/day, input_tokens: 10, output_tokens: 5,"
    " lifetime: 1 year}",
)
EVERYTHING = Path(__file__).with_name("everything.yaml").read_text(encoding="utf-8")

SPOILS = [
    *("0", "-1", "1e300", "1e-300", "1e308", "5e-324", ".nan", ".inf", "true", "null"),
    *('""', "~", "[]", "{}", "1", "1e30", "-0.0", "9" * 40, "0x10", "2T", "5 %"),
    *("999 years", "1e-9 s", "$1e300", "1e300 GB", "1e9 %/month", "-99.9999 %"),
    *("5M/day", "1e20/day", "1/us", "{low: 1, expected: 2, high: 3}", "[1, 2]"),
    *("{low: 3T, expected: 2, high: 1}", "example", "mfu", "flops", "fp8", "int8"),
    *("h100-sxm", "tpu-v5p", "kaplan-2020", "ludziejewski-2025", "llama-3-8b", "a"),
    *("hoffmann-2022-approach-1", "../x.yaml", "/", "training", "200 %", "0.01"),
]
WORDS = sorted({*re.findall(r"[a-z_]+(?=:)", EVERYTHING), "budget", "experts", "cost"})
NOISE = "x:{}[]\n \t\"'#&*!|>%@`-?,\0é\x1b\U0001f600"


def spoiled(text: str, random_: random.Random) -> str:
    """A text with some values, words, lines or characters changed."""
    for _ in range(random_.choice([1, 1, 2, 3, 6])):
        dice = random_.random()
        pattern = r"(?<=: )[^{}\[\],\n]+" if dice < 0.6 else r"[a-z_]+(?=:)"
        if dice < 0.75 and (found := list(re.finditer(pattern, text))):
            spot, new = random_.choice(found), SPOILS if dice < 0.6 else WORDS
            text = text[: spot.start()] + random_.choice(new) + text[spot.end() :]
        elif dice < 0.9:
            lines = text.split("\n")
            line = lines.pop(random_.randrange(len(lines)))
            if dice < 0.82:
                lines.insert(random_.randrange(len(lines) + 1), line)
            text = "\n".join(lines)
        else:
            at = random_.randrange(len(text) + 1)
            text = text[:at] + random_.choice(NOISE) + text[at + random_.randrange(3) :]
    return text


@settings(max_examples=examples(300))
@given(st.randoms(use_true_random=False), st.sampled_from([PLAIN, STREAMS, EVERYTHING]))
def test_any_text_is_a_scenario_or_a_list_of_mistakes(
    random_: random.Random, text: str
) -> None:
    for problem in mistakes(spoiled(text, random_)):
        assert str(problem).isprintable()
        assert "nput should" not in problem.message


def mistakes(text: str, *assignments: str) -> tuple[Problem, ...]:
    """What is wrong with a text; nothing where it is a scenario that can be posed."""
    try:
        formulate(read_scenario(text, "f.yaml", assignments))
    except InputError as error:
        return error.problems
    return ()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_scenario_or_a_list_of_mistakes(data: bytes) -> None:
    with pytest.raises(InputError):
        read_scenario(data, "f.yaml")


@given(
    st.lists(st.sampled_from([*WORDS, "chat", "0", "9"]), min_size=1, max_size=4),
    st.sampled_from(SPOILS),
)
def test_any_assignment_is_taken_or_refused(path: list[str], value: str) -> None:
    for problem in mistakes(STREAMS, f"{'.'.join(path)}={value}"):
        assert "nput should" not in problem.message
