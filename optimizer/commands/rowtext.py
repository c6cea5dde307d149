"""Rows of a sweep as text: CSV, one document of JSON, or an object a line."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TextIO

from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.sweep.sweep import STATUSES, Rows
from optimizer.records import dataclass
from optimizer.report.formats.csv import cell
from optimizer.report.formats.data import plain, wrapped


@dataclass(frozen=True)
class Head:
    """What is known of rows before the first of them.

    Attributes:
        words: the columns of words that vary.
        inputs: the columns of numbers that vary, each with its unit.
        results: the columns of what is found, likewise.
        warned: what is to be said before any row; one document of JSON has it.
    """

    words: Sequence[str]
    inputs: Mapping[str, str]
    results: Mapping[str, str]
    warned: Sequence[Warning] = ()


class RowFile(Protocol):
    """What takes rows."""

    def write(self, rows: Rows, words: tuple[str, ...] = ()) -> None:
        """Adds rows, which have these words in common."""

    def end(self) -> None:
        """Writes what is left."""

    def close(self) -> None:
        """Lets go of the file."""


class Csv:
    """Comma-separated text; a row without a plan has empty cells."""

    def __init__(self, stream: TextIO, head: Head) -> None:
        """Writes the names of the columns."""
        self.stream = stream
        names = [*head.words, *head.inputs, "status", *head.results]
        self.stream.write(_line(names) + "\n")

    def write(self, rows: Rows, words: tuple[str, ...] = ()) -> None:
        """Adds rows, which have these words in common."""
        first = _line([*map(cell, words), ""]) if words else ""
        varies = "," if rows.inputs.shape[1] else ""
        self.stream.writelines(
            f"{first}{_cells(varied)}{varies}{status},{_cells(found)}\n"
            for varied, status, found in _each(rows)
        )

    def end(self) -> None:
        """Nothing is left to write."""

    def close(self) -> None:
        """Lets go of the file."""
        self.stream.close()


class Objects:
    """Objects of JSON; what a row does not have is null."""

    def __init__(
        self, stream: TextIO, head: Head, around: tuple[str, str, str]
    ) -> None:
        """Writes what comes before them.

        Args:
            stream: where to.
            head: with their names.
            around: what stands before, between and after the objects.
        """
        self.stream, self.head = stream, head
        before, self.between, self.after = around
        self.next = before

    def write(self, rows: Rows, words: tuple[str, ...] = ()) -> None:
        """Adds rows, which have these words in common."""
        told = dict(zip(self.head.words, words, strict=True))
        for varied, status, found in _each(rows):
            row = {
                **told,
                **dict(zip(self.head.inputs, varied, strict=True)),
                "status": status,
                **dict(zip(self.head.results, map(_finite, found), strict=True)),
            }
            text = json.dumps(row, ensure_ascii=False, allow_nan=False)
            self.stream.write(self.next + text)
            self.next = self.between

    def end(self) -> None:
        """Writes what comes after them."""
        first = "" if self.next == self.between else self.next
        self.stream.write(first + self.after)

    def close(self) -> None:
        """Lets go of the file."""
        self.stream.close()


def _lines(stream: TextIO, head: Head) -> Objects:
    return Objects(stream, head, ("", "\n", "\n"))


def _document(stream: TextIO, head: Head) -> Objects:
    """One document of JSON, with the rows at its end."""
    from optimizer import __version__  # noqa: PLC0415 - reads the metadata

    units = {**head.inputs, **head.results}
    told = {"units": units, "warnings": plain(head.warned)}
    frame = wrapped(told, __version__)
    first = json.dumps(frame, ensure_ascii=False).removesuffix("}")
    return Objects(stream, head, (f'{first}, "rows": [\n', ",\n", "\n]}\n"))


def _each(rows: Rows) -> Iterator[tuple[list[float], str, list[float]]]:
    statuses = [STATUSES[i] for i in rows.status.tolist()]
    yield from zip(rows.inputs.tolist(), statuses, rows.results.tolist(), strict=True)


def _cells(numbers: Sequence[float]) -> str:
    return ",".join(repr(x) if math.isfinite(x) else "" for x in numbers)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _line(words: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


TEXTS: Mapping[str, Callable[[TextIO, Head], RowFile]] = {
    "csv": Csv,
    "json": _document,
    "jsonl": _lines,
}
