"""The scenarios that come with the tool, as their commented text."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import suggest

STARTERS = Path(__file__).resolve().parent.parent / "starters"


def starter_names() -> list[str]:
    """The names that `starter` takes, sorted."""
    return sorted(path.stem for path in STARTERS.glob("*.yaml"))


def starter(name: str) -> str:
    """The text of a commented scenario to start from, which `read_scenario` takes.

    Raises:
        InputError: there is none of this name.
    """
    names = starter_names()
    if name not in names:
        hint = suggest(name, names, f"there are {', '.join(names)}")
        raise InputError([Problem(Mark(name), "", f"there is no starter{hint}")])
    return (STARTERS / f"{name}.yaml").read_text(encoding="utf-8")
