"""A decode step and a prompt of a replica, as sums of what was measured.

ℓ layers, d width, g accelerators of a replica, V one direction of the link between
them, F the peak, BW the bandwidth, W stored bytes, S bytes that a sequence keeps, A
active parameters, k experts of a token, b sequences in flight, q the time of a prompt:

    t = c_L·ℓ + c_E·k·ℓ + (W(b) + b·S)/(e_m·g·BW) + 2·A·b/(e_f·g·F)
        + log₂g·4·ℓ·d·b/(e_a·V) + c_s·b
    q = prompt·((2·A + 2·ℓ·d·prompt)/(e_p·g·F) + 2·(g−1)/g·4·ℓ·d/(e_n·V))
    T = t + φ·b·q/output           what a user waits for a token
    C = t + b·q/output             what a token of each sequence takes

A sum and not a maximum, for kernels alternate between the bounds. The all-reduces, two
a layer in 16 bits, are large in a prompt, where they go round a ring, 2·(g−1)/g times
their bytes; in a step they are small, and latency asks for few rounds: log₂g, each with
all bytes, as recursive doubling has it. Over a life of a
sequence the engine reads one prompt a sequence: b·q in the time of `output` steps,
whoever waits for it; so g·C/b is the time of an output token with its prompt, and φ
is the share of the prompts of others that falls between a sequence's tokens.

*Source*: the terms by Pope et al., "Efficiently scaling transformer inference" (2022),
section 3; Thakur, Rabenseifner & Gropp, "Optimization of collective communication
operations in MPICH" (2005), for the ring and for recursive doubling; the constants by
`overtrain calibrate` (`data/serving.yaml`).
"""

from __future__ import annotations

import math

from optimizer.records import dataclass
from optimizer.world.hardware import Hardware
from optimizer.world.serving.constants import Constants
from optimizer.world.serving.formats import CACHE, WEIGHTS, WIDE, peak
from optimizer.world.serving.served import Served

FILL = 0.9  # of memory, the rest for activations and the runtime
MOST = 2048.0  # sequences that engines take at once


@dataclass(frozen=True)
class Place:
    """Where a model is served, and how it is stored.

    Attributes:
        chip: one accelerator.
        accelerators: g.
        weights: format of the weights.
        kv: format of the cache.
        fill: share of the memory for weights and cache.
    """

    chip: Hardware
    accelerators: float
    weights: str
    kv: str
    fill: float = FILL

    def stored(self, model: Served, routed: float) -> float:
        """Bytes of the weights, with some of the routed experts."""
        size = WEIGHTS[self.weights]
        rest = size if model.rest is None else WEIGHTS[model.rest]
        wide = model.looked_up + model.head
        plain = model.total - model.routed - wide
        return plain * rest + wide * max(rest, WIDE) + routed * size

    def weight_bytes(self, model: Served) -> float:
        """Bytes of all weights."""
        return self.stored(model, model.routed)

    def cache_bytes(self, model: Served, context: float) -> float:
        """Bytes that a sequence keeps over the replica, copies included."""
        copies = max(self.accelerators / model.kv_heads, 1.0)
        return CACHE[self.kv] * model.numbers(context) * copies + model.state

    def check(self, model: Served) -> None:
        """Checks that a replica can hold and compute a model.

        Raises:
            ValueError: a figure of the chip is missing, or the weights do not fit; the
                message says what to do.
        """
        chip, g = self.chip, self.accelerators
        for word, value in (("memory size", chip.memory), ("", chip.bandwidth)):
            if value is None:
                raise ValueError(f"{chip.key} has no {word or 'memory bandwidth'}")
        if g > 1 and chip.link is None:
            raise ValueError(
                f"{chip.key} has no link between accelerators; describe the chip with "
                "link: 450 GB/s (one direction) and the like, or set accelerators: 1"
            )
        weights, memory = self.weight_bytes(model), chip.memory or 0.0
        if weights > g * memory:
            raise ValueError(
                f"{weights / 2**30:.0f} GiB of weights do not fit in {g:.0f} × "
                f"{memory / 2**30:.0f} GiB; take more accelerators or a smaller format"
            )

    def room(self, model: Served, context: float) -> float:
        """Sequences of a length that its memory holds beside the weights."""
        memory = self.chip.memory or 0.0
        free = self.accelerators * memory * self.fill - self.weight_bytes(model)
        return free / self.cache_bytes(model, context)


