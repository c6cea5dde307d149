"""`overtrain model`: what a published config says, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.lists import show
from optimizer.commands.output import refuse_unwritable
from optimizer.errors import InputError

if TYPE_CHECKING:
    from optimizer.world.architecture.record import Record

ALLOWED = ("table", "json", "markdown")
BAD_INPUT = 2
MOST = 10**9  # tokens of a context
EXAMPLES = """\b
Examples:
  overtrain model path/config.json
  overtrain model llama-3-8b deepseek-v3/ --context 8192 --format json
"""


@click.command("model", epilog=EXAMPLES)
@click.argument("names", nargs=-1, required=True, metavar="NAME_OR_PATH...")
@click.option(
    "--context",
    "contexts",
    multiple=True,
    metavar="TOKENS",
    help="Also tell the cache of a sequence this long, such as 8192. Repeatable.",
)
@options.formats(*ALLOWED)
@options.output
def command(
    names: tuple[str, ...],
    contexts: tuple[str, ...],
    form: str | None,
    output: Path | None,
) -> int:
    """Say what a model is made of: parameters, layers, cache.

    Each NAME_OR_PATH is a config.json as models are published with, a folder that has
    one, or a published model of the library. What is not known is refused by name, with
    the reason; the exit code is then 2.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)

    from optimizer.report.pages import models  # noqa: PLC0415 - imports the words

    asked = sorted({*models.CONTEXTS, *(_context(text) for text in contexts)})
    read = [(name, _read(name)) for name in dict.fromkeys(names)]
    content = {"models": [models.model_data(n, found, asked) for n, found in read]}
    known = [found for _, found in read if not isinstance(found, InputError)]
    refused = [found for _, found in read if isinstance(found, InputError)]
    if known or form == "json":
        show(models.models_blocks(known, asked), content, form, output)
    for error in refused:
        click.echo(str(error), err=True)
    return BAD_INPUT if refused else 0


def _read(name: str) -> Record | InputError:
    """The record of a model, or why there is none."""
    from optimizer.world.described import record_named  # noqa: PLC0415

    try:
        return record_named(name)
    except InputError as error:
        return error


def _context(text: str) -> int:
    from optimizer.reading.quantity import TOKENS  # noqa: PLC0415

    return int(
        options.number(
            "--context",
            text,
            TOKENS,
            lambda x: 1 <= x <= MOST,
            f"must be 1 to {MOST:,} tokens",
        )
    )
