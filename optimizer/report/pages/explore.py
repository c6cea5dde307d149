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
from optimizer.analysis.plan.wording import amount
from optimizer.analysis.story.case import as_drawn
from optimizer.analysis.story.curves import overhead
from optimizer.analysis.story.live import Control, Live
from optimizer.analysis.story.picks import Pick
from optimizer.question.scenario import Scenario
from optimizer.report.formats import html
from optimizer.report.formats.blocks import Heading, Table, printable
from optimizer.report.formats.style import TEMPLATES, style
from optimizer.report.pages.headline import headline
from optimizer.report.pages.plan import answer_blocks
from optimizer.report.pages.size_curve import size_curve

OPEN = ("target", "budget", "fix", "demand")  # groups that are unfolded at first
# Words of the file that say little where they stand alone.
WORDS = {
    "alpha": "α, the exponent of N",
    "beta": "β, the exponent of D",
    "match parameters": "as good as a compute-optimal",
    "mfu": "utilisation (MFU)",
    "pue": "PUE of the site",
    "tdp": "power (TDP)",
}


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
        picks=_picks(explored.picks),
        controls="\n".join(_controls(explored.controls)),
        now=_safe(short(answer)),
        answer=fragment(explored.scenario, answer),
        stops=_json(stops),
        script=_template("explore.js"),
    )


def short(answer: Answer) -> str:
    """The answer in a line, which stays in view."""
    plan, cost = answer.plan, answer.cost
    if plan is None or cost is None:
        return headline(answer)
    told = [
        f"{amount(plan.parameters, 'parameters')} parameters",
        f"{amount(plan.tokens, 'tokens')} tokens",
        f"{amount(cost.total, cost.unit)} over its life",
        f"loss {plan.loss:.4f}",
    ]
    if count := len(answer.warnings):
        told.append("1 warning" if count == 1 else f"{count} warnings")
    return " · ".join(told)


def fragment(scenario: Scenario, answer: Answer) -> str:
    """The plan alone, with its picture behind what is said first.

    Args:
        scenario: with its choices as they are in the file.
        answer: to it.
    """
    blocks = answer_blocks(answer)[1:]
    first = next((i for i, b in enumerate(blocks) if isinstance(b, Table)), 0)
    while first and isinstance(blocks[first - 1], Heading):
        first -= 1  # a table keeps its title
    over = None
    if answer.plan is not None:
        over = overhead(as_drawn(scenario.chosen(answer.choice), answer), answer)
    return "".join(
        (
            _scrolled("The answer", html.render(blocks[:first])),
            size_curve(answer, over),
            _scrolled("Its tables", html.render(blocks[first:])),
        )
    )


def _scrolled(name: str, text: str) -> str:
    """What may be wider than a phone, and is reached by the keyboard."""
    return (
        f'<div class="scroll" role="region" aria-label="{name}" tabindex="0">'
        f"{text}</div>"
    )


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


def _picks(found: Sequence[Pick]) -> str:
    if not found:
        return ""
    inside = "".join(_pick(one) for one in found)
    return f"<details open><summary>Choices</summary>{inside}</details>"


def _pick(one: Pick) -> str:
    options = "".join(
        f"<option{' selected' if word == one.text else ''}>{_safe(word)}</option>"
        for word in one.options
    )
    return (
        f'<div class="control" data-name="{_safe(one.name)}"><label>'
        f"{_safe(words(one.name))}<select>{options}</select></label>{WRONG}</div>"
    )


WRONG = '<span class="wrong" role="alert"></span>'


def _controls(controls: Sequence[Control]) -> Iterator[str]:
    for group, members in groupby(controls, key=lambda one: one.name.split(".")[0]):
        unfolded = " open" if group in OPEN else ""
        title = _safe(words(group).capitalize())
        yield f'<details{unfolded} data-group="{_safe(group)}">'
        yield f"<summary>{title}</summary>"
        for one in members:
            yield _control(one, words(one.name.removeprefix(f"{group}.")))
        yield "</details>"


def words(name: str) -> str:
    """What people call a path of the file: `chat: input tokens`."""
    plain = name.replace(".", " ").replace("_", " ")
    if plain in WORDS:
        return WORDS[plain]
    *places, last = name.split(".")
    said = last.replace("_", " ")
    before = " ".join(places).replace("_", " ")
    return f"{before}: {WORDS.get(said, said)}" if before else WORDS.get(said, said)


def _control(one: Control, label: str) -> str:
    name, text, said = _safe(one.name), _safe(one.text), _safe(label)
    unit = f'<span class="unit">{_safe(one.unit)}</span>' if one.unit else ""
    slider = ""
    if one.stops:
        slider = (
            f'<input type="range" min="0" max="{len(one.stops) - 1}" step="1" '
            f'value="{len(one.stops) // 2}" aria-label="{said}, slider" '
            f'aria-valuetext="{text}">'
        )
    return (
        f'<div class="control" data-name="{name}"><label>{said}<span class="box">'
        f'<input type="text" value="{text}" spellcheck="false" maxlength="200">'
        f"{unit}</span></label>{slider}{WRONG}</div>"
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
