"""The font in each page: every sign that we write, small, and with its licence."""

import ast
import string

import pytest

from optimizer.report.formats.style import FACES, FONTS, style

# In patterns that no page shows.
NEVER_SHOWN = set("\ufffd\U00010000\u052f\u2060")


@pytest.mark.parametrize("name", FACES.values())
def test_it_has_every_sign_of_our_own_texts(name, root):
    """Words of users may have others, which fall back to a font of the machine."""
    ttlib = pytest.importorskip("fontTools.ttLib", reason="in the extra dev")
    known = set(map(chr, ttlib.TTFont(FONTS / name).getBestCmap()))
    written = set(string.printable) - set("\t\n\r\x0b\x0c")
    for path in (root / "optimizer").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
        ]
        written |= {c for c in "".join(texts) if c.isprintable()}
    for path in (root / "optimizer" / "data").rglob("*.yaml"):
        written |= {c for c in path.read_text(encoding="utf-8") if c.isprintable()}
    assert written - known - NEVER_SHOWN == set()


def test_it_is_small_and_has_its_licence():
    fonts = [FONTS / name for name in FACES.values()]
    assert sum(font.stat().st_size for font in fonts) * 4 / 3 < 60_000
    assert style().count("@font-face") == 2
    licence = (FONTS / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in licence
    assert all(font.name in licence for font in fonts)
