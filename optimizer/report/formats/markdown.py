"""Blocks as Markdown with pipe tables, for issues and pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from optimizer.report.formats.blocks import (
    Block,
    Blocks,
    Heading,
    Table,
    Text,
    printable,
)

SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")


def render(blocks: Blocks) -> str:
    """Writes blocks as Markdown, the last line with its newline."""
    return "\n".join("".join(f"{line}\n" for line in _lines(b)) for b in blocks)


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {escape(block.text)}"
    elif isinstance(block, Text):
        text = escape(block.text)
        if block.lead:
            yield f"**{text}**"
        else:
            yield f"**{escape(block.label)}**: {text}" if block.label else text
    else:
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    yield _row([escape(column.title) for column in table.columns])
    yield _row(["---:" if c.align == "right" else ":---" for c in table.columns])
    for row in table.rows:
        yield _row([escape(cell) for cell in row])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Text that stays text in Markdown, whatever signs it has."""
    return SPECIAL.sub(r"\\\1", printable(text))
