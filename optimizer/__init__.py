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
    from optimizer.analysis.comparison.answer_diff import AnswerDiff as AnswerDiff
    from optimizer.analysis.comparison.compare import Comparison as Comparison
    from optimizer.analysis.frontier.frontier import Frontier as Frontier
    from optimizer.analysis.law.judgement import Judged as Judged
    from optimizer.analysis.plan.answer import Answer as Answer
    from optimizer.analysis.plan.snap import Snap as Snap
    from optimizer.analysis.portfolio.joint_plan import Family as Family
    from optimizer.analysis.serving.calibrated import Calibrated as Calibrated
    from optimizer.analysis.sweep.table import sweep as sweep
    from optimizer.analysis.uncertainty.uncertainty import Uncertainty as Uncertainty
    from optimizer.engine.solve import asking_cvxpy as asking_cvxpy
    from optimizer.errors import Defect as Defect
    from optimizer.errors import InputError as InputError
    from optimizer.errors import OvertrainError as OvertrainError
    from optimizer.errors import Problem as Problem
    from optimizer.fitting.fit import Fit as Fit
    from optimizer.fitting.fit import Settings as Settings
    from optimizer.fitting.runs import read_runs as read_runs
    from optimizer.functions.answers import diff as diff
    from optimizer.functions.audits import audit as audit
    from optimizer.functions.curves import frontier as frontier
    from optimizer.functions.curves import uncertainty as uncertainty
    from optimizer.functions.files import change as change
    from optimizer.functions.files import load as load
    from optimizer.functions.files import load_portfolio as load_portfolio
    from optimizer.functions.files import load_scenario as load_scenario
    from optimizer.functions.files import read_scenario as read_scenario
    from optimizer.functions.fits import calibrate as calibrate
    from optimizer.functions.fits import fit as fit
    from optimizer.functions.fits import judge as judge
    from optimizer.functions.fits import serving as serving
    from optimizer.functions.library import hardware_names as hardware_names
    from optimizer.functions.library import law_names as law_names
    from optimizer.functions.library import load_architecture as load_architecture
    from optimizer.functions.library import load_hardware as load_hardware
    from optimizer.functions.library import load_law as load_law
    from optimizer.functions.library import load_model as load_model
    from optimizer.functions.library import model_names as model_names
    from optimizer.functions.library import schema as schema
    from optimizer.functions.library import snap as snap
    from optimizer.functions.looks import to_dict as to_dict
    from optimizer.functions.plans import compare as compare
    from optimizer.functions.plans import solve as solve
    from optimizer.functions.plans import solve_portfolio as solve_portfolio
    from optimizer.functions.plots import plot as plot
    from optimizer.functions.starters import starter as starter
    from optimizer.functions.starters import starter_names as starter_names
    from optimizer.question.portfolio import Portfolio as Portfolio
    from optimizer.question.scenario import Scenario as Scenario
    from optimizer.question.under_laws import under_laws as under_laws
    from optimizer.report.formats.law_file import law_text as law_text
    from optimizer.world.hardware import Hardware as Hardware
    from optimizer.world.law import Law as Law
    from optimizer.world.models import PublishedModel as PublishedModel
    from optimizer.world.shapes import Shape as Shape

__version__: str

_HOMES = {
    "Answer": "analysis.plan.answer",
    "AnswerDiff": "analysis.comparison.answer_diff",
    "Audit": "analysis.audit",
    "Calibrated": "analysis.serving.calibrated",
    "Comparison": "analysis.comparison.compare",
    "Defect": "errors",
    "Family": "analysis.portfolio.joint_plan",
    "Fit": "fitting.fit",
    "Frontier": "analysis.frontier.frontier",
    "Hardware": "world.hardware",
    "InputError": "errors",
    "Judged": "analysis.law.judgement",
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
    "audit": "functions.audits",
    "calibrate": "functions.fits",
    "change": "functions.files",
    "compare": "functions.plans",
    "diff": "functions.answers",
    "fit": "functions.fits",
    "frontier": "functions.curves",
    "hardware_names": "functions.library",
    "judge": "functions.fits",
    "law_names": "functions.library",
    "law_text": "report.formats.law_file",
    "load": "functions.files",
    "load_architecture": "functions.library",
    "load_hardware": "functions.library",
    "load_law": "functions.library",
    "load_model": "functions.library",
    "load_portfolio": "functions.files",
    "load_scenario": "functions.files",
    "model_names": "functions.library",
    "plot": "functions.plots",
    "read_runs": "fitting.runs",
    "read_scenario": "functions.files",
    "schema": "functions.library",
    "serving": "functions.fits",
    "snap": "functions.library",
    "solve": "functions.plans",
    "solve_portfolio": "functions.plans",
    "starter": "functions.starters",
    "starter_names": "functions.starters",
    "sweep": "analysis.sweep.table",
    "to_dict": "functions.looks",
    "uncertainty": "functions.curves",
    "under_laws": "question.under_laws",
}

__all__ = [  # noqa: PLE0604 - the table is the one list of names
    "__version__",
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("optimizer.functions.version").installed()
    elif name in _HOMES:
        value = getattr(import_module(f"optimizer.{_HOMES[name]}"), name)
        # At this door alone: within the house no function asks another.
        if callable(value) and not isinstance(value, type):
            value = import_module("optimizer.functions.guard").guarded(value, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
