"""`overtrain check`: is a scenario file right?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import emit
from optimizer.errors import InputError

if TYPE_CHECKING:
    from optimizer.question.portfolio import Portfolio
    from optimizer.question.scenario import Scenario

BAD_INPUT = 2


@click.command("check")
@options.files
@options.overrides
def command(files: tuple[str, ...], overrides: tuple[str, ...]) -> int:
    """Check scenario and portfolio files without solving them.

    Prints one line a good file, and every mistake of the others with its place.
    """
    bad = False
    for file in dict.fromkeys(files):
        try:
            read = options.read_files([file], overrides)[0]
        except InputError as error:
            bad = True
            click.echo(str(error), err=True)
        else:
            emit(f"{read.file}: ok\n", None)
            for told in _odd(read):
                click.echo(f"{read.file}: {told}", err=True)
    return BAD_INPUT if bad else 0


def _odd(read: Scenario | Portfolio) -> Iterator[str]:
    """What is right and hardly meant, of one model or of several."""
    from optimizer.question.forgotten import oddities  # noqa: PLC0415 - heavy
    from optimizer.question.scenario import Scenario  # noqa: PLC0415

    members = (read,) if isinstance(read, Scenario) else read.members
    for member in members:
        for code, message in oddities(member):
            yield f"warning: {code}: {message}"
