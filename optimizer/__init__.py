"""The inference-aware cost optimizer: how large a model, and on how many tokens.

    from optimizer import load_scenario, solve
    print(solve(load_scenario("scenario.yaml")))

Names are loaded when they are first used, so that importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.analysis.answer import Answer as Answer
    from optimizer.analysis.audit import Audit as Audit
    from optimizer.analysis.audit import audit as audit
    from optimizer.analysis.compare import Comparison as Comparison
    from optimizer.analysis.compare import compare as compare
    from optimizer.analysis.family import Family as Family
    from optimizer.analysis.family import solve_portfolio as solve_portfolio
    from optimizer.analysis.optimum import solve as solve
    from optimizer.analysis.snap import Snap as Snap
    from optimizer.analysis.snap import snap as snap
    from optimizer.errors import Defect as Defect
    from optimizer.errors import InputError as InputError
    from optimizer.errors import OvertrainError as OvertrainError
    from optimizer.errors import Problem as Problem
    from optimizer.family_file import load_portfolio as load_portfolio
    from optimizer.laws_all import under_laws as under_laws
    from optimizer.load import load_scenario as load_scenario
    from optimizer.load import read_scenario as read_scenario
    from optimizer.portfolio import Portfolio as Portfolio
    from optimizer.program import Status as Status
    from optimizer.scenario import Scenario as Scenario
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
    "Answer": "analysis.answer",
    "Audit": "analysis.audit",
    "Comparison": "analysis.compare",
    "Defect": "errors",
    "Family": "analysis.family",
    "Hardware": "world.hardware",
    "InputError": "errors",
    "Law": "world.law",
    "OvertrainError": "errors",
    "Portfolio": "portfolio",
    "Problem": "errors",
    "PublishedModel": "world.models",
    "Scenario": "scenario",
    "Shape": "world.shapes",
    "Snap": "analysis.snap",
    "Status": "program",
    "audit": "analysis.audit",
    "compare": "analysis.compare",
    "load_hardware": "world.hardware",
    "load_law": "world.laws",
    "load_model": "world.models",
    "load_portfolio": "family_file",
    "load_scenario": "load",
    "model_names": "world.models",
    "read_scenario": "load",
    "snap": "analysis.snap",
    "solve": "analysis.optimum",
    "solve_portfolio": "analysis.family",
    "under_laws": "laws_all",
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
            import_module("optimizer.report.show").attach()
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
