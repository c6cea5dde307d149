"""A fitted law as a page and as data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from optimizer.analysis.law.judgement import Judged
from optimizer.analysis.plan.wording import amount, either, off, percent
from optimizer.fitting.fitlaw import r_squared
from optimizer.fitting.oddities import spans, summed
from optimizer.fitting.tables.table import Note
from optimizer.reading.loss_words import NATS
from optimizer.reading.quantity import significant
from optimizer.report.formats.blocks import (
    Block,
    Column,
    Heading,
    Table,
    Text,
    facts,
    named,
)
from optimizer.report.formats.data import plain
from optimizer.report.pages.form_test import form_test_blocks

LISTED = 30  # notes on runs that a page has room for
FAR_OFF = 6.0  # of the scatter
BEST = 5  # candidates that a page has room for
FORMULAS = {
    "chinchilla": "L = {E} + {A}·N^-{alpha} + {B}·D^-{beta}",
    "coupled": "L = {E} + ({A}·N^-{alpha} + {B}·D^-{beta})^{k}",
    "samples": "L = {E} + {A}·N^-{alpha} + {B}·D^-{beta} + {G}·k^-{gamma}",
    "kaplan": "L = (({Nc}/N)^({alpha_N}/{alpha_D}) + {Dc}/D)^{alpha_D}",
    "hestness": "L = {E} + {B}·D^-{beta}",
}


def fit_blocks(judged: Judged) -> list[Block]:
    """The page of a fit."""
    return list(_page(judged))


def _page(judged: Judged) -> Iterator[Block]:
    yield Heading(judged.law.name, 1)
    yield Text(_lead(judged), lead=True)
    yield from _coefficients(judged)
    yield from _trust(judged)
    yield from form_test_blocks(judged.form_tests)
    yield from note_blocks(judged.fit.runs.notes, judged.fit.runs.excluded)
    yield from _residuals(judged)
    yield from _counted(judged)
    yield from _next(judged)
    yield from _versus(judged)


def _lead(judged: Judged) -> str:
    fit = judged.fit
    numbers = {s: significant(v, 4) for s, v in fit.coefficients.items()}
    formula = FORMULAS[fit.settings.choice.law].format(**numbers)
    unit = fit.runs.loss_unit
    unit = "" if unit == NATS else f" in {unit}"
    unknown = [v.symbol for v in judged.verdicts if not v.identified]
    end = f", but do not identify {either(unknown, 'and')}" if unknown else ""
    return (
        f"{fit.runs.count} runs give {formula}{unit}, with a scatter of "
        f"{percent(fit.scale)}{end}."
    )


def _coefficients(judged: Judged) -> Iterator[Block]:
    fit = judged.fit
    level = f"{100 * fit.settings.level:g} %"
    profiles = {p.symbol: p for p in judged.profiles}
    yield Heading("Coefficients")
    rows = []
    for symbol, value in {**fit.coefficients, **fit.extras}.items():
        if symbol in fit.settings.choice.fixed:
            rows.append((symbol, significant(value, 5), "given", "", "", ""))
            continue
        low, high = fit.intervals[symbol]
        curve = profiles.get(symbol)
        ends = ("", "") if curve is None else (_end(curve.low), _end(curve.high))
        pair = (significant(low, 4), significant(high, 4))
        rows.append((symbol, significant(value, 5), *pair, *ends))
    head = named("value", f"{level} from", "to", "profile from", "to")
    yield Table(head, tuple(rows))
    if fit.error is not None:
        told = fit.error.coefficients
        yield Text(
            f"Downstream error = {significant(told['epsilon'], 4)} − "
            f"{significant(told['k'], 4)}·exp(−{significant(told['gamma'], 4)}·L) on "
            f"{fit.error.count} runs, to {percent(fit.error.scatter)}"
        )


def _end(value: float | None) -> str:
    return "open" if value is None else significant(value, 4)


def _trust(judged: Judged) -> Iterator[Block]:
    fit = judged.fit
    yield Heading("How far to trust it")
    for one in judged.against:
        yield Text(one.text, label="against it")
    if judged.wider > 1:
        yield Text(
            f"intervals and draws {significant(judged.wider, 2)} times as wide as the "
            "resamples have them, so that they hold the runs held out",
            label="widened",
        )
    for verdict in judged.verdicts:
        yield Text(verdict.text, label="known" if verdict.identified else "not known")
    errors = fit.errors_withheld
    if fit.errors is not None:
        errors = ", ".join(f"{s} ±{significant(e, 2)}" for s, e in fit.errors.items())
    rows = [
        ("objective", f"{fit.value:.6g} (Huber, delta {fit.settings.delta:g} on ln L)"),
        ("gradient", f"{fit.stationarity:.1e} of its scale"),
        ("starts", _starts(judged)),
        ("R²", f"{r_squared(fit):.5f}"),
        ("inside delta", f"{fit.inside} of {fit.runs.count} residuals"),
        ("draws", _draws(judged)),
        ("covariance", fit.covariance_withheld or "matches the draws"),
        ("standard errors", errors if fit.errors else f"withheld: {errors}"),
        ("hold-out", _hold_out(judged)),
    ]
    yield facts([row for row in rows if row[1]])


def _starts(judged: Judged) -> str:
    fit = judged.fit
    other = f"; {fit.others} other minima are worse" if fit.others else ""
    if fit.alike:
        pairs = [
            f"R_D_star {significant(one['R_D_star'], 4)} with R_N_star "
            f"{significant(one['R_N_star'], 4)} (objective {off(-one['better'])})"
            for one in fit.alike
        ]
        told = f"; the runs do not tell it from {either(pairs, 'or')}"
        return f"{fit.reached} of {fit.starts} ended at this minimum{told}"
    return f"{fit.reached} of {fit.starts} ended at this minimum{other}"


def _draws(judged: Judged) -> str:
    settings = judged.fit.settings
    stopped = judged.fit.unstationary
    end = f"; {stopped} stopped early" if stopped else ", all stationary"
    return f"{settings.draws} resamples of {settings.resample}{end}"


def _hold_out(judged: Judged) -> str:
    held = judged.hold_out
    if held is None:
        return ""
    count = len(held.lines)
    if held.failed or held.median_error is None or held.worst_error is None:
        return f"the {count} largest runs cannot be predicted: {held.failed}"
    return (
        f"the {count} largest runs, from {amount(held.beyond, 'FLOP')}, predicted from "
        f"the others: off by {off(held.median_error)} in the median, "
        f"{off(held.worst_error)} at worst; {held.inside} inside their "
        "95 % interval"
    )


def note_blocks(
    odd: tuple[Note, ...], excluded: tuple[tuple[str, tuple[int, ...]], ...]
) -> Iterator[Block]:
    """The section of what was odd about runs, and of those left out by a rule."""
    notes = summed(odd)
    if not notes and not excluded:
        return
    yield Heading("Runs")
    for rule, lines in excluded:
        told = f"{len(lines)} runs: {spans(lines)}" if lines else "none"
        yield Text(f"left out {told}", label=rule)
    for note in notes[:LISTED]:
        yield Text(
            f"{note.message}: {note.done}",
            label=f"line {note.line}" if note.line else "the runs",
        )
    if len(notes) > LISTED:
        yield Text(f"{len(notes) - LISTED} more; --format json lists them all")


def _residuals(judged: Judged) -> Iterator[Block]:
    yield Heading("Residuals")
    columns = named("from", "to", "runs", "median")
    units = {"parameters": "parameters", "tokens": "tokens"}
    rows = []
    for trend in judged.trends:
        unit = units.get(trend.axis)
        ends = [
            significant(v) if unit is None else amount(v, unit)
            for v in (trend.low, trend.high)
        ]
        mark = " (notable)" if trend.notable else ""
        axis = trend.axis.replace("_", " ")
        median = off(trend.median) + mark
        rows.append((axis, *ends, str(trend.count), median))
    yield Table(columns, tuple(rows))
    scale = max(judged.fit.scale, judged.fit.settings.delta)
    wild = [r for r in judged.residuals if abs(r.residual) > FAR_OFF * scale]
    if wild:
        told = [f"line {r.line} by {off(math.expm1(r.residual))}" for r in wild]
        more = f" and {len(told) - LISTED} more" if len(told) > LISTED else ""
        yield Text(
            f"{', '.join(told[:LISTED])}{more}: kept; the fit hardly heeds them",
            label="far off the law",
        )
    if judged.iso_flops:
        yield Heading("Runs of one compute")
        columns = named("runs", "best size", "by the law")
        yield Table(
            columns,
            tuple(
                (
                    amount(iso.compute, "FLOP"),
                    str(len(iso.lines)),
                    "none inside"
                    if iso.optimum is None
                    else amount(iso.optimum, "parameters"),
                    amount(iso.law, "parameters"),
                )
                for iso in judged.iso_flops
            ),
        )


def _counted(judged: Judged) -> Iterator[Block]:
    known = [way for way in judged.counted if way.parameters is not None]
    if len(known) < 2:
        return
    yield Heading("What N counts")
    rows = [
        (
            f"{way.what}{' (this law)' if way.own else ''}",
            amount(way.parameters or 0.0, "parameters"),
            significant(way.tokens_per_parameter or 0.0),
            *(significant(e) for e in way.exponents or ()),
        )
        for way in known
    ]
    yield Table(named("best N", "D/N", "alpha", "beta"), tuple(rows))
    ratios = [way.tokens_per_parameter or 0.0 for way in known]
    yield Text(
        f"Compute-optimal at {amount(judged.compared_at, 'FLOP')}, 6·N·D by each "
        f"count: the plan has {significant(ratios[0])} tokens per parameter, and "
        f"{either([significant(r) for r in ratios[1:]], 'and')} where N counts "
        "otherwise"
    )


def _next(judged: Judged) -> Iterator[Block]:
    ahead = judged.next_runs
    if ahead is not None and ahead.refused:
        yield Heading("Next runs")
        yield Text(f"No plan and no ranking of runs: {ahead.refused}.")
        return
    if ahead is None or not ahead.candidates or ahead.parameters is None:
        return
    yield Heading("Next runs")
    low, high = (amount(end, ahead.unit) for end in ahead.interval)
    failed = f"; {ahead.failed} draws have no plan" if ahead.failed else ""
    yield Text(
        f"{ahead.plan} has {amount(ahead.parameters, ahead.unit)} {ahead.unit}, 95 % "
        f"interval {low} to {high}{failed}. One more run would cut the standard "
        "deviation of its logarithm to:"
    )
    columns = named("tokens", "compute", "uncertainty left")
    rows = [
        (
            amount(run.parameters, "parameters"),
            amount(run.tokens, "tokens"),
            amount(run.compute, "FLOP"),
            percent(run.left),
        )
        for run in ahead.candidates[:BEST]
    ]
    yield Table((Column("parameters", "left"), *columns[1:]), tuple(rows))


def _versus(judged: Judged) -> Iterator[Block]:
    if not judged.versus:
        return
    yield Heading("Beside the published laws, on these runs")
    columns = named("offset", "scatter", "best N", "D/N")
    rows = [
        (
            row.name,
            off(row.offset),
            percent(row.scatter),
            amount(row.parameters, "parameters"),
            significant(row.tokens_per_parameter),
        )
        for row in judged.versus
    ]
    yield Table(columns, tuple(rows), apart=True)
    yield Text(
        f"Best N and its D/N are compute-optimal at "
        f"{amount(judged.compared_at, 'FLOP')}. Losses of other data and tokenizers "
        "differ by an offset, which says nothing about a law; the scatter that is left "
        "without it does."
    )


def fit_data(judged: Judged) -> dict[str, Any]:
    """A fit as plain data: the law as its file has it, and all that was found."""
    fit = judged.fit
    data: dict[str, Any] = plain(
        {
            "law": judged.law,
            "runs": {
                "file": fit.runs.file,
                "sha256": fit.runs.sha256,
                "rows": fit.runs.read,
                "used": fit.runs.count,
                "excluded": dict(fit.runs.excluded),
                "notes": fit.runs.notes,
                "loss_unit": fit.runs.loss_unit,
            },
            "against": judged.against,
            "widened": judged.wider,
            "verdicts": judged.verdicts,
            "counted": judged.counted,
            "residuals": judged.residuals,
            "trends": judged.trends,
            "profiles": judged.profiles,
            "hold_out": judged.hold_out,
            "form_tests": [
                {**plain(test), "best": test.best} for test in judged.form_tests
            ],
            "iso_flops": judged.iso_flops,
            "errors_withheld": fit.errors_withheld or None,
            "covariance_withheld": fit.covariance_withheld or None,
            "unstationary_draws": fit.unstationary,
            "at_bound": fit.at_bound,
            "alike": fit.alike,
            "next_runs": judged.next_runs,
            "versus": judged.versus,
        }
    )
    return data
