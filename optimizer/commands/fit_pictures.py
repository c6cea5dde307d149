"""The pictures of a fit, as files in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.commands.output import failed, refuse_unwritable, write

if TYPE_CHECKING:
    from optimizer.analysis.law.judgement import Judged

WHY = {
    "profiles": "one coefficient alone, or this form, has no profile",
    "isoflop": "no compute has runs of four sizes",
    "holdout": "no runs were held out, or the others give no law",
}


def refuse_folder(folder: Path) -> None:
    """Tells early that pictures cannot be drawn, or have no place to go.

    Raises:
        InputError: a library is missing, the folder is a file, cannot be made, or what
            stands in it cannot be written over.
    """
    from optimizer.report.charts.uncertainty_catalogue import FITS  # noqa: PLC0415
    from optimizer.report.formats import render  # noqa: PLC0415 - optional parts
    from optimizer.report.formats.extras import missing  # noqa: PLC0415

    try:
        render.ready()
    except ImportError as error:
        raise missing(error) from None
    if os.path.isdir(folder):
        for kind in FITS:
            refuse_unwritable(folder / f"{kind}.svg")
        return
    if os.path.exists(folder):
        raise failed(folder, "this is a file, not a directory")
    refuse_unwritable(folder)  # as the name of a file that is made beside others


def draw_fit(judged: Judged, folder: Path) -> list[str]:
    """Writes the pictures, each beside and then renamed.

    Returns:
        What was written and what was not, in sentences.

    Raises:
        InputError: one cannot be written.
    """
    from optimizer.report.charts.catalogue import draw  # noqa: PLC0415
    from optimizer.report.charts.uncertainty_catalogue import FITS, fit_charts  # noqa: PLC0415
    from optimizer.report.formats import render  # noqa: PLC0415 - optional parts

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise failed(folder, f"cannot be made: {error.strerror}") from None
    done = []
    for chart in fit_charts(judged):
        write(folder / f"{chart.kind}.svg", render.svg(draw(chart)))
        done.append(chart.kind)
    names = ", ".join(f"{kind}.svg" for kind in done)
    told = [f"Pictures in {folder}: {names}"]
    told += [f"No {kind}.svg: {WHY[kind]}" for kind in FITS if kind not in done]
    return told
