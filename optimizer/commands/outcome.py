"""What commands do after solving: show, judge, and choose an exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optimizer.algebra.program import Status
from optimizer.analysis.plan.answer import Answer
from optimizer.commands.condition import CONDITION_HELD, Condition
from optimizer.commands.output import colourful, emit
from optimizer.report.formats.blocks import Blocks

if TYPE_CHECKING:
    from optimizer.analysis.portfolio.joint_plan import JointPlan

INFEASIBLE = 3


def show(
    pages: Callable[[], Sequence[Blocks]],
    content: Callable[[], Mapping[str, Any]],
    sheet: Callable[[], str],
    form: str,
    output: Path | None,
) -> None:
    """Writes what was found in a format; tables and Markdown page by page.

    Args:
        pages: makes the blocks of each page.
        content: makes the JSON, without the frame around it.
        sheet: makes the CSV.
        form: one of the formats.
        output: a file, or None for the terminal.
    """
    if form == "json":
        from optimizer import __version__  # noqa: PLC0415
        from optimizer.report.formats import data  # noqa: PLC0415 - as all formats, one is used

        text = data.write(data.wrapped(content(), __version__))
    elif form == "csv":
        text = sheet()
    elif form == "markdown":
        from optimizer.report.formats import markdown  # noqa: PLC0415

        text = "\n".join(markdown.render(page) for page in pages())
    else:
        from optimizer.report.formats import text as terminal  # noqa: PLC0415

        width = 80 if output is not None else terminal.width()
        colour = colourful(output)
        text = "\n\n".join(terminal.render(page, width, colour) for page in pages())
    emit(text, output)


def code(
    answers: Sequence[Answer],
    conditions: Sequence[Condition],
    portfolios: Sequence[JointPlan] = (),
) -> int:
    """The exit code of some answers; tells on standard error which condition held.

    Args:
        answers: of the scenarios, and of the members of portfolios.
        conditions: of `--fail-on`.
        portfolios: of the portfolios, which may be infeasible as a whole.
    """
    held = False
    if conditions:
        from optimizer.report.formats.data import plan  # noqa: PLC0415

        for answer in answers:
            for condition in conditions:
                if condition.holds(plan(answer)):
                    held = True
                    click.echo(
                        f"{answer.file}: {answer.scenario}: --fail-on "
                        f"{condition.text} holds",
                        err=True,
                    )
    statuses = [a.status for a in answers] + [f.status for f in portfolios]
    if Status.INFEASIBLE in statuses:
        return INFEASIBLE
    return CONDITION_HELD if held else 0
