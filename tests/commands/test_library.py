"""`laws` and `hardware`."""

import json

import pytest


@pytest.mark.parametrize(
    ("command", "name"), [("laws", "kaplan-2020"), ("hardware", "h100-sxm")]
)
def test_lists_and_single_entries(run, command, name):
    listed = run(command)
    assert listed.code == 0
    assert name in listed.out
    one = run(command, name)
    assert name in one.out.splitlines()[0]
    data = json.loads(run(command, name, "--format", "json").out)
    assert data["format_version"] == 1
    assert len(data[command]) == 1
    assert len(json.loads(run(command, "--format", "json").out)[command]) > 10
    assert "\n| :--- | " in run(command, "--format", "markdown").out


@pytest.mark.parametrize("command", ["laws", "hardware"])
def test_unknown_names(run, command):
    done = run(command, "no-such-thing")
    assert done.code == 2
    assert "no-such-thing" in done.err
    assert done.out == ""


def test_a_law_of_ones_own(here, run):
    (here / "mine.yaml").write_text(
        "name: mine\nE: 1.7\nA: 400\nB: 400\nalpha: 0.3\nbeta: 0.3\n"
    )
    done = run("laws", "mine.yaml")
    assert done.code == 0
    assert done.out.startswith("mine\n")
    assert "alpha  0.3" in done.out


def test_a_law_shows_its_pair_and_the_runs_held_out(run):
    """What the file of the law carries: predicted over measured loss, less 1."""
    told = run("laws", "openeurollm-2026")
    assert told.code == 0
    assert "openeurollm-2026-additive, of another form" in told.out
    held = told.out[told.out.index("Held out") : told.out.index("Checked")]
    rows = {line.split()[0]: line for line in held.splitlines() if "99.4" in line}
    assert "−1.7 %" in rows["additive"]
    assert "+0.14 %" in rows["coupled"]
    assert "+0.6 %" in rows["coupled"]
    assert "saturating" in rows
    plain = run("laws", "hoffmann-2022-tex")
    assert "Held out" not in plain.out
    assert "pair" not in plain.out
