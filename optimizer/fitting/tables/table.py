"""A table as it was read: cells stay text or numbers, each row with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimizer.errors import InputError, Mark, Problem
from optimizer.records import dataclass, field

SIZE = 200_000_000  # [bytes] of a file, and of what unfolds from it
CELLS = 4_000_000  # of a table; ten numbers of 400,000 runs
COLUMNS = 10_000

Row = tuple[int, Mapping[str, object]]


@dataclass(frozen=True)
class Note:
    """Something odd about a run: where, what, and what was done.

    Attributes:
        line: in the file; 0 where it concerns all of it.
        message: what was found.
        done: `left out`, `kept`, or what else was done.
    """

    line: int
    message: str
    done: str


@dataclass(frozen=True)
class Read:
    """What a format makes of a text.

    Attributes:
        columns: their names, in the order of the file.
        rows: the line of each row, and its cells by column.
        units: of columns, as a line under their names has them.
        notes: what was odd.
        about: what the file is, where it is no table of runs.
        run: the column that says of which run each row is a checkpoint.
    """

    columns: Sequence[str]
    rows: Sequence[Row]
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    about: str = ""
    run: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        file: its name.
        columns: their names, in the order of the file.
        rows: the line of each row, and its cells by column.
        sha256: of the bytes of the file.
        units: of columns, as a line under their names has them.
        notes: what was odd.
        about: what the file is, where it is no table of runs.
        run: the column that says of which run each row is a checkpoint.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    sha256: str
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    about: str = ""
    run: str = ""


def failed(file: str, message: str, line: int = 0) -> InputError:
    """The error of a file, or of one of its lines."""
    return InputError([Problem(Mark(file, line, 1 if line else 0), "", message)])


def refuse_many(file: str, cells: int, columns: int) -> None:
    """Refuses a table that would not fit in memory, before it is read.

    Raises:
        InputError: it has too many cells or columns.
    """
    if columns > COLUMNS:
        raise failed(
            file,
            f"has {columns:,} columns, of which {COLUMNS:,} may be read; keep those "
            "of parameters, tokens and loss",
        )
    if cells > CELLS:
        raise failed(
            file,
            f"has about {cells:,} cells, of which {CELLS:,} may be read; keep the "
            "columns of parameters, tokens and loss, or fewer checkpoints of each run",
        )
