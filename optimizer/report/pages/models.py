"""What models are made of, as blocks and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.analysis.plan.wording import percent
from optimizer.errors import InputError
from optimizer.reading.quantity import BYTES, significant, write
from optimizer.report.formats.blocks import Block, Column, Heading, Table, Text, facts
from optimizer.world.architecture.record import FOOTINGS, Record

CONTEXTS = (4096, 32768, 131072)  # for which a cache is told


def record_data(record: Record) -> dict[str, Any]:
    """A model as JSON tells it, by its own name."""
    return model_data(record.name, record, CONTEXTS)


def record_blocks(record: Record) -> list[Block]:
    """A page about one model."""
    return models_blocks([record], CONTEXTS)


def model_data(
    name: str, found: Record | InputError, contexts: Sequence[int]
) -> dict[str, Any]:
    """A model as JSON tells it, or why there is none."""
    if isinstance(found, InputError):
        return {"name": name, "refused": "; ".join(map(str, found.problems))}
    return {
        "name": name,
        "family": found.family,
        "total": found.total,
        "active": {footing: found.active(footing) for footing in FOOTINGS},
        "layers": [
            {"kind": kind, "count": count} for kind, count in found.kinds.items()
        ],
        "cache": [
            {"context": context, "bytes": found.cache(context)} for context in contexts
        ],
        "state_bytes": found.state,
        "attention_flops": [
            {"context": context, "flops": found.attention(context)}
            for context in contexts
        ],
        "prediction": found.prediction,
        "understood": understood(found),
    }


def understood(record: Record) -> list[str]:
    """What was read and taken for granted, in sentences."""
    layers = ", ".join(f"{count} {kind}" for kind, count in record.kinds.items())
    told = [
        f"read as {record.family}: {len(record.layers)} layers ({layers}), "
        f"{record.width} wide"
    ]
    if record.heads:
        told.append(f"{record.heads} query heads, {_kept(record)}")
    if record.mixture:
        experts, chosen = record.experts
        told.append(f"{experts} routed experts, of which a token passes {chosen}")
    told.append(
        "one matrix reads tokens in and answers out"
        if record.tied
        else "tokens are read in and answers out by two matrices"
    )
    return [*told, *record.notes]


def _kept(record: Record) -> str:
    if not record.value_width:
        return f"{record.key_width} numbers kept a token for all of them"
    widths = f"{record.key_width} wide"
    if record.value_width != record.key_width:
        widths = f"keys {record.key_width} and values {record.value_width} wide"
    return f"{record.kv_heads} key and value heads, {widths}"


def models_blocks(records: Sequence[Record], contexts: Sequence[int]) -> list[Block]:
    """A page about each model."""
    blocks: list[Block] = []
    columns = (
        Column("context", "left"),
        Column("cache of a sequence, bf16"),
        Column("attention over other FLOPs"),
    )
    for record in records:
        blocks += [Heading(record.name, 1), facts(_facts(record))]
        other = 2 * record.active("without_input_embedding")
        rows = tuple(
            (
                f"{context:,} tokens",
                write(record.cache(context), BYTES),
                _share(record.attention(context) / other),
            )
            for context in contexts
        )
        blocks.append(Table(columns, rows, apart=True))
        blocks += [Text(f"{sentence}.") for sentence in understood(record)]
    return blocks


def _facts(record: Record) -> list[tuple[str, str]]:
    def told(value: float) -> str:
        return f"{significant(value / 1e9, 5)}B"

    rows = [("parameters", told(record.total))]
    if record.mixture:
        rows.append(("a token passes", told(record.active())))
    rows += [
        (
            "without the input embedding",
            told(record.active("without_input_embedding")),
        ),
        ("without embeddings", told(record.active("without_embeddings"))),
    ]
    if record.prediction:
        rows.append(("multi-token prediction, apart", told(record.prediction)))
    if record.state:
        rows.append(("state of a sequence", write(record.state, BYTES)))
    return rows


def _share(ratio: float) -> str:
    """A part of something, as a factor where it is more than all of it."""
    return percent(ratio) if ratio < 1 else f"{significant(ratio)} ×"
