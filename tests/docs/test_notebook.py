"""The notebook of the docs shows what its cells give."""

import json
import re
import runpy
from pathlib import Path

import pytest

pytest.importorskip("altair")
DOCS = Path(__file__).parents[2] / "docs"
PICTURE = "image/svg+xml"


def test_every_cell_shows_what_it_gives():
    """If only wording changed: python docs/notebook.py."""
    runner = runpy.run_path(str(DOCS / "notebook.py"))
    notebook = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 6
    pictures = 0
    for cell, shown in zip(code, runner["outputs"](notebook), strict=True):
        assert cell["outputs"], cell["source"]
        for kept, new in zip(cell["outputs"], shown, strict=True):
            assert set(kept.get("data", {})) == set(new.get("data", {}))
            pictures += PICTURE in kept.get("data", {})
            assert _plain(kept) == _plain(new), "".join(cell["source"])
    assert pictures == 1


def _plain(output):
    """An output without its picture, which another version draws a little otherwise."""
    data = dict(output.get("data", {}))
    svg = "".join(data.pop(PICTURE, "<svg aria-label"))
    assert svg.startswith("<svg")
    assert re.search(r"aria-label|aria-roledescription", svg)
    return {**output, "data": data}


def test_it_is_small_and_follows_the_format():
    """nbformat 4.5: each cell has an id of its own, and its source in lines."""
    path = DOCS / "notebook.ipynb"
    assert path.stat().st_size < 60_000
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identities = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identities)) == len(identities)
    assert all(re.fullmatch(r"[\w-]{1,64}", each) for each in identities)
    counts = [c["execution_count"] for c in notebook["cells"] if "outputs" in c]
    assert counts == list(range(1, len(counts) + 1))
