"""How the lists of laws and accelerators are shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.commands.output import colourful, emit
from optimizer.report.formats.blocks import Blocks


def show(
    blocks: Blocks, content: Mapping[str, Any], form: str, output: Path | None
) -> None:
    """Writes a page, or its content as JSON, where it was asked to go."""
    if form == "json":
        from optimizer import __version__  # noqa: PLC0415
        from optimizer.report.formats import data  # noqa: PLC0415

        page = data.write(data.wrapped(content, __version__))
    elif form == "markdown":
        from optimizer.report.formats import markdown  # noqa: PLC0415

        page = markdown.render(blocks)
    else:
        from optimizer.report.formats import text  # noqa: PLC0415

        width = 80 if output is not None else text.width()
        page = text.render(blocks, width, colourful(output))
    emit(page, output)
