"""Charts for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.functions.guard import flat
from optimizer.question.scenario import Scenario
from optimizer.report.charts.catalogue import draw
from optimizer.report.charts.picture import picture, refuse
from optimizer.report.formats.extras import missing


def plot(
    kind: str, *scenarios: Scenario | Sequence[Scenario], laws: Sequence[str] = ()
) -> Any:
    """Draws a chart, as an Altair chart that a notebook shows.

    Args:
        kind: contour, demand, plan, split, tornado, overhead, regret, laws, cashflow,
            frontier, uncertainty or capped.
        *scenarios: one, or several for `regret` and `split`, alone or in a list.
        laws: of the chart `laws`.

    Raises:
        InputError: there is no such kind, it is not of so many scenarios, there is no
            plan, nothing to show, or Altair is not installed.
    """
    read = flat(scenarios)
    refuse(kind, read)
    try:
        import altair  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise missing(error) from None

    return altair.Chart.from_dict(draw(picture(kind, read, tuple(laws))))
