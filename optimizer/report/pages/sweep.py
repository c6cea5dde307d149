"""The summary of a sweep: how many rows of each status, and how far they reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.ranges import reaching
from optimizer.analysis.plan.warn import scenario_warnings
from optimizer.analysis.plan.whole import fractions
from optimizer.analysis.plan.wording import KINDS, amount, percent
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, Rows, Summary
from optimizer.question.vary import Plan
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import (
    GAP,
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.pages.cautions import told

SHOWN = {
    "parameters": "parameters",
    "tokens": "tokens",
    "tokens_per_parameter": "tokens per parameter",
    "overtraining_factor": "overtraining factor",
    "cost_total": "lifetime cost",
    "saving": "saving",
    "samples": "samples a request",
}
ROW = {
    "parameters": "size",
    "tokens": "tokens",
    "overtraining_factor": "factor",
    "cost_total": "lifetime",
    "saving": "saved",
}
RANGED = ("parameters", "tokens", "tokens_per_parameter")
FEW = 30  # rows that are shown one by one
ROUNDING = 1e-12  # a saving below it is none


def sweep_blocks(
    plan: Plan, summary: Summary, written: str, few: Sequence[Rows] = ()
) -> list[Block]:
    """The page of a sweep.

    Args:
        plan: what was varied.
        summary: of its rows.
        written: the name of the file, or nothing.
        few: rows to show one by one.
    """
    return [Heading(plan.scenario.name, 1), *_body(plan, summary, written, few)]


def _body(
    plan: Plan, summary: Summary, written: str, few: Sequence[Rows]
) -> Iterator[Block]:
    done, count = summary.done, plan.count
    parts = [
        f"{number:,} {word}"
        for word, number in zip(STATUSES, summary.counts.tolist(), strict=True)
        if number
    ]
    rows = f"{done:,} rows" if done == count else f"{done:,} of {count:,} rows"
    where = f" in {written}" if written else ""
    yield Text(f"{rows}{where}: {', '.join(parts) or 'none'}.", lead=True)
    varied = ", ".join(number.name for number in plan.numbers)
    yield Text(f"Varied: {varied}.")
    if summary.alone:
        yield Text(f"{summary.alone:,} rows were answered by cvxpy.")
    if amounts := fractions(plan.scenario):
        yield Text(f"{amounts}.")
    for problem in summary.problems:
        yield Text(problem, label="invalid")
    yield from told(tuple(_warnings(plan, summary)))
    if few:
        yield Heading("Rows")
        titles = [
            *(number.name for number in plan.numbers),
            *ROW.values(),
        ]
        columns = (*(Column(title) for title in titles), Column("", "left"))
        yield Table(columns, tuple(_row(plan, row, summary.unit) for row in _each(few)))
    if summary.counts[0]:
        yield Heading("Optimal rows")
        yield Table(named("lowest", "highest"), tuple(_ranges(summary)))
        proof = [f"{word} ≤ {_most(summary, word):.1e}" for word in _PROOF]
        yield Text(f"Every one is certified: {', '.join(proof)}.")


def _warnings(plan: Plan, summary: Summary) -> Iterator[Warning]:
    """How far the rows reach, and what the scenario is told before it is solved."""
    if summary.counts[0]:
        low, high = (_sizes(ends.tolist()) for ends in (summary.low, summary.high))
        yield from reaching(plan.scenario.law, low, high, "rows")
    yield from scenario_warnings(plan.scenario)


def _sizes(results: Sequence[float]) -> dict[str, float]:
    return {word: x for word, x in zip(RESULTS, results, strict=True) if word in RANGED}


def _each(few: Sequence[Rows]) -> Iterator[tuple[list[float], str, list[float]]]:
    """What varies, the status, and what is found, row by row."""
    for part in few:
        words = [STATUSES[i] for i in part.status.tolist()]
        yield from zip(part.inputs.tolist(), words, part.results.tolist(), strict=True)


def _row(
    plan: Plan, row: tuple[list[float], str, list[float]], unit: str
) -> tuple[str, ...]:
    inputs, status, results = row
    cells = [
        amount(value, number.unit) if number.unit in KINDS else f"{value:.6g}"
        for number, value in zip(plan.numbers, inputs, strict=True)
    ]
    if status != STATUSES[0]:
        return (*cells, *[GAP] * len(ROW), status)
    found = dict(zip(RESULTS, results, strict=True))
    return (*cells, *(_written(found[word], word, unit) for word in ROW), GAP)


_PROOF = ("stationarity", "violation", "gap")


def _most(summary: Summary, word: str) -> float:
    return float(summary.high[list(RESULTS).index(word)])


def _ranges(summary: Summary) -> Iterator[tuple[str, ...]]:
    for index, word in enumerate(RESULTS):
        ends = (summary.low[index], summary.high[index])
        if word in SHOWN and ends[0] <= ends[1]:
            cells = [_written(float(x), word, summary.unit) for x in ends]
            yield (SHOWN[word], *cells)


def _written(value: float, word: str, unit: str) -> str:
    if word == "saving":
        return percent(value if abs(value) > ROUNDING else 0.0)
    if word == "cost_total":
        return amount(value, unit)
    return amount(value, word) if word in KINDS else significant(value)


def units(plan: Plan, unit: str) -> tuple[dict[str, str], dict[str, str]]:
    """The columns of a sweep with their units: what varies, and what is found."""
    found = {word: unit if of == "cost" else of for word, of in RESULTS.items()}
    return {number.name: number.unit for number in plan.numbers}, found
