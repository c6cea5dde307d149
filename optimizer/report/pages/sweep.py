"""The summary of a sweep: how many rows of each status, and how far they reach."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from optimizer.analysis.plan.doubts import Warning
from optimizer.analysis.plan.ranges import reaching
from optimizer.analysis.plan.rounded import fractions
from optimizer.analysis.plan.warn import scenario_warnings
from optimizer.analysis.plan.wording import (
    KINDS,
    amount,
    either,
    extra,
    figure,
    ratio,
    saved,
)
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES, Rows, Summary
from optimizer.analysis.sweep.swept import Sweep
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
from optimizer.report.pages.sensitivities import input_value
from optimizer.world.law import Law

SHOWN = {
    "parameters": "parameters",
    "tokens": "tokens",
    "tokens_per_parameter": "tokens per parameter",
    "overtraining_factor": "overtraining factor",
    "cost_total": "lifetime cost",
    "saving": "saving",
    "samples": "samples a request",
    "own_cost": "your plan's lifetime cost",
    "own_extra": "your plan over the best",
    "student_parameters": "student",
    "student_tokens": "student's tokens",
    "student_cost": "student's lifetime cost",
    "student_ratio": "student over the plan",
}
ROW = {
    "parameters": "size",
    "tokens": "tokens",
    "overtraining_factor": "factor",
    "cost_total": "lifetime",
    "saving": "saved",
}
SIZE = ".parameters"  # after the name of a model of a portfolio
RANGED = ("parameters", "tokens", "tokens_per_parameter")
FEW = 30  # rows that are shown one by one
SAID_ONCE = ("FLOP",)  # units that a column has in its title


Few = Sequence[tuple[tuple[str, ...], Rows]]  # rows, with the words they share
ByWords = Mapping[tuple[str, ...], Summary]  # of the rows that share some words


def sweep_blocks(
    asked: Sweep, by_words: ByWords, written: str, few: Few = ()
) -> list[Block]:
    """The page of a sweep.

    Args:
        asked: what was varied.
        by_words: summaries of its rows.
        written: the name of the file, or nothing.
        few: rows to show one by one.
    """
    return [Heading(asked.name, 1), *_body(asked, by_words, written, few)]


def _body(asked: Sweep, by_words: ByWords, written: str, few: Few) -> Iterator[Block]:
    summary = Summary.of(asked.unit, len(asked.results))
    for part in by_words.values():
        summary.join(part)
    done, count = summary.done, asked.count
    parts = [
        f"{number:,} {word}"
        for word, number in zip(STATUSES, summary.counts.tolist(), strict=True)
        if number
    ]
    rows = f"{done:,} rows" if done == count else f"{done:,} of {count:,} rows"
    where = f" in {written}" if written else ""
    yield Text(f"{rows}{where}: {', '.join(parts) or 'none'}.", lead=True)
    varied = ", ".join([*asked.words, *asked.inputs])
    yield Text(f"Varied: {varied}.")
    if summary.alone:
        yield Text(f"{summary.alone:,} rows were answered by cvxpy.")
    amounts = {fractions(part.plan.scenario) for part in asked.parts}
    yield from (Text(f"{each}.") for each in sorted(amounts) if each)
    for problem in summary.problems:
        yield Text(problem, label="invalid")
    yield from told(tuple(_warnings(asked, by_words)))
    if few:
        yield Heading("Rows")
        yield _rows(asked, list(_each(few)))
        yield from _beside(asked, list(_each(few)))
    elif not written and count > FEW:
        yield Text(f"Rows are shown up to {FEW}; -o rows.csv writes all of them.")
    if summary.counts[0]:
        yield Heading("Optimal rows")
        yield Table(named("lowest", "highest"), tuple(_ranges(asked, summary)))
        names = list(asked.results)
        proof = [
            f"{word} ≤ {significant(summary.high[names.index(word)], 2)}"
            for word in _PROOF
        ]
        yield Text(f"Every one is certified: {', '.join(proof)}.")
    yield from _notes(asked, summary)


def _notes(asked: Sweep, summary: Summary) -> Iterator[Text]:
    """What stands beside the plans, and what is proven of it."""
    high = dict(zip(asked.results, summary.high.tolist(), strict=True))
    if high.get("own_breaks", 0.0) > 0:
        yield Text("* Your plan breaks a limit there, or misses the target.")
    if high.get("student_gap", -math.inf) > -math.inf:
        gap = significant(high["student_gap"], 2)
        yield Text(
            "The student is the cheapest of all teachers in the list; no size is "
            f"cheaper by more than {gap} in ln."
        )


def _warnings(asked: Sweep, by_words: ByWords) -> Iterator[Warning]:
    """How far the rows reach, and what the scenario is told before it is solved."""
    by_law: dict[str, tuple[Law, Summary]] = {}
    for part in asked.parts:
        law, found = part.plan.scenario.law, by_words.get(part.words)
        if found is not None and found.counts[0]:
            width = len(asked.results)
            start = (law, Summary.of(asked.unit, width))
            joined = by_law.setdefault(law.name, start)[1]
            joined.join(found)
    reached = {name: tuple(_reached(*pair)) for name, pair in by_law.items()}
    if len(reached) == 1:
        yield from next(iter(reached.values()))
    elif beyond := [name for name, warnings in reached.items() if warnings]:
        yield Warning(
            "outside-range",
            f"rows of {either(beyond, 'and')} lie outside the runs that their law was "
            "fitted to: solve one with --set law=NAME to see how far",
        )
    yield from beforehand(asked)


def beforehand(asked: Sweep) -> Iterator[Warning]:
    """What the scenarios of a sweep are told before they are solved, once each."""
    of_scenarios = (
        warning
        for part in asked.parts
        for warning in scenario_warnings(part.plan.scenario)
    )
    yield from {(one.code, one.message): one for one in of_scenarios}.values()


def _reached(law: Law, summary: Summary) -> Iterator[Warning]:
    low, high = (_sizes(ends.tolist()) for ends in (summary.low, summary.high))
    yield from reaching(law, low, high, "rows")


def _sizes(results: Sequence[float]) -> dict[str, float]:
    return {
        word: x for word, x in zip(RESULTS, results, strict=False) if word in RANGED
    }


_Row = tuple[tuple[str, ...], list[float], str, list[float]]


def _each(few: Few) -> Iterator[_Row]:
    """The words, what varies, the status, and what is found, row by row."""
    for words, part in few:
        statuses = [STATUSES[i] for i in part.status.tolist()]
        rows = zip(part.inputs.tolist(), statuses, part.results.tolist(), strict=True)
        yield from ((words, *row) for row in rows)


def _rows(asked: Sweep, rows: Sequence[_Row]) -> Table:
    """One by one; with the status only where some have no plan."""
    odd = any(status != STATUSES[0] for _, _, status, _ in rows)
    unit = asked.unit if asked.unit in SAID_ONCE else ""
    models = [name.removesuffix(SIZE) for name in asked.results if SIZE in name]
    found = [*ROW.values()] if asked.parts else [*models, ROW["cost_total"]]
    titles = [f"{t} {unit}".strip() if t == ROW["cost_total"] else t for t in found]
    columns = (
        *(Column(name, "left") for name in asked.words),
        *(Column(title) for title in (*asked.inputs, *titles)),
        *([Column("", "left")] if odd else []),
    )
    cells = _cells if asked.parts else _joint
    table = []
    for row in rows:
        words, inputs, status, results = row
        varied = [*words, *_varied(asked, inputs)]
        told = [GAP] * len(found)
        if status == STATUSES[0]:
            told = cells(asked, dict(zip(asked.results, results, strict=True)))
            status = GAP
        table.append((*varied, *told, *([status] if odd else [])))
    return Table(columns, tuple(table))


def _beside(asked: Sweep, rows: Sequence[_Row]) -> Iterator[Block]:
    """The user's own plan and the cheapest student of a teacher, row by row."""
    own, student = "own_cost" in asked.results, "student_cost" in asked.results
    if not own and not student:
        return
    titles = ["your plan", "over the best"] if own else []
    titles += ["student", "its cost", "over the plan"] if student else []
    columns = (
        *(Column(name, "left") for name in asked.words),
        *(Column(title) for title in (*asked.inputs, *titles)),
    )
    table = []
    for words, inputs, _, results in rows:
        found = dict(zip(asked.results, results, strict=True))
        cells = [*(_own(asked, found) if own else ())]
        cells += _student(asked, found) if student else ()
        table.append((*words, *_varied(asked, inputs), *cells))
    yield Heading("Beside each plan")
    yield Table(columns, tuple(table))


