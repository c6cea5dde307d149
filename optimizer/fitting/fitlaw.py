"""The law of a fit, with everything that a reader of its file should know."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.fit import Fit
from optimizer.fitting.objective import Array
from optimizer.records import dataclass
from optimizer.world.law import (
    SYMBOLS,
    Check,
    Counts,
    Covariance,
    ErrorLaw,
    Law,
    out_of_bounds,
)
from optimizer.world.ranges import Range

DIGITS = 9  # of a draw: ln A and alpha are tied by a correlation of 0.999


@dataclass(frozen=True)
class About:
    """What the user says about the law.

    Attributes:
        name: of the law.
        command: what was typed.
        tool: this tool and its version.
        counts: what N counts.
        data: the training data.
        tokenizer: the tokenizer.
        loss_unit: the unit of the losses.
    """

    name: str
    command: str = ""
    tool: str = "overtrain"
    counts: Counts = "total"
    data: str | None = None
    tokenizer: str | None = None
    loss_unit: str = "nats per token"


def law_of(fit: Fit, about: About, caveats: Sequence[str] = ()) -> Law:
    """The law of a fit, as its file will have it.

    Raises:
        InputError: a coefficient came out beyond what a law file may say.
    """
    form = fit.settings.choice.law
    for symbol, value in fit.coefficients.items():
        if wrong := out_of_bounds(form, symbol, value):
            message = f"the fit gives {symbol} = {value:g}, which {wrong}"
            raise InputError([Problem(Mark(fit.runs.file), "", message)])
    draws, moved = _drawn(fit)
    said = [*caveats]
    if moved:
        said.append(
            f"{len(moved)} draws beyond what a law file may say stand as the fit "
            "itself."
        )
    runs = fit.runs
    sized = form != "hestness"
    covariance = fit.covariance
    return Law(
        name=about.name,
        form=form,
        coefficients=dict(fit.coefficients),
        counts=about.counts,
        source=_source(fit, about),
        loss_unit=about.loss_unit,
        data=about.data,
        tokenizer=about.tokenizer,
        range=Range(
            parameters=_span(runs.parameters) if sized else None,
            tokens=_span(runs.tokens),
            tokens_per_parameter=(
                _span(runs.tokens / runs.parameters) if sized else None
            ),
            loss=_span(runs.loss),
        ),
        covariance=(
            None
            if covariance is None
            else Covariance(covariance[0], tuple(map(tuple, covariance[1].tolist())))
        ),
        draws={symbol: draws[symbol] for symbol in SYMBOLS[form]},
        extra_draws={symbol: draws[symbol] for symbol in fit.extras} or None,
        check=(_check(fit),) if sized else (),
        caveats=tuple(said),
        extras=dict(fit.extras),
        error=_error(fit, moved),
        fit=_how(fit, about),
    )


def _source(fit: Fit, about: About) -> str:
    told = f"fitted by {about.tool} to {Path(fit.runs.file).name}"
    return f"{told}, {fit.runs.by} = {fit.name}" if fit.name else told


def _drawn(fit: Fit) -> tuple[dict[str, tuple[float, ...]], list[int]]:
    """The draws, rounded, and those that a law file could not hold as they are."""
    form = fit.settings.choice.law
    moved: set[int] = set()
    found = {}
    for symbol in SYMBOLS[form]:
        values = fit.draws[symbol]
        for row in range(len(values)):
            if out_of_bounds(form, symbol, float(values[row])):
                moved.add(row)
        found[symbol] = values
    every = {**found, **fit.extra_draws}
    middle = {**fit.coefficients, **fit.extras}
    return _rounded(every, middle, sorted(moved)), sorted(moved)


def _rounded(
    draws: Mapping[str, Array], middle: Mapping[str, float], moved: Sequence[int]
) -> dict[str, tuple[float, ...]]:
    """A draw is moved to the fit as a whole: its coefficients belong together."""
    told = {}
    for symbol, values in draws.items():
        kept = values.copy()
        kept[list(moved)] = middle[symbol]
        told[symbol] = tuple(float(f"{value:.{DIGITS}g}") for value in kept)
    return told


def _span(values: Array) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _check(fit: Fit) -> Check:
    """The loss that the law gives in the middle of the runs."""
    runs = fit.runs
    size = float(f"{math.exp(np.log(runs.parameters).mean()):.3g}")
    data = float(f"{math.exp(np.log(runs.tokens).mean()):.3g}")
    law = Law("", fit.settings.choice.law, dict(fit.coefficients))
    loss = law.surface().loss(size, data)
    return Check(size, data, float(f"{loss:.10g}"), within=1e-8)


def _error(fit: Fit, moved: Sequence[int]) -> ErrorLaw | None:
    if fit.error is None:
        return None
    middle = fit.error.coefficients
    return ErrorLaw(**middle, draws=_rounded(fit.error.draws, middle, moved))


def _how(fit: Fit, about: About) -> dict[str, object]:
    settings, runs = fit.settings, fit.runs
    left_out = [note.line for note in runs.notes if note.done == "left out"]
    excluded = [line for _, lines in runs.excluded for line in lines]
    told: dict[str, object] = {
        "command": about.command,
        "tool": about.tool,
        "runs_file": Path(runs.file).name,
        "runs_sha256": runs.sha256,
        "runs": runs.count,
        "exclude": tuple(text for text, _ in runs.excluded),
        "left_out": tuple(sorted({*left_out, *excluded})),
        "tied": settings.choice.tied,
        "fixed": dict(settings.choice.fixed),
        "by": runs.by,
        "group": fit.name,
        "shared": fit.shared,
        "delta": settings.delta,
        "overestimates_count": settings.over if settings.over != 1 else "",
        "lower_envelope": runs.envelope,
        "objective": fit.value,
        "stationarity": fit.stationarity,
        "inside": float(fit.inside),
        "scatter": fit.scale,
        "r_squared": r_squared(fit),
        "starts": fit.starts,
        "reached": fit.reached,
        "resample": settings.resample,
        "seed": float(settings.seed),
        "level": settings.level,
        "intervals": {s: tuple(pair) for s, pair in fit.intervals.items()},
        "standard_errors": dict(fit.errors or {}),
    }
    return {
        key: value for key, value in told.items() if value not in ("", (), {}, False)
    }


def r_squared(fit: Fit) -> float:
    """The share of the variance of ln L that the law explains."""
    spread = np.log(fit.runs.loss)
    return float(1 - fit.residual.var() / spread.var()) if spread.var() else 0.0
