"""What a page is made of; one list of blocks feeds every format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from optimizer.records import dataclass

GAP = ""  # a cell with nothing to say


@dataclass(frozen=True)
class Heading:
    """A title; level 1 names the page, level 2 a section."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: the words.
        label: a word in front of it, such as the code of a warning.
        lead: whether it is the sentence to read when reading only one.
    """

    text: str
    label: str = ""
    lead: bool = False


@dataclass(frozen=True)
class Column:
    """One column; on narrow pages prose is wrapped, and a name that may be is cut."""

    title: str
    align: Literal["left", "right"] = "right"
    wrap: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of texts under columns; the first column names the row.

    Attributes:
        columns: see `Column`.
        rows: one cell a column.
        apart: whether the columns stand on their own, so that a narrow page may
            show some below the others.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    apart: bool = False

    @property
    def titled(self) -> bool:
        """Whether any column has a title."""
        return any(column.title for column in self.columns)


Block = Heading | Text | Table
Blocks = Sequence[Block]


def named(*titles: str) -> tuple[Column, ...]:
    """Columns of figures after a column of names."""
    return (Column("", "left"), *(Column(title) for title in titles))


def facts(rows: Sequence[tuple[str, str]]) -> Table:
    """A table of names and what is said of each, which may be prose."""
    return Table((Column("", "left"), Column("", "left", wrap=True)), tuple(rows))


def printable(text: str) -> str:
    """A text in which nothing can move the cursor or colour a terminal.

    Names come from files that others wrote; an escape sequence in one is shown as
    the replacement character.
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
