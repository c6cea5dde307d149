"""Rows of a sweep as CSV, JSON or Parquet: to a file, whole, or to the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.sweep.sweep import STATUSES, Rows
from optimizer.commands.output import beside, failed
from optimizer.commands.rowtext import TEXTS, Head, RowFile
from optimizer.errors import needs

GROUP = 8  # blocks of rows in a row group of Parquet
ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".json": "json", ".parquet": "parquet"}


@contextmanager
def row_file(output: Path | None, form: str, head: Head) -> Iterator[RowFile]:
    """Opens a file of rows; at the end it is there, after an error it is not.

    Args:
        output: its name; None is the terminal.
        form: a value of `ENDINGS`.
        head: what the rows have in common.

    Raises:
        InputError: it cannot be written here, or the disk is full.
    """
    if output is None:
        file = TEXTS[form](sys.stdout, head)
        yield file
        file.end()
        return
    with beside(output) as path:
        file = _opened(path, form, head)
        try:
            yield file
        finally:
            file.end()
            file.close()


def _opened(path: Path, form: str, head: Head) -> RowFile:
    if form == "parquet":
        return _Parquet(path, head)
    stream = open(path, "w", encoding="utf-8", newline="")  # noqa: SIM115
    return TEXTS[form](stream, head)


def rehearsed(rows: Rows, words: tuple[str, ...], form: str, head: Head) -> None:
    """Writes rows to memory, to know how long that takes."""
    if form == "parquet":
        file: RowFile = _Parquet(io.BytesIO(), head)
    else:
        file = TEXTS[form](io.StringIO(), head)
    file.write(rows, words)
    file.end()


def checked(output: Path | None, form: str | None) -> str:
    """The format of rows by the name of their file; text to the terminal is CSV.

    Raises:
        InputError: the name has another ending, or the format needs what is not there.
    """
    if form is None:
        form = ENDINGS.get(output.suffix.lower(), "") if output else "csv"
    if not form and output is not None:
        known = ", ".join(ENDINGS)
        raise failed(output, f"the name must end in one of {known}; or give --format")
    if form == "parquet":
        if output is None:
            raise failed(Path("--format parquet"), "needs a file: -o rows.parquet")
        try:
            import pyarrow.parquet  # noqa: F401, PLC0415 - an extra
        except ImportError:
            message = f"{needs('pyarrow', 'data')}, or write a .csv"
            raise failed(output, message) from None
    return form


def parquet_bytes(
    found: Sequence[Rows],
    inputs: Mapping[str, str],
    results: Mapping[str, str],
    notes: Mapping[str, str],
) -> bytes:
    """A Parquet file of some rows, with notes among its metadata."""
    stream = io.BytesIO()
    file = _Parquet(stream, Head((), inputs, results), notes)
    for rows in found:
        file.write(rows)
    file.end()
    file.close()
    return stream.getvalue()


def parquet_note(path: Path, name: str) -> str | None:
    """A note of a Parquet file; None where the file is missing or broken."""
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an extra

    try:
        notes = parquet.read_schema(path).metadata or {}
    except (OSError, ArrowException):
        return None
    note = notes.get(name.encode())
    return None if note is None else note.decode(errors="replace")


class _Parquet:
    """Columns with their units as metadata; a row without a plan has nulls."""

    def __init__(
        self,
        path: Path | BinaryIO,
        head: Head,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        import pyarrow as arrow  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415

        from optimizer import __version__  # noqa: PLC0415

        self.arrow: Any = arrow
        number = arrow.float64()
        word = arrow.dictionary(arrow.int8(), arrow.string())

        def numbers(units: Mapping[str, str]) -> list[Any]:
            told = units.items()
            return [arrow.field(n, number, metadata={"unit": u}) for n, u in told]

        fields = [
            *(arrow.field(name, word) for name in head.words),
            *numbers(head.inputs),
            arrow.field("status", word),
            *numbers(head.results),
        ]
        about = {"overtrain": __version__, **(notes or {})}
        self.schema = arrow.schema(fields, metadata=about)
        self.statuses = arrow.array(STATUSES)
        # What varies repeats itself, what is found does not.
        self.writer: Any = parquet.ParquetWriter(
            path,
            self.schema,
            compression="snappy",
            use_dictionary=[*head.words, *head.inputs, "status"],
            write_statistics=[*head.inputs, "status"],
        )
        self.waiting: list[Rows] = []
        self.words: tuple[str, ...] = ()

    def write(self, rows: Rows, words: tuple[str, ...] = ()) -> None:
        """Adds rows."""
        if words != self.words:
            self._flush()
            self.words = words
        self.waiting.append(rows)
        if len(self.waiting) == GROUP:
            self._flush()

    def end(self) -> None:
        """Writes what is left."""
        self._flush()

    def close(self) -> None:
        """Lets go of the file."""
        self.writer.close()

    def _flush(self) -> None:
        if not self.waiting:
            return
        arrow = self.arrow
        inputs = np.concatenate([rows.inputs for rows in self.waiting])
        results = np.concatenate([rows.results for rows in self.waiting])
        status = np.concatenate([rows.status for rows in self.waiting])
        self.waiting = []

        def columns(table: Array) -> list[Any]:
            return [arrow.array(column, from_pandas=True) for column in table.T.copy()]

        places = arrow.array(status.astype(np.int8))
        word = arrow.DictionaryArray.from_arrays(places, self.statuses)
        same = [
            arrow.array([told] * len(status)).dictionary_encode() for told in self.words
        ]
        arrays = [*same, *columns(inputs), word, *columns(results)]
        arrays = [a.cast(f.type) for a, f in zip(arrays, self.schema, strict=True)]
        self.writer.write_table(arrow.Table.from_arrays(arrays, schema=self.schema))
