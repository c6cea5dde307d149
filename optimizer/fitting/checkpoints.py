"""Which rows of a run are taken, where rows are checkpoints: all, the last or late.

Under a falling learning rate only the end of a run is comparable with the ends of
others; under a constant one all of it is, but the first steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from optimizer.fitting.tables.table import Note

Policy = float | Literal["all", "ends", "curves"] | None

NAMES = ("run", "run_name", "run_id", "experiment", "experiment_name", "name", "file")
CHECKPOINTS = 4  # rows of a run, on average, from which they look like checkpoints
ENOUGH = 10  # runs whose ends can tell a law
LATE = 0.2  # the share of a run that is left out where its end is not enough


def run_column(
    found: Sequence[Mapping[str, float]],
    cells: Sequence[Mapping[str, object]],
    columns: Sequence[str],
) -> str | None:
    """A column that names the run of each row, where rows are checkpoints of runs."""
    for column in columns:
        if column.lower().replace(" ", "_") not in NAMES:
            continue
        rows: dict[str, list[Mapping[str, float]]] = {}
        for row in found:
            name = _named(row, cells, column)
            rows.setdefault(name, []).append(row)
        one_size = all(len({r["parameters"] for r in rs}) == 1 for rs in rows.values())
        if len(rows) > 1 and one_size and len(found) >= CHECKPOINTS * len(rows):
            return column
    return None


def thinned(
    found: Sequence[dict[str, float]],
    names: Mapping[int, str],
    most: int,
    notes: list[Note],
) -> list[dict[str, float]]:
    """Every so many of the rows of each run, and its last, where they are too many."""
    every = -(-len(found) // most)
    if every == 1:
        return list(found)
    runs: dict[str, list[dict[str, float]]] = {}
    for row in found:
        runs.setdefault(names[int(row["at"])], []).append(row)
    some = [
        row
        for rows in runs.values()
        for row in sorted(rows, key=lambda r: -r["tokens"])[::every]
    ]
    message = f"{len(found)} rows of {len(runs)} runs are more than can be resampled"
    notes.append(Note(0, message, f"one in {every} of each run taken, with its last"))
    return sorted(some, key=lambda row: row["at"])


def kept(
    found: Sequence[dict[str, float]],
    cells: Sequence[Mapping[str, object]],
    column: str,
    policy: Policy,
    notes: list[Note],
) -> tuple[list[dict[str, float]], Mapping[int, str]]:
    """The rows of each run that are taken, and the run of each row by its place.

    Args:
        found: usable rows.
        cells: of all rows of the table.
        column: the names of runs.
        policy: `all`; `ends`, the last of each; a share, the rows after that part of
            a run; `curves`, the ends where these are enough for a law.
        notes: to which what was done is added.
    """
    names = {int(row["at"]): _named(row, cells, column) for row in found}
    last: dict[str, dict[str, float]] = {}
    for row in found:
        name = names[int(row["at"])]
        if name not in last or row["tokens"] >= last[name]["tokens"]:
            last[name] = row
    if policy == "curves":
        policy = "ends" if len(last) >= ENOUGH or len(last) == len(found) else LATE
    if policy in ("all", None) or len(last) == len(found):
        return list(found), names
    message = f"{len(found)} rows are checkpoints of {len(last)} runs"
    if policy == "ends":
        done = "the last of each taken; all: --checkpoints all"
        notes.append(Note(0, message, done))
        return [row for row in found if last[names[int(row["at"])]] is row], names
    share = float(policy)
    late = [
        row
        for row in found
        if row["tokens"] >= share * last[names[int(row["at"])]]["tokens"]
    ]
    done = (
        f"{len(late)} after {share:.0%} of each run taken; only the last: "
        "--checkpoints ends"
    )
    notes.append(Note(0, message, done))
    return late, names


def _named(
    row: Mapping[str, float], cells: Sequence[Mapping[str, object]], column: str
) -> str:
    """The run of a row; one run in two groups of a fit by group is two."""
    name = str(cells[int(row["at"])].get(column))
    return f"{name} {row['part']:.0f}" if "part" in row else name
