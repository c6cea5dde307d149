"""Where the tables of the benchmarks stand on the pages of the documentation."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"


def machine(*packages: str) -> str:
    """What a table was measured on: Python, some packages, system and cores."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Python {platform.python_version()}, {versions}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores"
    )


def told(page: str, mark: str, text: str, arguments: Sequence[str]) -> None:
    """Prints a table, and puts it on its page where `--write` is among the arguments.

    Args:
        page: of the documentation.
        mark: the table stands between `<!-- mark -->` and `<!-- end of mark -->`.
        text: the table, with what it was measured on.
        arguments: of the command line.

    Raises:
        SystemExit: the page has no such marks.
    """
    sys.stdout.write(text.strip() + "\n")
    if "--write" not in arguments:
        return
    file = DOCS / page
    start, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->\n"
    before, found, rest = file.read_text(encoding="utf-8").partition(start)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise SystemExit(f"{file}: has no {start.strip()} and {end.strip()}")
    whole = f"{before}{start}\n{text.strip()}\n\n{end}{after}"
    file.write_text(whole, encoding="utf-8")
