#!/usr/bin/env bash
# The package chinchilla 0.2.0 does not fit the paper's loss unless it is asked to.
#
# Its default objective weighs an error ten times more where the law lies above the run,
# so that the law follows the lowest runs, not the middle ones; Hoffmann et al. (2022)
# take the Huber loss of the logarithms. Where the scatter goes both ways the default
# promises a loss that nine runs in ten do not reach, and its coefficients stand beside
# those of the paper's way as if they meant the same.
#
# Behaviour seen on 120 synthetic runs of a known law with 1 % of noise: the default law
# lies 1.25 % below the truth in the mean and 10 % of the runs are better than it; with
# log_huber it is 0.13 % and 52 %.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check \
    chinchilla==0.2.0 "numpy<3" "scipy<2"
"$folder/v/bin/python" - <<'PYTHON'
import sys
import tempfile
from importlib.metadata import version

import numpy as np
from chinchilla import Chinchilla
from chinchilla._metrics import log_huber

chance = np.random.default_rng(0)
size = 10 ** chance.uniform(7.5, 10, 120)
tokens = size * 10 ** chance.uniform(0.5, 2.5, 120)
truth = 1.7 + 400 / size**0.34 + 1500 / tokens**0.37
loss = truth * np.exp(0.01 * chance.standard_normal(120))
starts = {
    "E": [1.2, 1.7, 2.2],
    "a": [4.0, 6.0, 8.0],
    "b": [5.0, 7.0, 9.0],
    "alpha": [0.25, 0.35, 0.45],
    "beta": [0.25, 0.35, 0.45],
}
print("chinchilla", version("chinchilla"))
seen = {}
for name, words in (("default", {}), ("log_huber", {"loss_fn": log_huber})):
    with tempfile.TemporaryDirectory() as project:
        peer = Chinchilla(project, param_grid=starts, log_level=40, **words)
        for n, d, one in zip(size, tokens, loss):
            peer.append(N=n, D=d, C=6 * n * d, loss=one)
        peer.fit(parallel=False)
        law = peer.E + peer.A / size**peer.alpha + peer.B / tokens**peer.beta
    low = float(np.mean(np.log(truth / law)))
    better = float(np.mean(loss < law))
    seen[name] = low, better
    print(f"{name}: {low:.2%} below the truth, {better:.0%} of the runs are better")
floor = seen["default"][0] > 0.009 and seen["default"][1] < 0.2
middle = seen["log_huber"][0] < 0.004 and seen["log_huber"][1] > 0.4
sys.exit(0 if floor and middle else "the behaviour has changed")
PYTHON
