"""Training runs: what was trained, on how much, to which loss.

Whatever is odd about a run is told with its line and what was done about it. Nothing
is dropped in silence: a run that cannot be used is left out by name, one that is only
suspicious is kept by name.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.checkpoints import NAMES, Policy, kept, run_column, thinned
from optimizer.fitting.columns import WORDS, Columns, columns, listed
from optimizer.fitting.losses import loss_unit
from optimizer.fitting.magnitudes import other_units
from optimizer.fitting.oddities import (
    implausible,
    least,
    once,
    parted,
    rising,
    same_sizes,
    sampled,
    scaled,
    stopped,
    summed,
    unlike,
)
from optimizer.fitting.rows import Reader, row_of
from optimizer.fitting.rules import Rule
from optimizer.fitting.tables.cells import evaluated, separators
from optimizer.fitting.tables.join import joined
from optimizer.fitting.tables.read import read_table
from optimizer.fitting.tables.table import Note, Table
from optimizer.reading.document import suggest
from optimizer.reading.loss_words import NATS, of_samples
from optimizer.records import dataclass, replace

Array = NDArray[np.float64]
Found = dict[str, float]

COLUMNS = WORDS
ONE_SIZE = 1.1  # the factor within which sizes, or tokens, count as one
MOST_ROWS = 20_000  # whose resamples fit in memory
MOST_TOLD = 20  # runs that an error names
SIDES = (
    *("row", "parameters", "tokens", "loss", "unique", "error", "weight", "group"),
    *("stated", "samples", "width", "vocabulary", "part"),
)  # the arrays of `Runs`


@dataclass(frozen=True, eq=False)
class Runs:
    """Training runs, one entry each in every array.

    Attributes:
        file: where they were read.
        sha256: of that file.
        line: where each stands; a file may have all of them on one.
        row: the number of each among those that were read.
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
        stated: compute as the table has it [FLOP], NaN where a run has none, or None.
        loss_unit: of the losses, and so of the law.
        counts: what the parameters count, where the name of their column says it.
        samples: answers a task, of which the loss is −ln pass@k, or None.
        envelope: whether of sizes and tokens within a tenth the least loss was kept.
        width: of each model, NaN where a run has none, or None.
        vocabulary: of each tokenizer, likewise.
        part: the number of the group that has a law of its own, of each row, or None.
        parts: the names of these groups, in the order of their numbers.
        by: the column that has the names.
    """

    file: str
    sha256: str
    line: tuple[int, ...]
    row: NDArray[np.int64]
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
    stated: Array | None = None
    loss_unit: str = NATS
    counts: str = ""
    samples: Array | None = None
    envelope: bool = False
    width: Array | None = None
    vocabulary: Array | None = None
    part: NDArray[np.int64] | None = None
    parts: tuple[str, ...] = ()
    by: str = ""

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
        sides = {name: getattr(self, name) for name in SIDES}
        return replace(
            self,
            line=tuple(n for n, k in zip(self.line, kept, strict=True) if k),
            **{name: side[kept] for name, side in sides.items() if side is not None},
        )


@dataclass(frozen=True)
class Options:
    """How a table is read, besides its columns and units.

    Attributes:
        exclude: rules for runs to leave out.
        sized: whether the parameters are needed.
        best: whether to keep only the least loss of each size and tokens.
        group: a column whose rows of one value err together, such as the run's name.
        envelope: likewise of sizes and of tokens within a tenth.
        checkpoints: which rows of a run are taken.
        per_token: bytes (or characters) of a token, where losses are per byte.
        table: a file of what the runs' own files lack, by the names of runs.
        command: what was typed, to which offers are added.
        samples: whether a column has the samples of each row.
        by: a column, each of whose values has a law of its own.
    """

    exclude: Sequence[Rule] = ()
    sized: bool = True
    best: bool = False
    envelope: bool = False
    group: str | None = None
    checkpoints: Policy = None
    per_token: float | None = None
    table: str | None = None
    command: str = ""
    samples: bool = False
    by: str | None = None


def read_runs(
    path: str | Sequence[str],
    chosen: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    options: Options | None = None,
) -> Runs:
    """Reads a table of training runs.

    Args:
        path: a table, a folder, a pattern, or several files.
        chosen: our word → the file's column, where they differ.
        units: our word → the unit of plain numbers, such as `B`.
        options: what to take of it.

    Raises:
        InputError: the file is no table, a column is missing, or no run is usable.
    """
    options = options or Options()
    chosen, units = chosen or {}, units or {}
    table = read_table(path)
    if options.table is not None:
        table = joined(table, read_table(options.table))
    _refuse_groups(table, options)
    command = options.command or f"overtrain fit {shlex.quote(table.file)}"
    taken = columns(table, chosen, options.sized, command)
    reader = _reader(table, taken, units, options.per_token)
    notes: list[Note] = [*table.notes, *taken.notes]
    if reader.loss.told:
        notes.append(Note(0, f"losses are in {reader.loss.word}", reader.loss.told))
    excluded: dict[str, list[int]] = {rule.text: [] for rule in options.exclude}
    most = 2 * MOST_ROWS if _all_kept(table, options) else math.inf
    found, odd = _usable(table, reader, options, notes, excluded, most, command)
    known = {*units, *taken.units}
    if offer := other_units(odd, len(found), taken.named, known, command):
        raise _failed(table, offer, 0)
    notes += scaled(notes, len(table.rows))
    if "parameters" not in taken.named:
        same_sizes(found)
    cells = [cells for _, cells in table.rows]
    parts: tuple[str, ...] = ()
    if options.by is not None:
        found, parts = parted(found, cells, options.by, notes)
    run = options.group or table.run or run_column(found, cells, table.columns)
    names = None
    if run is not None:
        found, names = kept(found, cells, run, _policy(table, options), notes)
        found = thinned(found, names, MOST_ROWS, notes)
    if options.samples:
        found = sampled(found, cells, table.columns, notes)
    if options.best or options.envelope:
        found = least(found, notes, ONE_SIZE if options.envelope else 1.0)
    found = once(found, notes)
    notes += rising(found)
    notes += unlike(found, cells)
    notes += stopped(found, cells)
    if not found:
        raise _none(table, notes)
    if len(found) > 2 * MOST_ROWS:
        raise _many(table, f"{len(found):,}", command)
    if table.about and not table.run and options.sized:
        raise _single(table, found[-1], command)
    runs = _gathered(table, found, names, notes, excluded, reader, taken.counts)
    return replace(runs, envelope=options.envelope, parts=parts, by=options.by or "")


def _refuse_groups(table: Table, options: Options) -> None:
    for column in (options.group, options.by):
        if column is not None and column not in table.columns:
            hint = suggest(column, table.columns) or f"; it has {listed(table.columns)}"
            raise _failed(table, f'has no column "{column}" to group by{hint}', 1)


def _reader(
    table: Table, taken: Columns, units: Mapping[str, str], per_token: float | None
) -> Reader:
    told = {**taken.units, **units}
    loss = loss_unit(told.pop("loss", ""), per_token)
    marks = {
        word: separators(evaluated(column, cells) for _, cells in table.rows)
        for word, column in taken.named.items()
    }
    return Reader(taken.named, told, {w: m for w, m in marks.items() if m}, loss)


def _usable(
    table: Table,
    reader: Reader,
    options: Options,
    notes: list[Note],
    excluded: dict[str, list[int]],
    most: float,
    command: str,
) -> tuple[list[Found], list[Found]]:
    """The runs that can be used, and those whose numbers seem in other units.

    Raises:
        InputError: there are more than `most` different ones; the rest is not read.
    """
    found: list[Found] = []
    odd: list[Found] = []
    for at, (line, cells) in enumerate(table.rows):
        row = row_of(line, cells, reader, notes)
        if row is None:
            continue
        row["at"] = at
        rule = next((rule for rule in options.exclude if rule.holds(row, cells)), None)
        if rule is not None:
            excluded[rule.text].append(line)
        elif (why := implausible(row, options.sized)) is not None:
            notes.append(Note(line, why, "left out"))
            odd.append(row)
        else:
            found.append(row)
            if len(found) > most:
                if len(once(found, [])) > 2 * MOST_ROWS:
                    raise _many(table, f"over {2 * MOST_ROWS:,}", command)
                most *= 2  # copies of each other so far
    return found, odd


def _all_kept(table: Table, options: Options) -> bool:
    """Whether every usable run will count, but for copies."""
    names = any(column.lower().replace(" ", "_") in NAMES for column in table.columns)
    fewer = options.best or options.envelope or options.samples
    return not (fewer or names or table.run or options.group or options.by)


def _many(table: Table, count: str, command: str) -> InputError:
    return _failed(
        table,
        f"has {count} runs, of which {MOST_ROWS:,} can be fitted. If they "
        f"are checkpoints: {command} --group COLUMN --checkpoints ends",
        0,
    )


def _policy(table: Table, options: Options) -> Policy:
    """Ends where files are curves; all rows where a table has checkpoints."""
    if options.checkpoints is not None:
        return options.checkpoints
    return "curves" if table.run else "all"


def _gathered(
    table: Table,
    found: Sequence[Found],
    names: Mapping[int, str] | None,
    notes: Sequence[Note],
    excluded: Mapping[str, Sequence[int]],
    reader: Reader,
    counts: str,
) -> Runs:
    ours = {word: np.array([row[word] for row in found]) for word in found[0]}
    if "weight" in ours and not ours["weight"].any():
        message = "every run has a weight of 0; give those that count a weight above 0"
        raise _failed(table, message, 1)
    groups = None
    if names is not None:
        told = [names[int(row["at"])] for row in found]
        place = {name: number for number, name in enumerate(dict.fromkeys(told))}
        # Where each run is one row, rows and runs are one.
        if len(place) < len(told):
            groups = np.array([place[name] for name in told], dtype=np.int64)
    stated = ours["stated"]
    return Runs(
        file=table.file,
        sha256=table.sha256,
        line=tuple(int(row["line"]) for row in found),
        row=np.arange(len(found)),
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
        stated=None if np.isnan(stated).all() else stated,
        loss_unit=of_samples(reader.loss.law) if "samples" in ours else reader.loss.law,
        counts=counts,
        samples=ours.get("samples"),
        width=ours.get("width"),
        vocabulary=ours.get("vocabulary"),
        part=ours["part"].astype(np.int64) if "part" in ours else None,
    )


def _none(table: Table, notes: Sequence[Note]) -> InputError:
    said = "has no run that can be used; other units: --unit tokens=B"
    problems = [Problem(Mark(table.file), "", said)]
    for note in summed(notes):
        mark = Mark(table.file, note.line, 1 if note.line else 0)
        problems.append(Problem(mark, "", f"{note.message}: {note.done}"))
    return InputError(problems[: MOST_TOLD + 1])


def _single(table: Table, last: Found, command: str) -> InputError:
    """One run is no law: says what was read of it, and how many are read at once."""
    message = (
        f"{table.about}: {last['parameters']:g} parameters, at the end "
        f"{last['tokens']:g} tokens and a loss of {last['loss']:g}. One run is no law: "
        "put the files of several runs in a folder, with sizes such as 124M in their "
        f"names, and fit the folder. For a law in tokens alone: {command} --form "
        "hestness"
    )
    return _failed(table, message, 0)


def _failed(table: Table, message: str, line: int) -> InputError:
    mark = Mark(table.file, line, 1 if line else 0)
    return InputError([Problem(mark, "", message)])
