"""A report as text, and the record that all of its formats are written from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from optimizer.analysis.comparison.compare import compare, probabilities
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.portfolio.joint_plan import solve_portfolio
from optimizer.analysis.story.case import LAWS, Case, growing, with_chances
from optimizer.functions.guard import flat
from optimizer.functions.version import installed
from optimizer.question.portfolio import Portfolio
from optimizer.question.scenario import Scenario
from optimizer.question.under_laws import under_laws
from optimizer.report.charts.catalogue import draw
from optimizer.report.charts.tips import tipped
from optimizer.report.formats import render
from optimizer.report.formats.elements import Chart, Rich
from optimizer.report.formats.extras import missing
from optimizer.report.pages.report import (
    Report,
    case_blocks,
    charts,
    report_blocks,
)

Form = Literal["html", "markdown", "json", "csv"]
Told = Callable[[int, int], object]  # parts done, of all


class Drawing(Protocol):
    """Who draws charts: this process, or one beside it while this one solves."""

    def start(self, blocks: Iterable[Rich]) -> None:
        """Starts drawing the charts among some blocks."""

    def pictures(self, blocks: Sequence[Rich]) -> Iterator[tuple[int, str]]:
        """The charts among some blocks, each with its place, as SVG."""


class Here:
    """Draws in this process, when the page is written."""

    def start(self, blocks: Iterable[Rich]) -> None:
        """Nothing is drawn ahead."""

    def pictures(self, blocks: Sequence[Rich]) -> Iterator[tuple[int, str]]:
        """The charts among some blocks, each drawn when it is asked for."""
        for place, block in enumerate(blocks):
            if isinstance(block, Chart):
                yield place, render.svg(tipped(draw(block)))


def report(
    *scenarios: Scenario | Portfolio | Sequence[Scenario | Portfolio],
    laws: Sequence[str] = (),
    form: Form = "html",
) -> str:
    """Writes a report, as `overtrain report` does: the text, and no file.

        Path("report.html").write_text(report(scenario))

    Args:
        *scenarios: one or several, alone or in a list, portfolios among them.
        laws: to compare with the scenario's own; four published ones unless given.
        form: `html`, one page that opens offline; `markdown`; `json` or `csv`.

    Raises:
        InputError: a law is none, or a library that draws is not installed.
    """
    drawing = Here() if form == "html" else None
    if drawing is not None:
        try:
            render.ready()
        except ImportError as error:
            raise missing(error) from None
    read = flat(scenarios)
    for one in read if laws else ():
        if not isinstance(one, Portfolio):
            under_laws(one, laws)  # tells every law that is none
    made = datetime.now(UTC).date().isoformat()
    whole = form == "json"
    found = worked_out(read, laws, "", drawing, whole=whole, made=made)
    return text_of(found, form, drawing)


def worked_out(
    read: Sequence[Scenario | Portfolio],
    laws: Sequence[str] = (),
    command: str = "",
    drawing: Drawing | None = None,
    *,
    whole: bool = False,
    made: str = "",
    told: Told = lambda _done, _all: None,
) -> Report:
    """Works out all that a report says.

    Args:
        read: scenarios and portfolios.
        laws: as for `report`.
        command: that makes it again; may be empty.
        drawing: starts on the charts of a scenario while more is worked out.
        whole: whether every number is kept, for JSON.
        made: the day.
        told: is called after each part.

    Raises:
        InputError: probabilities do not fit together.
    """
    scenarios = [one for one in read if not isinstance(one, Portfolio)]
    portfolios = [one for one in read if isinstance(one, Portfolio)]
    probabilities(scenarios)  # tells of wrong ones before any is solved
    steps = _Steps(told, 2 * len(scenarios) + len(portfolios))
    cases: list[Case] = []
    for scenario in scenarios:
        for known in growing(scenario, solve(scenario), laws or LAWS, whole):
            if drawing is not None:
                drawing.start(charts(known))
        cases.append(known)
        steps.done()
    # It takes as long as all the rest, so that only the first has it; last, while the
    # charts of the others are drawn.
    cases[:1] = [with_chances(found) for found in cases[:1]]
    bodies = []
    for found in cases:
        bodies.append(tuple(case_blocks(found, len(scenarios) == 1)))
        if drawing is not None:
            drawing.start(bodies[-1])
        steps.done()
    return Report(
        comparison=compare(
            scenarios, changes=False, plans=[each.answer for each in cases]
        ),
        cases=tuple(cases),
        portfolios=tuple(_joint(portfolios, steps)),
        bodies=tuple(bodies),
        command=command,
        version=installed(),
        made=made,
    )


class _Steps:
    """Counts what is done."""

    def __init__(self, told: Told, count: int) -> None:
        self._told, self._count, self._done = told, count, 0

    def done(self) -> None:
        self._done += 1
        self._told(self._done, self._count)


def _joint(portfolios: Sequence[Portfolio], steps: _Steps) -> Iterator[Any]:
    for portfolio in portfolios:
        yield solve_portfolio(portfolio), portfolio.document.text
        steps.done()


def text_of(found: Report, form: str, drawing: Drawing | None = None) -> str:
    """A report in a format that is text.

    Args:
        found: what it says.
        form: `html`, for which `drawing` is needed, `markdown`, `json` or `csv`.
        drawing: who draws.
    """
    if form == "json":
        from optimizer.report.formats import data  # noqa: PLC0415 - as all formats, one is used
        from optimizer.report.pages.report_text import reported  # noqa: PLC0415

        return data.write(data.wrapped(reported(found), found.version))
    if form == "csv":
        from optimizer.report.formats.csv import write  # noqa: PLC0415

        return write(found.comparison.plans)
    blocks = list(report_blocks(found))
    if drawing is None:
        from optimizer.report.pages.report_text import markdown  # noqa: PLC0415

        return markdown(blocks)
    from optimizer.report.formats.page import render as page  # noqa: PLC0415

    return page(blocks, drawing.pictures(blocks), found.version, found.made)
