"""Measured points of serving: what was served, where, how loaded, and how fast.

A row that cannot be used is kept with the reason, so that whoever answers it answers
in the order of the file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.point_columns import taken
from optimizer.fitting.tables.read import read_table
from optimizer.fitting.tables.table import Table, failed
from optimizer.reading.document import suggest
from optimizer.records import dataclass, field, replace
from optimizer.world.hardware import Hardware, hardware_names, load_hardware
from optimizer.world.serving.formats import CACHE, WEIGHTS, spelled
from optimizer.world.serving.served import Served, by_name, served
from optimizer.world.serving.step import Place

TEXTS = ("model", "accelerator", "weights", "kv", "engine")
NUMBERS = (
    *("parameters_total", "parameters_active", "accelerators", "input_tokens"),
    *("output_tokens", "concurrency", "measured_output_tokens_per_s_per_accelerator"),
    *("measured_tpot_ms", "measured_ttft_ms"),
)
COLUMNS = (*TEXTS, *NUMBERS)
NEEDED = ("accelerator", "input_tokens", "output_tokens")
MILLI = 1e-3
FAR = 1e18  # no size, time or rate is further from one, up or down
LONG = 200  # letters of a cell that are told
MOST = 20_000  # points; calibration takes half a millisecond for each
_CHIPS = {
    **{"h100": "h100-sxm", "h200": "h200-sxm", "a100": "a100-80-sxm"},
    **{"h800": "h800-sxm", "a100-sxm": "a100-80-sxm", "a100-pcie": "a100-80-pcie"},
    **{"b200-sxm": "b200", "b300-sxm": "b300", "rtx-pro-6000": "rtx-pro-6000"},
    **{"h20-sxm": "h20", "gb200-nvl72": "gb200", "gb300-nvl72": "gb300"},
    **{"h100-80gb-hbm3": "h100-sxm", "h100-hbm3": "h100-sxm"},
    **{"tpu-v5-lite": "tpu-v5e", "tpu-v6": "tpu-v6e", "trillium": "tpu-v6e"},
    **{"a100-40gb": "a100-40-sxm", "a100-sxm4-40gb": "a100-40-sxm"},
    **{"a100-sxm4": "a100-80-sxm", "h100-sxm5": "h100-sxm", "h200-sxm5": "h200-sxm"},
    **{"trn2": "trainium-2", "trn3": "trainium-3"},
}
_ABSENT = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–"})
_SIZES = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        line: where it stands.
        model: what was served; None where the row is refused.
        place: where; None where the row is refused.
        engine: that served it; may be empty.
        prompt: tokens of a prompt.
        output: tokens of an answer.
        batch: sequences at once; None at the most that goes.
        per_token: measured time per output token [s], or None.
        rate: measured output tokens a second and accelerator, or None.
        first: measured time to the first token [s], or None.
        refused: why it cannot be used; empty where it can.
        notes: what was assumed.
    """

    line: int
    model: Served | None = None
    place: Place | None = None
    engine: str = ""
    prompt: float = math.nan
    output: float = math.nan
    batch: float | None = None
    per_token: float | None = None
    rate: float | None = None
    first: float | None = None
    refused: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Points:
    """Measurements, in the order of their file.

    Attributes:
        file: its name.
        sha256: of its bytes.
        rows: every row, the refused ones included.
    """

    file: str
    sha256: str
    rows: tuple[Point, ...] = field(repr=False)

    @property
    def usable(self) -> tuple[Point, ...]:
        """Those that are not refused."""
        return tuple(row for row in self.rows if not row.refused)


def read_points(path: str, given: Mapping[str, str] | None = None) -> Points:
    """Reads a table of measurements.

    Args:
        path: CSV, JSON lines or Parquet, with columns of `COLUMNS`.
        given: values of columns that the file does not have.

    Raises:
        InputError: it is no table, or a column that is needed is missing.
    """
    table = read_table(path)
    return points_of(table, given or {})


def points_of(table: Table, given: Mapping[str, str]) -> Points:
    """The measurements of a table.

    Raises:
        InputError: a column that is needed is missing, or there are too many rows.
    """
    if len(table.rows) > MOST:
        raise failed(table.file, too_many(len(table.rows)))
    called = taken(table.columns)
    there = {*table.columns, *called.values(), *given}
    missing = [word for word in NEEDED if word not in there]
    if not there & {"model", "parameters_total"}:
        missing.append("model")
    problems = []
    for word in missing:
        said = f'has no column "{word}"{suggest(word, table.columns)}'
        cure = f"; its columns: {', '.join(table.columns)}"
        problems.append(Problem(Mark(table.file, 1, 1), "", said + cure))
    if problems:
        raise InputError(problems)
    rows = []
    for line, cells in table.rows:
        ours = {called.get(name, name): value for name, value in cells.items()}
        rows.append(_point(line, {**given, **ours}))
    notes = tuple(
        f'column "{name}" is taken for {word}' for name, word in called.items()
    )
    noted = (replace(row, notes=(*row.notes, *notes)) for row in rows)
    return Points(table.file, table.sha256, tuple(noted))


