"""Training runs: what was trained, on how much, to which loss.

Whatever is odd about a run is told with its line and what was done about it. Nothing
is dropped in silence: a run that cannot be used is left out by name, one that is only
suspicious is kept by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.oddities import Note, implausible, once, rising
from optimizer.fitting.rules import Rule
from optimizer.fitting.runfile import Table, read_table
from optimizer.reading.document import suggest
from optimizer.reading.quantity import (
    COMPUTE,
    NUMBER,
    PARAMETERS,
    TOKENS,
    Kind,
    read,
    shown,
)

Array = NDArray[np.float64]

KINDS: Mapping[str, Kind] = {
    "parameters": PARAMETERS,
    "tokens": TOKENS,
    "loss": NUMBER,
    "compute": COMPUTE,
    "unique_tokens": TOKENS,
    "error": NUMBER,
    "weight": NUMBER,
}
COLUMNS = tuple(KINDS)
MOST_TOLD = 20  # runs that an error names
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
        )


def read_runs(
    path: str,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    exclude: Sequence[Rule] = (),
    sized: bool = True,
) -> Runs:
    """Reads a table of training runs.

    Args:
        path: CSV, JSON lines or Parquet.
        columns: our word → the file's column, where they differ.
        units: our word → the unit of plain numbers, such as `B`.
        exclude: rules for runs to leave out.
        sized: whether the parameters are needed.

    Raises:
        InputError: the file is no table, a column is missing, or no run is usable.
    """
    table = read_table(path)
    named = _columns(table, columns or {}, sized)
    notes: list[Note] = []
    excluded: dict[str, list[int]] = {rule.text: [] for rule in exclude}
    found: list[dict[str, float]] = []
    for line, cells in table.rows:
        row = _row(line, cells, named, units or {}, notes)
        if row is None:
            continue
        rule = next((rule for rule in exclude if rule.holds(row, cells)), None)
        if rule is not None:
            excluded[rule.text].append(line)
        elif (odd := implausible(row, sized)) is not None:
            notes.append(Note(line, odd, "left out"))
        else:
            found.append(row)
    found = once(found, notes)
    notes += rising(found)
    if not found:
        problems = [
            _problem(
                table,
                "has no run that can be used; other units: --unit tokens=B",
                0,
            )
        ]
        problems += [_problem(table, f"{n.message}: {n.done}", n.line) for n in notes]
        raise InputError(problems[: MOST_TOLD + 1])
    ours = {word: np.array([row[word] for row in found]) for word in _words(found)}
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
    )


def _problem(table: Table, message: str, line: int) -> Problem:
    return Problem(Mark(table.file, line, 1 if line else 0), "", message)


def _words(found: Sequence[Mapping[str, float]]) -> list[str]:
    return list(found[0])


def _columns(table: Table, chosen: Mapping[str, str], sized: bool) -> dict[str, str]:
    """Our words → the columns of the file that have them."""
    named: dict[str, str] = {}
    lower = {column.lower().strip(): column for column in table.columns}
    problems = []
    for word in COLUMNS:
        column = (
            chosen.get(word) or lower.get(word) or lower.get(word.replace("_", " "))
        )
        if column is None:
            continue
        if column not in table.columns:
            hint = suggest(column, table.columns) or f"; it has {_list(table.columns)}"
            problems.append(f'has no column "{column}" for the {word}{hint}')
            continue
        named[word] = column
    missing = [] if {"loss"} & set(named) else ["loss"]
    given = {"parameters", "tokens", "compute"} & set(named)
    if len(given) < 2 and (sized or "tokens" not in given):
        wanted = "two of parameters, tokens and compute" if sized else "tokens"
        missing.append(wanted)
    if missing and not problems:
        problems.append(
            f"lacks the columns for {' and '.join(missing)}; it has "
            f"{_list(table.columns)}. Name one with "
            f"--column {missing[0].split()[-1]}=NAME"
        )
    if problems:
        raise InputError(Problem(Mark(table.file, 1, 1), "", p) for p in problems)
    return named


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")


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
        value = cells.get(column)
        if isinstance(value, str):
            value = value.strip()
        empty = value is None or value == "" or value != value  # noqa: PLR0124 - NaN
        if empty and word in ("compute", "error"):
            row[word] = math.nan
            continue
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


def _number(word: str, value: object, unit: str) -> float:
    if value is None:
        raise ValueError("is missing")
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
            notes.append(Note(int(row["line"]), message, "kept; compute not used"))
    elif math.isnan(compute):
        if "tokens" in given:
            row["parameters"] = 1.0  # a fit over tokens alone has no use for it
        else:
            yield "compute is missing"
    elif "parameters" in given:
        row["tokens"] = compute / 6 / row["parameters"]
    else:
        row["parameters"] = compute / 6 / row["tokens"]
