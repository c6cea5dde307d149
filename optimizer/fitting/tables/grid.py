"""From lines of cells to a table: where the names stand, and what is no run.

Above the names there may be titles and comments, below them a line of units, and
between the runs the names again, where tables were put together.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from optimizer.fitting.tables.table import Note, Read, Row, failed, refuse_many

Line = tuple[int, Sequence[object]]

HEAD = 30  # lines among which the names stand
_UNIT = re.compile(
    r"[\[(]?\s*(?:[-–—#]|[kmbt]|thousands?|millions?|billions?|trillions?|counts?|"
    r"(?:[kmbt] ?)?(?:params?|parameters|tokens?)|[kmgtpez]?flops?|1e\+?[0-9]+|"
    r"10\^[0-9]+|nats?(?: ?/ ?token)?|bits?(?: ?/ ?(?:byte|char(?:acter)?|token))?|"
    r"bpb|bpc|none|str|text|string|float|int)?\s*[\])]?",
    re.IGNORECASE,
)


def gridded(file: str, lines: Iterable[Line], mark: str = ",") -> Read:
    """A table from its lines of cells.

    Args:
        file: its name.
        lines: the number of each, and its cells.
        mark: what separates cells, for messages.

    Raises:
        InputError: it has no names of columns, or a line with more cells than these.
    """
    source = iter(lines)
    head = list(itertools.islice(source, HEAD))
    place = _names_at(head)
    if place is None:
        return Read([], [])
    line, cells = head[place]
    names = [text(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if names and names[0].startswith("#"):
        names[0] = names[0].lstrip("# ")
    refuse_many(file, 0, len(names))
    pivot = len(names) > 2 and not names[0]  # sizes or budgets across
    if len(names) > 1 and not pivot and all(number(name) for name in names if name):
        raise failed(
            file,
            f"has no names of columns; its first line is {', '.join(names[:5])}. "
            f"Write them above it: {mark.join(('parameters', 'tokens', 'loss'))}",
            line,
        )
    columns, notes = _unique(names, line)
    rest: Iterator[Line] = itertools.chain(head[place + 1 :], source)
    units, rest = _units(columns, rest)
    rows, again = _rows(file, names, columns, rest, mark)
    if again:
        notes.append(
            Note(again, "the names of the columns stand here again", "skipped")
        )
    return Read(columns, rows, units, tuple(notes))


def text(cell: object) -> str:
    """A cell as text without spaces around it; nothing is empty."""
    return "" if cell is None else str(cell).strip()


def number(told: str) -> bool:
    """Whether a text is a number, also with separators or a unit of size."""
    return bool(
        re.fullmatch(r"[-+]?[0-9][0-9.,_ ]*(?:e[-+]?[0-9]+)?\s*[kmbt]?", told.lower())
    )


def _names_at(head: Sequence[Line]) -> int | None:
    """Which of the first lines has the names: the first that is as full as the rest."""
    full = [sum(bool(text(cell)) for cell in cells) for _, cells in head]
    if not any(full):
        return None
    most = max(full)
    for place, (_, cells) in enumerate(head):
        said = [text(cell) for cell in cells]
        comment = next((c for c in said if c), "").startswith("#")
        if comment and full[place] < most:
            continue
        if full[place] and (full[place] > most / 2 or full[place] >= 3):
            return place
    return next(i for i, count in enumerate(full) if count)


def _unique(names: Sequence[str], line: int) -> tuple[list[str], list[Note]]:
    """Names of columns, each once: a second one gets a number."""
    found: list[str] = []
    twice: dict[str, None] = {}
    for name in names:
        fresh, count = name, 0
        while fresh and fresh in found:
            count += 1
            fresh = f"{name}.{count}"
        if count:
            twice[name] = None
        found.append(fresh)
    told = ", ".join(f'"{name}"' for name in list(twice)[:5])
    message = f"several columns are named {told}"
    done = "the first keeps its name, others end in .1, .2 and so on"
    return found, [Note(line, message, done)] if twice else []


def _units(
    columns: Sequence[str], lines: Iterator[Line]
) -> tuple[dict[str, str], Iterator[Line]]:
    """The units in a line under the names, and the lines after it."""
    first = list(itertools.islice(lines, 2))
    if not first:
        return {}, iter(())
    said = [text(cell) for cell in first[0][1]]
    below = [text(cell) for cell in first[1][1]] if len(first) > 1 else []
    some = any(said) and sum(map(number, below)) >= 2
    if some and all(_UNIT.fullmatch(cell) and not number(cell) for cell in said):
        pairs = zip(columns, said, strict=False)
        units = {name: cell.strip("[]() ") for name, cell in pairs if cell}
        return units, itertools.chain(first[1:], lines)
    return {}, itertools.chain(first, lines)


def _rows(
    file: str,
    names: Sequence[str],
    columns: Sequence[str],
    lines: Iterable[Line],
    mark: str,
) -> tuple[list[Row], int]:
    """The rows under the names, and where these stand again, or 0."""
    rows: list[Row] = []
    again = 0
    for line, given in lines:
        cells = list(given)
        while len(cells) > len(columns) and not text(cells[-1]):
            cells.pop()
        said = [text(cell) for cell in cells]
        if not any(said) or said[0].startswith("#"):
            continue
        if said == list(names):
            again = again or line
            continue
        if len(cells) > len(columns):
            raise failed(
                file,
                f"has {len(cells)} cells under {len(columns)} columns; quote a cell "
                f'that has a "{mark}" in it',
                line,
            )
        rows.append((line, dict(zip(columns, cells, strict=False))))
        if not len(rows) % 10_000:
            refuse_many(file, len(rows) * len(columns), len(columns))
    return rows, again
