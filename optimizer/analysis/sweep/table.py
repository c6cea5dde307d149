"""A sweep as columns in memory, which pandas, polars and Arrow take as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.sweep.sweep import RESULTS, STATUSES
from optimizer.analysis.sweep.sweep import sweep as worked_out
from optimizer.question.scenario import Scenario
from optimizer.question.vary import plan


def sweep(
    scenario: Scenario,
    vary: Mapping[str, str | Sequence[object]] | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> dict[str, Array | list[str]]:
    """Solves a scenario for every combination of what varies, a row each.

        pandas.DataFrame(sweep(scenario, {"demand.tokens": ["1T", "2T", "5T"]}))

    Args:
        scenario: from `load_scenario`.
        vary: path → values: a list, or a text such as `1e9:1e15:log:200`.
        sample: draws from the uncertainties that the scenario and its law state.
        seed: of the draws.

    Returns:
        A column for each thing that varies, `status`, and what is found, in base
        units; a row without a plan has NaN.

    Raises:
        InputError: a path or a value is wrong, or nothing varies.
    """
    texts = [
        f"{path}={values if isinstance(values, str) else ','.join(map(str, values))}"
        for path, values in (vary or {}).items()
    ]
    asked = plan(scenario, texts, sample, seed)
    parts = list(worked_out(asked, lambda: False))
    inputs = np.concatenate([part.inputs for part in parts])
    results = np.concatenate([part.results for part in parts])
    status = np.concatenate([part.status for part in parts])
    return {
        **{one.name: inputs[:, i] for i, one in enumerate(asked.numbers)},
        "status": [STATUSES[i] for i in status.tolist()],
        **{word: results[:, i] for i, word in enumerate(RESULTS)},
    }
