"""A page in the unit of its law: sentences are written in nats, as most laws are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from optimizer.report.formats.blocks import Block, Heading, Table, Text

NATS = "nats per token"


def in_unit(blocks: Iterable[Block], unit: str) -> Iterator[Block]:
    """Blocks whose losses have the name of another unit; their numbers are in it.

    Args:
        blocks: of one answer.
        unit: of its law, such as `bits per byte`.
    """
    if unit == NATS:
        yield from blocks
        return
    for block in blocks:
        if isinstance(block, Text | Heading):
            yield replace(block, text=said_in(block.text, unit))
        elif isinstance(block, Table):
            yield replace(
                block,
                columns=tuple(
                    replace(column, title=said_in(column.title, unit))
                    for column in block.columns
                ),
                rows=tuple(
                    tuple(said_in(cell, unit) for cell in row) for row in block.rows
                ),
            )
        else:
            yield block


def said_in(text: str, unit: str) -> str:
    """A sentence with the unit in place of nats."""
    return text if unit == NATS else re.sub(r"\bnats\b", unit, text)
