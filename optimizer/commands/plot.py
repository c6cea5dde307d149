"""`overtrain plot`: one chart as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import beside, failed, refuse_unwritable
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.question.scenario import Scenario
    from optimizer.report.formats.elements import Chart

KINDS = (
    *("contour", "demand", "plan", "split", "tornado"),
    *("overhead", "regret", "laws", "cashflow"),
    *("frontier", "uncertainty"),
)
CHANCES = ("frontier", "uncertainty")
DRAWS = 2000  # of the distribution
NOTHING = {
    "laws": "a target that names a model to match",
    "cashflow": "a demand with a lifetime",
    "demand": "a target, and a demand above 0",
    "plan": "a target, and a demand above 0",
    "tornado": "numbers that move the answer",
    "frontier": "a law with a loss surface, and losses that have plans",
    "uncertainty": "a law with a covariance, or a demand with low and high, that moves "
    "the size",
}
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
    options.fixed_quality(scenarios, "plot")
    options.under(scenarios, laws)
    if kind == "regret" and len(scenarios) < 2:
        raise _wrong("plot regret", "compares scenarios; give it two files or more")
    if kind not in ("regret", "split") and len(scenarios) > 1:
        raise _wrong(f"plot {kind}", "draws one scenario; give it one file")

    from optimizer.report.charts.catalogue import draw  # noqa: PLC0415 - heavy
    from optimizer.report.formats import render  # noqa: PLC0415 - optional parts
    from optimizer.report.formats.extras import missing  # noqa: PLC0415
    from optimizer.report.formats.style import alone  # noqa: PLC0415

    try:
        render.version()
        chart = _chart(kind, scenarios, laws)
        drawn = draw(chart)
        if ending == ".png":
            picture = render.png(drawn)
        else:
            picture = alone(render.svg(drawn), chart.alternative).encode("utf-8")
    except ImportError as error:
        raise missing(error) from None
    try:
        with beside(output.resolve()) as path:
            path.write_bytes(picture)
    except OSError as error:
        raise failed(output, f"cannot be written: {error.strerror}") from None
    return 0


def _chart(kind: str, scenarios: list[Scenario], laws: tuple[str, ...]) -> Chart:
    from optimizer.analysis.plan.optimum import solve  # noqa: PLC0415
    from optimizer.analysis.story.case import LAWS, case  # noqa: PLC0415 - heavy
    from optimizer.report.charts.catalogue import chart_of, regret_of, split_of  # noqa: PLC0415

    if kind in CHANCES:
        return _chance(kind, scenarios[0])
    answers = [solve(scenario) for scenario in scenarios]
    for answer in answers:
        if answer.infeasibility is not None and kind not in ("regret", "laws"):
            message = f"there is no plan: {answer.infeasibility.reason}"
            raise InputError([Problem(Mark(answer.file), "", message)])
    if kind == "regret":
        from optimizer.analysis.comparison.regret import regret  # noqa: PLC0415

        found = regret_of(regret(scenarios, answers))
    elif len(scenarios) > 1:
        found = split_of(answers)
    else:
        beside_it = (laws or LAWS) if kind == "laws" else ()
        found = chart_of(kind, case(scenarios[0], answers[0], beside_it))
    if found is None:
        raise _empty(kind, scenarios[0])
    return found


def _chance(kind: str, scenario: Scenario) -> Chart:
    """A chart whose numbers need nothing of the others'."""
    from optimizer.analysis.frontier.band import banded, distribution  # noqa: PLC0415
    from optimizer.report.charts.uncertainty_catalogue import (  # noqa: PLC0415
        frontier_of,
        uncertainty_of,
    )

    if kind == "frontier":
        found = frontier_of(banded(scenario))
    else:
        found = uncertainty_of(distribution(scenario, DRAWS))
    if found is None:
        raise _empty(kind, scenario)
    return found


def _empty(kind: str, scenario: Scenario) -> InputError:
    needs = NOTHING.get(kind, "scenarios that count the same unit")
    message = f"plot {kind} has nothing to show; it needs {needs}"
    return InputError([Problem(Mark(scenario.file), "", message)])


def _wrong(option: str, message: str) -> InputError:
    return InputError([Problem(Mark(option), "", message)])
