"""Blocks for a terminal of any width; the only place that knows tabulate."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from optimizer.report.formats.blocks import (
    Block,
    Blocks,
    Heading,
    Table,
    Text,
    printable,
)

BOLD, YELLOW, PLAIN = "\x1b[1m", "\x1b[33m", "\x1b[0m"
WIDEST = 200  # the widest table
PROSE_WIDEST = 100  # longer lines are hard to read
TALLEST = 3  # lines of a title
NARROWEST = 20
ROOMY = 60  # from here on what belongs to a heading is indented
PROSE = 24  # the least width for a column of prose
NAME = 8  # of one of names that may be cut
INDENT = "  "
BETWEEN = 2  # spaces between two columns
GLUE = "\N{NO-BREAK SPACE}"  # between a number and its sign, until lines are broken


def width() -> int:
    """The columns of the terminal; COLUMNS overrides, 80 where there is none."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))


def render(blocks: Blocks, columns: int = 80, colour: bool = False) -> str:
    """Writes blocks as text.

    Args:
        blocks: the page.
        columns: the width of the terminal.
        colour: whether headings and labels are set off by terminal codes.

    Returns:
        Lines, the last with its newline.
    """
    page = Page(columns, colour)
    parts = []
    for before, block in zip([None, *blocks], blocks, strict=False):
        tight = isinstance(before, Heading) and before.level > 1
        tight = tight or (_labelled(before) and _labelled(block))
        parts.append(("" if tight or before is None else "\n") + page.block(block))
    return "".join(parts)


def _labelled(block: Block | None) -> bool:
    """Whether a block is one line of a list."""
    return isinstance(block, Text) and bool(block.label)


class Page:
    """How blocks look at one width."""

    def __init__(self, columns: int, colour: bool) -> None:
        self.columns = columns
        self.colour = colour

    def block(self, block: Block) -> str:
        """One block as lines, the last with its newline."""
        if isinstance(block, Heading):
            title = printable(block.text)
            lines = [self._set(line, BOLD) for line in self._wrapped(title)]
        elif isinstance(block, Text):
            lines = self._text(block)
        else:
            lines = list(self._table(block))
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def _set(self, text: str, code: str) -> str:
        return f"{code}{text}{PLAIN}" if self.colour else text

    def _wrapped(self, text: str, indent: str = "", hanging: str = "") -> list[str]:
        lines = textwrap.wrap(
            _glued(text),
            min(self.columns, PROSE_WIDEST),
            initial_indent=indent,
            subsequent_indent=hanging or indent,
            break_on_hyphens=False,
        )
        return [line.replace(GLUE, " ") for line in lines]

    def _text(self, block: Text) -> list[str]:
        text = printable(block.text)
        if block.lead:
            return self._wrapped(text)
        if not block.label:
            return self._wrapped(text, INDENT)
        label = printable(block.label)
        lines = self._wrapped(f"{label}: {text}", INDENT, INDENT * 2)
        if lines and lines[0].startswith(f"{INDENT}{label}:"):
            rest = lines[0].removeprefix(f"{INDENT}{label}:")
            lines[0] = f"{INDENT}{self._set(f'{label}:', YELLOW)}{rest}"
        return lines

    def _table(self, table: Table) -> Iterator[str]:
        rows = [[printable(cell) for cell in row] for row in table.rows]
        indent = INDENT if self.columns >= ROOMY else ""
        room = self.columns - len(indent)
        fitted = _fit(table, rows, room)
        if fitted is not None:
            head, cells = fitted
            lines = tabulate(
                [*(_head(head, cells) if table.titled else ()), *cells],
                tablefmt="plain",
                disable_numparse=True,
                colalign=[c.align for c in table.columns] if cells else None,
            )
            yield from (indent + line for line in lines.splitlines())
        elif (parts := _split(table, room)) is not None:
            first, second = parts
            yield from self._table(first)
            yield ""
            yield from self._table(second)
        else:
            yield from self._stacked(table, rows)

    def _stacked(self, table: Table, rows: list[list[str]]) -> Iterator[str]:
        """Each row as its name and one line a cell, where a table would break."""
        for name, *cells in rows:
            titles = [column.title for column in table.columns[1:]]
            pairs = [(t, c) for t, c in zip(titles, cells, strict=True) if c]
            if len(pairs) == 1 and not pairs[0][0]:
                yield from self._wrapped(f"{name}: {pairs[0][1]}", INDENT, INDENT * 2)
                continue
            yield from self._wrapped(name, INDENT)
            for title, cell in pairs:
                text = f"{title}: {cell}" if title else cell
                yield from self._wrapped(text, INDENT * 2, INDENT * 3)


