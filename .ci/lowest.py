"""Prints the lowest version of each package that pyproject.toml allows, for pip.

    python .ci/lowest.py > lowest.txt

Of the extra dev it names what tests need; formatters, types and the site are the same
whatever the package runs on.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
TOOLS = {"build", "mypy", "ruff"}
LOWEST = re.compile(r"(?P<name>[\w.-]+(?:\[\w+\])?)>=(?P<version>[\d.]+)")


def lowest() -> list[str]:
    """The pins, in the order of the file."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    for name, packages in extras.items():
        if name not in ("docs", "all"):
            wanted += packages
    found = [LOWEST.match(line) for line in wanted]
    return [
        f"{one['name']}=={one['version']}"
        for one in found
        if one is not None and one["name"] not in TOOLS
    ]


if __name__ == "__main__":
    print("\n".join(lowest()))
