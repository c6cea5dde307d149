"""Reads tables of training runs: CSV, JSON, Parquet, Excel, logs; folders of them."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import itertools
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from optimizer.fitting.tables.exports import trainer_state, unfolded
from optimizer.fitting.tables.logs import is_log, printed, read_log
from optimizer.fitting.tables.objects import (
    from_yaml,
    json_array,
    json_lines,
    json_object,
    refuse_large,
)
from optimizer.fitting.tables.pivot import melted
from optimizer.fitting.tables.separated import decoded, separated
from optimizer.fitting.tables.sheets import excel, parquet
from optimizer.fitting.tables.table import (
    SIZE,
    Note,
    Read,
    Row,
    Table,
    failed,
    refuse_many,
)
from optimizer.reading.document import contents
from optimizer.records import replace

FILE = "file"  # the column of names, where each run is a file of its own
FILES = 20_000
SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".dat", ".md", ".log", ".out", ".json", ".jsonl"),
    *(".ndjson", ".parquet", ".xlsx", ".xlsm"),
)
STEPS = ("step", "_step", "global_step", "trainer/global_step", "iteration", "iter")


def read_table(path: str | Path | Sequence[str]) -> Table:
    """Reads a table of runs, or a folder, a pattern or a list of files of one run each.

    Raises:
        InputError: it cannot be read, or is no table.
    """
    files, place = files_of(path)
    return _one(files[0]) if place is None else _together(files, place)


def files_of(path: str | Path | Sequence[str]) -> tuple[list[str], str | None]:
    """The files of a table, and the folder, pattern or list that they are; None of one.

    Raises:
        InputError: there are none.
    """
    if not isinstance(path, str | Path):
        found = list(path)
        if not found:
            raise failed("runs", "there is no file; give the path of a table")
        return (found, "") if len(found) > 1 else files_of(found[0])
    place = str(path)
    if os.path.isdir(place):
        there = sorted(Path(place).rglob("*"))
        # A pipe, or a link to itself, holds no runs, and would be waited for.
        files = [str(p) for p in there if _suffix(p.name) in SUFFIXES and p.is_file()]
        if not files:
            raise failed(place, f"has no files that end in {', '.join(SUFFIXES)}")
        return files, place
    if any(mark in place for mark in "*?[") and not os.path.exists(place):
        there = sorted(map(Path, glob.glob(place, recursive=True)))
        files = [str(p) for p in there if p.is_file()]
        if not files:
            raise failed(place, "there is no file of such a name")
        return files, place
    return [place], None


def _one(file: str) -> Table:
    data = contents(file, SIZE)
    digest = hashlib.sha256(data).hexdigest()
    if Path(file).suffix.lower() == ".gz" or data[:2] == b"\x1f\x8b":
        data = _unpacked(file, data)
    if len(data) > SIZE:
        raise failed(file, f"is larger than {SIZE // 10**6} MB")
    read = melted(_read(file, _suffix(file), data))
    if not read.rows:
        raise failed(file, "has no rows")
    refuse_many(file, len(read.rows) * len(read.columns) // 4, len(read.columns))
    rows = tuple(read.rows)
    return Table(
        *(file, tuple(read.columns), rows, digest),
        units=read.units,
        notes=read.notes,
        about=read.about,
        run=read.run,
    )


def _suffix(file: str) -> str:
    return Path(file.lower().removesuffix(".gz")).suffix


def _read(file: str, suffix: str, data: bytes) -> Read:
    """The columns and rows of a format, which its first bytes or its name tell."""
    if suffix == ".parquet" or data[:4] == b"PAR1":
        return parquet(file, data)
    if suffix in (".xlsx", ".xlsm") or data[:4] == b"PK\x03\x04":
        return excel(file, data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise failed(file, "is an old Excel workbook; save it as .xlsx or CSV")
    text, notes = decoded(file, data)
    read = _objects(file, suffix, text)
    if read is not None:
        return read
    if is_log(text):
        return read_log(text)
    read = unfolded(file, separated(file, text))
    return replace(read, notes=(*notes, *read.notes))


def _objects(file: str, suffix: str, text: str) -> Read | None:
    """What JSON, YAML or printed dictionaries hold; None of a text that is neither."""
    start = text.lstrip()[:1]
    told = printed(text) if "{'" in text[:1_000_000] else None
    if told is not None:
        return told
    lines = suffix in (".jsonl", ".ndjson") and start != "["
    whole = suffix in (".json", ".jsonl", ".ndjson") or start in ("{", "[")
    if not whole and suffix not in (".yaml", ".yml"):
        return None
    refuse_large(file, text)
    if lines:
        return json_lines(file, text)
    return _json(file, text, start, suffix) if whole else from_yaml(file, text)


def _json(file: str, text: str, start: str, suffix: str) -> Read:
    if start == "[":
        if suffix in SUFFIXES[:7] and is_log(text):
            return read_log(text)
        return json_array(file, text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text[:100_000].split("\n") if line.strip()]
        if len(lines) > 1 and all(line.lstrip()[:1] == "{" for line in lines[:-1]):
            return json_lines(file, text)
        if is_log(text):
            return read_log(text)
        raise failed(file, "is not JSON", getattr(error, "lineno", 1)) from None
    if not isinstance(found, dict):
        message = 'must be a list of runs such as [{"loss": 2.5, …}, …]'
        raise failed(file, message, 1)
    if "log_history" in found:
        return trainer_state(found)
    return json_object(file, found)


def _unpacked(file: str, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return stream.read(SIZE + 1)
    except (OSError, EOFError, zlib.error):
        raise failed(file, "is not gzip, or is cut off") from None


def _together(files: Sequence[str], place: str) -> Table:
    """The rows of several files, with the name of the file as a column."""
    if len(files) > FILES:
        raise failed(place or files[0], f"are {len(files):,} files; at most {FILES:,}")
    tables = [_one(file) for file in files]
    common = os.path.commonpath([os.path.dirname(os.path.abspath(f)) for f in files])
    rows: list[Row] = []
    notes: list[Note] = []
    digest = hashlib.sha256()
    for table in tables:
        name = os.path.relpath(os.path.abspath(table.file), common)
        digest.update(table.sha256.encode())
        stem = name.removesuffix(".gz")
        stem = stem.removesuffix(Path(stem).suffix)
        for _, cells in table.rows:
            rows.append((len(rows) + 1, {FILE: stem, **cells}))
        notes += [Note(0, f"{name}: {n.message}", n.done) for n in table.notes]
        refuse_many(
            place or table.file, sum(len(c) for _, c in rows[-1:]) * len(rows), 0
        )
    columns = list(dict.fromkeys([FILE, *(c for t in tables for c in t.columns)]))
    single = [t.about or len(t.rows) == 1 or _curve(t) for t in tables]
    runs = FILE if all(single) and len(rows) > len(tables) else ""
    units = {name: unit for t in tables for name, unit in t.units.items()}
    message = (
        f"{len(tables)} files, whose rows are numbered in the order of their names"
    )
    return Table(
        *(place or files[0], tuple(columns), tuple(rows), digest.hexdigest()),
        units=units,
        notes=(Note(0, message, "read"), *_few(notes)),
        run=runs,
    )


def _few(notes: Sequence[Note]) -> list[Note]:
    """Notes of many files, those of one kind once."""
    kinds: dict[str, list[Note]] = {}
    for note in notes:
        kinds.setdefault(note.message.partition(": ")[2], []).append(note)
    return [
        note if len(alike) == 1 else Note(0, f"{len(alike)} files: {told}", note.done)
        for told, alike in kinds.items()
        for note in alike[:1]
    ]


def _curve(table: Table) -> bool:
    """Whether the rows are checkpoints of one run: steps that rise."""
    names = {column.lower(): column for column in table.columns}
    step = next((names[name] for name in STEPS if name in names), None)
    if step is None:
        return False
    try:
        steps = [float(str(cells.get(step))) for _, cells in table.rows]
    except ValueError:
        return False
    return all(a < b for a, b in itertools.pairwise(steps))
