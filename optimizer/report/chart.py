"""Every kind of chart by name: its title, its numbers, its words, and its picture.

Only `draw` needs Altair, of the optional part `report`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from optimizer.report import charttext
from optimizer.report.extras import missing
from optimizer.report.rich import Chart

if TYPE_CHECKING:
    from optimizer.analysis.answer import Answer
    from optimizer.analysis.case import Case
    from optimizer.analysis.regret import Regret

KINDS = {
    "contour": "Loss over size and tokens",
    "demand": "Lifetime cost against demand",
    "plan": "The best plan against demand",
    "split": "Where the cost comes from",
    "tornado": "What moves the cost",
    "overhead": "What another size costs",
    "regret": "If another scenario comes",
    "laws": "Law against law",
    "cashflow": "Cost month by month",
}


def chart_of(kind: str, case: Case) -> Chart | None:
    """A chart of one scenario; None where it has nothing to show."""
    figures: dict[str, Callable[[], Any]] = {
        "contour": lambda: case.contour,
        "demand": lambda: case.demand,
        "plan": lambda: None if case.demand is None else (case.demand, _ranges(case)),
        "split": lambda: [case.answer] if case.answer.cost else None,
        "tornado": lambda: (
            case.tornado if case.tornado and case.tornado.swings else None
        ),
        "overhead": lambda: case.overhead,
        "laws": lambda: [a for a in case.laws if a.plan is not None] or None,
        "cashflow": lambda: case.cashflow,
    }
    figure = figures[kind]()
    if figure is None:
        return None
    shown = figure[0] if kind == "plan" else figure
    words = getattr(charttext, kind)(shown)
    return Chart(kind, KINDS[kind], words, figure)


def _ranges(case: Case) -> list[tuple[float, float]]:
    """N and D within 1 % of the optimum, unless something is fixed."""
    near = case.answer.near_optimal
    if not near or case.answer.fixed is not None:
        return []
    pairs = [sorted(pair) for pair in (near[0].parameters, near[0].tokens)]
    return [(low, high) for low, high in pairs]


def split_of(answers: Sequence[Answer]) -> Chart | None:
    """Several plans' bills beside each other, where they count the same."""
    known = [answer for answer in answers if answer.cost is not None]
    if (
        len({answer.cost.unit for answer in known if answer.cost}) != 1
        or len(known) < 2
    ):
        return None
    return Chart("split", KINDS["split"], charttext.split(known), known)


def regret_of(regret: Regret | None) -> Chart | None:
    """The regret table as a chart."""
    if regret is None:
        return None
    return Chart("regret", KINDS["regret"], charttext.regret(regret), regret)


def draw(chart: Chart) -> dict[str, Any]:
    """The Vega-Lite of a chart.

    Raises:
        InputError: Altair is not installed.
    """
    try:
        from optimizer.report.charts import money, several, surface, theme  # noqa: PLC0415
    except ImportError as error:
        raise missing(error) from None
    functions: dict[str, Callable[..., Any]] = {
        "contour": surface.contour,
        "overhead": surface.overhead,
        "demand": money.demand,
        "split": money.split,
        "cashflow": money.cashflow,
        "tornado": several.tornado,
        "regret": several.regret,
        "laws": several.laws,
    }
    drawn = (
        money.plan(*chart.figure)
        if chart.kind == "plan"
        else functions[chart.kind](chart.figure)
    )
    return theme.finished(drawn, chart.alternative)
