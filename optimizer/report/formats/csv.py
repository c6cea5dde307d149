"""CSV: one row a plan, for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.analysis.plan.answer import Answer
from optimizer.report.formats.data import plan

if TYPE_CHECKING:
    from optimizer.analysis.plan.snap import Snap

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


SNAP = ("snap_name", "snap_parameters", "snap_tokens", "snap_fraction")
AUDIT: tuple[tuple[str, ...], ...] = (
    *((word,) for word in ("name", "law", "parameters", "tokens", "loss", "w")),
    *(("implied_demand", side) for side in ("tokens", "low", "high")),
    *((word,) for word in ("overhead", "k_N", "k_D", "overtraining")),
    *(("critical", word) for word in ("floor", "size")),
    *(("training_optimal", word) for word in ("parameters", "tokens")),
    ("demand",),
    *(("lifetime", word) for word in ("unit", "total")),
    *(("lifetime_optimal", word) for word in ("parameters", "tokens")),
    ("lifetime_overhead",),
    ("note",),
)


def write(answers: Sequence[Answer], snaps: Sequence[Snap | None] = ()) -> str:
    """CSV text: a row of column names, then a row a plan.

    Args:
        answers: the plans.
        snaps: the rounding of each to sizes that exist; none adds no columns.
    """
    near = [
        f"near_optimal_{percent}_{word}"
        for percent in (1, 5)
        for word in ("parameters_low", "parameters_high")
    ]
    head = ["_".join(path) for path in COLUMNS]
    head += [*near, "warnings", "infeasibility_reason"]
    rows: list[list[object]] = []
    for index, answer in enumerate(answers):
        data = plan(answer)
        sizes = [size for n in data["near_optimal"] for size in n["parameters"]]
        row = [_at(data, path) for path in COLUMNS]
        row += sizes or [None] * len(near)
        row.append(" ".join(warning["code"] for warning in data["warnings"]))
        row.append(_at(data, ("infeasibility", "reason")))
        if any(snaps):
            row += _snapped(snaps[index])
        rows.append(row)
    return _page([*head, *(SNAP if any(snaps) else ())], rows)


def _snapped(snapped: Snap | None) -> list[object]:
    best = None if snapped is None else snapped.best
    if best is None:
        return [None] * len(SNAP)
    return [best.name, best.parameters, best.tokens, best.fraction]


def audits(data: Sequence[Mapping[str, Any]]) -> str:
    """CSV text of audits, from their JSON: a row a model and law."""
    head = ["_".join(path) for path in AUDIT]
    return _page(head, [[_at(row, path) for path in AUDIT] for row in data])


def _page(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    page = io.StringIO(newline="")
    # With this terminator every cell that has a line break in it is quoted.
    sheet = csv.writer(page, lineterminator="\r\n")
    sheet.writerow(head)
    sheet.writerows([cell(value) for value in row] for row in rows)
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
