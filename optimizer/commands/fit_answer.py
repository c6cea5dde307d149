"""What `fit` says and writes: the page or the document, and the law files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.commands.command_line import typed
from optimizer.commands.fit_pictures import draw_fit
from optimizer.commands.output import write
from optimizer.errors import InputError, Mark, Problem

if TYPE_CHECKING:
    from optimizer.analysis.law.judged_groups import JudgedGroups
    from optimizer.analysis.law.judgement import Judged
    from optimizer.fitting.runs import Runs
    from optimizer.report.formats.blocks import Block


@contextmanager
def told_what_was_left_out(runs: Runs) -> Iterator[None]:
    """Where a fit is refused, says which runs it did not have, and why."""
    from optimizer.fitting.oddities import summed  # noqa: PLC0415 - imports numpy

    try:
        yield
    except InputError as error:
        left = (note for note in summed(runs.notes) if note.done == "left out")
        told = (
            Problem(
                Mark(runs.file, n.line, 1 if n.line else 0),
                "",
                f"{n.message}: {n.done}",
            )
            for n in left
        )
        raise InputError([*error.problems, *told]) from None


def one_law(judged: Judged, form: str, output: Path | None, folder: Path | None) -> str:
    """Writes the law and its pictures, and says what was found."""
    from optimizer.report.pages.fit import fit_blocks, fit_data  # noqa: PLC0415

    if output is not None:
        _write_law(judged, output)
    said = [] if folder is None else draw_fit(judged, folder)
    if output is not None:
        said = [f"The law is in {output}; use it with law: {output}", *said]
    if form == "json":
        return _document({"fit": fit_data(judged)})
    return _page(fit_blocks(judged), said, form)


def laws_of_groups(
    judged: JudgedGroups,
    name: str,
    form: str,
    output: Path | None,
    folder: Path | None,
) -> str:
    """Writes a law and its pictures for each group, and says what was found."""
    from optimizer.report.pages.fit_groups import (  # noqa: PLC0415
        fit_groups_blocks,
        fit_groups_data,
    )

    said = []
    words = file_words(judged.grouped.names)
    if output is not None:
        for one in judged.groups:
            path = output.with_stem(f"{output.stem}-{words[one.fit.name]}")
            _write_law(one, path)
            said.append(
                f"The law of {one.fit.name} is in {path}; use it with law: {path}"
            )
    if folder is not None:
        folder.mkdir(exist_ok=True)
        for one in judged.groups:
            said += draw_fit(one, folder / words[one.fit.name])
    if form == "json":
        return _document({"fit": fit_groups_data(judged)})
    return _page(fit_groups_blocks(judged, name), said, form)


def file_words(names: Sequence[str]) -> Mapping[str, str]:
    """The name of each group as a part of a file's, each once."""
    found: dict[str, str] = {}
    for name in names:
        word = re.sub(r"[^\w.]+", "-", name.lower()).strip("-.")[:60] or "group"
        taken, count = word, 1
        while taken in found.values():
            count += 1
            taken = f"{word}-{count}"
        found[name] = taken
    return found


def _write_law(judged: Judged, path: Path) -> None:
    from optimizer.report.formats.law_file import law_text  # noqa: PLC0415

    write(path, law_text(judged.law, (f"Written by {typed()}",)))


def _document(found: Mapping[str, Any]) -> str:
    from optimizer import __version__  # noqa: PLC0415
    from optimizer.report.formats import data  # noqa: PLC0415

    return data.write(data.wrapped(found, __version__))


def _page(blocks: list[Block], said: Sequence[str], form: str) -> str:
    from optimizer.report.formats.blocks import Text  # noqa: PLC0415

    blocks += [Text(sentence) for sentence in said]
    if form == "markdown":
        from optimizer.report.formats import markdown  # noqa: PLC0415

        return markdown.render(blocks)
    from optimizer.commands.output import colourful  # noqa: PLC0415
    from optimizer.report.formats import text  # noqa: PLC0415

    return text.render(blocks, text.width(), colourful(None))
