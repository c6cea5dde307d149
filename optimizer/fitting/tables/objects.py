"""JSON: arrays of runs, runs by name, columns, one object a line, one run a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from optimizer.fitting.tables.names import guesses
from optimizer.fitting.tables.table import Note, Read, Row, failed, refuse_many
from optimizer.reading.document import load_text

LARGEST = 64_000_000  # [bytes]; objects take ten times their text
DEEP = 6  # levels of objects in a run
RUN = "run"  # the column of names that were keys


def refuse_large(file: str, text: str) -> None:
    """Refuses JSON whose objects would not fit in memory.

    Raises:
        InputError: it is too large.
    """
    if len(text) > LARGEST:
        raise failed(
            file,
            f"is larger than {LARGEST // 10**6} MB, which JSON may be; save it as CSV "
            "or Parquet",
        )


def json_lines(file: str, text: str) -> Read:
    """One JSON object a line.

    Raises:
        InputError: a line is no object.
    """
    rows: list[Row] = []
    for line, said in enumerate(text.split("\n"), start=1):
        if not said.strip():
            continue
        try:
            row = json.loads(said)
        except (ValueError, RecursionError):
            raise failed(file, "is not JSON; each line is one run", line) from None
        if not isinstance(row, dict):
            raise failed(file, 'must be a run such as {"loss": 2.5, …}', line)
        rows.append((line, flat(row)))
    return _read(file, rows)


def json_array(file: str, text: str) -> Read:
    """An array of objects, each with the line where it begins.

    Raises:
        InputError: it is no such array.
    """
    decoder = json.JSONDecoder()
    rows: list[Row] = []
    at, line, counted = text.index("[") + 1, 1, 0
    while True:
        at += len(text[at : at + 500]) - len(text[at : at + 500].lstrip(" \t\r\n,"))
        line += text.count("\n", counted, at)
        counted = at
        if text[at : at + 1] == "]":
            return _read(file, rows)
        try:
            row, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            if text[at : at + 1] in (" ", "\t", "\r", "\n", ",") and at < len(text):
                continue
            raise failed(file, "is not JSON from here on", line) from None
        if isinstance(row, list):
            return _listed(file, json.loads(text))
        if not isinstance(row, dict):
            raise failed(file, 'must be a run such as {"loss": 2.5, …}', line)
        rows.append((line, flat(row)))


def json_object(file: str, found: Mapping[str, object]) -> Read:
    """An object: of columns, of runs by name, around a list of runs, or of one run.

    Raises:
        InputError: it is none of these.
    """
    if {"columns", "data"} <= found.keys():  # as pandas splits a table
        return _listed(file, [found["columns"], *_lines_of(found["data"])])
    inner = [v for v in found.values() if _objects(v)]
    if len(inner) == 1 and isinstance(inner[0], list):
        return _read(file, [(i, flat(row)) for i, row in enumerate(inner[0], 1)])
    turned = _turned(found)
    if turned is not None:
        return _read(file, list(enumerate(turned, 1)))
    named = _named(found)
    if named is not None:
        return named if isinstance(named, Read) else _read(file, named)
    # A list of numbers is a curve, and no number of a run.
    row = {n: v for n, v in flat(found).items() if not isinstance(v, list | tuple)}
    numbers = [v for v in row.values() if isinstance(v, int | float)]
    losses = [n for n in row if any(g.word == "loss" for g in guesses(n))]
    if len(numbers) < (1 if losses else 2):
        message = 'must be a list of runs such as [{"loss": 2.5, …}, …]'
        raise failed(file, message, 1)
    columns = list(row)
    return Read(columns, [(1, row)], about="holds one run")


def from_yaml(file: str, text: str) -> Read:
    """A list of runs in YAML, or an object as JSON has it.

    Raises:
        InputError: it is neither.
    """
    found = load_text(text, file).value
    if isinstance(found, dict):
        return json_object(file, found)
    entries = found if isinstance(found, list) else []
    rows: list[Row] = [
        (i, flat(row)) for i, row in enumerate(entries, 1) if isinstance(row, dict)
    ]
    if len(rows) < max(len(entries), 1):
        raise failed(file, "must be a list of runs such as - {loss: 2.5, …}", 1)
    return _read(file, rows)


def flat(row: Mapping[str, object]) -> dict[str, object]:
    """An object with objects in it as one, its names joined with dots."""
    found: dict[str, object] = {}

    def put(inner: Mapping[str, object], head: str, depth: int) -> None:
        for name, value in inner.items():
            if isinstance(value, dict) and depth < DEEP:
                # As Weights & Biases keeps its settings.
                if set(value) in ({"value"}, {"value", "desc"}):
                    found[f"{head}{name}"] = value["value"]
                else:
                    put(value, f"{head}{name}.", depth + 1)
            else:
                found[f"{head}{name}"] = value

    put(row, "", 0)
    return found


def _read(file: str, rows: list[Row]) -> Read:
    rows, run = _unrolled(rows)
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    refuse_many(file, sum(len(row) for _, row in rows), len(columns))
    return Read(columns, rows, run=run)


def _unrolled(rows: list[Row]) -> tuple[list[Row], str]:
    """A row for each checkpoint of runs that hold their history, and the run's column.

    The history is a list of objects, or several lists of numbers of one length.
    """
    lists = [name for name in rows[0][1] if _objects(rows[0][1][name])] if rows else []
    if len(lists) == 1:
        curves = [_entries(row.get(lists[0])) for _, row in rows]
    elif rows and all(len(_curves(row)) > 1 for _, row in rows):
        curves = [
            [dict(zip(c, each, strict=True)) for each in zip(*c.values(), strict=True)]
            for c in (_curves(row) for _, row in rows)
        ]
    else:
        return rows, ""
    found: list[Row] = []
    for number, ((line, row), curve) in enumerate(zip(rows, curves, strict=True), 1):
        once = {n: v for n, v in row.items() if not isinstance(v, list)}
        found += [(line, {RUN: number, **once, **entry}) for entry in curve]
    return found, RUN


def _entries(history: object) -> list[dict[str, object]]:
    entries = history if isinstance(history, list) else []
    return [flat(entry) for entry in entries if isinstance(entry, dict)]


def _curves(row: Mapping[str, object]) -> dict[str, list[object]]:
    """The lists of numbers of a run, where they are of one length."""
    found = {
        name: value
        for name, value in row.items()
        if isinstance(value, list) and value and not isinstance(value[0], dict | list)
    }
    return found if len({len(value) for value in found.values()}) == 1 else {}


def _objects(values: object) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and all(isinstance(value, dict) for value in values)
    )


def _lines_of(data: object) -> list[object]:
    return data if isinstance(data, list) else []


def _listed(file: str, found: list[Any]) -> Read:
    """An array of arrays, the first of which has the names."""
    head = found[0]
    if not isinstance(head, list) or not all(isinstance(name, str) for name in head):
        message = 'must be a list of runs such as [{"loss": 2.5, …}, …]'
        raise failed(file, message, 1)
    rows = [r for r in found[1:] if isinstance(r, list) and len(r) == len(head)]
    left = len(found) - 1 - len(rows)
    read = _read(
        file, [(i, dict(zip(head, row, strict=True))) for i, row in enumerate(rows, 2)]
    )
    notes = (Note(0, f"{left} rows have other lengths", "left out"),) if left else ()
    return Read(read.columns, read.rows, notes=notes)


def _turned(found: Mapping[str, object]) -> list[dict[str, object]] | None:
    """Rows from columns, as {"loss": [2.5, …], …} or with row numbers as keys."""
    sides = {
        name: list(cells.values())
        if isinstance(cells, dict) and cells and all(k.isdigit() for k in cells)
        else cells
        for name, cells in found.items()
    }
    lists = {name: cells for name, cells in sides.items() if isinstance(cells, list)}
    curves = any(isinstance(cell, dict) for cells in lists.values() for cell in cells)
    if len(lists) < 2 or curves or len({len(cells) for cells in lists.values()}) > 1:
        return None
    # What is said once is said of all runs.
    once = {
        name: value
        for name, value in sides.items()
        if name not in lists and not isinstance(value, dict)
    }
    return [
        {**once, **dict(zip(lists, cells, strict=True))}
        for cells in zip(*lists.values(), strict=True)
    ]


def _named(found: Mapping[str, object]) -> Read | list[Row] | None:
    """Runs by their names: {"70m": {"loss": …}, …}, or a list of checkpoints each."""
    values = list(found.values())
    if len(values) < 2:
        return None
    if all(isinstance(value, dict) for value in values):
        names = [set(flat(value)) for value in values if isinstance(value, dict)]
        alike = len(set.intersection(*names)) >= 2
        if not alike:
            return None
        return [(i, row) for i, row in enumerate(_told(found), 1)]
    if all(_objects(value) for value in values):
        rows = list(enumerate(_checkpoints(found), 1))
        columns = list(dict.fromkeys(name for _, row in rows for name in row))
        return Read(columns, rows, run=RUN)
    return None


def _told(found: Mapping[str, object]) -> Iterator[dict[str, object]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield {RUN: name, **flat(value)}


def _checkpoints(found: Mapping[str, object]) -> Iterator[dict[str, object]]:
    for name, value in found.items():
        if isinstance(value, list):
            yield from ({RUN: name, **flat(row)} for row in value)
