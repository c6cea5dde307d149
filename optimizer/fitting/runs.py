"""Training runs: what was trained, on how much, to which loss.

Whatever is odd about a run is told with its line and what was done about it. Nothing
is dropped in silence: a run that cannot be used is left out by name, one that is only
suspicious is kept by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.columns import WORDS, columns
from optimizer.fitting.oddities import (
    Note,
    implausible,
    least,
    once,
    rising,
    scaled,
    summed,
    unlike,
)
from optimizer.fitting.rules import Rule
from optimizer.fitting.runfile import Table, read_table
from optimizer.reading.quantity import (
    COMPUTE,
    NUMBER,
    PARAMETERS,
    TOKENS,
    Kind,
    read,
    shown,
)
from optimizer.records import dataclass

Array = NDArray[np.float64]

# What is below one here is in another unit, which is told as such.
_ANY = replace(PARAMETERS, low=0.0, low_inclusive=False)
KINDS: Mapping[str, Kind] = {
    "parameters": _ANY,
    "tokens": replace(TOKENS, low=0.0, low_inclusive=False),
    "loss": NUMBER,
    "compute": COMPUTE,
    "unique_tokens": TOKENS,
    "error": NUMBER,
    "weight": NUMBER,
}
COLUMNS = WORDS
NAMES_OF_RUNS = ("run", "run_name", "run_id", "experiment", "experiment_name", "name")
CHECKPOINTS = 4  # rows of a run, on average, from which they look like checkpoints
MOST_TOLD = 20  # runs that an error names
UNUSED = "kept; compute not used"
COMPUTE_OFF = 2.0  # the factor by which 6·N·D may miss a stated compute


@dataclass(frozen=True, eq=False)
class Runs:
    """Training runs, one entry each in every array.

    Attributes:
        file: where they were read.
        sha256: of that file.
        line: where each stands.
        parameters: N.
        tokens: D seen in training.
        loss: in the unit that the law will have.
        unique: unique tokens, or None where no column says.
        error: downstream error in 0 to 1, NaN where a run has none, or None.
        weight: of each run in the fit.
        notes: whatever was odd.
        excluded: lines that the user's rules took out, by rule.
        read: how many rows the file has.
        group: of each row, those that err together having one number; None where no
            column says.
    """

    file: str
    sha256: str
    line: tuple[int, ...]
    parameters: Array
    tokens: Array
    loss: Array
    unique: Array | None
    error: Array | None
    weight: Array
    notes: tuple[Note, ...] = ()
    excluded: tuple[tuple[str, tuple[int, ...]], ...] = ()
    read: int = 0
    group: NDArray[np.int64] | None = None

    @property
    def compute(self) -> Array:
        """6·N·D [FLOP]."""
        return 6 * self.parameters * self.tokens

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self.line)

    def take(self, kept: NDArray[np.bool_]) -> Runs:
        """Some of the runs."""
        return Runs(
            file=self.file,
            sha256=self.sha256,
            line=tuple(n for n, k in zip(self.line, kept, strict=True) if k),
            parameters=self.parameters[kept],
            tokens=self.tokens[kept],
            loss=self.loss[kept],
            unique=None if self.unique is None else self.unique[kept],
            error=None if self.error is None else self.error[kept],
            weight=self.weight[kept],
            notes=self.notes,
            excluded=self.excluded,
            read=self.read,
            group=None if self.group is None else self.group[kept],
        )


def read_runs(
    path: str,
    chosen: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    exclude: Sequence[Rule] = (),
    sized: bool = True,
    best: bool = False,
    group: str | None = None,
) -> Runs:
    """Reads a table of training runs.

    Args:
        path: CSV, JSON or Parquet.
        chosen: our word → the file's column, where they differ.
        units: our word → the unit of plain numbers, such as `B`.
        exclude: rules for runs to leave out.
        sized: whether the parameters are needed.
        best: whether to keep only the least loss of each size and tokens.
        group: a column whose rows of one value err together, such as the run's name.

    Raises:
        InputError: the file is no table, a column is missing, or no run is usable.
    """
    table = read_table(path)
    if group is not None and group not in table.columns:
        raise InputError([_problem(table, f'has no column "{group}" to group by', 1)])
    found_in = columns(table.file, table.columns, chosen or {}, sized)
    named, units = found_in.named, {**found_in.units, **(units or {})}
    notes: list[Note] = list(found_in.notes)
    excluded: dict[str, list[int]] = {rule.text: [] for rule in exclude}
    found: list[dict[str, float]] = []
    for line, cells in table.rows:
        row = _row(line, cells, named, units, notes)
        if row is None:
            continue
        rule = next((rule for rule in exclude if rule.holds(row, cells)), None)
        if rule is not None:
            excluded[rule.text].append(line)
        elif (odd := implausible(row, sized)) is not None:
            notes.append(Note(line, odd, "left out"))
        else:
            found.append(row)
    notes += scaled(notes, len(table.rows))
    if best:
        found = least(found, notes)
    found = once(found, notes)
    notes += rising(found)
    notes += unlike(found, dict(table.rows))
    if not found:
        problems = [
            _problem(
                table,
                "has no run that can be used; other units: --unit tokens=B",
                0,
            )
        ]
        for note in summed(notes):
            problems.append(_problem(table, f"{note.message}: {note.done}", note.line))
        raise InputError(problems[: MOST_TOLD + 1])
    cells_of = dict(table.rows)
    group = group or _of_runs(found, cells_of, table.columns)
    groups = None if group is None else _groups(found, cells_of, group)
    ours = {word: np.array([row[word] for row in found]) for word in _words(found)}
    if "weight" in ours and not ours["weight"].any():
        message = "every run has a weight of 0; give those that count a weight above 0"
        raise InputError([_problem(table, message, 1)])
    return Runs(
        file=table.file,
        sha256=table.sha256,
        line=tuple(int(row["line"]) for row in found),
        parameters=ours["parameters"],
        tokens=ours["tokens"],
        loss=ours["loss"],
        unique=ours.get("unique_tokens"),
        error=ours.get("error"),
        weight=ours.get("weight", np.ones(len(found))),
        notes=tuple(sorted(notes, key=lambda note: note.line)),
        excluded=tuple((text, tuple(lines)) for text, lines in excluded.items()),
        read=len(table.rows),
        group=groups,
    )


def _of_runs(
    found: Sequence[Mapping[str, float]],
    cells: Mapping[int, Mapping[str, object]],
    columns: Sequence[str],
) -> str | None:
    """A column that names the run of each row, where rows are checkpoints of runs."""
    for column in columns:
        if column.lower().replace(" ", "_") not in NAMES_OF_RUNS:
            continue
        rows: dict[str, list[Mapping[str, float]]] = {}
        for row in found:
            name = str(cells[int(row["line"])].get(column))
            rows.setdefault(name, []).append(row)
        one_size = all(len({r["parameters"] for r in rs}) == 1 for rs in rows.values())
        if len(rows) > 1 and one_size and len(found) >= CHECKPOINTS * len(rows):
            return column
    return None


def _groups(
    found: Sequence[Mapping[str, float]],
    cells: Mapping[int, Mapping[str, object]],
    column: str,
) -> NDArray[np.int64]:
    names = [str(cells[int(row["line"])].get(column)) for row in found]
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([place[name] for name in names], dtype=np.int64)


def _problem(table: Table, message: str, line: int) -> Problem:
    return Problem(Mark(table.file, line, 1 if line else 0), "", message)


def _words(found: Sequence[Mapping[str, float]]) -> list[str]:
    return list(found[0])


def _row(
    line: int,
    cells: Mapping[str, object],
    named: Mapping[str, str],
    units: Mapping[str, str],
    notes: list[Note],
) -> dict[str, float] | None:
    """The numbers of a row, or None where it cannot be used; says why."""
    row: dict[str, float] = {"line": line}
    wrong = []
    for word, column in named.items():
        value = _cell(cells, column)
        if isinstance(value, str):
            value = value.strip()
        empty = value is None or value == "" or value != value  # noqa: PLR0124 - NaN
        if empty and word in ("compute", "error"):
            row[word] = math.nan
            continue
        if word == "loss" and _with_point(word, value) != value:
            notes.append(Note(line, "the loss has a decimal comma", "read as a point"))
        try:
            row[word] = _number(word, None if empty else value, units.get(word, ""))
        except ValueError as error:
            wrong.append(f"{word} {error}")
    if not wrong:
        wrong += _completed(row, notes)
    if wrong:
        notes.append(Note(line, "; ".join(wrong), "left out"))
        return None
    return row


def _cell(cells: Mapping[str, object], column: str) -> object:
    """A cell, or the sum of those that `a+b` names."""
    if column in cells or "+" not in column:
        return cells.get(column)
    parts = [str(cells.get(part.strip(), "")).strip() for part in column.split("+")]
    return sum(map(float, parts)) if all(map(_bare, parts)) else ""


def _number(word: str, value: object, unit: str) -> float:
    if value is None:
        raise ValueError("is missing")
    value = _with_point(word, value)
    text = str(value).lower().lstrip("+-")
    if text in ("inf", "infinity", "nan"):
        raise ValueError(f"must be finite, got {shown(value)}")
    if unit and _bare(value):
        value = f"{value} {unit}"
    number = read(value, KINDS[word])
    if number < 0 or (number == 0 and word not in ("error", "weight")):
        raise ValueError(f"must be above 0, got {shown(value)}")
    if word == "error" and number > 1:
        raise ValueError(f"must be a fraction of at most 1, got {shown(value)}")
    return number


def _with_point(word: str, value: object) -> object:
    """A loss with a decimal comma as one with a point; all else as it is.

    A size such as 1,234 might be either; no loss has thousands.
    """
    comma = isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+,[0-9]+", value)
    if comma and word in ("loss", "error", "weight"):
        return str(value).replace(",", ".")
    return value


def _bare(value: object) -> bool:
    """Whether a value is a number without a unit of its own."""
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _completed(row: dict[str, float], notes: list[Note]) -> Iterator[str]:
    """Fills in the one of N, D and C = 6·N·D that the table leaves out."""
    compute = row.pop("compute", math.nan)
    given = {"parameters", "tokens"} & set(row)
    if len(given) == 2:
        stated = 6 * row["parameters"] * row["tokens"]
        off = compute / stated
        if not math.isnan(off) and not 1 / COMPUTE_OFF <= off <= COMPUTE_OFF:
            message = f"compute is {off:.3g} times 6 × parameters × tokens"
            notes.append(Note(int(row["line"]), message, UNUSED))
    elif math.isnan(compute):
        if "tokens" in given:
            row["parameters"] = 1.0  # a fit over tokens alone has no use for it
        else:
            yield "compute is missing"
    elif "parameters" in given:
        row["tokens"] = compute / 6 / row["parameters"]
    else:
        row["parameters"] = compute / 6 / row["tokens"]
