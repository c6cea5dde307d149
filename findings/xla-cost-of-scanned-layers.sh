#!/usr/bin/env bash
# XLA's cost analysis (jax 0.10.2) counts the layers of a scanned stack once.
#
# JAX trainers stack a transformer's layers and run them by jax.lax.scan, and
# compiled.cost_analysis()["flops"] is an easy place to take a run's FLOP from. The scan
# compiles to a loop whose body is counted once, however often it runs. A table of runs
# whose compute column comes from there is too low by nearly the number of layers, which
# differs between the runs, so that isoFLOP groups and fits of C are bent, not scaled.
#
# Behaviour seen: 32 layers of a 256 x 256 matrix on 64 rows are 268,435,456 FLOP when
# unrolled, as 2 · 64 · 256 · 256 · 32 says, and 8,388,610 when scanned, with equal
# results.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2
"$folder/v/bin/python" - <<'PYTHON'
import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp

LAYERS, WIDTH, ROWS = 32, 256, 64
stack = jax.random.normal(jax.random.key(0), (LAYERS, WIDTH, WIDTH)) / WIDTH**0.5
rows = jnp.ones((ROWS, WIDTH))


def scanned(stack, rows):
    def layer(hidden, weights):
        return jnp.tanh(hidden @ weights), None

    return jax.lax.scan(layer, rows, stack)[0]


def unrolled(stack, rows):
    for weights in stack:
        rows = jnp.tanh(rows @ weights)
    return rows


print("jax", jax.__version__)
by_hand = 2 * ROWS * WIDTH * WIDTH * LAYERS
same = jnp.allclose(scanned(stack, rows), unrolled(stack, rows), atol=1e-5)
seen = {}
for form in (scanned, unrolled):
    compiled = jax.jit(form).lower(stack, rows).compile()
    seen[form.__name__] = compiled.cost_analysis()["flops"]
    print(f"{form.__name__}: {seen[form.__name__]:,.0f} FLOP, by hand {by_hand:,}")
print("equal results:", bool(same))
once = by_hand / LAYERS
unchanged = same and seen["unrolled"] == by_hand and abs(seen["scanned"] - once) < 10
sys.exit(0 if unchanged else "the behaviour has changed")
PYTHON
