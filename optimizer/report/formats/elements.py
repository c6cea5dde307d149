"""What a report has beyond headings, text and tables, and how to say it without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from optimizer.reading.loss_words import NATS
from optimizer.records import dataclass
from optimizer.report.formats.blocks import GAP, Block, Column, Heading, Table, Text

if TYPE_CHECKING:
    from optimizer.analysis.story.explorer import Explorer  # which brings sweeps along


@dataclass(frozen=True)
class Tile:
    """One number to see at a glance, and what stands beside it."""

    name: str
    value: str
    note: str = GAP


@dataclass(frozen=True)
class Tiles:
    """The numbers that matter most."""

    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Chart:
    """A chart, not drawn yet.

    Attributes:
        kind: one of `chart.KINDS`.
        title: over it.
        alternative: what it shows, in words.
        figure: the numbers, as the drawing function of its kind takes them.
        loss_unit: of its losses.
    """

    kind: str
    title: str
    alternative: str
    figure: Any
    loss_unit: str = NATS


@dataclass(frozen=True)
class Sliders:
    """Points solved beforehand; a page with scripts lets the reader move among them."""

    explorer: Explorer


@dataclass(frozen=True)
class Points:
    """Some sentences under a title, each for itself."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Fold:
    """The rest of a section, from here on, which a page shows to those who ask."""

    title: str


@dataclass(frozen=True)
class Verbatim:
    """A text that is shown as it is."""

    text: str


Rich = Block | Tiles | Chart | Sliders | Points | Fold | Verbatim
R = TypeVar("R", bound=Rich)


def plainly(blocks: Sequence[Rich]) -> Iterator[Block]:
    """The same page in headings, text and tables alone.

    A chart becomes its text alternative, since the tables around it have its numbers.
    """
    for block in blocks:
        if isinstance(block, Tiles):
            columns = (Column("", "left"), Column(""), Column("", "left", wrap=True))
            rows = tuple((t.name, t.value, t.note) for t in block.tiles)
            yield Table(columns, rows)
        elif isinstance(block, Points):
            yield Heading(block.title, 3)
            yield from map(Text, block.items)
        elif isinstance(block, Chart):
            yield Text(block.alternative, label=block.title)
        elif isinstance(block, Heading | Text | Table):
            yield block
