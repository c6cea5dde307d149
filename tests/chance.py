"""How long random tests search: a fixed sample each day, more and anew on request.

The suite draws the same examples in each run, on every machine. `OVERTRAIN_THOROUGH=1`
searches anew with MORE times as many, from a seed that the head of the run names and
`--hypothesis-seed` takes. What it finds becomes an `@example` of its test.
"""

import os

THOROUGH = bool(os.environ.get("OVERTRAIN_THOROUGH"))
MORE = 20


def examples(count: int) -> int:
    """How many examples a test draws that draws `count` each day."""
    return count * MORE if THOROUGH else count
