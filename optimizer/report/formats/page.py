"""The report as one self-contained HTML page: the only place that knows jinja2.

Every text is escaped by the templates, every number for a script is JSON that cannot
end its element, and a content security policy lets nothing else run or load.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from optimizer.report.formats.blocks import Heading, Table, Text, printable
from optimizer.report.formats.elements import (
    Chart,
    Fold,
    Points,
    Rich,
    Sliders,
    Tiles,
    Verbatim,
)
from optimizer.report.formats.extras import missing
from optimizer.report.formats.glossary import Glossary
from optimizer.report.formats.slider_points import points as stops_of
from optimizer.report.formats.slider_points import sliders
from optimizer.report.formats.style import TEMPLATES, style

TAG = re.compile(r"<[a-z][^>]*>")
NOISE = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')
GLUED = re.compile(r"(?<=\d) (?=(?:[×%]|FLOP|nats)(?!\w))|(?<=^line) (?=\d+$)")
WIDE = 6  # columns of a table that takes a row of its own


def render(
    blocks: Sequence[Rich],
    pictures: Iterable[tuple[int, str]],
    version: str,
    made: str,
) -> str:
    """Writes the page; all but the pictures while these are drawn.

    Args:
        blocks: of `report_page`; the first is the title.
        pictures: the place of each chart in the blocks, and its SVG once it is there.
        version: of this tool.
        made: the day.

    Raises:
        InputError: jinja2 is not installed.
    """
    title = blocks[0].text if isinstance(blocks[0], Heading) else "Cost report"
    points = {
        f"explorer-{place}": stops_of(block.explorer)
        for place, block in enumerate(blocks)
        if isinstance(block, Sliders)
    }
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    environment = _environment()
    template = environment.get_template("page.html.j2")
    safe = environment.filters["safe"]
    inner = environment.get_template("block.html.j2")
    glossary = Glossary()
    # What stands for a picture until it is there; in every text `<` is escaped.
    frames = {
        place: safe(f"<!--{place}-->")
        for place, block in enumerate(blocks)
        if isinstance(block, Chart)
    }
    parts = list(_parts(blocks, frames))

    def linked(words: str) -> Any:
        return safe(glossary.linked(words))

    text: str = template.render(
        title=printable(title),
        version=version,
        made=made,
        policy=_policy(script),
        style=safe(style()),
        contents=[{"id": part["id"], "text": part["title"]} for part in parts],
        parts=parts,
        block=lambda item: safe(inner.render(item=item, linked=linked)),
        words=glossary.words,
        points=safe(_json(points)),
        script=safe(script),
    )
    for place, picture in pictures:
        own = _inline(picture, place, _title(blocks[place]))
        text = text.replace(f"<!--{place}-->", own)
    return text


def _environment() -> Any:
    try:
        import jinja2  # noqa: PLC0415 - optional
    except ImportError as error:
        raise missing(error) from None
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=False,
    )


def _policy(script: str) -> str:
    """Nothing may load, and only this script may run.

    *Source*: W3C, Content Security Policy Level 3.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _json(value: object) -> str:
    """JSON that no script element can be ended by, whatever it says."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _parts(
    blocks: Sequence[Rich], pictures: Mapping[int, Any]
) -> Iterator[dict[str, Any]]:
    """Sections by the headings of level 2, groups in them by those of level 3.

    What follows a fold is the team's, until the section ends.
    """
    part = _part("", 0)
    groups = part["groups"]
    for place, block in enumerate(blocks):
        if isinstance(block, Heading) and block.level <= 2:
            if block.level == 2:
                if part["title"]:
                    yield _even(part)
                part = _part(printable(block.text), place)
                groups = part["groups"]
            continue
        if isinstance(block, Fold):
            part["team"] = {"title": printable(block.title), "groups": []}
            groups = part["team"]["groups"]
            continue
        if isinstance(block, Heading) or not groups:
            title = printable(block.text) if isinstance(block, Heading) else ""
            groups.append({"title": title, "id": f"group-{place}", "rows": []})
            if isinstance(block, Heading):
                continue
        item = _item(place, block, pictures, groups[-1]["title"])
        if item is not None and item.get("long"):
            item["region"] = f"{part['title']}: {item['caption']}"
        if item is not None:
            _placed(groups[-1]["rows"], item)
    if part["title"]:
        yield _even(part)


def _even(part: dict[str, Any]) -> dict[str, Any]:
    """A section whose rows are balanced, those of the team too."""
    for groups in (part["groups"], part["team"]["groups"] if part["team"] else []):
        for group in groups:
            group["rows"] = list(_balanced(group["rows"]))
    return part


def _part(title: str, place: int) -> dict[str, Any]:
    return {"title": title, "id": f"part-{place}", "groups": [], "team": None}


def _placed(rows: list[dict[str, Any]], item: dict[str, Any]) -> None:
    """Puts charts beside the words and tables before them, where both have room."""
    full = item["kind"] in ("sliders", "verbatim") or item.get("long")
    full = full or item.get("lead") or item.get("warns")
    column = "charts" if item["kind"] == "chart" else "words"
    if full or not rows or rows[-1]["full"]:
        rows.append({"full": bool(full), "words": [], "charts": []})
    rows[-1][column].append(item)


def _balanced(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows in which neither side ends long before the other.

    Beside a table further charts flow in two columns with it; a few words stand above
    theirs.
    """
    for row in rows:
        words, charts = row["words"], row["charts"]
        table = any(item["kind"] == "table" for item in words)
        if len(charts) < 2 or not words or table:
            yield row
            continue
        yield {**row, "charts": []}
        yield {**row, "words": [], "charts": charts}


