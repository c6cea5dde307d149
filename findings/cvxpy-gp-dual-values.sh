#!/usr/bin/env bash
# cvxpy 1.9.3's dual_value of a geometric program is an elasticity, not a shadow price.
#
# For a convex program the dual value of "f <= b" is what a unit of b saves. With gp=True
# the program that is solved is that of the logarithms, and its multipliers are handed
# back as they are: the per cent by which the cost falls for one per cent of b, whatever
# the units of either. Read as a price, as one reads it from any other program, a billion
# parameters of room seem worth nothing beside a cost of 1e22 FLOP. The tutorials on
# geometric programs and on dual variables do not say so.
#
# Behaviour seen: least 6ND + 2N·1e12 for a loss and N <= 1B. A parameter more of room
# saves 2.68e14 FLOP (by solving again), and 1 % of it 6.54 % of the cost; the dual value
# is 6.54. With the cost in units of 1e18 FLOP it stays, as no price does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    cvxpy==1.9.3 clarabel==0.11.1 "numpy<3" "scipy<2"
"$folder/v/bin/python" - <<'PYTHON'
import math
import sys

import cvxpy as cp


def least(room, unit):
    """The least cost, the dual value of the room for N."""
    N, D = cp.Variable(pos=True), cp.Variable(pos=True)
    limit = N <= room
    reached = 482 * N**-0.3478 + 2085 * D**-0.3658 <= 0.4
    cost = (6 * N * D + 2 * N * 1e12) / unit
    problem = cp.Problem(cp.Minimize(cost), [reached, limit])
    problem.solve(gp=True, solver=cp.CLARABEL)
    return problem.value, float(limit.dual_value)


print("cvxpy", cp.__version__)
step = 1e-3
seen = []
for unit in (1.0, 1e18):
    cost, dual = least(1e9, unit)
    less = least(1e9 * math.exp(-step), unit)[0]
    more = least(1e9 * math.exp(step), unit)[0]
    price = (less - more) / (2e9 * step)
    elastic = (math.log(less) - math.log(more)) / (2 * step)
    seen.append((dual, elastic, price))
    print(f"in {unit:g} FLOP: dual {dual:.4f}, elasticity {elastic:.4f}, {price:.3g} a unit")
same = all(abs(dual / elastic - 1) < 1e-3 for dual, elastic, _ in seen)
apart = all(abs(dual / price - 1) > 0.5 for dual, _, price in seen)
sys.exit(0 if same and apart else "the behaviour has changed")
PYTHON
