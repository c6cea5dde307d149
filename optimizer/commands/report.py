"""`overtrain report`: what to train and what it costs, for those who pay."""

from __future__ import annotations

import datetime
import gc
import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from optimizer.commands import options
from optimizer.commands.output import refuse_unwritable, write
from optimizer.commands.progress import progress
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.commands.pictures import Studio
    from optimizer.report.formats.elements import Rich
    from optimizer.report.pages.report import Report

ALLOWED = ("table", "html", "markdown", "json", "csv", "xlsx", "pdf")
FILES = {"xlsx": "a workbook", "pdf": "a PDF"}  # no texts for a terminal
EXAMPLES = """\b
Examples:
  overtrain report open-release.yaml internal-use.yaml -o report.html
  overtrain report a.yaml -o report.pdf
  overtrain report a.yaml -o report.xlsx
  overtrain report a.yaml --format markdown --fail-on 'cost.total > 2e6'
"""


@click.command("report", epilog=EXAMPLES)
@options.files
@options.overrides
@options.laws
@options.formats(*ALLOWED)
@options.engine
@options.output
@options.fail_on
def command(
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    form: str | None,
    output: Path | None,
    conditions: tuple[str, ...],
) -> int:
    """Write a report: plans, costs, charts, what moves them, and the sources.

    The name of the file says the format: .html is one page that opens offline, .pdf
    the same on paper, .md is for a wiki or a pull request, .xlsx and .csv are for
    spreadsheets and .json for programs. --law adds laws to compare with the
    scenario's own.
    """
    form = options.chosen(form, output, *ALLOWED)
    refuse_unwritable(output)
    if form in FILES and (output is None or str(output) == "-"):
        raise _wrong("-o", f"{FILES[form]} needs a file: -o report.{form}")
    browser = ""
    if form == "pdf" and output is not None:
        from optimizer.commands.paper import printer  # noqa: PLC0415 - only here

        browser = printer(output)
    with ExitStack() as stack:
        stack.enter_context(_uncollected())
        studio = None
        if form in ("html", "pdf"):
            from optimizer.commands.pictures import studio as opened  # noqa: PLC0415

            studio = stack.enter_context(opened(files, overrides))
        # Once the engine that draws has begun to start: it is what a page waits for.
        from optimizer.commands.condition import read_conditions, refuse_unlike  # noqa: PLC0415

        judged = read_conditions(conditions)
        read = options.read_files(files, overrides, laws)
        refuse_unlike(judged, read)
        from optimizer.functions.reports import worked_out  # noqa: PLC0415 - heavy

        options.under(read, laws)  # tells every law that is none
        typed = _typed(files, overrides, laws, output, form)
        with progress("working out", 2 * len(read)) as advance:
            report = worked_out(
                read,
                laws,
                typed,
                studio,
                whole=form == "json",
                made=_today(),
                told=lambda _done, _all: advance(1),
            )
        # Here, while the last charts are drawn.
        from optimizer.commands.outcome import code  # noqa: PLC0415

        _write(report, form, output, studio, browser)

    answers = [*report.comparison.plans]
    answers += [
        member for portfolio, _ in report.portfolios for member in portfolio.members
    ]
    return code(answers, judged, [portfolio for portfolio, _ in report.portfolios])


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leaves garbage for the end: looking for it takes a tenth of a report."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            # All there is counts as old: a command that ends does not look through it.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def _wrong(option: str, message: str) -> InputError:
    return InputError([Problem(Mark(option), "", message)])


def _today() -> str:
    """The day, or the one that a reproducible build asks for.

    Raises:
        InputError: SOURCE_DATE_EPOCH is no time.

    *Source*: reproducible-builds.org, SOURCE_DATE_EPOCH.
    """
    asked = os.environ.get("SOURCE_DATE_EPOCH", "")
    if asked:
        try:
            moment = datetime.datetime.fromtimestamp(int(asked), datetime.UTC)
        except (ValueError, OverflowError, OSError):
            message = "must be a time in seconds since 1970, before the year 10000"
            place = Mark(f"SOURCE_DATE_EPOCH={asked[:40]}")
            raise InputError([Problem(place, "", message)]) from None
        return moment.date().isoformat()
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _typed(
    files: tuple[str, ...],
    overrides: tuple[str, ...],
    laws: tuple[str, ...],
    output: Path | None,
    form: str,
) -> str:
    """The command that makes this report, ready for a shell."""
    words = ["overtrain", "report", *files]
    words += [word for text in overrides for word in ("--set", text)]
    words += [word for text in laws for word in ("--law", text)]
    if output is not None:
        words += ["-o", output.name]
    if output is None or options.by_ending(output, *ALLOWED) != form:
        words += ["--format", form]
    return shlex.join(words)


def _write(
    report: Report,
    form: str,
    output: Path | None,
    studio: Studio | None,
    browser: str,
) -> None:
    """Writes the report in its format."""
    if form == "pdf" and output is not None:
        from optimizer.commands.paper import print_page  # noqa: PLC0415 - only here

        print_page(_text(report, form, output, studio), output, browser)
        return
    if form == "xlsx" and output is not None:
        from optimizer.report.pages.workbook import write as workbook  # noqa: PLC0415

        write(output, workbook(report))
        return
    from optimizer.commands.output import emit  # noqa: PLC0415

    emit(_text(report, form, output, studio), output)


def _text(report: Report, form: str, output: Path | None, studio: Studio | None) -> str:
    if form == "table":
        from optimizer.report.pages.report import report_blocks  # noqa: PLC0415

        return _terminal(list(report_blocks(report)), output)
    from optimizer.functions.reports import text_of  # noqa: PLC0415

    return text_of(report, form, studio)


def _terminal(blocks: list[Rich], output: Path | None) -> str:
    from optimizer.commands.output import colourful  # noqa: PLC0415
    from optimizer.report.formats import text  # noqa: PLC0415
    from optimizer.report.formats.elements import plainly  # noqa: PLC0415

    width = 80 if output is not None else text.width()
    return text.render(list(plainly(blocks)), width, colourful(output))
