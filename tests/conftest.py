"""What all tests share: how random ones search, questions, and where things are."""

import random
import signal
from pathlib import Path

import hypothesis
import pytest

from optimizer.analysis.plan.optimum import solve
from optimizer.question.load import read_scenario
from tests.chance import THOROUGH, examples

hypothesis.settings.register_profile(
    "overtrain",
    max_examples=examples(100),
    derandomize=not THOROUGH,
    database=None,
    deadline=None,
    print_blob=THOROUGH,
)
hypothesis.settings.load_profile("overtrain")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """A thorough run has a seed of its own; hypothesis reads it after this."""
    if THOROUGH and config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


def pytest_terminal_summary(terminalreporter, config):
    """The seed, by which a thorough run is had again."""
    if THOROUGH:
        seed = config.option.hypothesis_seed
        terminalreporter.write_line(f"searched anew with --hypothesis-seed={seed}")


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


@pytest.fixture(scope="session", autouse=True)
def listening():
    """What is run here ends when its terminal goes away, also under nohup.

    A process inherits that it does not listen to SIGHUP.
    """
    if hasattr(signal, "SIGHUP"):  # not on Windows
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def shared(root):
    """The folder of data beside the checkout, or a skip with the reason."""
    for folder in (parent / "shared" for parent in root.parents):
        if folder.is_dir():
            return folder
    pytest.skip("the shared data are not beside the repository (../shared)")
