"""Blocks as a small HTML fragment, as a notebook shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from optimizer.report.formats.blocks import (
    Block,
    Blocks,
    Heading,
    Table,
    Text,
    printable,
)


def render(blocks: Blocks) -> str:
    """Writes blocks as HTML without styles or scripts of its own."""
    inside = "\n".join(line for block in blocks for line in _lines(block))
    return f'<div class="overtrain">\n{inside}\n</div>\n'


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        level = block.level + 1
        yield f"<h{level}>{_safe(block.text)}</h{level}>"
    elif isinstance(block, Text):
        text = _safe(block.text)
        if block.lead:
            text = f"<strong>{text}</strong>"
        label = f"<strong>{_safe(block.label)}</strong>: " if block.label else ""
        yield f"<p>{label}{text}</p>"
    else:
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    aligns = [column.align for column in table.columns]
    yield "<table>"
    if table.titled:
        titles = [column.title for column in table.columns]
        yield f"<thead>{_row(titles, aligns, 'th')}</thead>"
    yield "<tbody>"
    yield from (_row(row, aligns, "td") for row in table.rows)
    yield "</tbody>"
    yield "</table>"


def _row(cells: Sequence[str], aligns: Sequence[str], tag: str) -> str:
    inside = "".join(
        f'<{kind} style="text-align: {align}">{_safe(cell)}</{kind}>'
        for cell, align in zip(cells, aligns, strict=True)
        # An empty corner is no header: who listens to a table would hear nothing.
        for kind in (tag if cell else "td",)
    )
    return f"<tr>{inside}</tr>"


def _safe(text: str) -> str:
    return escape(printable(text))
