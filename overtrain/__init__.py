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

__all__ = optimizer.__all__


def __getattr__(name: str) -> Any:
    return getattr(optimizer, name)


def __dir__() -> list[str]:
    return dir(optimizer)
