"""What is odd about training runs, one by one and side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

FEWEST_PARAMETERS = 100.0
FEWEST_TOKENS = 1e5
RATIOS = (1e-3, 1e6)  # tokens per parameter that any run may have had
RISE = 1e-3  # the relative rise of a loss that is more than noise


@dataclass(frozen=True)
class Note:
    """Something odd about a run: where, what, and what was done.

    Attributes:
        line: in the file; 0 where it concerns all of it.
        message: what was found.
        done: `left out`, `kept`, or what else was done.
    """

    line: int
    message: str
    done: str


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


def once(found: list[dict[str, float]], notes: list[Note]) -> list[dict[str, float]]:
    """The runs without exact copies; the same run with another loss is a repeat."""
    kept: list[dict[str, float]] = []
    seen: dict[tuple[float, ...], int] = {}
    pairs: dict[tuple[float, ...], int] = {}
    for row in found:
        line = int(row["line"])
        same = tuple(value for word, value in row.items() if word != "line")
        pair = (row["parameters"], row["tokens"], row.get("unique_tokens", 0.0))
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
    sizes: dict[tuple[float, float], list[Mapping[str, float]]] = defaultdict(list)
    for row in found:
        sizes[row["parameters"], row.get("unique_tokens", 0.0)].append(row)
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
