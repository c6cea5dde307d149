"""What is odd about training runs, one by one and side by side."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from optimizer.fitting.tables.table import Note

FEWEST_PARAMETERS = 100.0
FEWEST_TOKENS = 1e5
RATIOS = (1e-3, 1e6)  # tokens per parameter that any run may have had
NEARLY = 1.6  # the factor by which an accounting of compute may differ from 6·N·D
APART = 1.02  # losses of one size and tokens that are more than seeds apart
FEW = 6  # kinds of loss that a column may tell apart
ALIKE = 3  # notes of one kind that are told as one
SPANS = 8  # ranges of lines that are listed
# What notes of one kind differ in; a digit in a name, as in mi300x, is no number.
_NUMBERS = re.compile(r'"[^"]*"|(?<![\w.-])[-+]?[0-9][0-9.,]*(?:e[-+]?[0-9]+)?')
ROUNDING = 1e-6  # relative difference of sizes that digits explain
SIDES = ("parameters", "tokens")
RISE = 1e-3  # the relative rise of a loss that is more than noise


def implausible(row: Mapping[str, float], sized: bool) -> str | None:
    """What makes a run look as if a number were in another unit."""
    N, D = row["parameters"], row["tokens"]
    if FEWEST_TOKENS > D:
        return f"{D:g} tokens: in thousands, millions or billions? Write e.g. {D:g}B"
    if sized and FEWEST_PARAMETERS > N:
        return f"{N:g} parameters: in millions or billions? Write e.g. {N:g}B"
    if sized and not RATIOS[0] <= D / N <= RATIOS[1]:
        return f"{D / N:.3g} tokens per parameter: mixed units?"
    return None


def same_sizes(found: Sequence[dict[str, float]]) -> None:
    """Makes sizes one that a quotient of compute and tokens has told apart."""
    first = 0.0
    for row in sorted(found, key=lambda row: row["parameters"]):
        if row["parameters"] > first * (1 + ROUNDING):
            first = row["parameters"]
        row["parameters"] = first


def once(found: list[dict[str, float]], notes: list[Note]) -> list[dict[str, float]]:
    """The runs without exact copies; the same run with another loss is a repeat."""
    kept: list[dict[str, float]] = []
    seen: dict[tuple[object, ...], int] = {}
    pairs: dict[tuple[float, ...], int] = {}
    for row in found:
        line = int(row["line"])
        same = tuple(
            "none" if value != value else value  # noqa: PLR0124 - NaN is no equal
            for word, value in row.items()
            if word not in ("line", "at")
        )
        pair = (row["parameters"], row["tokens"], *_apart(row))
        if same in seen:
            notes.append(Note(line, f"the same run as line {seen[same]}", "left out"))
            continue
        if pair in pairs:
            message = f"parameters and tokens of line {pairs[pair]}, another loss"
            notes.append(Note(line, message, "kept, as a repeat"))
        seen[same] = line
        pairs.setdefault(pair, line)
        kept.append(row)
    return kept


def rising(found: Sequence[Mapping[str, float]]) -> Iterator[Note]:
    """Runs whose loss lies above that of the same size on fewer tokens."""
    sizes: dict[tuple[float, ...], list[Mapping[str, float]]] = defaultdict(list)
    for row in found:
        sizes[row["parameters"], *_apart(row)].append(row)
    for same in sizes.values():
        best: Mapping[str, float] | None = None
        for row in sorted(same, key=lambda r: r["tokens"]):
            more = best is not None and row["tokens"] > best["tokens"]
            if best and more and row["loss"] > best["loss"] * (1 + RISE):
                message = (
                    f"loss {row['loss']:.6g} is above the {best['loss']:.6g} of line "
                    f"{best['line']:.0f}, the same size on fewer tokens"
                )
                yield Note(int(row["line"]), message, "kept")
            if best is None or row["loss"] < best["loss"]:
                best = row


def scaled(notes: Sequence[Note], count: int) -> Iterator[Note]:
    """Where the compute of all runs is off by a power of a thousand: its unit."""
    off = [
        float(match[1])
        for note in notes
        if (match := re.match(r"compute is (\S+) times", note.message))
    ]
    if len(off) < max(ALIKE, 0.9 * count):
        return
    middle = sorted(off)[len(off) // 2]
    for unit, size in (("GFLOP", 1e9), ("TFLOP", 1e12), ("PFLOP", 1e15)):
        if 1 / NEARLY <= middle * size <= NEARLY:
            message = f"compute is {size:.0e} too small in all rows, as if in {unit}"
            yield Note(0, message, f"not used; add --unit compute={unit}")


def unlike(
    found: Sequence[Mapping[str, float]], cells: Sequence[Mapping[str, object]]
) -> Iterator[Note]:
    """Runs of one size on the same tokens whose losses are far apart.

    Either the table mixes two kinds of loss, which a column may tell apart, or it is a
    sweep of something else, of which the best run counts.
    """
    pairs: dict[tuple[float, ...], list[Mapping[str, float]]] = defaultdict(list)
    for row in found:
        pair = (row["parameters"], row["tokens"], *_apart(row))
        pairs[pair].append(row)
    several = [rows for rows in pairs.values() if len(rows) > 1]
    if 2 * len(several) < len(pairs) or not several:
        return
    ratios = [max(r["loss"] for r in s) / min(r["loss"] for r in s) for s in several]
    middle = sorted(ratios)[len(ratios) // 2]
    if middle < APART:
        return
    most = max(map(len, several))
    says = (
        f"{len(several)} of {len(pairs)} sizes and tokens have up to {most} runs, with "
        f"losses a factor {min(ratios):.3g} to {max(ratios):.3g} apart"
    )
    lines = [[cells[int(row["at"])] for row in rows] for rows in several]
    for column in cells[0]:
        told = [[str(row.get(column)) for row in rows] for rows in lines]
        names = {name for rows in told for name in rows}
        apart = all(len(set(rows)) == len(rows) for rows in told)
        if apart and 1 < len(names) <= FEW and not any(map(_numeric, names)):
            kinds = sorted(names)
            message = f'{says}; the column "{column}" tells them apart'
            done = (
                f'kept; kinds of loss? --exclude "{column} = {kinds[0]}", or a law for '
                f'each: --by "{column}"'
            )
            yield Note(0, f"{message} ({', '.join(kinds)})", done)
            return
    done = "kept; a sweep? --best keeps the least loss of each"
    yield Note(0, says, done)


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def least(
    found: list[dict[str, float]], notes: list[Note], near: float = 1.0
) -> list[dict[str, float]]:
    """Of the runs of one size on the same tokens the one with the least loss.

    Args:
        found: the runs.
        notes: to which what was done is added.
        near: the factor within which sizes, and tokens, count as one.
    """
    sizes, data = (_clusters([r[w] for r in found], near) for w in SIDES)
    kept: dict[tuple[float, ...], dict[str, float]] = {}
    for row in found:
        pair = (sizes[row["parameters"]], data[row["tokens"]], *_apart(row))
        if pair not in kept or row["loss"] < kept[pair]["loss"]:
            kept[pair] = row
    if len(kept) < len(found):
        message = f"{len(found)} runs of {len(kept)} sizes and tokens"
        within = ", those within a tenth as one" if near > 1 else ""
        notes.append(Note(0, message, f"the least loss of each kept{within}"))
    return list(kept.values())


def _clusters(values: Sequence[float], near: float) -> dict[float, float]:
    """Each value, and the first of those within a factor of it."""
    found: dict[float, float] = {}
    first = 0.0
    for value in sorted(set(values)):
        if value > first * near:
            first = value
        found[value] = first
    return found


def summed(notes: Sequence[Note], what: str = "runs") -> list[Note]:
    """Notes of one kind on many runs, or what they are, as one with all their lines."""
    kinds: dict[tuple[str, str], list[Note]] = defaultdict(list)
    for note in notes:
        kinds[_NUMBERS.sub("#", note.message), note.done].append(note)
    found = []
    for alike in kinds.values():
        first = min(alike, key=lambda note: note.line)
        if len(alike) < ALIKE:
            found += alike
            continue
        lines = spans(sorted({note.line for note in alike}))
        message = f"{first.message}; so {len(alike)} {what}: {lines}"
        if len({note.message for note in alike}) > 1:
            message = (
                f"{first.message}, on line {first.line}; the same with numbers of "
                f"their own is true of {len(alike)} {what}: {lines}"
            )
        found.append(Note(first.line, message, first.done))
    return sorted(found, key=lambda note: note.line)


def together(reasons: Iterable[tuple[int, str]]) -> Iterator[tuple[str, str]]:
    """Each reason once, with the lines in words of which it was told."""
    lines: dict[str, list[int]] = defaultdict(list)
    for line, because in reasons:
        lines[because].append(line)
    for because, own in lines.items():
        yield because, spans(sorted(own))


def spans(lines: Sequence[int]) -> str:
    """Lines in words: lines 4, 7 and 47 to 91."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    told = [str(a) if a == b else f"{a} to {b}" for a, b in ranges]
    if len(told) > SPANS:
        told = [*told[:SPANS], f"{len(told) - SPANS} more places"]
    listed = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    return f"line{'' if len(lines) == 1 else 's'} {listed}"


