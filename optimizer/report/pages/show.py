"""How answers look in a terminal and in a notebook; the public API attaches this."""

from __future__ import annotations

from typing import Any

from optimizer.analysis.audit import Audit
from optimizer.analysis.comparison.compare import Comparison
from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.portfolio.joint_plan import JointPlan
from optimizer.report.formats import html, markdown, text
from optimizer.report.formats.blocks import Blocks
from optimizer.report.pages.audit import audits_blocks
from optimizer.report.pages.comparison import comparison_blocks
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.portfolio import portfolio_blocks

Shown = Answer | Audit | Comparison | JointPlan


def blocks(record: Shown) -> Blocks:
    """The page of a record."""
    if isinstance(record, Audit):
        return audits_blocks([record])
    if isinstance(record, JointPlan):
        return portfolio_blocks(record)
    if isinstance(record, Comparison):
        return comparison_blocks(record)
    return answer_blocks(record)


def attach() -> None:
    """Gives the records their looks: `print(answer)`, and the notebook's cells."""

    def plain(record: Shown) -> str:
        return text.render(blocks(record), text.width()).rstrip("\n")

    def pretty(record: Shown, printer: Any, _cycle: bool) -> None:
        printer.text(plain(record))

    looks = {
        "__str__": plain,
        "_repr_html_": lambda record: html.render(blocks(record)),
        "_repr_markdown_": lambda record: markdown.render(blocks(record)),
        "_repr_pretty_": pretty,
    }
    for record in (Answer, Audit, Comparison, JointPlan):
        for name, look in looks.items():
            setattr(record, name, look)
