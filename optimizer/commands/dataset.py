"""A sweep on a cluster, and the directory of Parquet files that it fills.

Each part is written beside and renamed, with its summary inside, so that a part that
is there is whole: a sweep that ended early goes on with those that are not. The file
`_sweep.json` says which sweep it is; another one is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from optimizer import __version__
from optimizer.analysis.sweep.cluster import LOCAL, connected, each, wrong
from optimizer.analysis.sweep.sweep import STATUSES, Summary, results_of, told
from optimizer.commands.output import failed, write
from optimizer.commands.rowfile import checked, parquet_bytes, parquet_note
from optimizer.engine.batch import BLOCK
from optimizer.question.axes import Grid, Listed
from optimizer.question.draws import Draws
from optimizer.question.vary import Plan
from optimizer.reading.document import legible
from optimizer.reading.fields import Model
from optimizer.records import dataclass
from optimizer.world.costs import UNITS

FORMAT = 1
PART = re.compile(r"part-([0-9]{6,})\.parquet")
MANIFEST = "_sweep.json"  # readers of such directories pass over names with _
NOTE = "overtrain.summary"
BLOCKS = 32  # in a chunk, unless told
Columns = tuple[Mapping[str, str], Mapping[str, str]]


@dataclass(frozen=True, eq=False)
class Part:
    """Some consecutive rows, worked out.

    Attributes:
        summary: of the rows.
        data: the rows as Parquet; nothing where nobody wants them.
        version: of the tool that worked them out.
    """

    summary: Summary
    data: bytes
    version: str


@dataclass(frozen=True)
class Dataset:
    """A directory of parts.

    Attributes:
        path: of the directory.
        count: rows in all.
        chunk: rows of a part; the last may have fewer.
    """

    path: Path
    count: int
    chunk: int

    def part(self, start: int) -> Path:
        """The file of the rows from `start` on."""
        return self.path / f"part-{start // self.chunk:06}.parquet"

    def starts(self) -> list[int]:
        """Where the parts begin whose files are there, in order."""
        found = (PART.fullmatch(path.name) for path in self.path.iterdir())
        starts = sorted(int(match[1]) * self.chunk for match in found if match)
        return [start for start in starts if start < self.count]

    def done(self, start: int) -> Summary | None:
        """The summary of a part that is there, if it is whole."""
        here = min(self.chunk, self.count - start)
        note = parquet_note(self.part(start), NOTE)
        found = None if note is None else _read(note)
        return found if found is not None and found.done == here else None


def part(plan: Plan, columns: Columns | None, start: int, stop: int) -> Part:
    """Works out the rows from `start` up to `stop`, block by block: a worker's task."""
    scenario = plan.scenario
    unit, width = UNITS[scenario.spec.objective], len(results_of(scenario))
    summary, found = Summary.of(unit, width), []
    for first in range(start, stop, BLOCK):
        block = told(plan, first, min(first + BLOCK, stop))
        summary.add(block)
        if columns is not None:
            found.append(block)
    data = b""
    if columns is not None:
        data = parquet_bytes(found, *columns, {NOTE: _note(summary)})
    return Part(summary, data, __version__)


def clustered(
    plan: Plan,
    address: str,
    output: Path | None,
    columns: Columns,
    chunk: int | None,
    stopped: Callable[[], bool],
) -> Iterator[Summary]:
    """Works out a sweep on a cluster; a summary for each part, first of those there.

    Args:
        plan: what varies.
        address: of the cluster.
        output: the directory of the parts, or None to keep no rows.
        columns: their columns.
        chunk: rows of a part, or None for those of the parts there, or a good many.
        stopped: asked between parts.

    Raises:
        InputError: the directory is another sweep's or cannot be written, or the
            cluster fails.
    """
    chunk = chunk or _usual(plan, output)
    held = None if output is None else _opened(output, plan, chunk)
    whole: set[int] = set()  # where parts that are there begin
    for start in () if held is None else held.starts():
        if (found := held.done(start) if held else None) is not None:
            whole.add(start)
            yield found
    starts = range(0, plan.count, chunk)
    if len(whole) == len(starts) or stopped():
        return
    wanted = columns if held is not None else None
    with connected(address) as client:
        pieces = (
            (plan, wanted, start, min(start + chunk, plan.count))
            for start in starts
            if start not in whole
        )
        try:
            for piece, done in each(client, part, pieces, stopped):
                if done.version != __version__:
                    message = f"its workers have overtrain {done.version}, not "
                    raise wrong(address, f"{message}{__version__}")
                if held is not None:
                    write(held.part(piece[2]), done.data)
                yield done.summary
        except ImportError as error:
            message = (
                f"a worker cannot import {error.name or error}; install overtrain "
                f"{__version__} with pyarrow on each"
            )
            raise wrong(address, message) from None


def refuse(output: Path | None, address: str) -> None:
    """Tells early that a place cannot take a data set.

    Raises:
        InputError: it is a file, is not named .parquet, or lacks a folder.
    """
    if address != LOCAL and ":" not in address:
        raise wrong(address, "must be local or an address such as tcp://10.0.0.1:8786")
    if output is None:
        return
    if checked(output, None) != "parquet":
        raise failed(output, "a cluster writes Parquet: the name must end in .parquet")
    if output.exists() and not output.is_dir():
        message = "this is a file; a cluster writes a directory of Parquet files"
        raise failed(output, message)
    if not output.parent.is_dir():
        raise failed(output, f"there is no directory {output.parent}")


