"""From the cells of a row to the numbers of a run, or why it cannot be used."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from optimizer.fitting.losses import LossUnit
from optimizer.fitting.tables.cells import LOGS, cleaned, evaluated, sized, with_point
from optimizer.fitting.tables.table import Note
from optimizer.reading.quantity import (
    COMPUTE,
    NUMBER,
    PARAMETERS,
    TOKENS,
    Kind,
    read,
    shown,
)
from optimizer.records import dataclass, replace

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
    "tokens_per_parameter": NUMBER,
    "width": NUMBER,
    "vocabulary": NUMBER,
}
UNUSED = "kept; its own compute for runs of one compute only"
COMPUTE_OFF = 2.0  # the factor by which 6·N·D may miss a stated compute
OPTIONAL = ("compute", "error", "width", "vocabulary")


@dataclass(frozen=True)
class Reader:
    """How cells become numbers.

    Attributes:
        named: our word → the column, or a sum of products of columns.
        units: our word → the unit of plain numbers.
        thousands: our word → the mark between thousands in its column.
        loss: the unit of the losses.
    """

    named: Mapping[str, str]
    units: Mapping[str, str]
    thousands: Mapping[str, str]
    loss: LossUnit


def row_of(
    line: int, cells: Mapping[str, object], reader: Reader, notes: list[Note]
) -> dict[str, float] | None:
    """The numbers of a row, or None where it cannot be used; says why."""
    row: dict[str, float] = {"line": line}
    wrong = []
    for word, column in reader.named.items():
        value = evaluated(column, cells)
        if isinstance(value, str):
            value = value.strip()
        empty = value in (None, "", "-", "—") or value != value  # noqa: PLR0124 - NaN
        if empty and word in OPTIONAL:
            row[word] = math.nan
            continue
        pointed = value
        if word in ("loss", "error", "weight"):
            pointed = with_point(value)
        else:
            value = pointed = cleaned(value, reader.thousands.get(word, ""))
        if word == "loss" and pointed != value:
            notes.append(Note(line, "the loss has a decimal comma", "read as a point"))
        try:
            row[word] = _number(word, None if empty else pointed, reader)
        except ValueError as error:
            wrong.append(f"{word} {error}")
    if not wrong:
        wrong += _completed(row, notes)
    if wrong:
        notes.append(Note(line, "; ".join(wrong), "left out"))
        return None
    return row


def _number(word: str, value: object, reader: Reader) -> float:
    if value is None:
        raise ValueError("is missing")
    text = str(value).lower().lstrip("+-")
    if text in ("inf", "infinity", "nan"):
        raise ValueError(f"must be finite, got {shown(value)}")
    unit = reader.units.get(word, "")
    number = _sized(word, value, unit)
    if number is None:
        number = read(value, KINDS[word])
    if number < 0 or (number == 0 and word not in ("error", "weight")):
        raise ValueError(f"must be above 0, got {shown(value)}")
    if word == "error" and number > 1:
        raise ValueError(f"must be a fraction of at most 1, got {shown(value)}")
    return reader.loss.read(number) if word == "loss" else number


def _sized(word: str, value: object, unit: str) -> float | None:
    """A bare number in its unit, or the size that a name tells; None for all else."""
    try:
        bare = float(str(value))
    except ValueError:
        if word in ("parameters", "tokens") and isinstance(value, str):
            plain = re.fullmatch(r"[0-9.,_]+\s*[a-zA-Z]*", value)
            return None if plain else sized(word, value)
        return None
    if word == "loss" or not unit:
        return None
    if unit in LOGS:
        # Beyond this no number of the field lies, and powers overflow.
        return float(LOGS[unit] ** min(bare, 200.0))
    if re.fullmatch(r"1e[0-9]+", unit):
        return bare * float(unit)
    return read(f"{value} {unit}", KINDS[word])


def _completed(row: dict[str, float], notes: list[Note]) -> Iterator[str]:
    """Fills in the one of N, D and C = 6·N·D that the table leaves out."""
    compute = row.pop("compute", math.nan)
    ratio = row.pop("tokens_per_parameter", math.nan)
    if not math.isnan(ratio):
        if "parameters" in row and "tokens" not in row:
            row["tokens"] = ratio * row["parameters"]
        elif "tokens" in row and "parameters" not in row:
            row["parameters"] = row["tokens"] / ratio
        elif "tokens" not in row and not math.isnan(compute):
            row["parameters"] = math.sqrt(compute / 6 / ratio)
            row["tokens"] = ratio * row["parameters"]
    given = {"parameters", "tokens"} & set(row)
    if len(given) == 2:
        off = compute / (6 * row["parameters"] * row["tokens"])
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
    row["stated"] = compute
