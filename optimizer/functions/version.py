"""Which version this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed() -> str:
    """The installed version; a copy that was never installed says so."""
    try:
        return version("overtrain")
    except PackageNotFoundError:
        return "0+uninstalled"
