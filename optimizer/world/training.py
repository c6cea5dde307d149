"""The training run: what its formats, zeros and optimiser leave of N and D, and cost.

    L = E + (A·(n·N)^-α + B·(d·ρ·D)^-β)^k

with n and d of the formats and the zeros that it is trained in, and ρ the data
efficiency of its optimiser: constants on N and D, so that the program stays what it is.
A third of the FLOP is the forward pass. *Source*: arXiv 2505.14669 for formats,
2506.01863 for zeros, whose factors multiply; `data/capacity.yaml` has the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from optimizer.algebra.posynomial import Term
from optimizer.reading.document import load_file
from optimizer.reading.spread import expected
from optimizer.records import replace
from optimizer.world.costs import Architecture, CostLine, Terms, priced
from optimizer.world.machines import BLOCKED, Machine, Training
from optimizer.world.surface import Surface, power

_FILE = Path(__file__).parents[1] / "data" / "capacity.yaml"
PASSES = {"forward": 2.0, "backward": 4.0}  # FLOP a parameter and token


@cache
def capacities() -> Mapping[str, Any]:
    """What `data/capacity.yaml` says."""
    found = load_file(_FILE).value
    return cast("Mapping[str, Any]", found)


def trained(surface: Surface, training: Training) -> Surface:
    """The loss surface of models that are trained as a scenario says.

    Args:
        surface: as the law has it.
        training: the words of the run.
    """
    n, d = _format(training)
    zeros = training.sparsity
    if zeros is not None:
        table = capacities()["sparsity"]
        n = n * _between(table["weights"], zeros.weights)
        n = n * _between(table["activations"], zeros.activations)
    d = d * expected(training.data_efficiency)
    if n == 1 and d == 1:
        return surface
    return replace(
        surface,
        A=surface.A * power(n, -surface.alpha) * power(d, -surface.delta),
        B=surface.B * power(d, -surface.beta),
    )


def _format(training: Training) -> tuple[float, float]:
    passes = [word for word in PASSES if training.format_of(word) in BLOCKED]
    if not passes:
        return 1.0, 1.0
    which = passes[0] if len(passes) == 1 else "both"
    factors = capacities()["formats"][training.format_of(passes[0])][which]
    return factors["parameters"], factors["tokens"]


def _between(rows: Sequence[tuple[float, float]], share: float) -> float:
    """The factor of a share of zeros: a line between two rows of the table."""
    for (low, one), (high, other) in pairwise(rows):
        if share.real <= high:
            return one + (other - one) * (share - low) / (high - low)
    raise ValueError(f"must be at most {rows[-1][0]:.0%}, got {share:.0%}")


def training_line(
    training: Training,
    machine: Machine,
    restart: float,
    architecture: Architecture | None,
    backward: Machine | None = None,
) -> CostLine:
    """The training run, restarts included.

    Args:
        training: its words.
        machine: that trains; the forward pass alone where `backward` is given.
        restart: part of the work that is lost and done again.
        architecture: the model's shape, for attention.
        backward: the same machine in the format of the backward pass.

    Raises:
        ValueError: attention is asked for without an architecture and sequence.
    """
    work = [("training", 6.0 * (1 + restart), {"N": 1.0, "D": 1.0})]
    if training.attention:
        if architecture is None or architecture.sequence is None:
            raise ValueError(
                "needs the model's shape; add architecture: {layers: 32, width: 4096, "
                "sequence: 4096}"
            )
        span = architecture.spanned(architecture.sequence)
        work.append(("attention", 12.0 * span * (1 + restart), {"D": 1.0}))
    terms = priced(work, machine, training.mfu)
    if backward is not None:
        other = priced(work, backward, training.mfu)
        terms = {unit: _mixed(terms[unit], other[unit]) for unit in terms}
    return CostLine("training", "training", terms)


def _mixed(forward: Terms, backward: Terms) -> Terms:
    """A third of what the run costs in one format, and two thirds of the other."""
    whole = sum(PASSES.values())
    return tuple(
        Term(
            one.label,
            (one.coefficient * PASSES["forward"] + two.coefficient * PASSES["backward"])
            / whole,
            one.exponents,
        )
        for one, two in zip(forward, backward, strict=True)
    )