def _item(
    place: int,
    block: Rich,
    pictures: Mapping[int, Any],
    group: str,
) -> dict[str, Any] | None:
    """What a template needs of a block; None where that has nothing to show."""
    found: dict[str, Any] | None = None
    if isinstance(block, Text):
        found = {
            "kind": "text",
            "text": _words(block.text),
            "label": printable(block.label),
            "lead": block.lead,
            "warns": group == "Warnings",
        }
    elif isinstance(block, Tiles):
        tiles = [
            {"name": t.name, "value": _words(t.value), "note": _words(t.note)}
            for t in block.tiles
        ]
        found = {"kind": "tiles", "tiles": tiles}
    elif isinstance(block, Points):
        items = [_words(item) for item in block.items]
        found = {"kind": "points", "title": block.title, "items": items}
    elif isinstance(block, Verbatim):
        lines = block.text.split("\n")
        found = {"kind": "verbatim", "text": "\n".join(map(printable, lines))}
    elif isinstance(block, Table):
        found = _table(block, group)
    elif isinstance(block, Sliders):
        found = sliders(place, block.explorer)
    elif isinstance(block, Chart) and place in pictures:
        found = _chart(place, block, pictures[place])
    return found


def _chart(place: int, block: Chart, picture: Any) -> dict[str, Any]:
    return {
        "kind": "chart",
        "id": f"chart-{place}",
        "title": block.title,
        "alternative": _words(block.alternative),
        "picture": picture,
    }


def _title(block: Rich) -> str:
    return block.title if isinstance(block, Chart) else ""


def _words(text: str) -> str:
    """A text for the page; a number stays with the sign after it."""
    return GLUED.sub("\N{NO-BREAK SPACE}", printable(text))


def _table(table: Table, caption: str) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": caption or "Overview",
        "titled": table.titled,
        "columns": [
            {"title": _words(column.title), "align": column.align}
            for column in table.columns
        ],
        "rows": [[_words(cell) for cell in row] for row in table.rows],
        "long": len(table.columns) >= WIDE or any(c.wrap for c in table.columns[2:]),
    }


def _inline(picture: str, place: int, title: str) -> str:
    """An SVG for the middle of a page: one image with one name, the words below it.

    What the drawing engine tells of a mark is what the script shows of it.
    """
    body = TAG.sub(
        lambda tag: NOISE.sub("", tag[0].replace(' aria-label="', ' data-tip="')),
        picture,
    )
    # Names within a picture must not meet those of another, and the drawing engine
    # numbers them in the order of its work, which differs from time to time.
    for count, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]*)"', body))):
        own = f"c{place}-{count}"
        body = body.replace(f'id="{name}"', f'id="{own}"')
        body = body.replace(f"url(#{name})", f"url(#{own})")
    start = body.index("<svg")
    name = escape(title)
    return f'<svg role="img" aria-label="{name}"{body[start + 4 :]}'
