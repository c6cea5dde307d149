"""Constants of serving as the text of their file, which reads back the same."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from optimizer.report.formats.blocks import printable
from optimizer.world.serving.constants import MICRO, Library, Measured

WIDTH = 88


def serving_text(
    library: Library, ranges: Sequence[str] = (), head: Sequence[str] = ()
) -> str:
    """Writes a file of constants.

    Args:
        library: the constants.
        ranges: what the points of each entry reach.
        head: lines of a comment above it.
    """
    lines = [f"# {printable(line)}".rstrip() for line in head]
    lines += _folded("source", library.source)
    lines += [f"date: {json.dumps(library.date)}", "constants:"]
    spans = list(ranges) or [""] * len(library.entries)
    for entry, span in zip(library.entries, spans, strict=True):
        lines += _entry(entry, span)
    return "\n".join(lines) + "\n"


def _entry(entry: Measured, span: str) -> Iterator[str]:
    words = {
        "kind": entry.kind,
        "accelerator": entry.accelerator,
        "precision": entry.precision,
        "engine": entry.engine,
    }
    named = ", ".join(f"{word}: {value}" for word, value in words.items() if value)
    first, *rest = named.split(", ")
    yield f"  - {first}"
    yield from (f"    {line}" for line in rest)
    c = entry.constants
    yield f"    layer: {_micro(c.layer)}"
    yield f"    routed: {_micro(c.routed)}"
    for word in ("memory", "arithmetic", "link"):
        yield f"    {word}: {getattr(c, word):.4g}"
    yield f"    sequence: {_micro(c.sequence)}"
    for word in ("prefill", "prefill_link", "interleaved"):
        yield f"    {word}: {getattr(c, word):.4g}"
    yield f"    points: {entry.points}"
    told = f"median: {entry.error:.3f}, p90: {entry.error_90:.3f}"
    told += f", throughput: {entry.throughput_error:.3f}"
    if entry.held_out is not None:
        told += f", held_out: {entry.held_out:.3f}"
    yield f"    errors: {{{told}}}"
    if span:
        yield from (f"    {line}" for line in _folded("range", span))


def _micro(seconds: float) -> str:
    return f"{seconds / MICRO:.4g} us"


def _folded(word: str, text: str) -> list[str]:
    """A word and a text, over lines where it is long."""
    plain = json.dumps(printable(text), ensure_ascii=False)
    line = f"{word}: {plain}"
    if len(line) <= WIDTH - 4:
        return [line]
    inner = textwrap.wrap(printable(text), WIDTH - 8, break_long_words=False)
    return [f"{word}: >-", *(f"  {part}" for part in inner)]
