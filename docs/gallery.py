"""Runs the commands of the gallery, and shows what they make.

A ```sh block of `gallery.md` holds commands with `-o FILE`. When the site is built,
each runs beside a copy of `scenarios/`, and its file is shown below the block. A `#`
after a command says what a chart shows, for those who cannot see it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from html import escape
from pathlib import Path

import examples

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"\s-o (\S+)(?:\s+# (.+))?$")


def shown(text: str, folder: Path) -> str:
    """Returns the page with what its commands make, written into `folder`.

    Raises:
        RuntimeError: a command failed.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        examples.prepare(place)
        folder.mkdir(parents=True, exist_ok=True)

        def made(block: re.Match[str]) -> str:
            commands = re.split(r"(?<!\\)\n", block[1].strip())
            views = [_view(command, place, folder) for command in commands]
            return "\n".join([block[0], *views])

        return BLOCK.sub(made, text)


def _view(command: str, place: Path, folder: Path) -> str:
    """Runs a command; returns how the page shows its file."""
    printed = examples.run(command, place)
    output = OUTPUT.search(command)
    if output is None or not (place / output[1]).is_file():
        raise RuntimeError(f"{command}\n{printed}")
    shutil.copy(place / output[1], folder)
    link = f"{folder.name}/{output[1]}"
    if link.endswith(".svg"):
        return f'\n<img class="chart" src="{link}" alt="{escape(output[2] or "")}">\n'
    if link.endswith(".html"):
        frame = f'<iframe class="report" src="{link}" title="{output[1]}"'
        return (
            f'\n<p><a href="{link}">Open the report</a></p>\n'
            f'{frame} loading="lazy"></iframe>\n'
        )
    return f'\n<p><a href="{link}">{output[1]}</a></p>\n'
