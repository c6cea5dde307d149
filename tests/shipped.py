"""The shipped scenarios, each answered once."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from optimizer.analysis.plan.answer import Answer
from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import load_scenario

ROOT = Path(__file__).parents[1]
PORTFOLIO = ROOT / "scenarios" / "portfolio.yaml"


@cache
def answer(name: str, *overrides: str) -> Answer:
    return solve(load_scenario(ROOT / "scenarios" / f"{name}.yaml", overrides))


def printed(value: float, digits: str) -> bool:
    """Whether a value rounds to a number as it is printed."""
    number = float(digits)
    shown = digits.split("e", maxsplit=1)[0].replace(".", "").lstrip("0")
    step = 10.0 ** (math.floor(math.log10(number)) - len(shown) + 1)
    return abs(value - number) <= step / 2 * (1 + 1e-9)
