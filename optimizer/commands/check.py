"""`overtrain check`: is a scenario file right?"""

from __future__ import annotations

import click

from optimizer.commands import options
from optimizer.commands.output import emit
from optimizer.errors import InputError

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
    return BAD_INPUT if bad else 0
