"""Training and serving as machines: what a FLOP costs in time, money and energy.

A utilised accelerator does peak · MFU FLOP/s. Its second costs price/3600 dollars,
TDP · power_fraction · PUE joules, and their carbon. *Source*: Sardana et al. 2024,
eq. 6, for dollars; energy by the mean power over TDP, never by MFU.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from optimizer.reading.fields import (
    Carbon,
    Count,
    Duration,
    Field,
    FieldError,
    Fraction,
    Mfu,
    Model,
    PriceHour,
    Quantity,
    Ratio,
    across,
)
from optimizer.reading.kinds import EFFICIENCY, FRACTION, RATIO
from optimizer.reading.quantity import HOUR
from optimizer.reading.spread import Uncertain
from optimizer.records import dataclass, replace
from optimizer.world.hardware import Hardware

Arithmetic = Literal["bf16", "fp8", "int8", "fp4"]
Storage = Literal["bf16", "fp8", "int8", "fp4", "int4"]
Trained = Literal["bf16", "fp8", "int8", "fp4", "mxfp4"]
BLOCKED = {"mxfp4": "fp4"}  # formats with factors of their own, and where they compute
BYTES = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5, "int4": 0.5}
KV = "bf16"  # the format of a cache of which nothing is told
Kept = Annotated[
    float, Quantity(replace(RATIO, name="a number of at least 0", low=0.0))
]
Zeros = Annotated[float, Quantity(replace(FRACTION, high=0.8))]
Efficiency = Annotated[float, Quantity(EFFICIENCY)]
Found = Annotated[float, Quantity(replace(FRACTION, high=0.99))]
KWH = 3.6e6  # [J]


class PhaseMfu(Model):
    """MFU of the two phases of serving."""

    prefill: Mfu = Field(description="while reading the prompt")
    decode: Mfu = Field(description="while writing the answer")


class Speculation(Model):
    """A small model drafts tokens, and a step of the large one checks them at once."""

    accepted: Kept = Field(
        description="drafted tokens that are kept, of each step, in the mean; a step "
        "gives one more of its own"
    )
    drafted: Ratio = Field(description="tokens that are drafted for each step")
    draft: Fraction = Field(
        description="parameters of the draft over those of the model"
    )

    @across
    def _fits(self) -> None:
        if self.accepted > self.drafted:
            message = f"must be at most the {self.drafted:g} that are drafted"
            raise FieldError((("accepted",), message))

    @property
    def tokens(self) -> float:
        """Tokens of a sequence that a step gives."""
        return 1.0 + self.accepted

    @property
    def passes(self) -> float:
        """Reads of the model's weights a step takes, the draft's in shares of one."""
        return 1.0 + self.drafted * self.draft

    @property
    def computed(self) -> float:
        """Tokens of a sequence that a step computes, the draft's in shares of one."""
        return 1.0 + self.drafted * (1.0 + self.draft)


class Passes(Model):
    """The formats of the two passes of training."""

    forward: Trained = Field(description="a third of the FLOP")
    backward: Trained = Field(description="the rest")


class Sparsity(Model):
    """Zeros that the model is trained with."""

    weights: Zeros = Field(0.0, description="share of the weights that are zero")
    activations: Zeros = Field(0.0, description="share of the activations")
    speedup: Ratio = Field(
        1.0, description="how much faster the run is for it; dense unless given"
    )


class Training(Model):
    """The machine that trains the model."""

    hardware: str | dict[str, Any] | None = Field(
        None, description="a chip by name, a hardware file, or an entry inline"
    )
    precision: Trained | Passes = Field(
        "bf16",
        description="of arithmetic; in mxfp4, which computes as fp4, N and D count for "
        "less",
    )
    sparsity: Sparsity | None = Field(
        None, description="zeros of weights and activations, by which N counts for less"
    )
    data_efficiency: Uncertain[Efficiency] = Field(
        1.0,
        description="of the optimiser: tokens of the law that one of yours is worth",
    )
    mfu: Mfu | None = Field(None, description="useful FLOP over the dense peak")
    price: Uncertain[PriceHour] | Literal["example"] | None = Field(
        None,
        description="of one accelerator; example takes a dated offer from the library",
    )
    accelerators: Count | None = Field(None, description="that train together")
    attention: bool = Field(
        False, description="count attention's FLOPs, from the architecture"
    )

    def format_of(self, which: str) -> str:
        """The format of the `forward` or the `backward` pass."""
        if isinstance(self.precision, Passes):
            return str(getattr(self.precision, which))
        return self.precision

    def arithmetic_of(self, which: str) -> str:
        """The precision whose peak a pass has."""
        own = self.format_of(which)
        return BLOCKED.get(own, own)

    @property
    def computed(self) -> set[str]:
        """The precisions that its chip must have."""
        return {self.arithmetic_of("forward"), self.arithmetic_of("backward")}

    def plainly(self) -> Self:
        """The same run by the law as it stands, for models that are trained already."""
        return self.model_copy(
            update={
                "precision": self.arithmetic_of("backward"),
                "data_efficiency": 1.0,
                "sparsity": None,
            }
        )


