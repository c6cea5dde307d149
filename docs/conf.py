"""The documentation site: `python -m sphinx -W docs site` writes it to `site`.

It reads offline: formulas become MathML here, and no page asks for anything from
elsewhere. The pages stay plain Markdown, so that they read in the repository too; of
the command line `cli.md` and `cli-library.md` are read there, and here their `.rst`,
from the commands.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for gallery.py, beside this file

import gallery  # noqa: E402 - needs the line above
import generate  # noqa: E402 - likewise

from optimizer import __version__  # noqa: E402 - as any import after it
from optimizer.commands.group import COMMANDS  # noqa: E402

project = "overtrain"
author = copyright = "The overtrain maintainers"
release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
exclude_patterns = ["*.py", "cli.md", "cli-library.md"]
highlight_language = "none"
smartquotes = False  # what is typed has two hyphens and straight quotes

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 4
myst_update_mathjax = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
default_role = "code"  # docstrings write `words` with one backtick

html_theme = "furo"
html_title = f"overtrain {release}"
html_math_renderer = "mathml"
html_static_path = ["static", "../optimizer/report/fonts"]
html_theme_options = {
    f"{scheme}_css_variables": {"font-stack": "Overtrain, system-ui, sans-serif"}
    for scheme in ("light", "dark")
}
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Adds the formulas, the table of contents, the commands and the gallery."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("sphinx-click-process-description", _typed)
    app.connect("sphinx-click-process-options", _choices)
    app.connect("sphinx-click-process-epilog", _epilog)
    app.connect("source-read", _read)
    app.connect("autodoc-process-signature", _signature)
    app.add_config_value("reports", True, "html", bool)


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    formula = tex2mathml(node.astext(), as_block=True)
    self.body.append(f'<div class="formula">{formula}</div>')
    raise nodes.SkipNode


def _signature(_app: Sphinx, what: str, *of: Any) -> tuple[str, str] | None:
    """Records are answers: nobody calls them, and what they hold is listed below."""
    return ("", of[-1]) if what == "class" else None


def _choices(_app: Sphinx, _context: click.Context, lines: list[str]) -> None:
    lines[:] = [line.replace(":options:", ":one of:") for line in lines]


def _epilog(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Examples; of the group its commands, for exit codes have their own section."""
    if isinstance(context.command, click.Group):
        lines[:] = [".. rubric:: Commands", ""]
        lines += [
            f"* `{name} <{_page(name)}#overtrain-{name}>`__: {what}"
            for name, what in COMMANDS.items()
        ]
    _typed(app, context, lines)


def _page(command: str) -> str:
    page = "cli.md" if command in generate.PLANS else generate.LIBRARY
    return f"{Path(page).stem}.html"


def _typed(_app: Sphinx, _context: click.Context, lines: list[str]) -> None:
    """What click prints as it stands is shown so; sphinx-click makes verse of it."""
    found: list[str] = []
    for line in lines:
        verse = line.startswith("| ")
        if verse and not (found and found[-1].startswith("   ")):
            found += ["::", ""]
        found.append(f"   {line[2:]}" if verse else line)
    lines[:] = found


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    if page == "index":
        source[0] += "\n".join(_contents(source[0]))
    elif page == "gallery" and app.config.reports:
        source[0] = gallery.shown(source[0], Path(app.outdir) / "reports")


def _contents(text: str) -> Iterator[str]:
    """The lists of links of the first page, as the table of contents of all."""
    for title, body in re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", text, re.M | re.S):
        pages = re.findall(r"\]\(([\w/-]+)\.md\)", body)
        yield f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n"
        yield from (*pages, "```")
