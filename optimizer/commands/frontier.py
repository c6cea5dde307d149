"""`overtrain frontier`: what each loss costs, and training against serving."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.output import refuse_unwritable

ALLOWED = ("table", "json", "markdown", "csv")
WIDEST = 100.0
EXAMPLES = """\b
Examples:
  overtrain frontier internal-use.yaml
  overtrain frontier open-release.yaml --span 1.2 --points 101 -o frontier.csv
"""


@click.command("frontier", epilog=EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option(
    "--points",
    type=click.IntRange(3, 10_001),
    default=41,
    show_default=True,
    help="Along each frontier.",
)
@click.option(
    "--span",
    default="2",
    show_default=True,
    metavar="FACTOR",
    help="How far the reducible loss goes above the plan's own, and below.",
)
@options.overrides
@options.formats(*ALLOWED)
@options.engine
@options.output
def command(
    file: str,
    points: int,
    span: str,
    overrides: tuple[str, ...],
    form: str | None,
    output: Path | None,
) -> int:
    """Show what each loss costs, and training against serving.

    The first frontier is the least lifetime cost of each loss around the scenario's
    own. The second, at that loss, is the models for which training and serving
    cannot both be cheaper. Each point is certified like a plan.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    factor = _factor(span)
    scenario = options.read_all([file], overrides)[0]

    from optimizer.analysis.frontier.frontier import frontier  # noqa: PLC0415 - heavy
    from optimizer.commands.outcome import INFEASIBLE, show  # noqa: PLC0415
    from optimizer.report.pages import frontier as page  # noqa: PLC0415

    found = frontier(scenario, points, factor)
    show(
        lambda: [page.frontier_blocks(found)],
        lambda: page.frontier_data(found),
        lambda: page.frontier_sheet(found),
        form,
        output,
    )
    return INFEASIBLE if found.own is None else 0


def _factor(text: str) -> float:
    """Reads the span."""
    from optimizer.reading.kinds import NUMBER  # noqa: PLC0415

    wanted = f"must be above 1 and at most {WIDEST:g}"
    return options.number("--span", text, NUMBER, lambda x: 1 < x <= WIDEST, wanted)
