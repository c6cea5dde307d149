"""`overtrain schema`: what editors need to complete and check scenario files."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.output import emit, refuse_ending, refuse_unwritable

EDITORS = """\b
An editor uses it where the first line of a scenario names it:
  # yaml-language-server: $schema=scenario.schema.json
"""


@click.command("schema", epilog=EDITORS)
@options.output
def command(output: Path | None) -> int:
    """Print the JSON Schema of the scenario file."""
    refuse_unwritable(output)
    if str(output) != "-":
        refuse_ending(output, (".json",), "a JSON Schema ends in .json")
    emit(text(), output)
    return 0


def text() -> str:
    """The schema as JSON text."""
    from optimizer.report.formats.data import write  # noqa: PLC0415 - imports the words
    from optimizer.report.formats.schema import schema  # noqa: PLC0415

    return write(schema())
