"""The inference-aware cost optimizer: how large a model, and on how many tokens.

    from optimizer import load_scenario, solve
    print(solve(load_scenario("scenario.yaml")))

Names are loaded when they are first used, so that importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.algebra.program import Status as Status
    from optimizer.analysis.audit import Audit as Audit
    from optimizer.analysis.audit import audit as audit
    from optimizer.analysis.comparison.compare import Comparison as Comparison
    from optimizer.analysis.comparison.compare import compare as compare
    from optimizer.analysis.frontier.frontier import Frontier as Frontier
    from optimizer.analysis.frontier.frontier import frontier as frontier
    from optimizer.analysis.plan.answer import Answer as Answer
    from optimizer.analysis.plan.optimum import solve as solve
    from optimizer.analysis.plan.snap import Snap as Snap
    from optimizer.analysis.plan.snap import snap as snap
    from optimizer.analysis.portfolio.joint_plan import Family as Family
    from optimizer.analysis.portfolio.joint_plan import (
        solve_portfolio as solve_portfolio,
    )
    from optimizer.analysis.sweep.table import sweep as sweep
    from optimizer.analysis.uncertainty.uncertainty import Uncertainty as Uncertainty
    from optimizer.analysis.uncertainty.uncertainty import uncertainty as uncertainty
    from optimizer.engine.solve import asking_cvxpy as asking_cvxpy
    from optimizer.errors import Defect as Defect
    from optimizer.errors import InputError as InputError
    from optimizer.errors import OvertrainError as OvertrainError
    from optimizer.errors import Problem as Problem
    from optimizer.fitting.fit import Fit as Fit
    from optimizer.fitting.fit import Settings as Settings
    from optimizer.fitting.fit import fit as fit
    from optimizer.fitting.runs import read_runs as read_runs
    from optimizer.question.load import change as change
    from optimizer.question.load import load_scenario as load_scenario
    from optimizer.question.load import read_scenario as read_scenario
    from optimizer.question.portfolio import Portfolio as Portfolio
    from optimizer.question.portfolio_file import load_portfolio as load_portfolio
    from optimizer.question.scenario import Scenario as Scenario
    from optimizer.question.under_laws import under_laws as under_laws
    from optimizer.report.charts.picture import plot as plot
    from optimizer.report.formats.data import to_dict as to_dict
    from optimizer.world.hardware import Hardware as Hardware
    from optimizer.world.hardware import load_hardware as load_hardware
    from optimizer.world.law import Law as Law
    from optimizer.world.laws import load_law as load_law
    from optimizer.world.models import PublishedModel as PublishedModel
    from optimizer.world.models import load_model as load_model
    from optimizer.world.models import model_names as model_names
    from optimizer.world.shapes import Shape as Shape

__version__: str

_HOMES = {
    "Answer": "analysis.plan.answer",
    "Audit": "analysis.audit",
    "Comparison": "analysis.comparison.compare",
    "Defect": "errors",
    "Family": "analysis.portfolio.joint_plan",
    "Fit": "fitting.fit",
    "Frontier": "analysis.frontier.frontier",
    "Hardware": "world.hardware",
    "InputError": "errors",
    "Law": "world.law",
    "OvertrainError": "errors",
    "Portfolio": "question.portfolio",
    "Problem": "errors",
    "PublishedModel": "world.models",
    "Scenario": "question.scenario",
    "Settings": "fitting.fit",
    "Shape": "world.shapes",
    "Snap": "analysis.plan.snap",
    "Status": "algebra.program",
    "Uncertainty": "analysis.uncertainty.uncertainty",
    "asking_cvxpy": "engine.solve",
    "audit": "analysis.audit",
    "change": "question.load",
    "compare": "analysis.comparison.compare",
    "fit": "fitting.fit",
    "frontier": "analysis.frontier.frontier",
    "load_hardware": "world.hardware",
    "load_law": "world.laws",
    "load_model": "world.models",
    "load_portfolio": "question.portfolio_file",
    "load_scenario": "question.load",
    "model_names": "world.models",
    "plot": "report.charts.picture",
    "read_runs": "fitting.runs",
    "read_scenario": "question.load",
    "snap": "analysis.plan.snap",
    "solve": "analysis.plan.optimum",
    "solve_portfolio": "analysis.portfolio.joint_plan",
    "sweep": "analysis.sweep.table",
    "to_dict": "report.formats.data",
    "uncertainty": "analysis.uncertainty.uncertainty",
    "under_laws": "question.under_laws",
}
_SHOWN = {
    *("Answer", "Audit", "Comparison", "Family"),
    *("audit", "compare", "solve", "solve_portfolio"),
}

__all__ = [  # noqa: PLE0604 - the table is the one list of names
    "__version__",
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        value = getattr(import_module(f"optimizer.{_HOMES[name]}"), name)
        if name in _SHOWN:
            import_module("optimizer.report.pages.show").attach()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    """The installed version; a copy that was never installed says so."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("overtrain")
    except PackageNotFoundError:
        return "0+uninstalled"
