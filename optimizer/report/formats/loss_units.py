"""A page in the unit of its law: sentences are written in nats, as most laws are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from optimizer.analysis.plan.own_unit import said
from optimizer.report.formats.blocks import Heading, Table, Text
from optimizer.report.formats.elements import Points, R, Tiles


def in_unit(blocks: Iterable[R], unit: str) -> Iterator[R]:
    """Blocks whose losses have the name of another unit; their numbers are in it.

    Args:
        blocks: of one answer.
        unit: of its law, such as `bits per byte`.
    """
    for block in blocks:
        worded = isinstance(block, Text | Heading | Table | Points | Tiles)
        yield said(block, unit) if worded else block
