#!/usr/bin/env bash
# torchtitan 0.3.0 takes an L40S and an H800 for an A100 when it says the MFU.
#
# Its table of peaks looks for "l40s" in lower case, which is in no name that a driver
# reports, and has no H800; both fall back to the A100's 312 TFLOP/s. NVIDIA's sheets
# give 362 dense in bf16 for the L40S, and the H800 computes as the H100 does, 989. So a
# run's logged MFU is 1.16 times too high on an L40S, and 3.17 times on an H800: who
# plans the next run by it buys too few accelerators. A warning in the log is all that
# tells it. The module imports torch, which the function needs for Intel's chips alone,
# so that it is run here without.
#
# Behaviour seen: 989 for "NVIDIA H100 80GB HBM3", 312 for "NVIDIA L40S" and "NVIDIA
# H800".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    torchtitan==0.3.0
"$folder/v/bin/python" - <<'PYTHON'
import ast
import logging
import os
import subprocess
import sys
from importlib.metadata import distribution

os.environ["PATH"] = ""  # what other cards this machine has does not matter
found = distribution("torchtitan")
source = found.locate_file("torchtitan/tools/utils.py").read_text()
wanted = "get_peak_flops"
(node,) = (n for n in ast.parse(source).body if getattr(n, "name", "") == wanted)
names = {"subprocess": subprocess, "logger": logging.getLogger("torchtitan")}
exec(compile(ast.Module([node], []), "utils.py", "exec"), names)
print("torchtitan", found.version)
seen = {}
for card in ("NVIDIA H100 80GB HBM3", "NVIDIA L40S", "NVIDIA H800"):
    seen[card] = names[wanted](card) / 1e12
    print(f"{card}: {seen[card]:.0f} TFLOP/s")
same = list(seen.values()) == [989, 312, 312]
sys.exit(0 if same else "the behaviour has changed")
PYTHON
