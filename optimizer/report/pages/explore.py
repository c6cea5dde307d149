"""The page of the live explorer: controls beside the plan, one file, no network.

Every text is escaped here or by `html`; the policy lets the page's own script run and
nothing else, and lets it talk to the server that it came from alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.story.live import Control, Live
from optimizer.report.formats import html
from optimizer.report.formats.blocks import printable
from optimizer.report.formats.style import TEMPLATES, style
from optimizer.report.pages.plan import answer_blocks

OPEN = ("target", "budget", "fix", "demand")  # groups that are unfolded at first


def explore_page(explored: Live, answer: Answer, version: str) -> str:
    """The whole page.

    Args:
        explored: the scenario and its controls.
        answer: its plan.
        version: of this tool.
    """
    stops = {one.name: one.stops for one in explored.controls if one.stops}
    name = Path(explored.original.file).name
    return Template(_template("explore.html")).substitute(
        title=_safe(explored.scenario.name),
        file=_safe(name),
        saved=_safe(name if name.endswith((".yaml", ".yml")) else "scenario.yaml"),
        version=_safe(version),
        style=style(pictures=False) + _template("explore.css"),
        controls="\n".join(_controls(explored.controls)),
        answer=fragment(answer),
        stops=_json(stops),
        script=_template("explore.js"),
    )


def fragment(answer: Answer) -> str:
    """The plan alone."""
    return html.render(answer_blocks(answer)[1:])


def policy() -> str:
    """The content security policy of the page.

    *Source*: W3C, Content Security Policy Level 3.
    """
    digest = hashlib.sha256(_template("explore.js").encode()).digest()
    script = base64.b64encode(digest).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        f"connect-src 'self'; script-src 'sha256-{script}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _controls(controls: Sequence[Control]) -> Iterator[str]:
    for group, members in groupby(controls, key=lambda one: one.name.split(".")[0]):
        unfolded = " open" if group in OPEN else ""
        yield f"<details{unfolded}><summary>{_safe(group)}</summary>"
        for one in members:
            yield _control(one, one.name.removeprefix(f"{group}."))
        yield "</details>"


def _control(one: Control, short: str) -> str:
    name, text = _safe(one.name), _safe(one.text)
    unit = f' <span class="unit">{_safe(one.unit)}</span>' if one.unit else ""
    slider = ""
    if one.stops:
        slider = (
            f'<input type="range" min="0" max="{len(one.stops) - 1}" step="1" '
            f'value="{len(one.stops) // 2}" aria-label="{name}" '
            f'aria-valuetext="{text}">'
        )
    return (
        f'<div class="control" data-name="{name}"><label>{_safe(short)}{unit}'
        f'<input type="text" value="{text}" spellcheck="false" maxlength="200">'
        f'</label>{slider}<span class="wrong" role="alert"></span></div>'
    )


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _json(value: object) -> str:
    """JSON that no script element can be ended by, whatever it says."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _safe(text: str) -> str:
    return escape(printable(text), quote=True)
