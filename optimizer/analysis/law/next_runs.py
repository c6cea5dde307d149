"""The next runs to make: which would narrow the recommended plan most.

Each draw of the law has its own plan and its own loss for a candidate run. A run tells
as much about the plan as its loss moves with the plan from draw to draw:

    variance left = var(plan) − cov(plan, loss)² / (var(loss) + scatter²).

No fit is repeated. *Source*: the linear Bayesian update (best linear predictor), as
in Bayesian experimental design; Chaloner & Verdinelli 1995.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from optimizer.algebra.program import Status
from optimizer.analysis.law.diagnostics import draw, surface_of
from optimizer.analysis.plan.reach import unreachable
from optimizer.analysis.plan.wording import amount
from optimizer.engine.certify import UncertifiedError
from optimizer.engine.solve import solve as solve_program
from optimizer.errors import Defect
from optimizer.fitting.fit import Fit
from optimizer.fitting.objective import Array
from optimizer.question.formulate import formulate
from optimizer.question.scenario import Scenario
from optimizer.reading.quantity import significant
from optimizer.records import dataclass, replace
from optimizer.world.law import Law

DRAWS = 100  # a scenario is solved once for each
AHEAD = 10.0  # the plan without a scenario: this many times the largest run
RATIOS = np.geomspace(0.5, 2000, 19)  # tokens per parameter of candidates
SHARES = (1.0, 0.3, 0.1)  # of the compute of a candidate
OPEN = 1e3  # a span of the plan from which there is none
CLIP = 2.0  # percentiles at either end that a few wild draws cannot pass


@dataclass(frozen=True)
class Candidate:
    """A run that could be made.

    Attributes:
        parameters: N.
        tokens: D.
        compute: 6·N·D [FLOP].
        left: the standard deviation of ln N of the plan after it, over that before.
        predicted: its loss under the law.
    """

    parameters: float
    tokens: float
    compute: float
    left: float
    predicted: float


@dataclass(frozen=True)
class NextRuns:
    """Where the plan stands, and what would narrow it.

    Attributes:
        plan: what is planned, in words.
        unit: what is left to plan: `parameters`, or `tokens` where they are fixed.
        parameters: that amount under the fitted law; None where there is no plan.
        interval: its 95 % interval over the draws.
        spread: standard deviation of its logarithm over the draws.
        failed: draws under which there is no plan.
        candidates: the best first.
        refused: why there is no plan and no ranking; empty where there is.
    """

    plan: str
    unit: str
    parameters: float | None
    interval: tuple[float, float]
    spread: float
    failed: int
    candidates: tuple[Candidate, ...]
    refused: str = ""


def next_runs(
    found: Fit, law: Law, compute: float, scenario: Scenario | None = None
) -> NextRuns:
    """Ranks candidate runs of at most some compute.

    Args:
        found: the fit.
        law: the law of the fit.
        compute: of one run [FLOP].
        scenario: whose plan counts; without it the compute-optimal size at ten times
            the compute of the largest run.
    """
    rows = np.arange(found.settings.draws)
    unit = "parameters"
    if scenario is None:
        ahead = AHEAD * float(found.runs.compute.max())
        words = f"the compute-optimal model for {amount(ahead, 'FLOP')}"
        plan = _optimal(found, ahead)
    else:
        rows = rows[:DRAWS]
        words = f"the plan of {scenario.name}"
        plan = _solved(scenario, law)
        fix = scenario.spec.fix
        unit = "tokens" if fix is not None and fix.parameters else unit
    logs = [_attempt(plan, draw(found, int(row))) for row in rows]
    known = np.array([not math.isnan(value) for value in logs])
    here = _attempt(plan, dict(found.coefficients))
    if known.sum() < 10:
        return NextRuns(words, unit, None, (0.0, 0.0), 0.0, int((~known).sum()), ())
    sizes = np.array(logs)[known]
    with np.errstate(over="ignore"):
        low, high = np.exp(np.percentile(sizes, [2.5, 97.5]))
    interval = float(low), float(high)
    if high > OPEN * low:
        ends = " to ".join(significant(end) for end in interval)
        why = (
            f"{words} is not known: the 95 % interval of its {unit} is {ends}, more "
            f"than a factor {OPEN:g}"
        )
        missed = int((~known).sum())
        spread = float(_clipped(sizes).std())
        return NextRuns(words, unit, None, interval, spread, missed, (), why)
    members = [draw(found, int(row)) for row in rows[known]]
    return NextRuns(
        plan=words,
        unit=unit,
        parameters=None if math.isnan(here) else math.exp(here),
        interval=interval,
        spread=float(_clipped(sizes).std()),
        failed=int((~known).sum()),
        candidates=_ranked(found, members, sizes, compute),
    )


def _optimal(found: Fit, compute: float) -> Callable[[dict[str, float]], float]:
    def plan(values: dict[str, float]) -> float:
        return surface_of(found.settings, values).compute_optimal(compute)[0]

    return plan


def _solved(scenario: Scenario, law: Law) -> Callable[[dict[str, float]], float]:
    def plan(values: dict[str, float]) -> float:
        bare = replace(law, coefficients=values, covariance=None, draws=None, check=())
        question = formulate(replace(scenario, law=bare))
        if unreachable(scenario, question) is not None:
            return math.nan
        solution = solve_program(question.program)
        if solution.status is Status.INFEASIBLE:
            return math.nan
        point = {**question.fixed, **solution.point}
        return point["D" if "N" in question.fixed else "N"]

    return plan


def _attempt(
    plan: Callable[[dict[str, float]], float], values: dict[str, float]
) -> float:
    """Ln N of the plan of one draw; NaN where it has none."""
    try:
        return math.log(plan(values))
    except (ValueError, ArithmeticError, Defect, UncertifiedError):
        return math.nan


def _ranked(
    found: Fit, members: list[dict[str, float]], sizes: Array, compute: float
) -> tuple[Candidate, ...]:
    surfaces = [surface_of(found.settings, values) for values in members]
    here = surface_of(found.settings, found.coefficients)
    plan = _clipped(sizes)
    ranked = []
    for share in SHARES:
        for ratio in RATIOS.tolist():
            N = math.sqrt(share * compute / 6 / ratio)
            D = N * ratio
            losses = _clipped(np.log([s.loss(N, D) for s in surfaces]))
            together = float(np.mean((plan - plan.mean()) * (losses - losses.mean())))
            noise = float(losses.var()) + found.scale**2
            kept = 1 - together**2 / max(noise, 1e-300) / max(float(plan.var()), 1e-300)
            left = math.sqrt(max(kept, 0.0))
            ranked.append(Candidate(N, D, share * compute, left, here.loss(N, D)))
    return tuple(sorted(ranked, key=lambda c: c.left))


def _clipped(values: Array) -> Array:
    low, high = np.percentile(values, [CLIP, 100 - CLIP])
    return np.clip(values, low, high)
