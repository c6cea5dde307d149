"""Conditions of `--fail-on`."""

import json

import pytest

from optimizer.commands.condition import PATHS, read_conditions

PLAN = {"cost": {"total": 2e6}, "unit_cost": None, "savings": {"fraction": -0.1}}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("cost.total > 2e6", False),
        ("cost.total>=2M", True),
        ("cost.total <= 2000000", True),
        ("cost.total == 2_000k", True),
        ("cost.total != 2M", False),
        ("cost.total < 0.01B", True),
        ("savings.fraction < -0.05", True),
        ("unit_cost.total < 1e50", False),
        ("unit_cost.total != 0", False),
    ],
)
def test_comparisons(text, holds):
    (condition,) = read_conditions((text,))
    assert condition.holds(PLAN) is holds


def test_every_path_leads_to_a_number_of_a_solved_plan(here, run):
    done = run("solve", "good.yaml", "--set", "fix.parameters=3B", "--format", "json")
    (plan,) = json.loads(done.out)["plans"]
    null = set()
    for path in PATHS:
        node = plan
        for step in path.split("."):
            node = None if node is None else node[step]
        if node is None:
            null.add(path.split(".")[0])
        else:
            assert isinstance(node, int | float), path
    absent = {"own", "post_training"}  # of other scenarios
    assert null == absent | {"amounts", "unit_cost", "training_run", "infeasibility"}
