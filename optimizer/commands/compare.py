"""`overtrain compare`: scenarios side by side."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.commands import options
from optimizer.commands.condition import read_conditions
from optimizer.commands.output import refuse_unwritable

ALLOWED = ("table", "json", "markdown", "csv")
EXAMPLES = """\b
Examples:
  overtrain compare internal.yaml release.yaml
  overtrain compare *.yaml --set law=besiroglu-2024-refit --format markdown
"""


@click.command("compare", epilog=EXAMPLES)
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
    """Solve scenarios and show them side by side, one column each.

    JSON and CSV are the same as those of solve.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    judged = read_conditions(conditions)
    scenarios = options.read_all(files, overrides)

    from optimizer.analysis.compare import compare  # noqa: PLC0415 - imports cvxpy
    from optimizer.commands.answered import code, show  # noqa: PLC0415
    from optimizer.report.side import comparison_blocks  # noqa: PLC0415

    answers = compare(scenarios)
    show([comparison_blocks(answers)], answers, form, output)
    return code(answers, judged)