def _glued(text: str) -> str:
    """A text in which no number leaves its sign."""
    return re.sub(r"(?<=\d) (?=[×%])", GLUE, text)


def _broken(title: str, height: int) -> list[str]:
    """A title on so many lines at most, as narrow as they may be.

    Words that belong together end with a hyphen, or the dot of a path: `training-` over
    `optimal`, `demand.` over `tokens`.
    """
    parted = re.sub(r"-|(?<=\w)\.(?=\w)", lambda mark: f"{mark[0]} ", _glued(title))
    words = parted.split() or [""]
    for wide in range(max(map(len, words)), len(title) + 1):
        lines = [words[0]]
        for word in words[1:]:
            gap = "" if lines[-1].endswith(("-", ".")) else " "
            if len(lines[-1] + gap + word) <= wide:
                lines[-1] += gap + word
            else:
                lines.append(word)
        if len(lines) <= height:
            return [line.replace(GLUE, " ") for line in lines]
    return [title]


def _sizes(head: list[list[str]], rows: list[list[str]]) -> list[int]:
    sizes = [max(map(len, lines)) for lines in head]
    for row in rows:
        cells = [max(map(len, cell.split("\n"))) for cell in row]
        sizes = [max(pair) for pair in zip(sizes, cells, strict=True)]
    return sizes


def _head(head: list[list[str]], rows: list[list[str]]) -> Iterator[list[str]]:
    """The lines of the titles, flush with the rule under them."""
    height = max(map(len, head))
    padded = [[""] * (height - len(lines)) + lines for lines in head]
    yield from ([column[i] for column in padded] for i in range(height))
    yield ["-" * size for size in _sizes(head, rows)]


def _fit(
    table: Table, rows: list[list[str]], room: int
) -> tuple[list[list[str]], list[list[str]]] | None:
    """Titles and rows, on several lines where they must be, or None: too narrow."""
    titles = [printable(column.title) for column in table.columns]
    between = BETWEEN * (len(titles) - 1)
    if between > room:
        return None
    for height in range(1, TALLEST + 1):
        head = [_broken(title, height) for title in titles]
        sizes = _sizes(head, rows)
        if sum(sizes) + between <= room:
            return head, rows
    yielding = {i: c for i, c in enumerate(table.columns) if c.wrap or c.cut}
    left = room - between - sum(s for i, s in enumerate(sizes) if i not in yielding)
    least = sum(PROSE if column.wrap else NAME for column in yielding.values())
    if not yielding or left < least:
        return None
    share = left // len(yielding)
    columns = list(zip(*rows, strict=True))
    for i, column in yielding.items():
        narrow = _wrapped if column.wrap else _cut
        columns[i] = tuple(narrow(columns[i], share))
    return head, [list(row) for row in zip(*columns, strict=True)]


def _wrapped(cells: Sequence[str], share: int) -> list[str]:
    return [textwrap.fill(cell, share, break_on_hyphens=False) for cell in cells]


def _cut(names: Sequence[str], share: int) -> list[str]:
    """Names cut at their end, or in the middle where two would become one."""
    found = [_shortened(name, share, 0) for name in names]
    for end in (share // 3, share // 2, 2 * share // 3):
        count = Counter(found)
        found = [
            cut if count[cut] == 1 else _shortened(name, share, end)
            for name, cut in zip(names, found, strict=True)
        ]
    return found


def _shortened(name: str, share: int, end: int) -> str:
    """A name of at most so many letters, with so many from its end."""
    if len(name) <= share:
        return name
    start, last = name[: share - end - 1], name[len(name) - end :]
    return f"{start.rstrip()}…{last.lstrip()}"


def _split(table: Table, room: int) -> tuple[Table, Table] | None:
    """A table of as many columns as there is room for, and one of the others."""
    if not table.apart:
        return None
    most = min(len(table.columns) - 1, room // BETWEEN + 1)  # of no width at all
    for count in range(most, 1, -1):
        first = _of(table, range(count))
        if _fit(first, [list(row) for row in first.rows], room) is not None:
            return first, _of(table, (0, *range(count, len(table.columns))))
    return None


def _of(table: Table, kept: Sequence[int]) -> Table:
    return Table(
        tuple(table.columns[i] for i in kept),
        tuple(tuple(row[i] for i in kept) for row in table.rows),
        table.apart,
    )
