"""What is said of a sweep's time before it starts, by a clock that the test moves."""

import pytest

from optimizer.analysis.sweep import forecast
from optimizer.analysis.sweep.sweep import sweep
from optimizer.engine.solve import asking_cvxpy
from optimizer.question.load import read_scenario
from optimizer.question.vary import plan

PLAIN = """\
law: besiroglu-2024-refit
target: {match: {parameters: 13B}}
demand: {tokens: {low: 1T, expected: 2T, high: 4T}}
"""


class Clock:
    """Stands still until it is told that time has passed."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    one = Clock()
    monkeypatch.setattr(forecast, "time", one)
    return one


def test_writing_the_rows_is_part_of_the_time(clock):
    """Solving alone was told: half a second of 2,000,000 rows that took 20 s as CSV."""
    asked = plan(read_scenario(PLAIN), (), 20_000, 0)

    def kept(rows) -> None:
        clock.now += len(rows.status) / 1000

    assert forecast.forecast(asked, None, kept).seconds == pytest.approx(20.0)
    assert forecast.forecast(asked, None).seconds == 0.0


def test_time_is_extrapolated_without_what_is_done_once(clock):
    """By 8192 draws and half of them: 100 s once, 2 s each time, and 1 ms a draw."""
    once = [100.0]

    def work(count: int) -> None:
        clock.now += (once.pop() if once else 0.0) + 2.0 + count / 1000

    told = forecast.extrapolated(work, read_scenario(PLAIN), 1_000_000)
    assert told == pytest.approx(2.0 + 1000.0)


def test_a_sweep_by_cvxpy_can_be_stopped_within_few_rows():
    """It looked up after 8192 rows, a minute; by then Ctrl-C had been pressed twice."""
    asked = plan(read_scenario(PLAIN), (), 70, 0)
    with asking_cvxpy():
        counts = [len(rows.status) for rows in sweep(asked, lambda: False)]
    assert sum(counts) == 70
    assert max(counts) <= 64
