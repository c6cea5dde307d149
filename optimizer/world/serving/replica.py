"""The replica of `serving: {model: measured}`: a step as a sum of what was measured.

The same posynomials as in `step`, with the size of the model left to choose. Layers and
width of a size that no architecture states follow the rules of `served`.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from optimizer.records import dataclass, replace
from optimizer.world.built import Built
from optimizer.world.costs import Architecture
from optimizer.world.hardware import Hardware
from optimizer.world.machines import BYTES, KV, PhaseMfu, Serving, Speculation
from optimizer.world.roofline import Replica
from optimizer.world.serving.formats import CACHE, WEIGHTS, WIDE, family
from optimizer.world.shapes import Shape
from optimizer.world.summed import Pairs, Routed, Sum
from optimizer.world.surface import ln

if TYPE_CHECKING:
    from optimizer.world.serving.constants import Library, Measured
    from optimizer.world.serving.served import Served

Pair = tuple[float, float]  # a coefficient and a power of N
NONE = Speculation.model_construct(accepted=0.0, drafted=0.0, draft=0.0)


@dataclass(frozen=True)
class Experts:
    """The routed experts of a model whose size is left to choose.

    Attributes:
        count: routed experts of a layer.
        chosen: those of them that a token passes.
        size: parameters of all routed experts, for each of N.
    """

    count: float
    chosen: float
    size: float


def constants_of(
    serving: Serving,
    chip: Hardware,
    mixture: bool = False,
    own: Library | None = None,
) -> Measured:
    """The constants of a machine: its own, or the nearest that were measured.

    Args:
        serving: its words.
        chip: its accelerator.
        mixture: whether a mixture of experts is served.
        own: constants of the user's; None takes those of the package.
    """
    word = family(serving.weights or serving.arithmetic)
    kind = "mixture" if mixture else "dense"
    words = (kind, chip.key, word, serving.engine or "")
    if own is not None:
        return own.find(*words)
    from optimizer.world.serving.constants import shipped  # noqa: PLC0415 - few need it

    return shipped(*words)


def with_shares(
    serving: Serving,
    chip: Hardware | None,
    shape: Architecture | None,
    stored: float | None,
    mixture: bool,
    own: Library | None = None,
) -> Serving:
    """A measured machine with the utilisation that its constants say.

    Embeddings that are looked up are never multiplied, and a prompt needs the head
    once: of a model that is known, 2·N FLOP a token is so much more than what is done.

    Args:
        serving: its words.
        chip: its accelerator.
        shape: of the model, if told.
        stored: all parameters over N, where the model is known.
        mixture: whether a mixture of experts is served.
        own: constants of the user's; None takes those of the package.
    """
    if serving.model != "measured" or chip is None:
        return serving
    found = constants_of(serving, chip, mixture, own)
    model = _known(shape)
    decode = prefill = 1.0
    if model is not None and stored is not None:
        decode = (model.active - model.looked_up) * stored / model.total
        prefill = decode - model.head * stored / model.total
    return serving.model_copy(update=_shares(found, prefill, decode))


@cache
def _shares(found: Measured, prefill: float, decode: float) -> dict[str, object]:
    c = found.constants
    # Of 2·N, and so above one where much of N is not multiplied.
    mfu = PhaseMfu.model_construct(
        prefill=c.prefill / prefill, decode=c.arithmetic / decode
    )
    return {"mfu": mfu, "mbu": c.memory}


def _known(shape: Architecture | None) -> Served | None:
    """The model of a shape that is known layer by layer; None of another."""
    if not isinstance(shape, Built):
        return None
    from optimizer.world.serving.served import of_known  # noqa: PLC0415 - few need it

    return shape.once("served", of_known)


def _stored(
    serving: Serving, shape: Architecture | None, stored: float, routed: float
) -> tuple[float, float]:
    """Bytes of all weights, and of those that a step reads whatever it decodes.

    For each of N. Embeddings and heads are kept in 16 bits, as `step.Place` has them;
    those of a size that is left to choose keep their share.
    """
    size = WEIGHTS[serving.weights or serving.arithmetic]
    looked_up: float = 0.0
    head: float = 0.0
    rest, model = size, _known(shape)
    if model is not None:
        looked_up, head = (x / model.total for x in (model.looked_up, model.head))
        rest = size if model.rest is None else WEIGHTS[model.rest]
    elif isinstance(shape, Shape) and shape.vocabulary is not None:
        head = shape.vocabulary * shape.width / shape.stored
        looked_up = shape.embeddings / shape.stored - head
    wide = max(rest, WIDE)
    plain = stored * (1.0 - looked_up - head) - routed
    read = plain * rest + stored * head * wide
    return read + routed * size + stored * looked_up * wide, read


def measured(
    plain: Replica,
    serving: Serving,
    chip: Hardware | None,
    shape: Architecture | None,
    lengths: tuple[float, float] | None,
    stored: float,
    own: Library | None,
    experts: Experts | None = None,
) -> Replica:
    """A machine of which the parts of a step add up.

    Args:
        plain: its figures under a roofline with the measured shares.
        serving: the words.
        chip: the accelerator.
        shape: the model's, for layers, width and cache.
        lengths: longest prompt and longest sequence of its streams.
        stored: stored parameters over N.
        own: constants of the user's; None takes those of the package.
        experts: of a mixture, whose N counts what a token passes.

    Raises:
        ValueError: a figure is missing or impossible; says what to do.
    """
    if chip is None or lengths is None:
        raise ValueError(
            "model: measured needs the accelerator and the lengths of a request; add "
            "hardware: h100-sxm, and input_tokens and output_tokens to the demand"
        )
    c = constants_of(serving, chip, experts is not None, own).constants
    g = plain.accelerators
    if g.real > 1 and chip.link is None:
        raise ValueError(
            f"{chip.key} has no link between accelerators, which a replica of "
            f"{g.real:.0f} needs; describe the chip with e.g. link: 450 GB/s (one "
            "direction), or set accelerators: 1"
        )
    from optimizer.world.serving.served import BASE, DEPTH, WIDTH  # noqa: PLC0415 - likewise

    # A mixture is as deep and wide as a dense model between its two sizes.
    like = stored**0.5 / BASE
    layers: Pair = (DEPTH[0] * like ** DEPTH[1], DEPTH[1])
    width: Pair = (WIDTH[0] * like ** WIDTH[1], WIDTH[1])
    if shape is not None and shape.layers is not None:
        layers = (1.0 * shape.layers, 0.0)
        if shape.width is not None:
            width = (1.0 * shape.width, 0.0)
    inner: Pair = (layers[0] * width[0], layers[1] + width[1])
    rounds = ring = 0.0
    if chip.link is not None:
        sent = 4.0 * inner[0] / chip.link
        rounds, ring = ln(g) / math.log(2.0) * sent, 2.0 * (g - 1.0) / g * sent
    coefficient, power = plain.kv
    kept = CACHE[serving.kv or KV] / BYTES[serving.kv or KV]
    kv = (coefficient * kept * _copied(serving, shape, plain.context), power)
    prompt, longest = lengths
    output = longest - prompt
    # Tokens whose cache is found are not computed, but all that are look at them.
    looks = 2.0 * inner[0] * prompt * (2.0 - serving.unread)
    looks = looks / (g * chip.peak("bf16") * c.prefill)
    token: Pairs = ((2.0 / plain.prefill, 1.0), (looks, inner[1]))
    if g.real > 1:
        token = (*token, (ring / c.prefill_link, inner[1]))
    together = serving.prefill != "apart"
    between = c.interleaved * prompt * serving.unread if together else 0.0
    told = serving.speculation or NONE
    size = 0.0 if experts is None else experts.size
    held, read = (
        bytes_ * (1.0 + told.draft) for bytes_ in _stored(serving, shape, stored, size)
    )
    floor, routed = c.layer, None
    if experts is not None:
        floor = c.layer + c.routed * experts.chosen
        missed = (1.0 - experts.chosen / experts.count) ** (1.0 + told.drafted)
        each_expert = WEIGHTS[serving.weights or serving.arithmetic]
        moved = size * each_expert * (1.0 + told.draft)
        routed = Routed(moved, missed)
    floor, each = floor * told.passes / told.tokens, c.sequence / told.tokens
    link = rounds / c.link * told.computed / told.tokens
    whole = Sum(
        floor=((floor * layers[0], layers[1]),),
        each=((each, 0.0), *(((link, inner[1]),) if g.real > 1 else ())),
        token=token,
        read=read,
        share=between / output if output else 0.0,
        mean=_mean(serving, shape, prompt + output / 2.0, plain) * (1.0 + told.draft),
        routed=routed,
    )
    return replace(
        plain,
        compute=plain.compute * told.tokens / told.computed,
        # Of both the weights and the cache, which hold the draft's.
        traffic=plain.traffic * told.tokens * (1.0 + told.draft) / told.passes,
        weights=held,
        kv=kv,
        sum=whole,
    )


def _mean(
    serving: Serving, shape: Architecture | None, context: float, plain: Replica
) -> float:
    """What a sequence keeps in the mean over what it keeps at its longest."""
    if shape is None:
        return context / plain.context
    mean, _ = shape.kept(context, serving.kv_bytes)
    longest, _ = shape.kept(plain.context, serving.kv_bytes)
    return mean / longest


def _copied(serving: Serving, shape: Architecture | None, context: float) -> float:
    """How often a replica holds what a sequence keeps.

    Accelerators beyond the heads of keys and values hold copies of them; a state is
    split whatever it is.
    """
    from optimizer.world.serving.served import KV_HEADS  # noqa: PLC0415 - few need it

    heads, apart = KV_HEADS, 0.0
    if isinstance(shape, Built):
        heads = 1.0 * (shape.record.kv_heads or 1)
        apart = shape.record.state / shape.record.kept(context, serving.kv_bytes)
    elif shape is not None and shape.kv_heads is not None:
        heads = 1.0 * shape.kv_heads
    g = serving.accelerators or 1.0
    if g.real <= heads.real:
        return 1.0
    times = g / heads
    return times - (times - 1.0) * apart