def _own(asked: Sweep, found: Mapping[str, float]) -> tuple[str, str]:
    """What the user's own plan costs, and that over the best; * where it fails."""
    if math.isnan(found["own_cost"]):
        return GAP, GAP
    dearer = found["own_extra"]
    fails = "*" if found["own_breaks"] > 0 else ""
    cost = figure(found["own_cost"], asked.unit)
    return f"{cost}{fails}", GAP if math.isnan(dearer) else extra(dearer)


def _student(asked: Sweep, found: Mapping[str, float]) -> tuple[str, str, str]:
    """The cheapest student, what it costs, and that over the plan without a teacher."""
    if math.isnan(found["student_cost"]):
        return GAP, GAP, GAP
    size = figure(found["student_parameters"], "parameters")
    ratio = found["student_ratio"]
    return (
        f"{size} on {figure(found['student_tokens'], 'tokens')}",
        figure(found["student_cost"], asked.unit),
        GAP if math.isnan(ratio) else significant(ratio),
    )


def _varied(asked: Sweep, inputs: Sequence[float]) -> Iterator[str]:
    for number, value in zip(asked.numbers, inputs, strict=True):
        known = number.unit in KINDS
        yield (amount(value, number.unit) if known else input_value(number.name, value))


def _cells(asked: Sweep, found: Mapping[str, float]) -> list[str]:
    """A row of one model."""
    return [
        figure(found["parameters"], "parameters"),
        figure(found["tokens"], "tokens"),
        ratio(found["overtraining_factor"]),
        _cost(asked, found),
        saved(found["saving"]),
    ]


