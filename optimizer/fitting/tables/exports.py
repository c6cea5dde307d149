"""Curves as tools export them, and trainers' states: each row a checkpoint of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from optimizer.fitting.tables.objects import RUN
from optimizer.fitting.tables.table import Note, Read, Row

CHART = "is a chart exported by Weights & Biases"
BOARD = "is a TensorBoard export of one curve"
TRAINER = "is the trainer's state of one run"

# transformers 5.24, Trainer.floating_point_ops: 6 a token and parameter, of all
# parameters but the tables of embeddings (a head of its own stays in).
COMPUTE = Note(
    0,
    "a trainer's total_flos counts 6 FLOP a token and parameter without the embedding "
    "tables, experts that a token does not use included",
    "tokens from it are right for sizes that count the same; "
    "num_input_tokens_seen is better",
)


def unfolded(file: str, read: Read) -> Read:
    """A table as it is, or the rows of the curves that it holds.

    Args:
        file: its name, which TensorBoard gives the run and the curve.
        read: the table.
    """
    if [name.lower() for name in read.columns] == ["wall time", "step", "value"]:
        return _board(file, read)
    drawn = [name for name in read.columns if name.endswith("__MIN")]
    return _chart(read, drawn) if drawn else read


def _board(file: str, read: Read) -> Read:
    tag = re.split(r"tag[-_]", Path(file).stem)
    name = tag[-1].replace("_", "/") if len(tag) > 1 else "loss"
    if not re.search(r"loss|nll|perplexity|ppl|bpb", name, re.IGNORECASE):
        name = "loss"
    _, step, value = read.columns
    rows: list[Row] = [
        (line, {"step": row.get(step), name: row.get(value)}) for line, row in read.rows
    ]
    return Read(["step", name], rows, about=BOARD)


def _chart(read: Read, drawn: Sequence[str]) -> Read:
    """One row for each run and step; a chart's columns are `run - metric`."""
    across = next(n for n in read.columns if not n.endswith(("__MIN", "__MAX")))
    curves = {}
    for name in drawn:
        curve = name.removesuffix("__MIN")
        run, _, metric = curve.rpartition(" - ")
        curves[curve] = run or curve, metric or "loss"
    rows: list[Row] = []
    for line, cells in read.rows:
        told: dict[str, dict[str, object]] = {}
        for curve, (run, metric) in curves.items():
            value = cells.get(curve)
            if value not in (None, ""):
                row = told.setdefault(run, {RUN: run, across: cells.get(across)})
                row[metric] = value
        rows += [(line, row) for row in told.values()]
    metrics = list(dict.fromkeys(metric for _, metric in curves.values()))
    names = list(dict.fromkeys(run for run, _ in curves.values()))
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    about = f"{CHART}, curves over steps of {shown}"
    return Read([RUN, across, *metrics], rows, about=about, run=RUN)


def trainer_state(found: Mapping[str, object]) -> Read:
    """The evaluations of a trainer's state; its train_loss is a mean over the run.

    Args:
        found: the state, with its `log_history`.
    """
    history = found["log_history"]
    entries = history if isinstance(history, list) else []
    entries = [entry for entry in entries if isinstance(entry, dict)]
    tests = [e for e in entries if "eval_loss" in e]
    rows = list(_states(found, tests or entries, "eval_loss" if tests else "loss"))
    columns = list(dict.fromkeys(name for _, row in rows for name in row))
    unsure = "total_flos" in columns and "num_input_tokens_seen" not in columns
    notes = (COMPUTE,) if unsure else ()
    if tests:
        step, loss = tests[-1].get("step"), tests[-1]["eval_loss"]
        at = "" if step is None else f" at step {step}"
        about = (
            f"{TRAINER}, whose loss is its last eval_loss ({loss}{at}), not "
            "train_loss, a mean over the run"
        )
        message = "a trainer's state has eval_loss, and train_loss, a mean over the run"
        return Read(
            columns,
            rows,
            about=about,
            notes=(Note(0, message, "the last eval_loss used"), *notes),
        )
    return Read(columns, rows, about=f"{TRAINER} without an eval_loss", notes=notes)


def _states(
    found: Mapping[str, object], entries: Sequence[Mapping[str, object]], loss: str
) -> Iterator[Row]:
    flos, last = found.get("total_flos"), found.get("global_step")
    for line, entry in enumerate(entries, 1):
        if loss not in entry:
            continue
        step = entry.get("step")
        name = loss if loss == "eval_loss" else "train_loss"
        row = {name: entry[loss]} if step is None else {"step": step, name: entry[loss]}
        seen = entry.get("num_input_tokens_seen") or (
            found.get("num_input_tokens_seen") if step == last else None
        )
        if seen:
            row["num_input_tokens_seen"] = seen
        numbers = all(isinstance(v, int | float) and v for v in (flos, last, step))
        if numbers:
            row["total_flos"] = float(str(flos)) * float(str(step)) / float(str(last))
        yield line, row
