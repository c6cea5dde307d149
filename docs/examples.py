"""Runs the commands that the documentation shows, and refreshes what they print.

    python docs/examples.py

A ```console block holds commands after `$ ` and what they print; `...` on a line of
its own stands for any lines, and inside a line for any text. The commands of a page run
one after another in one folder, beside a copy of `scenarios/`. Output with `...` is
left alone where it still matches, and named where it does not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(block: str) -> list[tuple[str, str]]:
    """Splits a block into commands, as written, and what the page shows for each."""
    found = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command += f"\n{more}"
        found.append((command, tidy(shown)))
    return found


def tidy(text: str) -> str:
    """Returns a text without spaces at line ends and blank lines at its own."""
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def matches(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows."""
    lines = (
        ".*" if line == "..." else re.escape(line).replace(r"\.\.\.", "[^\n]*")
        for line in shown.splitlines()
    )
    return re.fullmatch("\n".join(lines), printed, re.DOTALL) is not None


def prepare(folder: Path) -> None:
    """Fills a folder as a user has it, with `overtrain` in `.bin`."""
    shutil.copytree(ROOT / "scenarios", folder / "scenarios")
    tool = folder / ".bin" / "overtrain"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/cli.py" "$@"\n')
    tool.chmod(0o755)


def run(command: str, folder: Path) -> str:
    """Returns what a command prints in a prepared folder, errors included."""
    environment = {
        **os.environ,
        "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(  # noqa: S603 - the page's own command
        ["bash", "-c", command.replace("\\\n> ", "")],  # noqa: S607
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return tidy(done.stdout)


def refresh(page: Path) -> None:
    """Runs the commands of a page and writes what they print into it."""

    def block(found: re.Match[str]) -> str:
        lines = []
        for command, shown in steps(found[1]):
            printed = run(command, folder)
            if "overtrain failed" in printed:
                raise SystemExit(f"{page.name}: {command}\n{printed}")
            if "..." in shown:
                if not matches(shown, printed):
                    sys.stdout.write(f"{page.name}: differs: {command}\n{printed}\n")
                printed = shown
            lines.append(f"$ {command}\n{printed}\n" if printed else f"$ {command}\n")
        return f"```console\n{''.join(lines)}```"

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        before = page.read_text(encoding="utf-8")
        after = CONSOLE.sub(block, before)
    if after != before:
        page.write_text(after, encoding="utf-8")
        sys.stdout.write(f"{page.name}: refreshed\n")


if __name__ == "__main__":
    for each in PAGES:
        refresh(each)
