"""Laws of several groups with shared exponents as a page and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from optimizer.analysis.law.judged_groups import JudgedGroups
from optimizer.analysis.law.judgement import Judged
from optimizer.analysis.plan.wording import amount, either, off, percent
from optimizer.reading.loss_words import NATS
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import (
    Block,
    Column,
    Heading,
    Table,
    Text,
    named,
)
from optimizer.report.formats.data import plain
from optimizer.report.pages.fit import FORMULAS, fit_data, note_blocks
from optimizer.report.pages.form_test import form_test_blocks


def fit_groups_blocks(judged: JudgedGroups, name: str) -> list[Block]:
    """The page of the laws of several groups."""
    return list(_page(judged, name))


def _page(judged: JudgedGroups, name: str) -> Iterator[Block]:
    yield Heading(name, 1)
    yield Text(_lead(judged), lead=True)
    if judged.grouped.shared:
        yield Heading("What all groups share")
        yield _shared(judged)
    yield Heading(f"What each {judged.grouped.by} has of its own")
    yield _own(judged)
    yield Heading("How far to trust it")
    yield from _trust(judged)
    yield from form_test_blocks(judged.form_tests)
    yield from note_blocks(judged.grouped.runs.notes, judged.grouped.runs.excluded)
    yield from _plans(judged)


def _lead(judged: JudgedGroups) -> str:
    grouped = judged.grouped
    fit = grouped.fits[0]
    values = {
        symbol: symbol if symbol in fit.own else significant(value, 4)
        for symbol, value in fit.coefficients.items()
    }
    formula = FORMULAS[fit.settings.choice.law].format(**values)
    unit = fit.runs.loss_unit
    unit = "" if unit == NATS else f" in {unit}"
    own = either([s for s in fit.own if s != "E"] + ["E"] * ("E" in fit.own), "and")
    end = (
        ". But the groups ask for exponents of their own"
        if grouped.sharing.contradicted
        else ""
    )
    return (
        f"{grouped.runs.count} runs in {len(grouped.names)} groups by {grouped.by} "
        f"give {formula}{unit}, with {own} of each group's own{end}."
    )


def _shared(judged: JudgedGroups) -> Table:
    fit = judged.groups[0].fit
    level = f"{100 * fit.settings.level:g} %"
    head = named(
        "value", f"{level} from", "to", *(f"{n} alone" for n in judged.grouped.names)
    )
    rows = []
    for symbol in judged.grouped.shared:
        low, high = fit.intervals[symbol]
        alone = [
            significant(one.exponents[symbol], 4) if one.exponents else "not told"
            for one in judged.grouped.sharing.groups
        ]
        value = significant(fit.coefficients[symbol], 5)
        rows.append((symbol, value, significant(low, 4), significant(high, 4), *alone))
    return Table(head, tuple(rows))


def _own(judged: JudgedGroups) -> Table:
    symbols = judged.groups[0].fit.own
    columns = [Column(judged.grouped.by, "left"), Column("runs", "right")]
    columns += [Column(s, "right") for s in symbols]
    columns += [Column("E from", "right"), Column("to", "right")] * ("E" in symbols)
    columns += [Column("scatter", "right"), Column("held out", "right")]
    rows = []
    for one in judged.groups:
        fit = one.fit
        cells = [fit.name, str(fit.runs.count)]
        cells += [significant(fit.coefficients[s], 4) for s in symbols]
        if "E" in symbols:
            cells += [significant(end, 4) for end in fit.intervals["E"]]
        held = one.hold_out
        missed = None if held is None else held.median_error
        cells += [percent(fit.scale), "" if missed is None else off(missed)]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def _trust(judged: JudgedGroups) -> Iterator[Block]:
    sharing = judged.grouped.sharing
    symbols = either(list(judged.grouped.shared), "and")
    told = [one for one in sharing.groups if one.exponents]
    if not symbols:
        yield Text("the exponents are given, and none is fitted", label="sharing")
    elif len(told) < 2:
        yield Text(
            f"fewer than two groups alone tell {symbols}, so nothing says whether the "
            "groups share them",
            label="sharing",
        )
    else:
        against = "more than" if sharing.contradicted else "within"
        yield Text(
            f"with {symbols} of their own {len(told)} groups fit better by "
            f"{significant(sharing.rise, 3)} (as χ²), {against} the "
            f"{significant(sharing.limit, 3)} of chance (1 %)",
            label="sharing",
        )
    for one in sharing.groups:
        if one.refused:
            yield Text(one.refused, label=f"{one.name} alone: no law")
    for group in judged.groups:
        yield from _trust_of(group)


def _trust_of(judged: Judged) -> Iterator[Block]:
    name = judged.fit.name
    for one in judged.against:
        yield Text(one.text, label=f"against {name}")
    if judged.wider > 1:
        yield Text(
            f"intervals and draws {significant(judged.wider, 2)} times as wide as the "
            "resamples have them, so that they hold the runs held out",
            label=f"{name} widened",
        )
    for verdict in judged.verdicts:
        if not verdict.identified:
            yield Text(verdict.text, label=f"not known of {name}")
    known = [v.symbol for v in judged.verdicts if v.identified]
    if known:
        yield Text(either(known, "and"), label=f"known of {name}")


def _plans(judged: JudgedGroups) -> Iterator[Block]:
    rows = []
    refused = []
    for one in judged.groups:
        ahead = one.next_runs
        if ahead is None:
            return
        if ahead.refused:
            refused.append(Text(ahead.refused, label=f"no plan for {one.fit.name}"))
        elif ahead.parameters is not None:
            low, high = (amount(end, ahead.unit) for end in ahead.interval)
            middle = amount(ahead.parameters, ahead.unit)
            rows.append((one.fit.name, ahead.plan, middle, low, high))
    if rows or refused:
        yield Heading("Plans")
    if rows:
        columns = (
            Column(judged.grouped.by, "left"),
            Column("plan", "left"),
            *(Column(word, "right") for word in ("size", "95 % from", "to")),
        )
        yield Table(columns, tuple(rows))
    yield from refused


def fit_groups_data(judged: JudgedGroups) -> dict[str, Any]:
    """The laws as plain data: each as of one fit, and what they share."""
    grouped = judged.grouped
    fit = grouped.fits[0]
    return {
        "by": grouped.by,
        "shared": {
            symbol: {
                "value": fit.coefficients[symbol],
                "interval": list(judged.groups[0].fit.intervals[symbol]),
            }
            for symbol in grouped.shared
        },
        "sharing": {
            **plain(grouped.sharing),
            "contradicted": grouped.sharing.contradicted,
        },
        "groups": {one.fit.name: fit_data(one) for one in judged.groups},
    }
