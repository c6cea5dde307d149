"""Each shipped scenario is certified, explains itself, and gives what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.algebra.program import Status
from tests.shipped import PORTFOLIO, ROOT, answer, printed

EVERY = sorted((ROOT / "scenarios").glob("*.yaml"))
FILES = [path for path in EVERY if path != PORTFOLIO]
HEADER = "# yaml-language-server: $schema=../docs/scenario.schema.json\n"

# Figures of the comments: plan [parameters], plan [tokens], overtraining factor, all
# to the digits that the comments print.
CLAIMS = {
    "api-at-scale": ("4.0e9", "2.00e12", "24"),
    "buy-or-build": ("9.6e9", "3.58e11", "1.9"),
    "consumer-api": ("1.31e10", "2.7e12", "11"),
    "data-limited-language": ("4.28e9", "2.76e11", "3.3"),
    "distillation": ("6.33e9", "6.07e11", "5.6"),
    "internal-use": ("9.00e9", "3.91e11", "2.2"),
    "latency-bound-assistant": ("4.61e9", "1.35e12", "14"),
    "llama-3-8b": ("8.03e9", "1.50e13", "92"),
    "moe-api": ("2.92e9", "6.51e11", "41"),
    "on-device": ("3.06e9", "4.64e11", "7"),
    "on-device-int4": ("1.58e9", "4.4e12", "127"),
    "open-release": ("6.1e9", "7.3e11", "5.9"),
    "open-release-community-0": ("1.02e10", "3.3e11", "1.6"),
    "open-release-community-1": ("5.9e9", "7.6e11", "6.3"),
    "own-plan": ("9.29e9", "7.63e12", "41"),
    "reasoning-model": ("1.26e10", "3.03e12", "12"),
    "regulated-internal-assistant": ("2.15e10", "8.2e11", "2.0"),
    "rollouts": ("5.72e9", "8.22e11", "7.0"),
    "sardana-13b-2t": ("6.97e9", "1.25e12", "4.5"),
    "sixty-days": ("2.88e10", "3.04e12", "5.6"),
    "verified-code": ("2.92e9", "4.29e12", "29"),
    "smollm3": ("3.08e9", "1.12e13", "279"),
}


def test_every_scenario_has_its_claims() -> None:
    assert {path.stem for path in FILES} == set(CLAIMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_is_certified(path: Path) -> None:
    found = answer(path.stem)
    assert found.status is Status.OPTIMAL
    assert found.certificate is not None
    assert found.certificate.stationarity <= 1e-9
    assert found.certificate.violation <= 1e-10
    assert found.certificate.gap <= 1e-8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_gives_the_plan_of_its_comments(path: Path) -> None:
    found = answer(path.stem)
    assert found.plan is not None
    assert found.overtraining is not None
    parameters, tokens, factor = CLAIMS[path.stem]
    assert printed(found.plan.parameters, parameters)
    assert printed(found.plan.tokens, tokens)
    assert printed(found.overtraining.factor, factor)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_scenario_teaches(path: Path) -> None:
    """Editors find the schema, lines fit a screen, every section has its reason."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    assert max(map(len, text.splitlines())) <= 88
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line.startswith(("law:", "limits:", "budget:", "fix:")):
            assert lines[index - 1].startswith("#"), line
