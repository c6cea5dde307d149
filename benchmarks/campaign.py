"""Random programs by the million, each of which must end with a proof.

    python -m benchmarks.campaign --programs 1e6 --state campaign.json

Each batch has programs of one shape, one model or a portfolio of two to four, with
every feature of the tests on or off and the hard ones too: exponents at the edges of
the published laws, a quantization penalty, next to no room, costs over thirty decades.
Half of them are put in other units, with coefficients over sixty decades. Then follow
as many with next to no room: the smallest model whose cost is within 1e-6 to 1 of the
least. What is done is kept in the state, from which the same command goes on. A program
that is neither certified optimal nor proven infeasible is listed with what makes it
again: `benchmarks.campaign.again(*listed)`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.algebra.posynomial import Array, Term, build
from optimizer.algebra.program import Constraint, GeometricProgram, members
from optimizer.engine.batch import FAILED, INFEASIBLE, OPTIMAL, solve_block
from tests.engine.random_programs import (
    FEATURES,
    HARD,
    elsewhere,
    portfolios,
    programs,
)

SIZE = 500
COUNTED = ("programs", "optimal", "infeasible", "by cvxpy")


def main(arguments: list[str]) -> int:
    """Goes on with a campaign; exit code 1: programs are left without a proof."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=float, default=1e5)
    parser.add_argument("--state", type=Path, default=Path("campaign.json"))
    asked = parser.parse_args(arguments)
    state = _state(asked.state)
    while state["programs"] < asked.programs:
        _batch(state)
        asked.state.write_text(json.dumps(state, indent=1), encoding="utf-8")
        print(_told(state), end="\r", file=sys.stderr)
    print(_told(state))
    for left in state["left"]:
        print(left)
    return 1 if state["left"] else 0


def _state(path: Path) -> dict[str, Any]:
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return {"next": 0, **dict.fromkeys(COUNTED, 0), "asked": [], "left": []}


def _told(state: dict[str, Any]) -> str:
    counts = ", ".join(f"{state[name]:,} {name}" for name in COUNTED)
    return f"{counts}, {len(state['left'])} without a proof"


def _batch(state: dict[str, Any]) -> None:
    """The next shape: its programs, and those near their optima."""
    seed = state["next"]
    program, random = drawn(seed)
    z = _count(state, program, SIZE, [seed, "whole"])
    rows = np.flatnonzero(np.isfinite(z).all(axis=1))
    if rows.size and _size(program):
        near = _near(members(program, rows), z[rows], random)
        _count(state, near, len(rows), [seed, "near"])
    state["next"] = seed + 1


def drawn(seed: int) -> tuple[GeometricProgram, np.random.Generator]:
    """The programs of a seed, and the chance that goes on from there."""
    random = np.random.default_rng(seed)
    models = random.choice([1, 1, 1, 1, 2, 3, 4])
    # Of several models with many limits hardly one portfolio has a plan.
    part = random.choice([0.3, 0.5, 0.7] if models == 1 else [0.1, 0.2, 0.3])
    features = {name for name in FEATURES if random.random() < part}
    features |= {name for name in HARD if random.random() < part / 2}
    if models == 1:
        program = programs(features, seed, SIZE)
    else:
        program = portfolios(features, seed, models, SIZE)
    if random.random() < 0.5:
        program = elsewhere(program, seed, SIZE)
    return program, random


def again(seed: int, kind: str, member: int) -> GeometricProgram:
    """A program that was listed."""
    program, random = drawn(seed)
    if kind == "near":
        z = solve_block(program, SIZE).z
        rows = np.flatnonzero(np.isfinite(z).all(axis=1))
        program = _near(members(program, rows), z[rows], random)
    return members(program, np.array([member]))


def _size(program: GeometricProgram) -> str | None:
    """The variable that is some model's size, where it is free."""
    return next((name for name in program.variables if name.startswith("N")), None)


def _near(
    program: GeometricProgram, z: Array, random: np.random.Generator
) -> GeometricProgram:
    """The smallest model whose cost is within a factor of the least."""
    most = np.exp(program.objective.log_value(z))
    most = most * (1 + 10.0 ** random.uniform(-6, 0, len(z)))
    cost = program.objective.scaled((1 / most)[:, None])  # type: ignore[arg-type]
    size = build(program.variables, [Term("size", 1.0, {_size(program) or "": 1.0})])
    return GeometricProgram(size, (*program.constraints, Constraint("near", cost)))


def _count(
    state: dict[str, Any], program: GeometricProgram, count: int, name: list[Any]
) -> Array:
    found = solve_block(program, count)
    state["programs"] += count
    state["optimal"] += int((found.ended == OPTIMAL).sum())
    state["infeasible"] += int((found.ended == INFEASIBLE).sum())
    state["by cvxpy"] += found.alone
    state["asked"] += [name] if found.alone else []
    left = np.flatnonzero(found.ended == FAILED).tolist()
    state["left"] += [[*name, member] for member in left]
    return found.z


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