@dataclass(frozen=True)
class Work:
    """What a step and a prompt have to do, to be multiplied with constants.

    Attributes:
        step: layers, layers times experts, bandwidth [s], arithmetic [s], link [s],
            sequences.
        prompt: arithmetic [s], link [s].
    """

    step: tuple[float, ...]
    prompt: tuple[float, ...]


@dataclass(frozen=True)
class Answer:
    """What a replica does for some sequences at once.

    Attributes:
        batch: sequences in flight, as many as memory holds.
        step: one decode step alone [s].
        prompt: one prompt alone [s].
        per_token: what a user waits for a token, prompts of others included [s].
        cycle: the time of a token of each sequence, all prompts included [s].
        first: what a user waits for the first token [s].
        rate: output tokens a second and accelerator.
    """

    batch: float
    step: float
    prompt: float
    per_token: float
    cycle: float
    first: float
    rate: float


def work(
    model: Served, place: Place, batch: float, context: float, prompt: float
) -> Work:
    """What a step and a prompt have to do.

    Args:
        model: what is served.
        place: where.
        batch: sequences decoded together.
        context: tokens that each holds in the mean.
        prompt: tokens of a prompt.
    """
    chip, g = place.chip, place.accelerators
    speed = g * peak(chip, place.weights)
    sixteen = g * peak(chip, "bf16")
    read = place.stored(model, model.touched(batch) * model.routed)
    read -= model.looked_up * max(WEIGHTS[model.rest or place.weights], WIDE)
    moved = read + batch * place.cache_bytes(model, context)
    multiplied = model.active - model.looked_up
    rounds = ring = 0.0
    if chip.link is not None:
        sent = 4.0 * model.layers * model.width / chip.link
        rounds, ring = math.log2(g) * sent, 2.0 * (g - 1.0) / g * sent
    chosen = model.chosen if model.mixture else 0.0
    pairs = 2.0 * model.layers * model.width * prompt
    step = (
        model.layers,
        model.layers * chosen,
        moved / (g * (chip.bandwidth or 1.0)),
        2.0 * multiplied * batch / speed,
        rounds * batch,
        batch,
    )
    reading = 2.0 * (multiplied - model.head) / speed + pairs / sixteen
    return Work(step, (prompt * reading, prompt * ring))


def answer(
    model: Served,
    place: Place,
    constants: Constants,
    batch: float | None,
    prompt: float,
    output: float,
) -> Answer:
    """What a replica does for some sequences at once.

    Args:
        model: what is served.
        place: where.
        constants: of that place.
        batch: sequences at once; None asks for as many as memory holds.
        prompt: tokens of a prompt.
        output: tokens of an answer.

    Raises:
        ValueError: a figure is missing, or the model does not fit.
    """
    place.check(model)
    room = max(place.room(model, prompt + output), 1.0)
    b = min(MOST if batch is None else batch, room)
    done = work(model, place, b, prompt + output / 2.0, prompt)
    t = sum(c * x for c, x in zip(constants.step, done.step, strict=True))
    q = sum(c * x for c, x in zip(constants.prompt, done.prompt, strict=True))
    share = constants.interleaved
    cycle = t + b * q / output
    return Answer(
        batch=b,
        step=t,
        prompt=q,
        per_token=t + share * b * q / output,
        cycle=cycle,
        first=t + q * (1.0 + (1.0 - share) * (b - 1.0)),
        rate=b / (place.accelerators * cycle),
    )
