"""A report as JSON, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.report.formats import markdown as pages
from optimizer.report.formats.blocks import Block, printable
from optimizer.report.formats.data import plain, plan
from optimizer.report.formats.decisions import compared, solved
from optimizer.report.formats.elements import Rich, Verbatim, plainly
from optimizer.report.pages.assumptions import assumptions

if TYPE_CHECKING:
    from optimizer.report.pages.report import Report

FENCE = re.compile(r"`{3,}")


def reported(report: Report) -> dict[str, Any]:
    """What `report` answers: what `compare` does, and the numbers of every chart."""
    content = compared(report.comparison)
    if report.portfolios:
        portfolios = [portfolio for portfolio, _ in report.portfolios]
        members = [member for portfolio in portfolios for member in portfolio.members]
        joint = solved(members, [None] * len(members), portfolios)
        content["plans"] += joint["plans"]
        content["portfolio"] = joint["portfolio"]
    content["reports"] = [
        {
            "scenario": case.answer.scenario,
            "file": case.answer.file,
            "text": case.scenario.document.text,
            "assumptions": plain(assumptions(case.scenario)),
            "laws": [plan(answer) for answer in case.laws],
            "contour": plain(case.contour),
            "demand": plain(case.demand),
            "overhead": plain(case.overhead),
            "cashflow": plain(case.cashflow),
            "tornado": plain(case.tornado),
            "explorer": plain(case.explorer),
            "what_if": plain(case.what_if),
            "frontier": plain(case.frontier),
            "uncertainty": plain(case.uncertainty),
        }
        for case in report.cases
    ]
    content["command"] = report.command
    content["made"] = report.made
    return content


def markdown(blocks: Sequence[Rich]) -> str:
    """A report for a wiki or a pull request, its charts as words."""
    return "\n".join(_markdown(blocks))


def _markdown(blocks: Sequence[Rich]) -> Iterator[str]:
    waiting: list[Rich] = []
    for block in blocks:
        if isinstance(block, Verbatim):
            yield pages.render(_plain(waiting))
            yield _fenced(block.text)
            waiting = []
        else:
            waiting.append(block)
    if waiting:
        yield pages.render(_plain(waiting))


def _plain(blocks: Sequence[Rich]) -> list[Block]:
    return list(plainly(blocks))


def _fenced(text: str) -> str:
    """A text as it is, in a fence longer than any in it."""
    longest = max((len(run) for run in FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    lines = "\n".join(map(printable, text.rstrip("\n").split("\n")))
    return f"{fence}text\n{lines}\n{fence}\n"
