"""Fixtures: asking a question from scenario text, as a user would from a file."""

from pathlib import Path

import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import read_scenario


@pytest.fixture(scope="session")
def ask():
    """Returns a function from scenario text and overrides to an Answer."""

    def answer(text, *overrides):
        return solve(read_scenario(text, "scenario.yaml", overrides))

    return answer


@pytest.fixture(scope="session")
def root():
    """The top folder of the checkout."""
    return Path(__file__).resolve().parent.parent
