"""From measurements to constants: a law of training runs, and those of serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from optimizer.analysis.law.judgement import Asked, Judged
from optimizer.analysis.law.judgement import judge as judge_fit
from optimizer.analysis.serving.beside import Beside, beside
from optimizer.analysis.serving.calibrated import Calibrated, calibrated
from optimizer.errors import InputError, Mark, Problem
from optimizer.fitting.benchmarks import read_any
from optimizer.fitting.fit import Fit, Settings
from optimizer.fitting.fit import fit as fit_runs
from optimizer.fitting.fitlaw import About
from optimizer.fitting.runs import Runs, read_runs
from optimizer.functions.looks import attach, attach_pages
from optimizer.functions.version import installed
from optimizer.question.scenario import Scenario
from optimizer.records import replace
from optimizer.world.law import Counts
from optimizer.world.serving.constants import library, load_library

Files = str | Path | Sequence[str | Path]


def fit(
    runs: Files | Runs, settings: Settings | None = None, *, form: str | None = None
) -> Fit:
    """Fits a scaling law to training runs, with error bars.

        law = judge(fit("runs.csv"), "my-law").law

    Args:
        runs: a table, a folder, a pattern or several files, as `overtrain fit` takes
            them; or from `read_runs`, which takes columns, units and rules.
        settings: draws, starts, seed and the like.
        form: of the law, such as `coupled`; that of the settings unless given.

    Returns:
        Coefficients (symbol → value), and their draws on resampled runs, each
        `(draws,)` and in step. Tokens and parameters are plain numbers, losses in the
        unit of the runs.

    Raises:
        InputError: the file is no table of runs, or the runs cannot tell the
            coefficients, whatever the optimiser.
    """
    if not isinstance(runs, Runs):
        runs = read_runs(_paths(runs))
    settings = settings or Settings()
    if form is not None:
        settings = replace(settings, choice=replace(settings.choice, form=form))
    return fit_runs(runs, settings)


def judge(
    found: Fit,
    name: str = "my-law",
    *,
    counts: Counts | None = None,
    hold_out: float = 0.2,
    next_compute: float | None = None,
    scenario: Scenario | None = None,
    compare: bool = False,
) -> Judged:
    """Says how far to trust a fit, and makes its law.

    Args:
        found: from `fit`.
        name: of the law.
        counts: what the parameters of the runs count; as their column says, or
            `total`, unless given.
        hold_out: the share of runs, the largest, to predict from the others.
        next_compute: of one more run [FLOP]; that of the largest run unless given.
        scenario: whose plan further runs should narrow.
        compare: whether to set it beside the published laws.

    Returns:
        Verdicts, hold-out, further runs, and `law`, which goes into
        `scenario.set(law=…)`.
    """
    kinds: dict[str, Counts] = {"non-embedding": "non-embedding", "active": "active"}
    about = About(
        name,
        tool=f"overtrain {installed()}",
        counts=counts or kinds.get(found.runs.counts, "total"),
        loss_unit=found.runs.loss_unit,
    )
    return judge_fit(found, about, Asked(hold_out, next_compute, scenario, compare))


def calibrate(
    points: Files,
    given: Mapping[str, str] | None = None,
    *,
    fresh: bool = False,
    source: str | None = None,
    date: str | None = None,
) -> Calibrated:
    """Fits the constants of serving to measured points of your own.

    Args:
        points: tables of points, or what vLLM's and SGLang's benchmarks, genai-perf
            or AIPerf write.
        given: columns that the files do not have, `{"accelerator": "h100-sxm"}`.
        fresh: start from wide guesses, not from the constants that come with the tool.
        source: where the points are from; the files' names unless given.
        date: of the points; today unless given.

    Raises:
        InputError: a file is no such table, or too few of its points can be used.
    """
    paths = _paths(points)
    read = read_any(paths, dict(given or {}))
    day = date or datetime.now(UTC).date().isoformat()
    named = source or ", ".join(Path(path).name for path in paths)
    try:
        return calibrated(read, None if fresh else library(), day, named)
    except ValueError as error:
        raise InputError([Problem(Mark(paths[0]), "", str(error))]) from None


def serving(
    points: Files,
    given: Mapping[str, str] | None = None,
    *,
    constants: str | Path | None = None,
    engines: bool = False,
) -> list[Beside]:
    """Sets measured points of serving beside what is predicted for them.

    Args:
        points: as for `calibrate`.
        given: likewise.
        constants: a file of your own, from `overtrain calibrate`.
        engines: whether to use constants of an engine where it was measured.

    Returns:
        A record a point; times in seconds.

    Raises:
        InputError: a file is no such table.
    """
    known = library() if constants is None else load_library(constants)
    return beside(read_any(_paths(points), dict(given or {})), known, engines)


def _paths(files: Files) -> list[str]:
    """The files as texts.

    Raises:
        InputError: there is none.
    """
    several = [files] if isinstance(files, str | Path) else files
    paths = [str(path) for path in several]
    if not paths:
        message = "there is no file; give the path of a table, or several in a list"
        raise InputError([Problem(Mark("files"), "", message)])
    return paths


attach_pages(Judged, Calibrated)
attach(Fit)
