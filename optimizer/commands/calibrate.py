"""`overtrain calibrate`: constants of serving from measured points."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.command_line import typed
from optimizer.commands.output import YAML, refuse_ending, refuse_unwritable, write
from optimizer.commands.serving import pairs, shown

FORMS = ("table", "json", "markdown")
EXAMPLES = """\b
Examples:
  overtrain calibrate points.csv -o my-serving.yaml
  overtrain calibrate bench-*.json --given accelerator=h100-sxm -o my-serving.yaml
"""


@click.command("calibrate", epilog=EXAMPLES)
@click.argument("points", nargs=-1, required=True, metavar="POINTS...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the constants to a file (.yaml), for constants: in serving.",
)
@click.option(
    "--fresh",
    is_flag=True,
    help="Start from wide guesses, not from the constants that come with the tool.",
)
@click.option("--source", metavar="TEXT", help="Where the points are from.")
@click.option("--date", metavar="DAY", help="Of the points; today unless given.")
@options.given
@options.formats(*FORMS)
def command(
    points: tuple[str, ...],
    output: Path | None,
    fresh: bool,
    source: str | None,
    date: str | None,
    given: tuple[str, ...],
    form: str | None,
) -> int:
    """Fit the constants of serving to measured points of your own.

    The table has the columns that overtrain serving reads, or is what vLLM's and
    SGLang's benchmarks, genai-perf or AIPerf write. Where the points say nothing, the
    constants stay those that come with the tool.
    """
    from optimizer.functions.fits import calibrate  # noqa: PLC0415 - heavy
    from optimizer.report.formats.serving_file import serving_text  # noqa: PLC0415
    from optimizer.report.pages.serving import (  # noqa: PLC0415
        calibrated_blocks,
        calibrated_data,
    )

    refuse_unwritable(output)
    told = "a file of constants ends in .yaml; for JSON: --format json"
    refuse_ending(output, YAML, told)
    found = calibrate(points, pairs(given), fresh=fresh, source=source, date=date)
    if output is not None:
        head = (f"Written by {typed()}",)
        write(output, serving_text(found.library, found.ranges, head))
    shown(
        lambda: calibrated_blocks(found),
        lambda: {"calibration": calibrated_data(found)},
        options.chosen(form, None, *FORMS),
        None,
    )
    return 0
