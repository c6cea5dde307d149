"""Tables of training runs as files have them: CSV, JSON and Parquet, also gzipped.

Cells stay as they are read, text or number, each row with its line; what they mean
is for `runs` to say. Curves and logs of single runs are known by their looks, and told
what they lack.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optimizer.errors import InputError, Mark, Problem, needs
from optimizer.reading.document import contents
from optimizer.records import dataclass

SIZE = 200_000_000  # [bytes]
SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".log", ".json", ".jsonl", ".ndjson", ".parquet"),
)
_LOGGED = re.compile(r"\biteration\b.*\|.*\bloss\b", re.IGNORECASE)


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
    packed = Path(file).suffix.lower() == ".gz"
    suffix = Path(file.lower().removesuffix(".gz")).suffix
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        message = f"the name of a table of runs ends in one of {known}, or that and .gz"
        raise failed(file, message)
    data = contents(file, SIZE)
    digest = hashlib.sha256(data).hexdigest()
    if packed:
        data = _unpacked(file, data)
    if len(data) > SIZE:
        raise failed(file, f"is larger than {SIZE // 10**6} MB")
    columns, rows = _read(file, suffix, data)
    if not rows:
        raise failed(file, "has no rows")
    _refuse_curve(file, columns)
    return Table(file, tuple(columns), tuple(rows), digest)


def _read(file: str, suffix: str, data: bytes) -> Read:
    """The columns and rows of a format."""
    if suffix == ".parquet":
        return _parquet(file, data)
    text = _text(file, data)
    lines = suffix in (".jsonl", ".ndjson")
    if suffix == ".json" or (lines and text.lstrip()[:1] == "["):
        return _json(file, text)
    if lines:
        return _lines(file, text)
    _refuse_log(file, text)
    return _separated(file, text)


def _unpacked(file: str, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(SIZE + 1)
    except (OSError, EOFError, zlib.error):
        raise failed(file, "is not gzip, or is cut off") from None


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


def _json(file: str, text: str) -> Read:
    """An array of objects, or an object of columns."""
    start = text.lstrip()[:1]
    if start == "[":
        return _array(file, text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise failed(file, "is not JSON", line) from None
    if not isinstance(found, dict):
        message = 'must be a list of runs such as [{"loss": 2.5, …}, …]'
        raise failed(file, message, 1)
    if "log_history" in found:
        raise failed(file, _of_trainer(found["log_history"]))
    inner = [v for v in found.values() if isinstance(v, list) and _objects(v)]
    if len(inner) == 1:
        rows = list(_numbered(inner[0]))
    else:
        rows = list(_numbered(_turned(file, found)))
    return list(dict.fromkeys(name for _, row in rows for name in row)), rows


def _objects(values: list[object]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _array(file: str, text: str) -> Read:
    """An array of objects, each with the line where it begins."""
    decoder = json.JSONDecoder()
    rows: list[tuple[int, Mapping[str, object]]] = []
    columns: dict[str, None] = {}
    at, line, counted = text.index("[") + 1, 1, 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
        line += text.count("\n", counted, at)
        counted = at
        if text[at : at + 1] == "]":
            return list(columns), rows
        try:
            row, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise failed(file, "is not JSON from here on", line) from None
        if not isinstance(row, dict):
            raise failed(file, 'must be a run such as {"loss": 2.5, …}', line)
        columns |= dict.fromkeys(row)
        rows.append((line, row))


def _turned(file: str, found: Mapping[str, object]) -> list[dict[str, object]]:
    """Rows from columns, as {"loss": [2.5, …], …} or with row numbers as keys."""
    sides = {
        name: list(cells.values()) if isinstance(cells, dict) else cells
        for name, cells in found.items()
    }
    lists = [cells for cells in sides.values() if isinstance(cells, list)]
    if not lists or len(lists) < len(sides) or len({len(c) for c in lists}) > 1:
        message = 'must be a list of runs such as [{"loss": 2.5, …}, …]'
        raise failed(file, message, 1)
    return [dict(zip(sides, cells, strict=True)) for cells in zip(*lists, strict=True)]


ONE_A_RUN = (
    "A fit needs many runs: a table with one row a run and the columns parameters, "
    "tokens and loss"
)


def _of_trainer(history: object) -> str:
    """What a trainer's state says, and what it lacks."""
    entries = history if isinstance(history, list) else []
    tests = [e for e in entries if isinstance(e, dict) and "eval_loss" in e]
    last = ""
    if tests:
        step, loss = tests[-1].get("step"), tests[-1]["eval_loss"]
        last = f" (here eval_loss {loss} at step {step})"
    return (
        "is the trainer's state of one run, and knows neither its parameters nor the "
        f"tokens of a step. {ONE_A_RUN}; the loss of this one is its last eval_loss"
        f"{last}, not train_loss, which is a mean over the run"
    )


def _refuse_log(file: str, text: str) -> None:
    """Tells a log of a training run, whose lines no table has."""
    head = text[:20_000].splitlines()[:50]
    if sum(bool(_LOGGED.search(line)) for line in head) < 2:
        return
    raise failed(
        file,
        "is the log of one run, not a table, and does not say its parameters. "
        f"{ONE_A_RUN}; of this one they are the last `consumed tokens` and the last "
        "validation loss (or the mean of the last `lm loss`)",
        1,
    )


def _refuse_curve(file: str, columns: list[str]) -> None:
    """Tells exports of curves, which have steps where a fit needs runs."""
    if [c.lower() for c in columns] == ["wall time", "step", "value"]:
        message = (
            "is a TensorBoard export of one curve over steps, without parameters and "
            f"tokens. {ONE_A_RUN}, tokens being steps × tokens a step"
        )
        raise failed(file, message, 1)
    drawn = [c for c in columns if c.endswith("__MIN")]
    if not drawn:
        return
    runs = [c.removesuffix("__MIN").rpartition(" - ")[0] for c in drawn]
    raise failed(
        file,
        "is a chart exported by Weights & Biases: curves over steps of "
        f"{', '.join(runs[:5])}{', …' if len(runs) > 5 else ''}, without parameters "
        f"and tokens. {ONE_A_RUN}: export the table of runs with these as columns, "
        "tokens being steps × tokens a step",
        1,
    )


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
