"""A sweep as columns in memory, which pandas, polars and Arrow take as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from optimizer.algebra.posynomial import Array
from optimizer.analysis.sweep.sweep import STATUSES
from optimizer.analysis.sweep.swept import swept
from optimizer.question.portfolio import Portfolio
from optimizer.question.scenario import Scenario


def sweep(
    scenario: Scenario | Portfolio,
    vary: Mapping[str, str | Sequence[object]] | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> dict[str, Array | list[str]]:
    """Solves a scenario for every combination of what varies, a row each.

        pandas.DataFrame(sweep(scenario, {"demand.tokens": ["1T", "2T", "5T"]}))
        sweep(scenario, {"law": "all", "demand.tokens": "1e9:1e15:log:200"})

    Args:
        scenario: from `load`; a portfolio is solved jointly, row by row.
        vary: path → values: a list, or a text such as `1e9:1e15:log:200`. Words vary
            too: laws (`all` for those to plan by, `forms` for a law and its pair),
            accelerators, formats.
        sample: draws from the uncertainties that the scenario and its law state.
        seed: of the draws.

    Returns:
        A column for each word and number that varies, `status`, and what is found, in
        base units, `(rows,)` each; a row without a plan has NaN. Of a portfolio
        `NAME.parameters`, `NAME.tokens` and `NAME.loss` of each model.

    Raises:
        InputError: a path or a value is wrong, or nothing varies.
    """
    texts = [f"{path}={_listed(values)}" for path, values in (vary or {}).items()]
    asked = swept(scenario, texts, sample, seed)
    parts = list(asked.blocks(lambda: False))
    inputs = np.concatenate([rows.inputs for _, rows in parts])
    results = np.concatenate([rows.results for _, rows in parts])
    status = np.concatenate([rows.status for _, rows in parts])
    words = [told for told, rows in parts for _ in range(len(rows.status))]
    return {
        **{name: [row[i] for row in words] for i, name in enumerate(asked.words)},
        **{name: inputs[:, i] for i, name in enumerate(asked.inputs)},
        "status": [STATUSES[i] for i in status.tolist()],
        **{word: results[:, i] for i, word in enumerate(asked.results)},
    }


def _listed(values: object) -> str:
    """Values as a text; one alone is a list of one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return str(values)
    return ",".join(map(str, values))
