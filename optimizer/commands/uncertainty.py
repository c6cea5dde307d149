"""`overtrain uncertainty`: how far a plan may be trusted, and a plan that is safe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import refuse_unwritable
from optimizer.commands.progress import progress
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.question.scenario import Scenario

ALLOWED = ("table", "json", "markdown", "csv")
PROBABILITY = 0.9
EXAMPLES = """\b
Examples:
  overtrain uncertainty internal-use.yaml
  overtrain uncertainty open-release.yaml --probability '95 %' --draws 10000
  overtrain uncertainty a.yaml --set target.loss=2.0 --format json
"""


@click.command("uncertainty", epilog=EXAMPLES)
@click.argument("file", metavar="FILE")
@click.option(
    "--draws",
    type=click.IntRange(10, 1_000_000),
    default=1000,
    show_default=True,
    help="How many.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    callback=options.countable,
    default=0,
    show_default=True,
    help="Of the draws; the same one repeats them.",
)
@click.option(
    "--probability",
    metavar="PART",
    help="With which the robust plan reaches the target; 90 % unless given.",
)
@options.overrides
@options.formats(*ALLOWED)
@options.engine
@options.output
def command(
    file: str,
    draws: int,
    seed: int,
    probability: str | None,
    overrides: tuple[str, ...],
    form: str | None,
    output: Path | None,
) -> int:
    """Say how far a plan may be trusted, and find one that is safe.

    It draws the law's coefficients from their covariance, and the demand and prices
    from their {low, expected, high}, and solves every draw. The robust plan is the
    cheapest model that reaches the target with a stated probability.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    wanted = PROBABILITY if probability is None else _part(probability)
    scenario = options.read_all([file], overrides)[0]

    from optimizer.analysis.plan.chance import unasked  # noqa: PLC0415
    from optimizer.analysis.sweep.forecast import lengthy  # noqa: PLC0415
    from optimizer.analysis.uncertainty.uncertainty import uncertainty  # noqa: PLC0415
    from optimizer.commands.outcome import INFEASIBLE, show  # noqa: PLC0415
    from optimizer.report.pages import uncertainty as page  # noqa: PLC0415

    reason = unasked(scenario)
    if probability is not None and reason:
        message = f"there is no robust plan: {reason}; leave the option out"
        raise InputError([Problem(Mark("--probability"), "", message)])
    if lengthy([scenario], draws):
        _foretold(scenario, draws, lambda n: uncertainty(scenario, n, seed, wanted))
    with progress("drawing", draws) as advance:
        found = uncertainty(scenario, draws, seed, wanted, advance)
    show(
        lambda: [page.uncertainty_blocks(found)],
        lambda: page.uncertainty_data(found),
        lambda: page.uncertainty_sheet(found),
        form,
        output,
    )
    answered = bool(found.intervals) and (
        found.robust is not None or bool(reason) or not found.lawful
    )
    return 0 if answered else INFEASIBLE


def _foretold(scenario: Scenario, draws: int, drawn: Callable[[int], object]) -> None:
    """Says what many draws will take, as a sweep does."""
    from optimizer.analysis.sweep.forecast import extrapolated  # noqa: PLC0415 - heavy
    from optimizer.reading.quantity import DURATION, write  # noqa: PLC0415

    seconds = extrapolated(drawn, scenario, draws)
    click.echo(f"{draws:,} draws, about {write(seconds, DURATION)} of work", err=True)


def _part(text: str) -> float:
    """Reads a probability such as 0.9 or 90 %."""
    from optimizer.reading.kinds import FRACTION  # noqa: PLC0415

    wanted = "must be above 0 % and below 100 %"
    return options.number("--probability", text, FRACTION, lambda x: 0 < x < 1, wanted)
