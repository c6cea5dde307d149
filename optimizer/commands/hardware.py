"""`overtrain hardware`: the library of accelerators."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.lists import show
from optimizer.commands.output import refuse_unwritable

ALLOWED = ("table", "json", "markdown")


@click.command("hardware")
@click.argument("name", required=False)
@options.formats(*ALLOWED)
@options.output
def command(name: str | None, form: str | None, output: Path | None) -> int:
    """List the accelerators, or all about one.

    NAME is one of the library or a file (.yaml).
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)

    from optimizer.report.pages import library  # noqa: PLC0415 - imports the words
    from optimizer.world import hardware  # noqa: PLC0415

    names = hardware.hardware_names() if name is None else (name,)
    chips = [hardware.load_hardware(known) for known in names]
    if name is None:
        prices = {chip.key: hardware.listed_price(chip) for chip in chips}
        blocks = library.chips_blocks(chips, prices)
    else:
        blocks = library.known_blocks(chips[0])
    listed = [library.known_data(chip) for chip in chips]
    show(blocks, {"hardware": listed}, form, output)
    return 0
