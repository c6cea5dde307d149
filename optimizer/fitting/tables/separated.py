"""Text with values between commas, semicolons, tabs, bars or spaces."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence

from optimizer.fitting.tables.grid import HEAD, Line, gridded
from optimizer.fitting.tables.table import SIZE, Note, Read, failed, refuse_many

MARKS = (",", ";", "\t", "|")
_RULE = re.compile(r"[\s|:+=-]+")  # the line between head and body of a drawn table


def decoded(file: str, data: bytes) -> tuple[str, tuple[Note, ...]]:
    """The text of a file: UTF-8, UTF-16 with its mark, or Windows' own.

    Raises:
        InputError: it is no text.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16"), ()
        except UnicodeDecodeError:
            raise failed(
                file, "is not text in UTF-16, as its first bytes say"
            ) from None
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if b"\0" in data[:100_000]:
            raise failed(file, "is not text in UTF-8", line) from None
        return data.decode("cp1252", "replace"), (
            Note(line, "the file is not in UTF-8", "read as Windows-1252"),
        )


def separated(file: str, said: str) -> Read:
    """A table of separated values.

    Raises:
        InputError: it is no table, or too large.
    """
    head = [line for line in said[:200_000].splitlines()[:HEAD] if line.strip()]
    mark = _mark(head)
    cells = said.count(mark) + said.count("\n")
    first = said.partition("\n")[0].count(mark)
    refuse_many(file, cells, first + 1)
    if mark == "|":
        return gridded(file, _drawn(said), mark)
    if mark == " ":
        spaced = ((i, line.split()) for i, line in enumerate(said.split("\n"), 1))
        return gridded(file, spaced, mark)
    return gridded(file, _quoted(file, said, mark), mark)


def _mark(head: Sequence[str]) -> str:
    """What separates the cells of most of the first lines."""
    if not head:
        return ","
    body = [line for line in head if not line.lstrip().startswith("#")] or head
    counts = {m: sorted(line.count(m) for line in body) for m in MARKS}
    # By the line in the middle, for a title has no marks and a quoted name many.
    best = max(MARKS, key=lambda m: (counts[m][len(body) // 2], -MARKS.index(m)))
    if any(counts[best]):
        # Decimal commas stand between semicolons, never the other way round.
        semicolons = counts[";"][len(body) // 2]
        return ";" if best == "," and semicolons and min(counts[";"]) else best
    widths = {len(line.split()) for line in body}
    return " " if len(widths) == 1 and widths != {1} else ","


def _quoted(file: str, said: str, mark: str) -> Iterator[Line]:
    # A field larger than this is a quote that was never closed.
    csv.field_size_limit(min(SIZE, sys.maxsize))
    reader = csv.reader(_kept_lines(said), delimiter=mark, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise failed(file, f"is not a table: {error}", line) from None


def _kept_lines(said: str) -> Iterator[str]:
    """Lines with their ends, one at a time: a copy of a long text costs four of it."""
    start = 0
    while start < len(said):
        end = said.find("\n", start) + 1 or len(said)
        yield said[start:end]
        start = end


def _drawn(said: str) -> Iterator[Line]:
    """The cells of a table drawn with bars, as in Markdown."""
    for number, line in enumerate(said.split("\n"), 1):
        if line.strip() and not _RULE.fullmatch(line):
            inner = line.strip().removeprefix("|").removesuffix("|")
            yield number, [cell.strip().strip("*`") for cell in inner.split("|")]