def _usual(plan: Plan, output: Path | None) -> int:
    """The rows of the parts that are there, or a good many."""
    told = None if output is None else _manifest(output)
    chunk = told.get("chunk") if told else None
    whole = isinstance(chunk, int) and chunk > 0
    return chunk if whole and isinstance(chunk, int) else BLOCKS * BLOCK


def _opened(output: Path, plan: Plan, chunk: int) -> Dataset:
    """The data set of a sweep, made or found."""
    ours, found = _described(plan, chunk), _manifest(output)
    if found is None:
        try:
            output.mkdir(exist_ok=True)
            # What a killed sweep was about to name MANIFEST is nobody's.
            begun = output.glob(f".{MANIFEST}.*")
            if set(output.iterdir()) - set(begun):
                message = f"this directory is not empty and has no {MANIFEST}"
                raise failed(output, f"{message}; give another name")
        except OSError as error:
            raise failed(output, f"cannot be written: {error.strerror}") from None
        write(output / MANIFEST, json.dumps(ours, indent=1) + "\n")
    elif found != ours:
        raise failed(output, f"holds another sweep: {_difference(found, ours)}")
    return Dataset(output, plan.count, chunk)


def _manifest(output: Path) -> dict[str, Any] | None:
    """What a directory says of itself; None where it says nothing."""
    try:
        found = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise failed(output / MANIFEST, "cannot be read; give another name with -o")
    return found


def _described(plan: Plan, chunk: int) -> dict[str, Any]:
    """What makes a sweep this one."""
    scenario = plan.scenario
    unnamed = scenario.spec.model_copy(update={"name": None, "description": None})
    matter = (
        *(unnamed, scenario.law, list(scenario.hardware.items())),
        *(scenario.reference, scenario.prices, scenario.existing),
    )
    text = json.dumps(_bare(matter), sort_keys=True)
    return {
        "format": FORMAT,
        "overtrain": __version__,
        "scenario": hashlib.sha256(text.encode()).hexdigest(),
        "axes": [_axis(one) for one in plan.axes],
        "rows": plan.count,
        "chunk": chunk,
    }


def _axis(one: Grid | Listed | Draws) -> str:
    """What varies, to the last digit, much as it was typed."""
    names = ", ".join(number.name for number in one.numbers)
    if isinstance(one, Grid):
        spacing = "log:" if one.log else ""
        return f"{names}={one.low!r}:{one.high!r}:{spacing}{one.count}"
    if isinstance(one, Listed):
        return f"{names}={','.join(map(repr, one.values))}"
    return f"{one.count} draws of {names} with seed {one.seed}"


def _bare(node: Any) -> Any:
    """Records as lists and mappings, for a text that is always the same."""
    if isinstance(node, Model):
        return {word: _bare(getattr(node, word)) for word in type(node).model_fields}
    if is_dataclass(node) and not isinstance(node, type):
        return {one.name: _bare(getattr(node, one.name)) for one in fields(node)}
    if isinstance(node, Mapping):
        return {str(key): _bare(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_bare(member) for member in node]
    if node is None or isinstance(node, str | int | float):
        return node
    return repr(node)


_TOLD = {
    "format": "its files are of another version of this tool",
    "overtrain": "it was begun with overtrain {}, this is {}",
    "scenario": "the scenario, its law or its hardware has changed",
    "axes": "it varies {}; this one {}",
    "chunk": "its parts have {} rows, and --chunk asks for {}",
}


def _difference(found: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    word = next((w for w in _TOLD if found.get(w) != ours[w]), "format")
    pair = [found.get(word), ours[word]]
    if word == "axes":
        pair = [" and ".join(map(str, axes or ())) for axes in pair]
    told = _TOLD[word].format(*(legible(str(side), 300) for side in pair))
    return f"{told}; give another name with -o"


def _note(summary: Summary) -> str:
    """A summary as JSON; what no row had is null."""
    ends = [
        [x if math.isfinite(x) else None for x in side.tolist()]
        for side in (summary.low, summary.high)
    ]
    return json.dumps(
        {
            "unit": summary.unit,
            "counts": summary.counts.tolist(),
            "low": ends[0],
            "high": ends[1],
            "alone": summary.alone,
            "problems": list(summary.problems),
        }
    )


def _read(note: str) -> Summary | None:
    try:
        told = json.loads(note)
        summary = Summary.of(str(told["unit"]), len(told["low"]))
        for side, none in ((summary.low, math.inf), (summary.high, -math.inf)):
            word = "low" if none > 0 else "high"
            side[:] = [none if x is None else x for x in told[word]]
        summary.counts[:] = told["counts"]
        summary.alone = int(told["alone"])
        summary.problems = dict.fromkeys(map(str, told["problems"]))
    except (ValueError, KeyError, TypeError):
        return None
    return summary if len(told["counts"]) == len(STATUSES) else None
