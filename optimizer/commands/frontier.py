"""`overtrain frontier`: what each loss costs, and training against serving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import refuse_unwritable
from optimizer.commands.progress import progress

if TYPE_CHECKING:
    from optimizer.question.scenario import Scenario

ALLOWED = ("table", "json", "markdown", "csv")
WIDEST = 100.0
EXAMPLES = """\b
Examples:
  overtrain frontier internal-use.yaml
  overtrain frontier internal-use.yaml --over samples --most 256
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
@click.option(
    "--over",
    type=click.Choice(["loss", "samples"]),
    default="loss",
    show_default=True,
    help="What goes along it: losses, or the samples a request draws.",
)
@click.option(
    "--most",
    type=click.IntRange(1, 2**20),
    default=64,
    show_default=True,
    help="Samples, where the scenario does not say how many it leaves open.",
)
@options.overrides
@options.formats(*ALLOWED)
@options.engine
@options.output
def command(
    file: str,
    points: int,
    span: str,
    over: str,
    most: int,
    overrides: tuple[str, ...],
    form: str | None,
    output: Path | None,
) -> int:
    """Show what each loss costs, and training against serving.

    The first frontier is the least lifetime cost of each loss around the scenario's
    own. The second, at that loss, is the models for which training and serving
    cannot both be cheaper. Each point is certified like a plan. Over samples it is
    the plan and its cost for 1, 2, 4 and more answers a request.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    factor = _factor(span)
    scenario = options.read_all([file], overrides)[0]

    if over == "samples":
        return _over_samples(scenario, most, form, output)

    from optimizer.analysis.frontier.frontier import (  # noqa: PLC0415 - heavy
        frontier,
        steps,
    )
    from optimizer.commands.outcome import INFEASIBLE, show  # noqa: PLC0415
    from optimizer.report.pages import frontier as page  # noqa: PLC0415

    with progress("following", steps(scenario, points)) as advance:
        found = frontier(scenario, points, factor, advance)
    show(
        lambda: [page.frontier_blocks(found)],
        lambda: page.frontier_data(found),
        lambda: page.frontier_sheet(found),
        form,
        output,
    )
    return INFEASIBLE if found.own is None else 0


def _over_samples(scenario: Scenario, most: int, form: str, output: Path | None) -> int:
    """Shows the plan for each number of samples."""
    from optimizer.analysis.frontier.samples import (  # noqa: PLC0415 - heavy
        frontier_over_samples,
    )
    from optimizer.commands.outcome import INFEASIBLE, show  # noqa: PLC0415
    from optimizer.report.pages import drawings as page  # noqa: PLC0415

    found = frontier_over_samples(scenario, most)
    show(
        lambda: [page.over_samples_blocks(found)],
        lambda: page.over_samples_data(found),
        lambda: page.over_samples_sheet(found),
        form,
        output,
    )
    return 0 if found.steps else INFEASIBLE


def _factor(text: str) -> float:
    """Reads the span."""
    from optimizer.reading.kinds import NUMBER  # noqa: PLC0415

    wanted = f"must be above 1 and at most {WIDEST:g}"
    return options.number("--span", text, NUMBER, lambda x: 1 < x <= WIDEST, wanted)
