"""What the shape of a model costs in loss, by the formula of a fit to small models.

L = f(x, r)·L_best with x = width/√N and r = parameters of feed-forward blocks over
those of attention, N without embeddings; here f is taken relative to its least value,
1.0028 at x = 0.0801 and r = 1.032, so that the best shape costs nothing.

*Source*: arXiv 2510.18245, section 5.1: models of 80M to 297M parameters, r of 0.5 to
5, at 100 tokens a parameter on Dolma 1.7. Measured at larger sizes: 2.803 against 2.782
at 1B and 2.625 against 2.619 at 3B, less than the formula says there.
"""

from __future__ import annotations

import math

from optimizer.world.architecture.record import Record

RATIOS = (0.5, 5.0)  # r of the fit
FITTED = (80e6, 297e6)  # N of the fit [parameters]
BEST = 0.0801, 1.032  # x and r of the least f


def factor(x: float, r: float) -> float:
    """f(x, r): the loss of a shape over the L_opt of the formula."""
    wide = 2.697 + 0.0974 * math.log(x) + 0.0078 / x
    return wide * (0.3870 + 0.0063 * math.log(r) + 0.0065 / r)


def shape_of_record(record: Record) -> tuple[float, float] | None:
    """The x and r of a dense model with attention in each layer, else None."""
    mixing = sum(layer.mixer.parameters for layer in record.layers)
    feeding = sum(layer.feed.parameters for layer in record.layers)
    inner = record.active("without_embeddings")
    if record.mixture or record.told is not None or not (mixing and feeding and inner):
        return None
    if set(record.kinds) - {"full", "sliding", "chunked"}:
        return None
    return record.width / math.sqrt(inner), feeding / mixing


def relative_factor(record: Record) -> float | None:
    """The loss of a model's shape over that of the best one.

    Returns:
        None where the formula knows no such shape: a mixture, layers that are no plain
        attention, or r outside the fit.
    """
    found = shape_of_record(record)
    if found is None or not RATIOS[0] <= found[1] <= RATIOS[1]:
        return None
    return factor(*found) / factor(*BEST)
