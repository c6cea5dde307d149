"""`overtrain serving`: measured points of serving beside what is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.commands import options
from optimizer.commands.output import (
    colourful,
    emit,
    failed,
    refuse_unwritable,
    write,
)
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.serving.beside import Beside
    from optimizer.report.formats.blocks import Block

FORMS = ("table", "json", "markdown")
EXAMPLES = """\b
Examples:
  overtrain serving points.csv
  overtrain serving points.csv --engine-constants --format json
  overtrain serving bench.json --given accelerator=h100-sxm --given accelerators=4
"""


@click.command("serving", epilog=EXAMPLES)
@click.argument("points", metavar="POINTS")
@click.option(
    "--engine-constants",
    "engines",
    is_flag=True,
    help="Use constants of an engine where it was measured.",
)
@click.option(
    "--constants",
    "file",
    metavar="FILE",
    help="Constants of your own, from overtrain calibrate.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw predicted against measured times per token (.svg).",
)
@options.given
@options.formats(*FORMS)
@options.output
def command(
    points: str,
    engines: bool,
    file: str | None,
    picture: Path | None,
    given: tuple[str, ...],
    form: str | None,
    output: Path | None,
) -> int:
    """Set measured points of serving beside what is predicted for them.

    POINTS is a table with the columns model, parameters_total, parameters_active,
    accelerator, accelerators, weights, kv, input_tokens, output_tokens, concurrency,
    measured_tpot_ms and measured_output_tokens_per_s_per_accelerator, or what
    vLLM's and SGLang's benchmarks, genai-perf or AIPerf write.
    """
    from optimizer.analysis.serving.beside import beside  # noqa: PLC0415 - heavy
    from optimizer.fitting.benchmarks import read_any  # noqa: PLC0415
    from optimizer.report.pages.serving import serving_blocks, serving_data  # noqa: PLC0415
    from optimizer.world.serving.constants import library, load_library  # noqa: PLC0415

    refuse_unwritable(output)
    if picture is not None:
        _refuse_picture(picture)
    known = library() if file is None else load_library(file)
    read = read_any([points], pairs(given))
    found = beside(read, known, engines)
    if picture is not None:
        _draw(found, picture, points)
    shown(
        lambda: serving_blocks(found, known, Path(points).name),
        lambda: serving_data(found, known),
        options.chosen(form, output, *FORMS),
        output,
    )
    return 0


def _refuse_picture(picture: Path) -> None:
    """Tells early that a picture cannot be drawn, or has no place to go."""
    from optimizer.report.formats import render  # noqa: PLC0415 - optional parts
    from optimizer.report.formats.extras import missing  # noqa: PLC0415

    refuse_unwritable(picture)
    if picture.suffix.lower() != ".svg":
        raise failed(picture, "a picture ends in .svg")
    try:
        render.ready()
    except ImportError as error:
        raise missing(error) from None


def _draw(found: Sequence[Beside], picture: Path, points: str) -> None:
    from optimizer.report.charts.serving import predicted_beside_measured  # noqa: PLC0415
    from optimizer.report.formats import render  # noqa: PLC0415 - optional parts

    try:
        drawn = predicted_beside_measured(found)
    except ValueError as error:
        raise InputError([Problem(Mark(points), "", str(error))]) from None
    write(picture, render.svg(drawn))


def pairs(texts: Sequence[str]) -> dict[str, str]:
    """The columns that --given gives.

    Raises:
        InputError: a text is no assignment, or names no column.
    """
    from optimizer.fitting.points import COLUMNS  # noqa: PLC0415
    from optimizer.reading.document import suggest  # noqa: PLC0415

    found = {}
    for text in texts:
        word, equals, value = text.partition("=")
        place = Mark(f"--given {text}")
        if not equals or not value:
            raise InputError([Problem(place, "", 'needs a "=", as in engine=vllm')])
        if word not in COLUMNS:
            known = suggest(word, COLUMNS) or f"; choose of {', '.join(COLUMNS)}"
            message = f'there is no column "{word}"{known}'
            raise InputError([Problem(place, "", message)])
        found[word] = value
    return found


def shown(blocks: Any, content: Any, form: str, output: Path | None) -> None:
    """Writes a page in a format."""
    if form == "json":
        from optimizer import __version__  # noqa: PLC0415
        from optimizer.report.formats import data  # noqa: PLC0415

        emit(data.write(data.wrapped(content(), __version__)), output)
        return
    page: list[Block] = blocks()
    if form == "markdown":
        from optimizer.report.formats import markdown  # noqa: PLC0415

        emit(markdown.render(page), output)
        return
    from optimizer.report.formats import text  # noqa: PLC0415

    emit(text.render(page, text.width(), colourful(output)), output)
