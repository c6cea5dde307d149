"""Tables of training runs as files have them: CSV, JSON lines and Parquet.

Cells stay as they are read, text or number, each row with its line; what they mean
is for `runs` to say.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem, needs

SIZE = 200_000_000  # [bytes]
SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes:
        file: its name.
        columns: their names, in the order of the file.
        rows: the line of each row, and its cells by column.
        sha256: of the bytes of the file.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, object]], ...]
    sha256: str


def read_table(path: str | Path) -> Table:
    """Reads a table of runs; the ending of its name says the format.

    Raises:
        InputError: it cannot be read, or is no table.
    """
    file = str(path)
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise failed(file, f"the name of a table of runs ends in one of {known}")
    try:
        with open(path, "rb") as stream:
            data = stream.read(SIZE + 1)
    except FileNotFoundError:
        raise failed(file, "there is no such file") from None
    except IsADirectoryError:
        raise failed(file, "this is a directory, not a file") from None
    except PermissionError:
        raise failed(file, "no permission to read this file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise failed(file, f"cannot be read: {reason}") from None
    if len(data) > SIZE:
        raise failed(file, f"is larger than {SIZE // 10**6} MB")
    if suffix == ".parquet":
        columns, rows = _parquet(file, data)
    else:
        text = _text(file, data)
        read = _lines if suffix in (".jsonl", ".ndjson") else _separated
        columns, rows = read(file, text)
    if not rows:
        raise failed(file, "has no rows")
    digest = hashlib.sha256(data).hexdigest()
    return Table(file, tuple(columns), tuple(rows), digest)


def failed(file: str, message: str, line: int = 0) -> InputError:
    """The error of a file, or of one of its lines."""
    return InputError([Problem(Mark(file, line, 1 if line else 0), "", message)])


Read = tuple[list[str], list[tuple[int, Mapping[str, object]]]]


def _text(file: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise failed(file, "is not text in UTF-8", line) from None


def _separated(file: str, text: str) -> Read:
    """Values separated by commas, semicolons or tabs, as the first line has them."""
    head = next(iter(text.splitlines()), "")
    mark = max((",", ";", "\t"), key=head.count)
    # A field larger than this is a quote that was never closed.
    csv.field_size_limit(min(SIZE, sys.maxsize))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    rows: list[tuple[int, Mapping[str, object]]] = []
    columns: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not columns:
                columns = [cell.strip() for cell in cells]
                _refuse_twice(file, columns, line)
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(columns):
                    raise failed(
                        file,
                        f"has {len(cells)} cells under {len(columns)} columns; quote "
                        f'a cell that has a "{mark}" in it',
                        line,
                    )
                rows.append((line, dict(zip(columns, cells, strict=False))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise failed(file, f"is not a table: {error}", line) from None
    return columns, rows


def _refuse_twice(file: str, columns: list[str], line: int) -> None:
    for name in columns:
        if name and columns.count(name) > 1:
            raise failed(file, f'has two columns named "{name}"; rename one', line)


def _lines(file: str, text: str) -> Read:
    """One JSON object a line."""
    rows: list[tuple[int, Mapping[str, object]]] = []
    columns: dict[str, None] = {}
    for line, said in enumerate(text.split("\n"), start=1):
        if not said.strip():
            continue
        try:
            row = json.loads(said)
        except (ValueError, RecursionError):
            raise failed(file, "is not JSON; each line is one run", line) from None
        if not isinstance(row, dict):
            raise failed(file, 'must be a run such as {"loss": 2.5, …}', line)
        columns |= dict.fromkeys(row)
        rows.append((line, row))
    return list(columns), rows


def _parquet(file: str, data: bytes) -> Read:
    """Rows have no lines; the first counts as 1."""
    try:
        parquet: Any = _pyarrow()
    except ImportError:
        raise failed(
            file,
            f"Parquet {needs('pyarrow', 'data')}, or save the table as CSV",
        ) from None
    try:
        rows = parquet.read_table(io.BytesIO(data)).to_pylist()
    except Exception as error:
        first = next(iter(str(error).splitlines()), "")
        raise failed(file, f"is not Parquet: {first}") from None
    columns = list(rows[0]) if rows else []
    return columns, list(_numbered(rows))


def _pyarrow() -> Any:
    from pyarrow import parquet  # noqa: PLC0415 - optional

    return parquet


def _numbered(
    rows: list[dict[str, object]],
) -> Iterator[tuple[int, Mapping[str, object]]]:
    return ((line, row) for line, row in enumerate(rows, start=1))
