"""`import overtrain`: the package `optimizer` under the name it is installed by.

    import overtrain as ot
    ot.solve(ot.load_scenario("scenario.yaml"))

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optimizer

if TYPE_CHECKING:
    from optimizer import *  # noqa: F403 - the same names, for those who read types
    from optimizer.functions.reports import report as report

__all__ = [*optimizer.__all__, "report"]  # noqa: PLE0604 - the package has the names


def __getattr__(name: str) -> Any:
    if name == "report":  # which in the package is a folder
        from optimizer.functions.guard import guarded  # noqa: PLC0415 - heavy
        from optimizer.functions.reports import report  # noqa: PLC0415

        globals()[name] = guarded(report, name)
        return globals()[name]
    return getattr(optimizer, name)


def __dir__() -> list[str]:
    return sorted(__all__)
