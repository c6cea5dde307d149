"""Runs the cells of `notebook.ipynb` and writes what they show into it.

    python docs/notebook.py

It does what a kernel does with these cells, and needs none: all cells share one set of
names, what is printed is a stream, and the last expression is shown in every form that
it offers (a page as HTML, a chart as SVG).
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
FORMS = {"_repr_html_": "text/html", "_repr_markdown_": "text/markdown"}


def outputs(notebook: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What each cell of code shows, one after another, beside `scenarios/`."""
    names: dict[str, Any] = {}
    with _folder():
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return [
            list(_shown("".join(cell["source"]), names, place))
            for place, cell in enumerate(code, 1)
        ]


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "scenarios", Path(name) / "scenarios")
        os.chdir(name)
        try:
            yield
        finally:
            os.chdir(before)


def _shown(source: str, names: dict[str, Any], place: int) -> Iterator[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed, found = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - our own cells
        if isinstance(last, ast.Expr):
            value = ast.Expression(last.value)
            found = eval(compile(value, "<cell>", "eval"), names)  # noqa: S307 - likewise
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        yield {"name": "stdout", "output_type": "stream", "text": text}
    if found is not None:
        yield {
            "data": {form: _lines(text) for form, text in _forms(found).items()},
            "execution_count": place,
            "metadata": {},
            "output_type": "execute_result",
        }


def _forms(found: Any) -> dict[str, str]:
    """Every form in which a value shows itself."""
    if hasattr(found, "_repr_mimebundle_"):
        forms: dict[str, str] = found._repr_mimebundle_()
        return forms
    shown = {"text/plain": repr(found)}
    for method, form in FORMS.items():
        if hasattr(found, method):
            shown[form] = getattr(found, method)()
    return shown


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Writes the notebook anew."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for place, (cell, shown) in enumerate(zip(code, outputs(notebook), strict=True), 1):
        cell["outputs"], cell["execution_count"] = shown, place
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    NOTEBOOK.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{NOTEBOOK.name}: {len(text):,} characters\n")


if __name__ == "__main__":
    main()
