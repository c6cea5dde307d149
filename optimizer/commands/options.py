"""Options that several commands share, and what they do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.scenario import Scenario

F = TypeVar("F", bound=Callable[..., Any])
FORMATS = {"table": "", "json": ".json", "markdown": ".md", "csv": ".csv"}
STDIN = "-"

files = click.argument("files", nargs=-1, required=True, metavar="FILES...")

overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change a line of every scenario, such as demand.tokens=5T. Repeatable.",
)

output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to a file instead of the terminal.",
)

fail_on = click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 4 where a plan meets a condition on the JSON answer, such as "
    "'cost.total > 2e6'. Repeatable.",
)


def formats(*allowed: str) -> Callable[[F], F]:
    """The option --format with some of the formats."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(allowed),
        help="How to show it; by default as the name of the file says, else a table.",
    )


def chosen(form: str | None, output: Path | None, *allowed: str) -> str:
    """The format that was asked for, or that the name of the file asks for."""
    if form is not None:
        return form
    if output is not None:
        for name in allowed:
            if FORMATS[name] and output.suffix.lower() == FORMATS[name]:
                return name
    return "table"


def read_all(paths: Sequence[str], overrides: Sequence[str]) -> list[Scenario]:
    """Reads every scenario before any is solved.

    Args:
        paths: files; `-` is standard input.
        overrides: assignments for each of them.

    Raises:
        InputError: every mistake of every file.
    """
    from optimizer.load import load_scenario, read_scenario  # noqa: PLC0415 - heavy

    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    if list(paths).count(STDIN) > 1:
        message = "standard input can be read only once; name it only once"
        raise InputError([Problem(Mark("<stdin>"), "", message)])
    for path in paths:
        try:
            if path == STDIN:
                text = sys.stdin.buffer.read()
                scenarios.append(read_scenario(text, "<stdin>", overrides))
            else:
                scenarios.append(load_scenario(path, overrides))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return scenarios