class Serving(Model):
    """The machine that serves the model."""

    model: Literal["flops", "mfu", "roofline", "measured"] | None = Field(
        None,
        description="flops: 2N a token; mfu: the time of an accelerator at a constant "
        "utilisation; roofline: the time that compute and memory traffic allow; "
        "measured: the time that engines were measured to take",
    )
    hardware: str | dict[str, Any] | None = Field(
        None, description="a chip by name, a hardware file, or an entry inline"
    )
    precision: Arithmetic | None = Field(None, description="of arithmetic; bf16")
    weights: Storage | None = Field(None, description="as stored; the precision")
    kv: Storage | None = Field(
        None, description="the KV cache as stored; bf16, as engines keep it"
    )
    stored_per_active: Ratio | None = Field(
        None,
        description="stored parameters over active ones, where the law counts active",
    )
    mfu: Mfu | PhaseMfu | None = Field(
        None, description="useful FLOP over the dense peak, one number or one a phase"
    )
    mbu: Mfu | None = Field(
        None, description="memory bandwidth utilisation, of the roofline"
    )
    engine: Literal["trtllm", "vllm", "sglang"] | None = Field(
        None, description="whose measured constants are used, with model: measured"
    )
    constants: str | None = Field(
        None,
        description="a file of your own constants, from overtrain calibrate, with "
        "model: measured",
        examples=["my-serving.yaml"],
    )
    prefill: Literal["together", "apart"] | None = Field(
        None,
        description="whether prompts are read between the tokens of others, or on "
        "machines apart, with model: measured; together",
    )
    speculation: Speculation | None = Field(
        None, description="drafted tokens that a step checks, with model: measured"
    )
    price: Uncertain[PriceHour] | Literal["example"] | None = Field(
        None,
        description="of one accelerator; example takes a dated offer from the library",
    )
    accelerators: Count | None = Field(None, description="of one replica; 1")
    batch: Count | None = Field(
        None, description="sequences decoded together; a roofline chooses it"
    )
    context: Count | None = Field(None, description="tokens a sequence holds")
    attention: bool | None = Field(
        None, description="count attention's FLOPs in prefill, from the architecture"
    )

    prefix_cache: Found | None = Field(
        None, description="share of the prompt tokens whose cache is found; 0"
    )
    memory_fill: Mfu | None = Field(
        None, description="part of HBM for weights and cache, of the roofline; 90 %"
    )
    peak_to_mean: Ratio | None = Field(None, description="of the load; 1")
    idle_paid: bool | None = Field(
        None, description="whether capacity for the peak is paid all the time"
    )
    max_time_per_output_token: Duration | None = Field(
        None, description="between two tokens of an answer, as its reader sees them"
    )
    max_time_to_first_token: Duration | None = Field(
        None, description="from the prompt to the first token of the answer"
    )
    quantization_penalty: bool | None = Field(
        None, description="whether stored weights of few bits cost quality"
    )

    @property
    def arithmetic(self) -> str:
        """The precision in which it computes."""
        return self.precision or "bf16"

    @property
    def weight_bytes(self) -> float:
        """Bytes of one stored weight."""
        return BYTES[self.weights or self.arithmetic]

    @property
    def kv_bytes(self) -> float:
        """Bytes of one stored number of the KV cache.

        Engines keep the cache in the model's own format also where weights and
        arithmetic are in fp8, unless they are told otherwise.
        """
        return BYTES[self.kv or KV]

    @property
    def unread(self) -> float:
        """The share of the prompt tokens that is computed, the rest being found."""
        return 1.0 - (self.prefix_cache or 0.0)

    @property
    def batched(self) -> bool:
        """Whether the batch is part of the program."""
        return self.model in ("roofline", "measured")

    @property
    def by_time(self) -> bool:
        """Whether it costs accelerator time, and not only FLOPs."""
        timed = self.model == "mfu" or self.batched
        return timed or (self.model is None and self.mfu is not None)

    @property
    def standby(self) -> float:
        """Accelerator time paid over accelerator time used."""
        return self.peak_to_mean or 1.0 if self.idle_paid else 1.0

    def over(self, common: Self) -> Self:
        """Returns the common serving with this one's words in place of its own."""
        return common.model_copy(
            update={name: getattr(self, name) for name in self.model_fields_set}
        )


