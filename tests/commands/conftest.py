"""Scenarios in an empty directory, and the command run in this process."""

import io
import sys
from types import SimpleNamespace

import pytest

import cli

GOOD = """\
name: Good
law: hoffmann-2022-devries
target: {match: {parameters: 13B}}
demand: {tokens: 2T}
"""
IMPOSSIBLE = GOOD.replace("Good", "Impossible") + "limits: {tokens: 1B}\n"
BAD = """\
name: Bad
law: hoffmann-2022
target: {match: {parameters: -13B}}
demand: {tokns: 2T}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty directory as the current one, with three scenarios."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("impossible", IMPOSSIBLE), ("bad", BAD)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a command line; returns its code, output and errors."""
    monkeypatch.setenv("COLUMNS", "80")

    def command(*arguments, stdin=None):
        if stdin is not None:
            monkeypatch.setattr(
                sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
            )
        code = cli.main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return SimpleNamespace(code=code, out=told.out, err=told.err)

    return command
