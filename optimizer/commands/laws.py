"""`overtrain laws`: the library of scaling laws."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.lists import show
from optimizer.commands.output import refuse_unwritable

ALLOWED = ("table", "json", "markdown")


@click.command("laws")
@click.argument("name", required=False)
@options.formats(*ALLOWED)
@options.output
def command(name: str | None, form: str | None, output: Path | None) -> int:
    """List the scaling laws, or all about one.

    NAME is a built-in law or a law file (.yaml).
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)

    from optimizer.report.pages import library  # noqa: PLC0415 - imports numpy
    from optimizer.world.laws import builtin_names, load_law  # noqa: PLC0415

    if name is None:
        laws = [load_law(known) for known in builtin_names()]
        blocks = library.laws_blocks(laws)
    else:
        laws = [load_law(name)]
        blocks = library.law_blocks(laws[0])
    show(blocks, {"laws": [library.law_data(law) for law in laws]}, form, output)
    return 0
