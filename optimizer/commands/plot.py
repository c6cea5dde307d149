"""`overtrain plot`: one chart as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.output import refuse_unwritable, write
from optimizer.commands.progress import progress
from optimizer.errors import InputError, Mark, Problem

KINDS = (
    *("contour", "demand", "plan", "split", "tornado"),
    *("overhead", "regret", "laws", "cashflow"),
    *("frontier", "uncertainty", "capped"),
)
EXAMPLES = """\b
Kinds:
  contour      loss over size and tokens, with the optimal paths and published models
  demand       lifetime cost against demand, and where models change places
  plan         the best size and tokens against demand
  split        where the cost comes from
  tornado      what moves the cost
  overhead     what another size costs in training, with the critical size
  regret       each plan in each scenario; takes several files
  laws         the plan under several laws
  cashflow     cost month by month
  frontier     loss against lifetime cost, with the band that the law's error gives it
  uncertainty  how often each size is best, when law and demand are drawn
  capped       what a lower loss costs under a budget with best_for: lifetime

\b
Examples:
  overtrain plot contour a.yaml -o contour.svg
  overtrain plot regret a.yaml b.yaml -o regret.png
"""


@click.command("plot", epilog=EXAMPLES)
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@options.files
@options.overrides
@options.laws
@options.engine
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="A .svg or .png file.",
)
def command(
    kind: str,
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    output: Path,
) -> int:
    """Draw one chart of a scenario as SVG or PNG; of several for regret and split."""
    ending = output.suffix.lower()
    if ending not in (".svg", ".png"):
        raise _wrong("-o", f"needs the name of a .svg or .png file, got {output.name}")
    refuse_unwritable(output)
    scenarios = options.read_all(files, overrides, laws)
    options.under(scenarios, laws)

    from optimizer.report.charts.catalogue import draw  # noqa: PLC0415 - heavy
    from optimizer.report.charts.picture import picture, refuse, work  # noqa: PLC0415
    from optimizer.report.formats import render  # noqa: PLC0415 - optional parts
    from optimizer.report.formats.extras import missing  # noqa: PLC0415
    from optimizer.report.formats.style import alone  # noqa: PLC0415

    refuse(kind, scenarios)
    try:
        render.ready()
        with progress("working out", work(kind, scenarios)) as advance:
            chart = picture(kind, scenarios, laws, advance)
            drawn = draw(chart)
            if ending == ".png":
                drawing = render.png(drawn)
            else:
                drawing = alone(render.svg(drawn), chart.alternative).encode("utf-8")
    except ImportError as error:
        raise missing(error) from None
    write(output, drawing)
    return 0


def _wrong(option: str, message: str) -> InputError:
    return InputError([Problem(Mark(option), "", message)])
