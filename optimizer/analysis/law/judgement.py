"""A fit with all that can be said about it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.analysis.law.beside_published import Versus, versus
from optimizer.analysis.law.contradictions import (
    Contradiction,
    contradictions,
    widened,
)
from optimizer.analysis.law.counted import Counted, counted
from optimizer.analysis.law.diagnostics import (
    AGAIN,
    APART,
    HELD_OUT,
    HoldOut,
    Residual,
    Trend,
    Verdict,
    hold_out,
    residuals,
    trends,
    verdicts,
)
from optimizer.analysis.law.form_test import FormTest, form_tests
from optimizer.analysis.law.iso_flops import IsoFlop, iso_flops
from optimizer.analysis.law.next_runs import AHEAD, NextRuns, next_runs
from optimizer.analysis.law.profiles import Profile, profiles
from optimizer.analysis.plan.wording import either
from optimizer.fitting.bootstrap import PAIRS
from optimizer.fitting.fit import Fit, Settings, work
from optimizer.fitting.fitlaw import About, law_of, r_squared
from optimizer.fitting.search import Progress, silent
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import significant
from optimizer.records import dataclass, replace
from optimizer.world.law import Law

FORMS_TESTED = 8  # four, by tokens per parameter and by compute


@dataclass(frozen=True)
class Asked:
    """What to say about a fit.

    Attributes:
        hold_out: the share of runs, the largest, to predict from the others.
        next_compute: of one more run [FLOP]; None: that of the largest run.
        scenario: whose plan the next runs should narrow.
        compare: whether to set it beside the built-in laws.
        vocabulary: of the runs' tokenizer, to count parameters otherwise.
        tied: whether their embedding and head are one matrix.
    """

    hold_out: float = HELD_OUT
    next_compute: float | None = None
    scenario: Scenario | None = None
    compare: bool = False
    vocabulary: float | None = None
    tied: bool = True


@dataclass(frozen=True, eq=False)
class Judged:
    """A fit, its law, and how far to trust them."""

    fit: Fit
    law: Law
    residuals: tuple[Residual, ...]
    trends: tuple[Trend, ...]
    profiles: tuple[Profile, ...]
    verdicts: tuple[Verdict, ...]
    hold_out: HoldOut | None
    form_tests: tuple[FormTest, ...]
    iso_flops: tuple[IsoFlop, ...]
    next_runs: NextRuns | None
    versus: tuple[Versus, ...]
    against: tuple[Contradiction, ...]
    wider: float
    counted: tuple[Counted, ...]
    compared_at: float


@dataclass(frozen=True)
class Given:
    """What was found of several groups at once, for the judgement of one of them.

    Attributes:
        hold_out: of the largest runs of each group.
        form_tests: over all groups.
        against: what speaks against sharing.
        profiles: of its coefficients, all groups fitted anew.
    """

    hold_out: HoldOut | None = None
    form_tests: tuple[FormTest, ...] = ()
    against: tuple[Contradiction, ...] = ()
    profiles: tuple[Profile, ...] = ()


def judging(settings: Settings) -> int:
    """How many searches a judgement takes, about."""
    again = replace(settings, starts=AGAIN[0], draws=AGAIN[1])
    return work(again) + FORMS_TESTED * 75 + len(settings.choice.free) * 100


def judge(
    found: Fit,
    about: About,
    asked: Asked,
    given: Given | None = None,
    progress: Progress = silent,
) -> Judged:
    """Judges a fit.

    Args:
        found: the fit.
        about: what the user says of the law.
        asked: what to say.
        given: what was found of its group beside others; None where it has all runs.
        progress: told how many searches were done, of `judging(settings)`.
    """
    curves = given.profiles if given else profiles(found, progress)
    largest = float(np.max(found.runs.compute))
    # What follows on a page is of laws of N and D; samples would have to be held.
    plain = found.settings.choice.law != "samples"
    if given is not None:
        tests, held = given.form_tests, given.hold_out
    else:
        tests = form_tests(found, asked.hold_out, progress) if plain else ()
        held = hold_out(found, asked.hold_out, progress) if plain else None
    against = contradictions(found, r_squared(found), held, tests)
    against = (*(given.against if given else ()), *against)
    wider = max((one.factor for one in against), default=1.0)
    found = widened(found, wider)
    told = verdicts(found, curves, tuple(one.text for one in against), wider)
    law = replace(
        law_of(found, about, _caveats(found, told, against, wider)),
        extrapolation=tuple(test.result for test in tests if test.result.forms),
    )
    ways: tuple[Counted, ...] = ()
    if plain:
        ways = counted(
            found, about.counts, AHEAD * largest, asked.vocabulary, asked.tied
        )
    planned = plain and found.settings.choice.law != "hestness"
    ahead = None
    if planned:
        compute = asked.next_compute or largest
        ahead = next_runs(found, law, compute, asked.scenario)
        if ahead.refused:
            law = replace(
                law,
                caveats=(_sentence(ahead.refused), *law.caveats),
                not_for_planning=ahead.refused,
            )
    return Judged(
        fit=found,
        law=law,
        residuals=residuals(found),
        trends=trends(found),
        profiles=curves,
        verdicts=told,
        hold_out=held,
        form_tests=tests,
        iso_flops=iso_flops(found) if plain else (),
        next_runs=ahead,
        versus=versus(found, law, AHEAD * largest) if asked.compare and planned else (),
        against=against,
        wider=wider,
        counted=ways,
        compared_at=AHEAD * largest,
    )


def _caveats(
    found: Fit,
    told: tuple[Verdict, ...],
    against: tuple[Contradiction, ...],
    wider: float,
) -> tuple[str, ...]:
    """What whoever uses the law file should hear."""
    said = []
    if against:
        reasons = "; ".join(one.text for one in against)
        said.append(f"The runs identify none of its coefficients: {reasons}.")
    else:
        said += [
            _sentence(verdict.text)
            for verdict in told
            if not verdict.identified and verdict.symbol != APART
        ]
    if wider > 1:
        said.append(
            f"Intervals and draws are {significant(wider, 2)} times as wide as the "
            "resamples have them, so that they hold the runs held out."
        )
    if found.settings.choice.law == "coupled":
        said.append(
            "E and k stand in for each other, so E is no irreducible loss; k belongs "
            "to this recipe and data. Use the law only inside its tokens per parameter."
        )
    if found.settings.choice.law == "samples":
        said.append(
            "The loss of several samples is that of a verifier that always knows the "
            "best and costs nothing; use the law only within the samples of its runs."
        )
    if found.covariance is None:
        said.append(
            f"No covariance: {found.covariance_withheld}. The draws have all that is "
            "known."
        )
    if found.unstationary:
        said.append(
            f"{found.unstationary} of {found.settings.draws} draws stopped before "
            "their minimum."
        )
    if found.error is not None and found.error.failed:
        said.append(
            f"{found.error.failed} draws of the error law have no slope and stand as "
            "the fit itself."
        )
    if found.runs.count < PAIRS * len(found.own):
        said.append(
            f"{found.runs.count} runs are fewer than three a coefficient; the "
            "intervals are likely too narrow."
        )
    return (*said, *_asked_for(found))


def _asked_for(found: Fit) -> Iterator[str]:
    """What the user chose of the fit, which whoever uses its law should hear."""
    if found.shared:
        runs = found.runs
        others = either([name for name in runs.parts if name != found.name], "and")
        symbols = either(list(found.shared), "and")
        yield (
            f"Fitted to the runs whose {runs.by} is {found.name}; its {symbols} are "
            f"those of {others} as well."
        )
    if found.settings.over != 1:
        yield (
            "Fitted to the lower side: a prediction above a measured loss counts "
            f"{found.settings.over:g} times one below."
        )
    if found.runs.envelope:
        yield (
            "Fitted to the lower envelope: of sizes and tokens within a tenth only the "
            "run of least loss counts."
        )
    if found.settings.choice.fixed:
        fixed = ", ".join(
            f"{s} = {v:g}" for s, v in found.settings.choice.fixed.items()
        )
        yield (f"Not fitted but given: {fixed}. The draws do not vary it.")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
