"""`overtrain init`: a commented scenario to start from."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click

from optimizer.commands.output import (
    YAML,
    emit,
    refuse_ending,
    refuse_unwritable,
    write,
)
from optimizer.commands.schema import text as schema_text
from optimizer.errors import InputError, Mark, Problem
from optimizer.functions.starters import starter, starter_names

SCHEMA = "scenario.schema.json"
MODELINE = "# yaml-language-server: $schema="
FIRST = "internal-use"
WIDTH = 80  # of the list


@click.command("init")
@click.argument("name", default=FIRST)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it; NAME.yaml unless given, - for the terminal.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--list", "listed", is_flag=True, help="What there is to start from.")
def command(name: str, output: Path | None, force: bool, listed: bool) -> int:
    """Write a commented scenario to start from.

    It runs as it is. The schema that editors check it with is written beside it.
    --list has the names, each with its question.
    """
    if listed:
        emit("".join(_listed()), None)
        return 0
    name = name.removesuffix(".yaml")
    scenario = _pointing_beside(starter(name))
    target = output or Path(f"{name}.yaml")
    if str(target) == "-":
        emit(scenario, None)
        return 0
    beside = target.parent / SCHEMA
    refuse_unwritable(target)
    refuse_ending(target, YAML, "a scenario ends in .yaml")
    if target.exists() and not force:
        message = "is there already; --force writes over it, -o names another file"
        raise InputError([Problem(Mark(str(target)), "", message)])
    write(beside, schema_text())
    write(target, scenario)
    emit(f"wrote {target} and {beside}; next: overtrain solve {target}\n", None)
    return 0


def _listed() -> Iterator[str]:
    """A few lines a starter: its name, and how its comment begins."""
    names = starter_names()
    indent = max(map(len, names)) + 2
    for name in names:
        text = starter(name)
        lines = (line for line in text.splitlines() if not line.startswith(MODELINE))
        comment = takewhile(lambda line: line.startswith("#"), lines)
        told = " ".join(" ".join(line.lstrip("#") for line in comment).split())
        title, *more = re.split(r"(?<=[.?:]) (?=[A-Z0-9])", told)
        both = " ".join([title, *more[:1]])
        # A title says little alone; what is said twice over wants three lines at most.
        for said in (both, title):
            line = textwrap.fill(
                f"{name:<{indent}}{said}",
                WIDTH,
                subsequent_indent=" " * indent,
                break_on_hyphens=False,
            )
            if line.count("\n") < 3:
                break
        yield f"{line}\n"


def _pointing_beside(scenario: str) -> str:
    """The text with a first line that finds the schema in its own directory."""
    first, newline, rest = scenario.partition("\n")
    if not first.startswith(MODELINE):
        first, newline, rest = "", "", scenario
    return f"{MODELINE}{SCHEMA}\n{rest if newline or not first else scenario}"
