"""Serving predicted beside measured, and constants that were fitted, as pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optimizer.analysis.plan.wording import percent, share
from optimizer.analysis.serving.beside import Beside, Errors, both, rows
from optimizer.analysis.serving.calibrated import Calibrated
from optimizer.analysis.serving.replica_choice import (
    NEARLY,
    ReplicaChoice,
    replica_choice,
)
from optimizer.fitting.oddities import summed, together
from optimizer.fitting.tables.table import Note
from optimizer.report.formats.blocks import (
    Block,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.formats.data import plain
from optimizer.world.serving.constants import MICRO, Library

KINDS = ("dense", "mixture")
MOST = 20  # points or sentences that a page shows
MILLI = 1e-3
NONE = "–"  # a cell without a number


def serving_data(found: Sequence[Beside], library: Library) -> dict[str, Any]:
    """Every point in its order, and how far predictions are off, by kind."""
    return {
        "constants": {"source": library.source, "date": library.date},
        "points": [_point(one) for one in found],
        "summary": {
            kind: _summary([x for x in found if x.kind == kind]) for kind in KINDS
        },
    }


def _point(one: Beside) -> dict[str, Any]:
    head: dict[str, Any] = {"line": one.point.line}
    if one.answer is None:
        return {
            **head,
            "predicted_tpot_ms": None,
            "predicted_output_tokens_per_s_per_accelerator": None,
            "refused": one.refused,
            "notes": list(one.notes),
        }
    told = one.answer
    return {
        **head,
        "kind": one.kind,
        "predicted_tpot_ms": told.per_token / MILLI,
        "predicted_output_tokens_per_s_per_accelerator": told.rate,
        "predicted_ttft_ms": told.first / MILLI,
        "sequences_in_flight": told.batch,
        "measured_tpot_ms": _milli(one.point.per_token),
        "measured_output_tokens_per_s_per_accelerator": one.point.rate,
        "constants": "" if one.constants is None else one.constants.named,
        "refused": None,
        "notes": list(one.notes),
    }


def _milli(value: float | None) -> float | None:
    return None if value is None else value / MILLI


def _summary(found: Sequence[Beside]) -> dict[str, Any]:
    tpot, throughput = both(found)
    by: dict[str, dict[str, Any]] = {}
    for row in rows(found):
        inner = {"tpot": plain(row.tpot), "throughput": plain(row.throughput)}
        by.setdefault(row.by, {})[row.value] = inner
    return {
        "points": len(found),
        "refused": sum(one.answer is None for one in found),
        "tpot": plain(tpot),
        "throughput": plain(throughput),
        "best_replica": plain(replica_choice(found)),
        "by": by,
    }


def serving_blocks(found: Sequence[Beside], library: Library, file: str) -> list[Block]:
    """The page of measured points beside predicted ones."""
    return [
        Heading(f"Serving predicted and measured: {file}", 1),
        *_body(found, library),
    ]


def _body(found: Sequence[Beside], library: Library) -> Iterator[Block]:
    told = [one for one in found if one.answer is not None]
    refused = [one for one in found if one.answer is None]
    sentences = []
    for kind in KINDS:
        tpot, rate = both([x for x in told if x.kind == kind])
        if tpot.points or rate.points:
            words = "dense models" if kind == "dense" else "mixtures"
            figures = (("the time per token", tpot), ("tokens a second", rate))
            told_ = " and ".join(
                f"{what} by {percent(errors.median)}"
                for what, errors in figures
                if errors.median is not None
            )
            sentences.append(f"{words} are off in the median, {told_}")
    lead = f"{len(told)} of {len(found)} points predicted"
    yield Text(f"{'; '.join([lead, *sentences])}.", lead=True)
    for kind in KINDS:
        own = [x for x in told if x.kind == kind]
        if own:
            yield Heading("Dense models" if kind == "dense" else "Mixtures of experts")
            yield _table(own)
            if (chosen := replica_choice(own)).settings:
                yield Text(_chosen(chosen))
    if refused:
        yield Heading("Refused")
        reasons = together((x.point.line, x.refused) for x in refused)
        yield from _first([Text(reason, label=lines) for reason, lines in reasons])
    said = [Note(x.point.line, note, "") for x in told for note in x.notes]
    # What is said of a few points alike stands once.
    notes = dict.fromkeys(note.message for note in summed(said, "points"))
    if notes:
        yield Heading("Assumed")
        yield from _first([*map(Text, notes)])
    yield Text(f"Constants of {library.date}: {library.source}")


def _first(told: Sequence[Text]) -> Iterator[Text]:
    """The first of some sentences, and how many more there are."""
    yield from told[:MOST]
    if len(told) > MOST:
        yield Text(f"And {len(told) - MOST} more; --format json has them all.")


def _chosen(found: ReplicaChoice) -> str:
    """Whether the replica that measured best is named, in a sentence."""
    best, near = (percent(x / found.settings) for x in (found.best, found.nearly))
    return (
        f"In {best} of {found.settings} settings with replicas of several sizes and a "
        f"limit on the time per token, the size that measured best is named, in {near} "
        f"one within {percent(1 - NEARLY)} of its tokens a second; what is named gives "
        f"{percent(found.lost)} less in the mean."
    )


def _named_best(found: ReplicaChoice) -> float | None:
    return found.best / found.settings if found.settings else None


def _table(own: Sequence[Beside]) -> Table:
    titles = ("points", "median", "90th percentile", "within 15 %", "tokens/s, median")
    tpot, rate = both(own)
    lines = [("all", *_cells(tpot, rate))]
    for row in rows(own):
        if not (row.tpot.points or row.throughput.points):
            continue
        lines.append((f"{row.by} {row.value}", *_cells(row.tpot, row.throughput)))
    return Table(named(*titles), tuple(lines))


def _cells(tpot: Errors, rate: Errors) -> tuple[str, ...]:
    count = max(tpot.points, rate.points)
    return (str(count), *_shares(tpot.median, tpot.p90, tpot.within_15, rate.median))


def _shares(*values: float | None) -> Iterator[str]:
    return (NONE if value is None else share(value) for value in values)


def calibrated_data(found: Calibrated) -> Mapping[str, Any]:
    """Constants with their errors, as plain data."""
    entries = [
        {**plain(entry), "range": span}
        for entry, span in zip(found.library.entries, found.ranges, strict=True)
    ]
    return {
        "source": found.library.source,
        "date": found.library.date,
        "constants": entries,
        "held_out": plain(found.held_out),
        "unknown": plain(found.unknown),
        "told": plain(found.told),
    }


def calibrated_blocks(found: Calibrated) -> list[Block]:
    """The page of a calibration."""
    return [Heading("Constants of serving", 1), *_calibrated(found)]


def _calibrated(found: Calibrated) -> Iterator[Block]:
    entries = found.library.entries
    points = sum(e.points for e in entries if not e.accelerator and not e.engine)
    yield Text(f"{len(entries)} sets of constants from {points} points.", lead=True)
    titles = (
        *("µs a layer", "µs an expert", "bandwidth", "arithmetic", "link"),
        *("µs a sequence", "prefill", "prefill link", "points", "median error"),
    )
    lines = []
    for e in entries:
        c = e.constants
        times = (c.layer / MICRO, c.routed / MICRO, c.sequence / MICRO)
        first, second, third = (f"{value:.1f}" for value in times)
        if e.kind == "dense":
            second = NONE
        shares = (c.memory, c.arithmetic, c.link)
        lines.append(
            (
                e.named,
                first,
                second,
                *(f"{x:.2f}" for x in shares),
                third,
                f"{c.prefill:.2f}",
                f"{c.prefill_link:.2f}",
                str(e.points),
                share(e.error),
            )
        )
    yield Table(named(*titles), tuple(lines), apart=True)
    if found.held_out:
        yield Heading("Each left out in turn, and predicted from the others")
        yield Table(
            named(
                *("points", "median", "90th percentile"),
                *("tokens/s, median", "best replica"),
            ),
            tuple(
                (
                    f"{one.kind}, {one.groups} {one.by}s",
                    str(one.tpot.points),
                    *_shares(one.tpot.median, one.tpot.p90, one.throughput.median),
                    *_shares(_named_best(one.replica)),
                )
                for one in found.held_out
            ),
        )
    for kind, words in found.unknown.items():
        if words:
            yield Text(
                f"The {kind} points hardly tell {', '.join(words)}: these stay near "
                "where they started. Points with other batches, lengths or replica "
                "sizes would tell them.",
                label="unknown",
            )
    yield from _first([Text(sentence, label="points") for sentence in found.told])