class Energy(Model):
    """How accelerator time becomes energy and carbon; all the user's figures."""

    pue: Ratio = Field(description="power of the whole site over that of the machines")
    power_fraction: Mfu = Field(description="mean power over TDP, never MFU")
    idle_fraction: Mfu | None = Field(
        None,
        description="power of a machine that waits over TDP; that of one at work",
    )
    grid: Carbon | None = Field(None, description="carbon of the electricity")

    @across
    def _rests(self) -> None:
        if (self.idle_fraction or 0.0) > self.power_fraction:
            message = "must be at most the power_fraction, which is that at work"
            raise FieldError((("idle_fraction",), message))

    @property
    def idle(self) -> float:
        """Power of a machine that waits over one at work."""
        if self.idle_fraction is None:
            return 1.0
        return self.idle_fraction / self.power_fraction


@dataclass(frozen=True)
class Machine:
    """What a second of one accelerator does and costs.

    Attributes:
        name: the chip.
        flops: peak FLOP/s at the arithmetic precision, or None.
        price: dollars an hour, or None.
        power: mean power at the wall [W], or None.
        grid: carbon intensity [kg/kWh], or None.
        idle: power while it waits, over that at work.
    """

    name: str | None = None
    flops: float | None = None
    price: float | None = None
    power: float | None = None
    grid: float | None = None
    idle: float = 1.0

    def amounts(self, flop: float, mfu: float | None) -> Mapping[str, float]:
        """What some FLOP cost, by unit, as far as the machine's figures are given.

        Args:
            flop: the work [FLOP].
            mfu: the part of the peak that does useful work.

        Returns:
            FLOP, and where known s (accelerator-seconds), USD, kWh and kgCO2e.
        """
        result = {"FLOP": flop}
        if self.flops is not None and mfu is not None:
            result.update(self.time(flop / (self.flops * mfu)))
        return result

    def time(self, seconds: float) -> Mapping[str, float]:
        """What some accelerator-seconds cost, by unit, FLOP apart."""
        result = {"s": seconds}
        if self.price is not None:
            result["USD"] = seconds / HOUR * self.price
        if self.power is not None:
            energy = result["kWh"] = seconds * self.power / KWH
            if self.grid is not None:
                result["kgCO2e"] = energy * self.grid
        return result


def phases(mfu: PhaseMfu | float | None) -> tuple[float | None, float | None]:
    """The MFU of prefill and of decode."""
    if isinstance(mfu, PhaseMfu):
        return mfu.prefill, mfu.decode
    return mfu, mfu


def machine(
    hardware: Hardware | None,
    precision: str,
    price: float | None,
    energy: Energy | None,
    faster: float = 1.0,
) -> Machine:
    """Puts a chip, its price and the energy figures together.

    Args:
        hardware: the chip, or None.
        precision: of arithmetic.
        price: dollars an hour, or None.
        energy: from time to energy, or None.
        faster: by which it exceeds its dense peak.

    Raises:
        ValueError: the chip has no such precision, or no thermal design power where
            energy is asked for.
    """
    if hardware is None:
        return Machine(price=price)
    power = None
    if energy is not None:
        power = hardware.power() * energy.power_fraction * energy.pue
    return Machine(
        name=hardware.key,
        flops=hardware.peak(precision) * faster,
        price=price,
        power=power,
        grid=None if energy is None else energy.grid,
        idle=1.0 if energy is None else energy.idle,
    )
