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
from optimizer.commands.condition import read_conditions, refuse_unlike
from optimizer.commands.output import refuse_unwritable, write
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.story.case import Case
    from optimizer.commands.pictures import Studio
    from optimizer.question.portfolio import Portfolio
    from optimizer.question.scenario import Scenario
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
    judged = read_conditions(conditions)
    read = options.read_files(files, overrides, laws)
    refuse_unlike(judged, read)
    with ExitStack() as stack:
        stack.enter_context(_uncollected())
        studio = None
        if form in ("html", "pdf"):
            from optimizer.commands.pictures import studio as opened  # noqa: PLC0415

            texts = [*overrides, *(one.document.text for one in read)]
            studio = stack.enter_context(opened(texts))
        typed = _typed(files, overrides, laws, output, form)
        report = _report(read, laws, typed, studio, form == "json")
        _write(report, form, output, studio, browser)

    from optimizer.commands.outcome import code  # noqa: PLC0415

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
            gc.enable()


def _wrong(option: str, message: str) -> InputError:
    return InputError([Problem(Mark(option), "", message)])


def _report(
    read: list[Scenario | Portfolio],
    laws: tuple[str, ...],
    typed: str,
    studio: Studio | None,
    whole: bool,
) -> Report:
    """Works everything out; charts of a scenario are drawn while the next is solved."""
    from optimizer import __version__  # noqa: PLC0415
    from optimizer.analysis.comparison.compare import compare, probabilities  # noqa: PLC0415
    from optimizer.analysis.plan.optimum import solve  # noqa: PLC0415
    from optimizer.analysis.portfolio.joint_plan import solve_portfolio  # noqa: PLC0415
    from optimizer.analysis.story.case import LAWS, case, with_chances  # noqa: PLC0415 - heavy
    from optimizer.question.portfolio import Portfolio  # noqa: PLC0415
    from optimizer.report.pages.report import Report, case_blocks  # noqa: PLC0415

    options.under(read, laws)  # tells every law that is none
    scenarios = [one for one in read if not isinstance(one, Portfolio)]
    portfolios = [one for one in read if isinstance(one, Portfolio)]
    probabilities(scenarios)  # tells of wrong ones before any is solved
    cases: list[Case] = []
    bodies = []
    for scenario in scenarios:
        found = case(scenario, solve(scenario), laws or LAWS, whole)
        # It takes as long again, so that only the first has it.
        cases.append(found if cases else with_chances(found))
        bodies.append(tuple(case_blocks(cases[-1])))
        if studio is not None:
            studio.start(bodies[-1])
    plans = [each.answer for each in cases]
    return Report(
        comparison=compare(scenarios, changes=False, plans=plans),
        cases=tuple(cases),
        portfolios=tuple(
            (solve_portfolio(portfolio), portfolio.document.text)
            for portfolio in portfolios
        ),
        bodies=tuple(bodies),
        command=typed,
        version=__version__,
        made=_today(),
    )


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
    if form == "json":
        from optimizer.report.formats import data  # noqa: PLC0415 - as all formats, one is used
        from optimizer.report.pages.report_text import reported  # noqa: PLC0415

        return data.write(data.wrapped(reported(report), report.version))
    if form == "csv":
        from optimizer.report.formats import csv  # noqa: PLC0415

        return csv.write(report.comparison.plans)
    from optimizer.report.pages.report import report_blocks  # noqa: PLC0415

    blocks = list(report_blocks(report))
    if studio is not None:
        return _page(blocks, report, studio)
    if form == "markdown":
        from optimizer.report.pages.report_text import markdown  # noqa: PLC0415

        return markdown(blocks)
    return _terminal(blocks, output)


def _terminal(blocks: list[Rich], output: Path | None) -> str:
    from optimizer.commands.output import colourful  # noqa: PLC0415
    from optimizer.report.formats import text  # noqa: PLC0415
    from optimizer.report.formats.elements import plainly  # noqa: PLC0415

    width = 80 if output is not None else text.width()
    return text.render(list(plainly(blocks)), width, colourful(output))


def _page(blocks: list[Rich], report: Report, studio: Studio) -> str:
    from optimizer.report.formats.page import render  # noqa: PLC0415

    pictures = studio.pictures(blocks)
    scripts = studio.scripts()
    return render(blocks, pictures, scripts, report.version, report.made)