def _joint(asked: Sweep, found: Mapping[str, float]) -> list[str]:
    """A row of a portfolio: each model's size and tokens, and what all cost."""
    models = (
        f"{figure(found[name], 'parameters')} on "
        f"{figure(found[name.replace(SIZE, '.tokens')], 'tokens')}"
        for name in found
        if SIZE in name
    )
    return [*models, _cost(asked, found)]


def _cost(asked: Sweep, found: Mapping[str, float]) -> str:
    text = figure(found["cost_total"], asked.unit)
    return text.removesuffix(f" {asked.unit}") if asked.unit in SAID_ONCE else text


_PROOF = ("stationarity", "violation", "gap")


def _ranges(asked: Sweep, summary: Summary) -> Iterator[tuple[str, ...]]:
    for index, name in enumerate(asked.results):
        model, _, word = name.rpartition(".")
        ends = (summary.low[index], summary.high[index])
        if word in SHOWN and ends[0] <= ends[1]:
            cells = [_written(float(x), word, summary.unit) for x in ends]
            yield (" ".join(filter(None, (model, SHOWN[word]))), *cells)


def _written(value: float, word: str, unit: str) -> str:
    if word == "own_extra":
        return extra(value)
    if word == "saving":
        return saved(value)
    word = word.removeprefix("student_")
    if word in ("cost_total", "cost", "own_cost"):
        return figure(value, unit)
    return figure(value, word) if word in KINDS else ratio(value)
