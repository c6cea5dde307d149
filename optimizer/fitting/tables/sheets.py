"""Parquet and Excel, by libraries that are there only where they were asked for."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

from optimizer.errors import needs
from optimizer.fitting.tables.grid import Line, gridded
from optimizer.fitting.tables.objects import flat
from optimizer.fitting.tables.table import (
    SIZE,
    Note,
    Read,
    failed,
    refuse_many,
)

LONG = 10_000  # [bytes] of a text in a cell


def parquet(file: str, data: bytes) -> Read:
    """A Parquet table. Its rows have no lines; the first counts as 1.

    Raises:
        InputError: it is no such table, too large, or nothing here reads it.
    """
    try:
        library: Any = _pyarrow()
    except ImportError:
        raise failed(
            file,
            f"Parquet {needs('pyarrow', 'data')}, or save the table as CSV",
        ) from None
    try:
        opened = library.ParquetFile(io.BytesIO(data))
        about = opened.metadata
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        chunks = [g.column(j) for g in groups for j in range(g.num_columns)]
        unfolded = sum(chunk.total_uncompressed_size for chunk in chunks)
        cells = max(
            sum(chunk.num_values for chunk in chunks),
            about.num_rows * about.num_columns,
        )
        texts = sorted(
            {c.path_in_schema for c in chunks if c.physical_type == "BYTE_ARRAY"}
        )
    except Exception as error:
        raise failed(file, f"is not Parquet: {_first(error)}") from None
    refuse_many(file, cells, about.num_columns)
    if unfolded > SIZE:
        raise failed(file, f"unfolds to more than {SIZE // 10**6} MB")
    try:
        # As dictionaries texts stay folded, however often one stands there.
        table = library.read_table(io.BytesIO(data), read_dictionary=texts)
    except Exception as error:
        raise failed(file, f"is not Parquet: {_first(error)}") from None
    for name in table.column_names:
        for chunk in table.column(name).chunks:
            words = getattr(chunk, "dictionary", None)
            if words is not None and words.nbytes > LONG * max(len(words), 1):
                raise failed(file, f'has texts of more than {LONG} bytes in "{name}"')
    rows = [flat(row) for row in table.to_pylist()]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Read(columns, list(enumerate(rows, 1)))


def excel(file: str, data: bytes) -> Read:
    """The first sheet of a workbook that has runs on it; others are told.

    Raises:
        InputError: it is no workbook, or nothing here reads it.
    """
    try:
        library: Any = _openpyxl()
    except ImportError:
        raise failed(
            file, f"Excel {needs('openpyxl', 'excel')}, or save the table as CSV"
        ) from None
    _refuse_unfolding(file, data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = library.load_workbook(
                io.BytesIO(data), read_only=True, data_only=True
            )
            sheets = [
                (sheet.title, gridded(file, _lines(sheet), "\t"))
                for sheet in book.worksheets
            ]
    except (ValueError, KeyError, OSError, EOFError, TypeError) as error:
        raise failed(file, f"is not an Excel workbook: {_first(error)}") from None
    usable = [(title, read) for title, read in sheets if len(read.columns) > 1]
    if not usable:
        return Read([], [])
    title, read = max(usable, key=lambda pair: _numbers(pair[1].rows))
    others = [f'"{name}"' for name, _ in usable if name != title]
    if others:
        message = f'the workbook has sheets {", ".join(others)} beside "{title}"'
        done = f'"{title}" read, which has most numbers'
        notes = (*read.notes, Note(0, message, done))
        return Read(read.columns, read.rows, read.units, notes)
    return read


def _refuse_unfolding(file: str, data: bytes) -> None:
    import zipfile  # noqa: PLC0415 - only for workbooks

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(member.file_size for member in packed.infolist())
    except zipfile.BadZipFile:
        raise failed(file, "is not an Excel workbook, or is cut off") from None
    if size > SIZE:
        raise failed(file, f"unfolds to more than {SIZE // 10**6} MB")


def _lines(sheet: Any) -> Iterator[Line]:
    cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells += len(row)
        if cells > 20 * SIZE // 1000:
            return
        yield number, list(row)


def _numbers(rows: Any) -> int:
    return sum(isinstance(v, int | float) for _, row in rows for v in row.values())


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _pyarrow() -> Any:
    from pyarrow import parquet as library  # noqa: PLC0415 - optional

    return library


def _openpyxl() -> Any:
    import openpyxl  # noqa: PLC0415 - optional

    return openpyxl
