"""Cost over size as a small picture, drawn from the engine's own points."""

from __future__ import annotations

import math
from html import escape

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.wording import (
    above,
    amount,
)
from optimizer.analysis.story.curves import Overhead

WIDTH, HEIGHT = 400, 210  # of the picture's own units
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 12, 40
MOST = 1.0  # of the cost above the least, where the picture ends
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def size_curve(answer: Answer, over: Overhead | None) -> str:
    """The lifetime cost of each size at the plan's loss, above the least.

    Args:
        answer: with a plan.
        over: its curve; an empty text without one.

    Returns:
        A figure of HTML, with its words.
    """
    if over is None or answer.plan is None:
        return ""
    rows = zip(over.sizes, over.lifetime, strict=True)
    near = [(N, above) for N, above in rows if above <= MOST]
    if len(near) < 2 or near[0][0] == near[-1][0]:
        return ""
    first, last = math.log(near[0][0]), math.log(near[-1][0])

    def across(N: float) -> float:
        part = (math.log(N) - first) / (last - first)
        return LEFT + min(1.0, max(0.0, part)) * (WIDTH - LEFT - RIGHT)

    def down(above: float) -> float:
        part = min(MOST, max(0.0, above)) / MOST
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    points = " ".join(f"{across(N):.1f},{down(above):.1f}" for N, above in near)
    size = answer.plan.parameters
    here = next(a for N, a in zip(over.sizes, over.lifetime, strict=True) if size == N)
    x, y = across(size), down(here)
    named, words = amount(size, "parameters"), _words(answer, here, near)
    anchor = "start" if x < WIDTH / 2 else "end"
    aside = 8 if x < WIDTH / 2 else -8
    floor = HEIGHT - BOTTOM
    return "".join(
        (
            '<figure class="curve"><figcaption>Lifetime cost over size, at the loss '
            f'of the plan</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(words)}">',
            *(_rung(step, down(step)) for step in STEPS),
            f'<polyline points="{points}"/>',
            f'<line class="drop" x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{floor}"/>',
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
            f'<text class="plan" x="{x + aside:.1f}" y="{y - 9:.1f}" '
            f'text-anchor="{anchor}">{escape(named)}</text>',
            _end(near[0][0], LEFT, "start"),
            _end(near[-1][0], WIDTH - RIGHT, "end"),
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" '
            'text-anchor="middle">parameters, in logarithms</text></svg>',
            f'<p class="alternative">{escape(words)}</p></figure>',
        )
    )


def _words(answer: Answer, here: float, near: list[tuple[float, float]]) -> str:
    ends = [amount(N, "parameters") for N, _ in (near[0], near[-1])]
    size = "" if answer.plan is None else amount(answer.plan.parameters, "parameters")
    held = "costs the least" if here < 5e-4 else f"costs {above(here)} the least"
    return (
        f"At the plan's loss {size} {held}; from {ends[0]} to {ends[1]} the cost is "
        "within twice that. Limits are left aside."
    )


def _rung(step: float, y: float) -> str:
    label = "least" if step == 0 else f"+{100 * step:.0f} %"
    return (
        f'<line class="rung" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
        f'y2="{y:.1f}"/><text x="{LEFT - 5}" y="{y + 4:.1f}" '
        f'text-anchor="end">{label}</text>'
    )


def _end(N: float, x: float, anchor: str) -> str:
    return (
        f'<text x="{x}" y="{HEIGHT - BOTTOM + 16}" text-anchor="{anchor}">'
        f"{escape(amount(N, 'parameters'))}</text>"
    )
