"""What the searches found, each as the input that showed it."""

import os
from pathlib import Path

import pytest

import cli
from tests.fuzz.command import run, well_ended

WRITERS = [
    ["solve", "good.yaml"],
    ["compare", "good.yaml", "good.yaml"],
    ["frontier", "good.yaml"],
    ["uncertainty", "good.yaml"],
    ["audit", "llama-3-8b"],
    ["model", "llama-3-8b"],
    ["laws"],
    ["hardware"],
    ["schema"],
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "law: kaplan-2020\ntarget: {loss: 2.5}\ndemand: {tokens: 1T}\n"
    Path("good.yaml").write_text(text)
    os.symlink("loop", "loop")
    os.mkdir("folder")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("line", WRITERS, ids=lambda line: line[0])
@pytest.mark.parametrize("output", ["9" * 400, "loop", "folder", "none/file"])
def test_no_place_for_a_file_is_told_with_its_name(line, output, capsys):
    """A name of 400 digits was said to be standard output; a loop was exit 1."""
    assert cli.main([*line, "-o", output]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(output)
    assert not told.out


@pytest.mark.parametrize("law", ["kaplan-2020", "no-such-law", "{E: 1}"])
def test_a_student_needs_a_law_that_is_there(law):
    """A law that could not be read was asked for its constants: exit 1."""
    text = f"law: {law}\ntarget: {{match: {{parameters: 13B}}}}\ndemand: {{tokens: 2T}}"
    teacher = (
        "\ndistillation: {teacher: [{parameters: 70B, tokens: 1T}], logits: free}\n"
    )
    well_ended(run(["check", "-"], (text + teacher).encode()))
