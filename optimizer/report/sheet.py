"""CSV: one row a plan, for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from optimizer.analysis.answer import Answer
from optimizer.report.data import plan

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # with these a cell is a formula

# The scalars of the JSON contract; `cost_lines` and their like do not fit one cell.
COLUMNS: tuple[tuple[str, ...], ...] = (
    ("scenario",),
    ("file",),
    ("status",),
    ("objective",),
    ("law", "name"),
    ("target_loss",),
    ("demand", "tokens"),
    ("demand", "counted_tokens"),
    ("demand", "effective_tokens"),
    *(
        (model, field)
        for model in ("plan", "training_optimal")
        for field in ("parameters", "tokens", "tokens_per_parameter", "loss")
    ),
    ("training_optimal", "feasible"),
    *(
        ("overtraining", field)
        for field in ("factor", "parameters_ratio", "tokens_ratio", "cost_ratio")
    ),
    *(("critical", field) for field in ("floor", "size", "training_overhead")),
    *(("cost", field) for field in ("unit", "training", "inference", "other", "total")),
    *(("amounts", unit) for unit in ("FLOP", "USD", "kWh", "kgCO2e")),
    *(("unit_cost", field) for field in ("input", "output", "total", "with_training")),
    ("training_run", "accelerator_hours"),
    ("training_run", "time"),
    ("savings", "amount"),
    ("savings", "fraction"),
    *(("certificate", field) for field in ("stationarity", "violation", "gap")),
)


def write(answers: Sequence[Answer]) -> str:
    """CSV text: a row of column names, then a row a plan."""
    near = [
        f"near_optimal_{percent}_{word}"
        for percent in (1, 5)
        for word in ("parameters_low", "parameters_high")
    ]
    page = io.StringIO(newline="")
    # With this terminator every cell that has a line break in it is quoted.
    sheet = csv.writer(page, lineterminator="\r\n")
    sheet.writerow(
        ["_".join(path) for path in COLUMNS]
        + [*near, "warnings", "infeasibility_reason"]
    )
    for answer in answers:
        data = plan(answer)
        sizes = [size for n in data["near_optimal"] for size in n["parameters"]]
        row = [_at(data, path) for path in COLUMNS]
        row += sizes or [None] * len(near)
        row.append(" ".join(warning["code"] for warning in data["warnings"]))
        row.append(_at(data, ("infeasibility", "reason")))
        sheet.writerow([cell(value) for value in row])
    return page.getvalue().replace("\r\n", "\n")


def cell(value: object) -> str:
    """A value as a spreadsheet may read it: text that is a formula gets a quote.

    *Source*: OWASP, CSV injection.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(DANGEROUS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _at(data: Mapping[str, Any], path: Sequence[str]) -> Any:
    node: Any = data
    for step in path:
        if node is None:
            return None
        node = node[step]
    return node
