"""Runs the commands of the gallery, and shows what they make.

A ```sh block of `gallery.md` holds commands with `-o FILE`. When the site is built,
each runs beside a copy of `scenarios/`, and its file is shown below the block.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

import examples

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"\s-o (\S+)$")


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
            files = [_make(command, place) for command in commands]
            for file in files:
                shutil.copy(file, folder)
            return "\n".join([block[0], *_views(folder, files)])

        return BLOCK.sub(made, text)


def _make(command: str, place: Path) -> Path:
    printed = examples.run(command, place)
    output = OUTPUT.search(command)
    if output is None or not (place / output[1]).is_file():
        raise RuntimeError(f"{command}\n{printed}")
    return place / output[1]


def _views(folder: Path, files: list[Path]) -> Iterator[str]:
    for file in files:
        link = escape(f"{folder.name}/{file.name}")
        if file.suffix == ".html":
            yield f'\n<p><a href="{link}">Open the report</a></p>'
            frame = f'<iframe class="report" src="{link}" title="{file.name}"'
            yield f'{frame} loading="lazy"></iframe>\n'
        elif file.suffix == ".svg":
            yield f'\n<img src="{link}" alt="{escape(file.stem)}">\n'
        else:
            yield f'\n<p><a href="{link}">{escape(file.name)}</a></p>\n'
