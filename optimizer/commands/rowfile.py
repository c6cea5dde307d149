"""Files of rows: CSV or Parquet, written beside and renamed when they are whole."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.sweep.sweep import STATUSES, Rows
from optimizer.commands.output import beside, failed
from optimizer.errors import needs

GROUP = 8  # blocks of rows in a row group of Parquet


class RowFile(Protocol):
    """What takes rows."""

    def __init__(
        self, path: Path, inputs: Mapping[str, str], results: Mapping[str, str]
    ) -> None: ...

    def write(self, rows: Rows) -> None:
        """Adds rows."""

    def close(self) -> None:
        """Writes what is left."""


@contextmanager
def row_file(
    output: Path, inputs: Mapping[str, str], results: Mapping[str, str]
) -> Iterator[RowFile]:
    """Opens a file of rows; at the end it is there, after an error it is not.

    Args:
        output: its name, which says its format.
        inputs: the columns of what varies, each with its unit.
        results: the columns of what is found, likewise.

    Raises:
        InputError: the format is neither, cannot be written here, or the disk is full.
    """
    make: type[RowFile] = _Csv if checked(output) == ".csv" else _Parquet
    with beside(output) as path:
        file = make(path, inputs, results)
        try:
            yield file
        finally:
            file.close()


def checked(output: Path) -> str:
    """The format of a file by its name.

    Raises:
        InputError: it is neither CSV nor Parquet, or pyarrow is not installed.
    """
    form = output.suffix.lower()
    if form not in (".csv", ".parquet"):
        raise failed(output, "the name must end in .parquet or .csv")
    if form == ".parquet":
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
    file = _Parquet(stream, inputs, results, notes)
    for rows in found:
        file.write(rows)
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


class _Csv:
    """Comma-separated text; a row without a plan has empty cells."""

    def __init__(
        self, path: Path, inputs: Mapping[str, str], results: Mapping[str, str]
    ) -> None:
        self.stream = open(path, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self.stream.write(",".join([*inputs, "status", *results]) + "\n")

    def write(self, rows: Rows) -> None:
        """Adds rows."""
        words = [STATUSES[i] for i in rows.status.tolist()]
        columns = zip(rows.inputs.tolist(), words, rows.results.tolist(), strict=True)
        self.stream.writelines(
            f"{_cells(varied)},{word},{_cells(found)}\n"
            for varied, word, found in columns
        )

    def close(self) -> None:
        """Writes what is left."""
        self.stream.close()


def _cells(numbers: Sequence[float]) -> str:
    return ",".join(repr(x) if math.isfinite(x) else "" for x in numbers)


class _Parquet:
    """Columns with their units as metadata; a row without a plan has nulls."""

    def __init__(
        self,
        path: Path | BinaryIO,
        inputs: Mapping[str, str],
        results: Mapping[str, str],
        notes: Mapping[str, str] | None = None,
    ) -> None:
        import pyarrow as arrow  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415

        from optimizer import __version__  # noqa: PLC0415

        self.arrow: Any = arrow
        number = arrow.float64()
        word = arrow.dictionary(arrow.int8(), arrow.string())
        fields = [
            *(arrow.field(n, number, metadata={"unit": u}) for n, u in inputs.items()),
            arrow.field("status", word),
            *(arrow.field(n, number, metadata={"unit": u}) for n, u in results.items()),
        ]
        about = {"overtrain": __version__, **(notes or {})}
        self.schema = arrow.schema(fields, metadata=about)
        self.words = arrow.array(STATUSES)
        # What varies repeats itself, what is found does not.
        self.writer: Any = parquet.ParquetWriter(
            path,
            self.schema,
            compression="snappy",
            use_dictionary=[*inputs, "status"],
            write_statistics=[*inputs, "status"],
        )
        self.waiting: list[Rows] = []

    def write(self, rows: Rows) -> None:
        """Adds rows."""
        self.waiting.append(rows)
        if len(self.waiting) == GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what is left."""
        self._flush()
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
        word = arrow.DictionaryArray.from_arrays(places, self.words)
        arrays = [*columns(inputs), word, *columns(results)]
        self.writer.write_table(arrow.Table.from_arrays(arrays, schema=self.schema))
