"""The replica of `serving: {model: measured}`: a step as a sum of what was measured.

The same posynomials as in `step`, with the size of the model left to choose. Layers and
width of a size that no architecture states follow the rules of `served`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from optimizer.world.costs import Architecture
from optimizer.world.hardware import Hardware
from optimizer.world.machines import PhaseMfu, Serving
from optimizer.world.roofline import Replica, Sum, replica
from optimizer.world.serving.formats import WEIGHTS, family

if TYPE_CHECKING:
    from optimizer.world.serving.constants import Measured

Pair = tuple[float, float]  # a coefficient and a power of N


def constants_of(serving: Serving, chip: Hardware) -> Measured:
    """The constants of a machine: its own, or the nearest that were measured."""
    word = family(serving.weights or serving.arithmetic)
    return _found(chip.key, word, serving.engine or "")


@cache
def _found(chip: str, precision: str, engine: str) -> Measured:
    from optimizer.world.serving.constants import library  # noqa: PLC0415 - few need it

    return library().find("dense", chip, precision, engine)


@cache
def _shares(found: Measured) -> dict[str, object]:
    c = found.constants
    return {"mfu": PhaseMfu(prefill=c.prefill, decode=c.arithmetic), "mbu": c.memory}


def with_shares(serving: Serving, chip: Hardware | None) -> Serving:
    """A measured machine with the utilisation that its constants say."""
    if serving.model != "measured" or chip is None:
        return serving
    return serving.model_copy(update=_shares(constants_of(serving, chip)))


def measured(
    suffix: str,
    serving: Serving,
    chip: Hardware | None,
    shape: Architecture | None,
    lengths: tuple[float, float] | None,
    stored: float = 1.0,
    bound: float | None = None,
) -> Replica:
    """Puts a serving machine's figures together; see `roofline.replica`.

    Raises:
        ValueError: a figure is missing or impossible; says what to do.
    """
    if stored != 1.0:
        raise ValueError(
            "model: measured does not price mixtures of experts in a scenario yet; "
            "take model: roofline with mfu and mbu, or overtrain serving for one model"
        )
    if chip is None or lengths is None:
        raise ValueError(
            "model: measured needs the accelerator and the lengths of a request; add "
            "hardware: h100-sxm, and input_tokens and output_tokens to the demand"
        )
    plain = replica(suffix, serving, chip, shape, lengths, stored, bound)
    c = constants_of(serving, chip).constants
    g = plain.accelerators
    if g.real > 1 and chip.link is None:
        raise ValueError(
            f"{chip.key} has no link between accelerators, which a replica of "
            f"{g.real:.0f} needs; describe the chip with e.g. link: 450 GB/s (one "
            "direction), or set accelerators: 1"
        )
    from optimizer.world.serving.served import BASE, DEPTH, WIDTH  # noqa: PLC0415 - likewise

    layers: Pair = (DEPTH[0] / BASE ** DEPTH[1], DEPTH[1])
    width: Pair = (WIDTH[0] / BASE ** WIDTH[1], WIDTH[1])
    if shape is not None and shape.layers is not None:
        layers = (1.0 * shape.layers, 0.0)
        if shape.width is not None:
            width = (1.0 * shape.width, 0.0)
    inner: Pair = (layers[0] * width[0], layers[1] + width[1])
    sent = 0.0
    if chip.link is not None:
        sent = 2.0 * (g - 1.0) / g * 4.0 * inner[0] / chip.link
    prompt, longest = lengths
    output = longest - prompt
    read = ((2.0 / plain.prefill, 1.0), (sent / c.prefill_link, inner[1]))
    whole = Sum(
        floor=((c.layer * layers[0], layers[1]),),
        each=((c.sequence, 0.0), *(((sent / c.link, inner[1]),) if g.real > 1 else ())),
        token=read if g.real > 1 else read[:1],
        share=c.interleaved * prompt * serving.unread / output if output else 0.0,
        mean=(prompt + output / 2.0) / plain.context,
    )
    held = WEIGHTS[serving.weights or serving.arithmetic]
    return replace(plain, weights=held, sum=whole)
