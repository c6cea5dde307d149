"""What pages look like: their rules, their colours, and the font that they carry."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
FONTS = TEMPLATES.with_name("fonts")
FACES = {"400": "arimo-regular.woff2", "700": "arimo-bold.woff2"}
# Colours of the charts and what they become on a dark ground.
DARK = {
    "#0072b2": "#4fa8dd",
    "#d55e00": "#f08a3c",
    "#00855f": "#35b98c",
    "#aa4499": "#d987cb",
    "#8a6d00": "#cba630",
    "#6e7781": "#8b96a1",
    "#9ec3dd": "#2c5f80",
    "#1f2328": "#e6e9ed",
    "#57606a": "#9aa5b1",
    "#d8dee4": "#2d3742",
    "#ffffff": "#0f1419",
}


def style(pictures: bool = True) -> str:
    """The rules of a page, in which its fonts are.

    Args:
        pictures: whether it has charts, which turn dark with the page.
    """
    rules = (
        f'.picture [{what}="{light}"]{{{what}:{dark}}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    text = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return _faces() + text.replace("{{ dark }}", "\n".join(rules) if pictures else "")


def alone(picture: str, title: str) -> str:
    """An SVG that stands alone: it says what it shows, and carries its font and ground.

    Args:
        picture: a drawn chart.
        title: what it shows, in a sentence.
    """
    start = picture.index(">") + 1
    rules = _faces(("400", "700") if 'font-weight="bold"' in picture else ("400",))
    # Its ink is dark, and the page that shows it may be dark, too.
    rules += "svg.marks{background:#fff}"
    head = f"<title>{escape(title)}</title><style>{rules}</style>"
    return picture[:start] + head + picture[start:]


def _faces(weights: Iterable[str] = tuple(FACES)) -> str:
    """The fonts in the page itself, so that it looks alike everywhere."""
    faces = ""
    for weight, name in ((weight, FACES[weight]) for weight in weights):
        data = base64.b64encode((FONTS / name).read_bytes()).decode()
        faces += (
            f"@font-face{{font-family:Overtrain;font-weight:{weight};"
            f'src:url(data:font/woff2;base64,{data})format("woff2")}}\n'
        )
    return faces
