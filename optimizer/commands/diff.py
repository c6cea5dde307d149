"""`overtrain diff`: what moved between two answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.condition import CONDITION_HELD
from optimizer.commands.diff_condition import read_conditions
from optimizer.commands.lists import show
from optimizer.commands.output import piped, refuse_unwritable

if TYPE_CHECKING:
    from optimizer.functions.answers import Document

ALLOWED = ("table", "json", "markdown")
EXAMPLES = """\b
Examples:
  overtrain solve *.yaml --format json -o plans.json
  overtrain diff plans.json new.json
  overtrain diff plans.json assistant.yaml --format markdown
  git show main:plans.json | overtrain diff - plans.json --fail-on 'moved > 5 %'
"""


@click.command("diff", epilog=EXAMPLES)
@click.argument("before")
@click.argument("after")
@options.formats(*ALLOWED)
@options.output
@click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 4 where a change meets a condition: 'changed', 'moved > 5 %' (of "
    "size, tokens or cost, up or down), 'cost.total > 5 %' (of one number, up), "
    "'warnings' or the code of one, where it is new. Repeatable.",
)
def command(
    before: str,
    after: str,
    form: str | None,
    output: Path | None,
    conditions: tuple[str, ...],
) -> int:
    """Say what moved between two answers, for a pull request.

    BEFORE and AFTER are what solve or compare wrote with --format json; - is standard
    input. A scenario or a portfolio in YAML may stand for either: it is solved.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    judged = read_conditions(conditions)
    if before == after == options.STDIN:
        raise click.UsageError("standard input can be read only once")

    from optimizer.analysis.comparison.answer_diff import answer_diff  # noqa: PLC0415 - heavy
    from optimizer.report.pages.answer_diff import diff_blocks, diff_data  # noqa: PLC0415

    found = answer_diff(_document(before), _document(after))
    show(diff_blocks(found), diff_data(found), form, output)
    held = [
        f"{plan.scenario}: --fail-on {condition.text} holds"
        for plan in found.all
        for condition in judged
        if condition.holds(plan)
    ]
    for told in held:
        click.echo(told, err=True)
    return CONDITION_HELD if held else 0


def _document(path: str) -> Document:
    """The plans of a file and its portfolio, solved where it is a scenario."""
    from optimizer.functions.answers import saved  # noqa: PLC0415 - heavy
    from optimizer.reading.jsontext import HUGE, load_json, read_json  # noqa: PLC0415

    if path == options.STDIN:
        return saved(read_json(piped(HUGE), "<stdin>", HUGE))
    if Path(path).suffix.lower() == ".json":
        return saved(load_json(path, HUGE))
    from optimizer.analysis.plan.optimum import solve  # noqa: PLC0415
    from optimizer.analysis.portfolio.joint_plan import solve_portfolio  # noqa: PLC0415
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415
    from optimizer.report.formats.decisions import solved  # noqa: PLC0415

    (read,) = options.read_files([path], ())
    if isinstance(read, Portfolio):
        joint = solve_portfolio(read)
        return solved(joint.members, [None] * len(joint.members), [joint])
    return solved([solve(read)], [None], [])