def too_many(count: int) -> str:
    """What is told of more points than are read."""
    return (
        f"has {count:,} points, of which {MOST:,} may be read; keep one, such as the "
        "median, of those that were measured alike"
    )


def chip_named(name: str) -> Hardware:
    """An accelerator as benchmarks write it.

    Raises:
        ValueError: the library has none of that name.
    """
    text = re.sub(r"[\s_]+", "-", name.strip().lower())
    text = re.sub(r"^(nvidia|amd|google|aws)-(instinct-)?", "", text)
    known = hardware_names()
    names = {key.replace("-", ""): key for key in known}
    names |= {key.replace("-", ""): chip for key, chip in _CHIPS.items()}
    words = text.split("-")
    for most in range(len(words), 0, -1):  # without what follows, as in h100-sxm-80gb
        if (key := names.get("".join(words[:most]))) is not None:
            return load_hardware(key)
    raise ValueError(
        f'accelerator "{name}" is not in the library{suggest(text, known)}; name one '
        "that is nearest to it (overtrain hardware lists them)"
    )


def _point(line: int, cells: Mapping[str, object]) -> Point:
    try:
        return _read(line, cells)
    except ValueError as error:
        return Point(line, refused=str(error))
    except InputError as error:
        return Point(line, refused=str(error.problems[0].message))


def _read(line: int, cells: Mapping[str, object]) -> Point:
    texts = {word: _cut(cells.get(word) or "").strip() for word in TEXTS}
    texts = {k: "" if v.lower() in _ABSENT else v for k, v in texts.items()}
    numbers = {word: _number(word, cells.get(word)) for word in NUMBERS}
    prompt, output = numbers["input_tokens"], numbers["output_tokens"]
    if prompt is None or output is None:
        raise ValueError("input_tokens and output_tokens are needed")
    notes: list[str] = []
    model = _model(texts["model"], numbers)
    notes += model.assumed
    chip = chip_named(texts["accelerator"])
    weights, kv = spelled(texts["weights"] or "bf16"), spelled(texts["kv"] or "bf16")
    for word, value, known in (("weights", weights, WEIGHTS), ("kv", kv, CACHE)):
        if value not in known:
            allowed = ", ".join(known)
            raise ValueError(f'{word} "{value}" is not one of {allowed}')
        if not texts[word]:
            notes.append(f"{word} is not given; taken as bf16")
    count = numbers["accelerators"] or 1.0
    if not count.is_integer():
        raise ValueError(f"accelerators must be a whole number, got {count:g}")
    rate = numbers["measured_output_tokens_per_s_per_accelerator"]
    per_token, first = numbers["measured_tpot_ms"], numbers["measured_ttft_ms"]
    return Point(
        line=line,
        model=model,
        place=Place(chip, count, weights, kv),
        engine=texts["engine"].lower().replace("tensorrt-llm", "trtllm"),
        prompt=prompt,
        output=output,
        batch=numbers["concurrency"],
        per_token=None if per_token is None else per_token * MILLI,
        rate=rate,
        first=None if first is None else first * MILLI,
        notes=tuple(notes),
    )


def _model(name: str, numbers: Mapping[str, float | None]) -> Served:
    total, active = numbers["parameters_total"], numbers["parameters_active"]
    if total is None:
        known = by_name(name)
        if known is None:
            raise ValueError(f'model "{name}" is not known; add parameters_total')
        return known
    if active is not None and active > total:
        raise ValueError("parameters_active are more than parameters_total")
    return served(name or "the model", total, active)


def _number(word: str, cell: object) -> float | None:
    text = "" if cell is None else str(cell).strip().lower().replace(",", "")
    if text in _ABSENT:
        return None
    factor = _SIZES.get(text[-1], 1.0)
    try:
        value = float(text[:-1] if factor > 1 else text) * factor
    except ValueError:
        raise ValueError(f'{word} must be a number, got "{_cut(cell)}"') from None
    if math.isnan(value):
        return None
    if not value > 0.0:
        raise ValueError(f"{word} must be above 0, got {_cut(cell)}")
    if not 1.0 / FAR <= value <= FAR:
        asked = f"must be between {1.0 / FAR:g} and {FAR:g}"
        raise ValueError(f"{word} {asked}, got {_cut(cell)}")
    return value


def _cut(cell: object) -> str:
    text = str(cell)
    return text if len(text) <= LONG else f"{text[:LONG]}…"
