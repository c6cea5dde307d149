"""Every kind of chart by name: its title, its numbers, its words, and its picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from optimizer.analysis.plan.own_unit import said
from optimizer.report.charts import words as charttext
from optimizer.report.charts.theme import CONFIG
from optimizer.report.charts.vegalite import finished
from optimizer.report.formats.elements import Chart

if TYPE_CHECKING:
    from optimizer.analysis.comparison.regret import Regret
    from optimizer.analysis.plan.answer import Answer
    from optimizer.analysis.story.case import Case

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
    "capped": "What a lower loss costs under the budget",
}
# The file of `report/charts` with the function of that name.
DRAWN = {
    **dict.fromkeys(("contour", "overhead"), "surface"),
    **dict.fromkeys(("demand", "plan"), "demand"),
    **dict.fromkeys(("split", "cashflow"), "bills"),
    **dict.fromkeys(("tornado", "regret", "laws"), "several"),
    **dict.fromkeys(("residuals", "profiles"), "fit"),
    **dict.fromkeys(("isoflop", "holdout"), "runs"),
    "frontier": "frontier",
    "capped": "capped",
    "uncertainty": "uncertainty",
}


def chart_of(kind: str, case: Case) -> Chart | None:
    """A chart of one scenario; None where it has nothing to show."""
    figures: dict[str, Callable[[], Any]] = {
        "contour": lambda: case.contour,
        "demand": lambda: case.demand,
        "plan": lambda: _plan(case),
        "split": lambda: [case.answer] if case.answer.cost else None,
        "tornado": lambda: (
            case.tornado if case.tornado and case.tornado.swings else None
        ),
        "overhead": lambda: case.overhead,
        "laws": lambda: [a for a in case.laws if a.plan is not None] or None,
        "cashflow": lambda: case.cashflow,
        "capped": lambda: case.answer if case.answer.capped else None,
    }
    figure = figures[kind]()
    if figure is None:
        return None
    shown = figure[0] if kind == "plan" else figure
    words = getattr(charttext, kind)(shown)
    unit = case.answer.law.loss_unit
    return Chart(kind, KINDS[kind], said(words, unit), figure, unit)


def _plan(case: Case) -> Any:
    """The curve and the range at this demand; None where the plan is decided."""
    if case.demand is None or case.answer.fixed is not None:
        return None
    return case.demand, _ranges(case)


def _ranges(case: Case) -> list[tuple[float, float]]:
    """N and D within 1 % of the optimum."""
    near = case.answer.near_optimal
    if not near:
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
    """The regret table as a chart; None where no plan suits another scenario."""
    if regret is None:
        return None
    others = (
        ratio
        for i, row in enumerate(regret.table)
        for j, ratio in enumerate(row)
        if i != j
    )
    if all(ratio is None for ratio in others):
        return None
    return Chart("regret", KINDS["regret"], charttext.regret(regret), regret)


def draw(chart: Chart) -> dict[str, Any]:
    """The Vega-Lite of a chart."""
    # Only what is drawn: charts of fits bring in all of fitting.
    module = import_module(f"optimizer.report.charts.{DRAWN[chart.kind]}")
    function = getattr(module, chart.kind)
    drawn = function(*chart.figure) if chart.kind == "plan" else function(chart.figure)
    spec: dict[str, Any] = said(
        finished(drawn, chart.alternative, CONFIG), chart.loss_unit
    )
    return spec
