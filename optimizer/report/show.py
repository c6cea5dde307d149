"""How answers look in a terminal and in a notebook; the public API attaches this."""

from __future__ import annotations

from typing import Any

from optimizer.analysis.answer import Answer
from optimizer.analysis.compare import Comparison
from optimizer.report import html, markdown, text
from optimizer.report.blocks import Blocks
from optimizer.report.plan import answer_blocks
from optimizer.report.side import comparison_blocks


def blocks(record: Answer | Comparison) -> Blocks:
    """The page of a record."""
    if isinstance(record, Comparison):
        return comparison_blocks(record)
    return answer_blocks(record)


def attach() -> None:
    """Gives the records their looks: `print(answer)`, and the notebook's cells."""

    def plain(record: Answer | Comparison) -> str:
        return text.render(blocks(record), text.width()).rstrip("\n")

    def pretty(record: Answer | Comparison, printer: Any, _cycle: bool) -> None:
        printer.text(plain(record))

    looks = {
        "__str__": plain,
        "_repr_html_": lambda record: html.render(blocks(record)),
        "_repr_markdown_": lambda record: markdown.render(blocks(record)),
        "_repr_pretty_": pretty,
    }
    for record in (Answer, Comparison):
        for name, look in looks.items():
            setattr(record, name, look)
