"""`overtrain solve`: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.condition import read_conditions
from optimizer.commands.output import refuse_unwritable

ALLOWED = ("table", "json", "markdown", "csv")
EXAMPLES = """\b
Examples:
  overtrain solve open-release.yaml
  overtrain solve a.yaml --set demand.tokens=5T --set objective=dollars
  overtrain solve *.yaml --format json -o plans.json
  overtrain solve a.yaml --fail-on 'overtraining.factor > 20'
"""


@click.command("solve", epilog=EXAMPLES)
@options.files
@options.overrides
@options.formats(*ALLOWED)
@options.output
@options.fail_on
def command(
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    form: str | None,
    output: Path | None,
    conditions: tuple[str, ...],
) -> int:
    """Find the plan of least lifetime cost, with its proof.

    FILES are scenarios in YAML; - is standard input. All are read first: if one has
    a mistake, nothing is solved.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    judged = read_conditions(conditions)
    scenarios = options.read_all(files, overrides)

    from optimizer.analysis.compare import compare  # noqa: PLC0415 - imports cvxpy
    from optimizer.commands.answered import code, show  # noqa: PLC0415
    from optimizer.report.plan import answer_blocks  # noqa: PLC0415

    answers = compare(scenarios)
    show([answer_blocks(plan) for plan in answers.plans], answers, form, output)
    return code(answers, judged)
