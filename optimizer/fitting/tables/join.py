"""A second table with what the runs' own files lack, found by the names of runs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from optimizer.fitting.tables.table import Note, Row, Table, failed

SHOWN = 5  # names that a note lists


def joined(runs: Table, more: Table) -> Table:
    """The rows of runs, each with the cells of its run in another table.

    The columns that tell which are found: those two that have most names in common.

    Raises:
        InputError: no column of one has names of the other.
    """
    best: tuple[int, str, str] = (0, "", "")
    for ours in runs.columns:
        names = {_name(cells.get(ours)) for _, cells in runs.rows} - {""}
        for theirs in more.columns:
            keys = {_name(cells.get(theirs)) for _, cells in more.rows} - {""}
            count = len([name for name in names if _key(name, keys)])
            if count > best[0]:
                best = count, ours, theirs
    _, ours, theirs = best
    if not ours:
        raise failed(more.file, f"has no column with names of the runs of {runs.file}")
    known = {_name(cells.get(theirs)): cells for _, cells in more.rows}
    keys = set(known)
    rows: list[Row] = []
    missing: dict[str, None] = {}
    for line, cells in runs.rows:
        name = _name(cells.get(ours))
        key = _key(name, keys)
        if key is None:
            missing[name] = None
        rows.append((line, {**(known[key] if key else {}), **cells}))
    notes = [*runs.notes, *_told(more, ours, theirs, missing)]
    columns = tuple(dict.fromkeys([*runs.columns, *more.columns]))
    return Table(
        *(runs.file, columns, tuple(rows), runs.sha256),
        units={**more.units, **runs.units},
        notes=tuple(notes),
        about=runs.about,
        run=runs.run,
    )


def _told(
    more: Table, ours: str, theirs: str, missing: Mapping[str, None]
) -> list[Note]:
    message = f'"{ours}" is "{theirs}" of {more.file}'
    notes = [Note(0, message, "its columns added")]
    if missing:
        names = ", ".join(list(missing)[:SHOWN])
        more_ = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        notes.append(Note(0, f"{more.file} does not have {names}{more_}", "not added"))
    return notes


def _name(value: object) -> str:
    """A name to compare; numbers are no names."""
    text = str(value or "").strip().lower()
    return "" if re.fullmatch(r"[0-9.e+-]*", text) else text


def _key(name: str, keys: set[str]) -> str | None:
    """The name as the other table has it: the same, or a part of a path."""
    if name in keys:
        return name
    parts = [part for part in re.split(r"[/\\]", name) if part in keys]
    return parts[-1] if parts else None
