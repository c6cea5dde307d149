"""A scenario: the words of its file, with its law and its machines.

Here are the words and the record; `load` reads them from a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from optimizer.document import Document, Steps
from optimizer.errors import Mark
from optimizer.fields import Count, Loss, Model, Parameters, Tokens
from optimizer.world.costs import Architecture, Costs, Data, MoneyOverTime
from optimizer.world.demand import Stream
from optimizer.world.hardware import Hardware
from optimizer.world.law import Law
from optimizer.world.limits import Budget, Limits
from optimizer.world.machines import Energy, Serving, Training


class Match(Model):
    """A reference model: the target is its loss under the scenario's law."""

    parameters: Parameters | None = None
    tokens: Tokens | None = Field(
        None, description="as trained; without it, training-optimal"
    )
    model: str | None = Field(None, description="a published model by name")


class Target(Model):
    """The quality to reach; one of the two."""

    loss: Loss | None = None
    match: Match | None = None


class Fix(Model):
    """What has been decided already; one of the two."""

    parameters: Parameters | None = None
    tokens: Tokens | None = None


class Spec(Model):
    """The words of a scenario file."""

    name: str | None = None
    description: str | None = None
    law: str | dict[str, Any] = Field(
        description="a built-in law, a law file, or coefficients inline"
    )
    experts: Count | None = Field(None, description="experts of a joint-MoE law")
    objective: Literal["compute", "dollars", "energy", "carbon"] = "compute"
    target: Target | None = None
    budget: Budget | None = None
    fix: Fix | None = None
    demand: Stream | tuple[Stream, ...] | None = Field(
        None, description="what the model serves: one stream, or a list"
    )
    training: Training = Training()
    serving: Serving = Serving()
    limits: Limits = Limits()
    data: Data = Data()
    architecture: Architecture | None = None
    money: MoneyOverTime = MoneyOverTime()
    energy: Energy | None = None
    costs: Costs = Costs()


# Sets of paths of which at most one may stand; `--set` of one removes the others.
ALTERNATIVES: tuple[frozenset[tuple[str, ...]], ...] = tuple(
    frozenset((*prefix, word) for word in words)
    for prefix, words in (
        ((), ("target", "budget")),
        (("target",), ("loss", "match")),
        (("target", "match"), ("parameters", "model")),
        (("target", "match"), ("tokens", "model")),
        (("budget",), tuple(Budget.model_fields)),
        (("fix",), ("parameters", "tokens")),
        (("demand",), ("tokens", "requests")),
        (("demand", "*"), ("tokens", "requests")),
    )
)

NOT_YET: Mapping[tuple[str, ...], str] = {
    ("buy",): "comparing with a bought API",
    ("existing",): "a model that is already trained",
    ("data", "unique_tokens"): "repeated data",
    **{
        (*prefix, "serving", word): "the roofline model of serving"
        for prefix in ((), ("demand",), ("demand", "*"))
        for word in (
            "mbu",
            "peak_to_mean",
            "idle_paid",
            "max_time_per_output_token",
            "max_time_to_first_token",
        )
    },
    **{
        (*prefix, "serving", "quantization_penalty"): "the loss of quantized serving"
        for prefix in ((), ("demand",), ("demand", "*"))
    },
}


@dataclass(frozen=True, eq=False)
class Scenario:
    """A checked scenario, ready to be formulated.

    Attributes:
        name: for reports.
        file: where it was read.
        spec: its words.
        law: the scaling law.
        hardware: the chip of `training`, `serving` and each stream's own serving, by
            path.
        document: its text, with the place of every value.
        reference: the published model of `target.match.model`, resolved to
            parameters and tokens, or None.
        prices: example prices of the library by chip [USD/h], where the file asks
            for them with `price: example`.
        notes: what those prices are, in words.
    """

    name: str
    file: str
    spec: Spec
    law: Law
    hardware: Mapping[Steps, Hardware]
    document: Document
    reference: tuple[float, float] | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of demand; none means that nothing is served."""
        demand = self.spec.demand
        if demand is None:
            return ()
        return demand if isinstance(demand, tuple) else (demand,)

    def place(self, name: str) -> Mark:
        """The place in the file of a dotted path such as `limits.parameters`."""
        return self.document.mark(tuple(name.split(" ", maxsplit=1)[0].split(".")))

    def serving_of(self, index: int) -> tuple[Serving, Hardware | None]:
        """The machine that serves a stream: its own words over the common ones."""
        common = self.spec.serving
        own = self.streams[index].serving
        chip = self.hardware.get(("serving",))
        if own is None:
            return common, chip
        chip = self.hardware.get((*self.stream_path(index), "serving"), chip)
        return own.over(common), chip

    def price(self, price: float | str | None, chip: Hardware | None) -> float | None:
        """Dollars an hour of a chip, where `example` stands for the library's."""
        if not isinstance(price, str):
            return price
        return None if chip is None else self.prices.get(chip.key)

    def stream_path(self, index: int) -> Steps:
        """The path of a stream in the file."""
        listed = isinstance(self.spec.demand, tuple)
        return ("demand", index) if listed else ("demand",)
