"""One chart of scenarios by the name of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optimizer.analysis.comparison.regret import regret
from optimizer.analysis.frontier.band import band_steps, banded, distribution
from optimizer.analysis.plan.optimum import solve
from optimizer.analysis.story.case import LAWS, case
from optimizer.errors import InputError, Mark, Problem
from optimizer.question.one_loss import refuse_chosen_loss
from optimizer.question.scenario import Scenario
from optimizer.reading.document import suggest
from optimizer.report.charts.catalogue import chart_of, regret_of, split_of
from optimizer.report.charts.uncertainty_catalogue import (
    frontier_of,
    uncertainty_of,
)
from optimizer.report.formats.elements import Chart

KINDS = (
    *("contour", "demand", "plan", "split", "tornado"),
    *("overhead", "regret", "laws", "cashflow"),
    *("frontier", "uncertainty", "capped"),
)
CHANCES = ("frontier", "uncertainty")
DRAWS = 2000  # of the distribution
NOTHING = {
    "laws": "a target that names a model to match",
    "cashflow": "a demand with a lifetime",
    "demand": "a target, and a demand above 0",
    "plan": "a target, and a demand above 0",
    "tornado": "numbers that move the answer",
    "frontier": "a law with a loss surface, and losses that have plans",
    "capped": "a budget for training with best_for: lifetime",
    "uncertainty": "a law with a covariance, or a demand with low and high, that moves "
    "the size",
}


def refuse(kind: str, scenarios: Sequence[Scenario]) -> None:
    """Tells early what cannot be drawn.

    Raises:
        InputError: there is no such kind, or it is not of so many scenarios.
    """
    if kind not in KINDS:
        hint = suggest(kind, KINDS, f"choose of {', '.join(KINDS)}")
        raise _wrong("plot", f'there is no chart "{kind}"{hint}')
    if kind != "capped":
        refuse_chosen_loss(scenarios, "plot")
    if not scenarios:
        raise _wrong(f"plot {kind}", "draws a scenario; give it one")
    if kind == "regret" and len(scenarios) < 2:
        raise _wrong("plot regret", "compares scenarios; give it two or more")
    if kind not in ("regret", "split") and len(scenarios) > 1:
        raise _wrong(f"plot {kind}", "draws one scenario; give it one")


def _wrong(place: str, message: str) -> InputError:
    return InputError([Problem(Mark(place), "", message)])


def work(kind: str, scenarios: Sequence[Scenario]) -> int:
    """Of how many steps `picture` tells, about."""
    if kind == "frontier":
        return band_steps(scenarios[0])
    if kind == "uncertainty":
        return DRAWS
    count = len(scenarios)
    # The last is for the drawing.
    return count + 1 + (count**2 if kind == "regret" else 1)


def picture(
    kind: str,
    scenarios: Sequence[Scenario],
    laws: tuple[str, ...] = (),
    advance: Callable[[int], object] = lambda _steps: None,
) -> Chart:
    """The numbers and the words of one chart.

    Args:
        kind: as `overtrain plot` names it.
        scenarios: one, or several for `regret` and `split`.
        laws: of the chart `laws`.
        advance: is told of steps that are done.

    Raises:
        InputError: there is no plan, or nothing to show.
    """
    if kind in CHANCES:
        return _chance(kind, scenarios[0], advance)
    answers = []
    for scenario in scenarios:
        answer = solve(scenario)
        answers.append(answer)
        advance(1)
        if answer.infeasibility is not None and kind not in ("regret", "laws"):
            message = f"there is no plan: {answer.infeasibility.reason}"
            raise InputError([Problem(Mark(answer.file), "", message)])
    if kind == "regret":
        found = regret_of(regret(scenarios, answers, advance))
    elif len(scenarios) > 1:
        found = split_of(answers)
    else:
        beside_it = (laws or LAWS) if kind == "laws" else ()
        figure = {"plan": "demand"}.get(kind, kind)
        made = case(scenarios[0], answers[0], beside_it, figures=(figure,))
        found = chart_of(kind, made)
        advance(1)
    if found is None:
        raise _empty(kind, scenarios[0])
    return found


def _chance(kind: str, scenario: Scenario, advance: Callable[[int], object]) -> Chart:
    """A chart whose numbers need nothing of the others'."""
    if kind == "frontier":
        found = frontier_of(banded(scenario, advance=advance))
    else:
        found = uncertainty_of(distribution(scenario, DRAWS, advance))
    if found is None:
        raise _empty(kind, scenario)
    return found


def _empty(kind: str, scenario: Scenario) -> InputError:
    needs = NOTHING.get(kind, "scenarios that count the same unit")
    message = f"plot {kind} has nothing to show; it needs {needs}"
    return InputError([Problem(Mark(scenario.file), "", message)])