_STOPPED = ("crashed", "failed", "killed", "diverged", "running", "nan", "oom")


def stopped(
    found: Sequence[Mapping[str, float]], cells: Sequence[Mapping[str, object]]
) -> Iterator[Note]:
    """Runs that a column says did not end well."""
    for column in cells[0] if cells else {}:
        if column.lower() not in ("state", "status"):
            continue
        told = [(row, str(cells[int(row["at"])].get(column)).lower()) for row in found]
        for state in sorted({name for _, name in told} & set(_STOPPED)):
            lines = [int(row["line"]) for row, name in told if name == state]
            message = f"{len(lines)} runs are {state}: {spans(sorted(lines))}"
            said = next(
                str(cells[int(row["at"])].get(column)) for row, n in told if n == state
            )
            yield Note(0, message, f'kept; --exclude "{column} = {said}"')


SAMPLES = "samples"  # the column of how many answers a task was given


def _apart(row: Mapping[str, float]) -> tuple[float, ...]:
    """What tells runs of one size on as many tokens apart."""
    return row.get("unique_tokens", 0.0), row.get(SAMPLES, 1.0), row.get("part", 0.0)


def sampled(
    found: Sequence[dict[str, float]],
    cells: Sequence[Mapping[str, object]],
    columns: Sequence[str],
    notes: list[Note],
) -> list[dict[str, float]]:
    """The runs with the samples of each; those without a number of them left out."""
    column = next((name for name in columns if name.strip().lower() == SAMPLES), None)
    if column is None:
        return list(found)
    kept = []
    for row in found:
        text = str(cells[int(row["at"])].get(column, "")).strip()
        number = float(text) if _numeric(text) else math.nan
        if not 1 <= number < math.inf:
            message = f'samples must be a number of at least 1, got "{text}"'
            notes.append(Note(int(row["line"]), message, "left out"))
            continue
        kept.append({**row, SAMPLES: number})
    return kept


def parted(
    found: Sequence[dict[str, float]],
    cells: Sequence[Mapping[str, object]],
    column: str,
    notes: list[Note],
) -> tuple[list[dict[str, float]], tuple[str, ...]]:
    """The runs with the number of their group, and the names of the groups.

    Args:
        found: the runs.
        cells: of all rows of the table.
        column: whose values are the groups.
        notes: to which runs without a group are added.
    """
    kept = []
    for row in found:
        value = cells[int(row["at"])].get(column)
        name = "" if value is None else str(value).strip()
        if not name:
            message = f'"{column}" is empty, so that it belongs to no law'
            notes.append(Note(int(row["line"]), message, "left out"))
            continue
        kept.append((name, row))
    names = tuple(dict.fromkeys(name for name, _ in kept))
    return [{**row, "part": float(names.index(name))} for name, row in kept], names
