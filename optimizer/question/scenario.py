"""A scenario: the words of its file, with its law and its machines.

Here are the words and the record; `load` reads them from a file.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from optimizer.errors import Mark
from optimizer.question.target import Target
from optimizer.reading.document import Document, Steps
from optimizer.reading.fields import (
    Count,
    Field,
    Fraction,
    Model,
    Parameters,
    PriceTokens,
    Tokens,
)
from optimizer.reading.spread import Uncertain, expected
from optimizer.reading.types import Size
from optimizer.records import dataclass, field, replace
from optimizer.world.architecture.words import with_config
from optimizer.world.costs import Architecture
from optimizer.world.demand import Stream
from optimizer.world.distillation import Distillation
from optimizer.world.hardware import Hardware
from optimizer.world.law import Law, Mixture
from optimizer.world.leverage import Sparse
from optimizer.world.limits import Budget, Limits
from optimizer.world.machines import Energy, Serving, Training
from optimizer.world.models import Exists
from optimizer.world.money import Costs, Data, MoneyOverTime
from optimizer.world.post_training import PostTraining
from optimizer.world.serving.constants import Library
from optimizer.world.serving.replica import with_shares


class Fix(Model):
    """What has been decided already; one of the two."""

    parameters: Parameters | None = Field(None, description="the size")
    tokens: Tokens | None = Field(None, description="the training tokens")


class OwnPlan(Model):
    """A plan of the user's own: a size and its training tokens."""

    parameters: Parameters = Field(description="its size")
    tokens: Tokens = Field(description="its training tokens")


class Buy(Model):
    """An API that could serve the demand instead, by its price list."""

    input: PriceTokens = Field(description="dollars per million input tokens")
    cached_input: PriceTokens | None = Field(
        None,
        description="dollars per million input tokens whose cache is found; as input",
    )
    output: PriceTokens = Field(description="dollars per million output tokens")


class Existing(Model):
    """A model that exists already, its training paid; by name, or by its size."""

    model: str | None = Field(None, description="a published model by name")
    architecture: str | dict[str, Any] | None = Field(
        None,
        description="a model of the library, the path of a config.json, or its words",
        examples=["models/config.json"],
    )
    parameters: Parameters | None = Field(
        None, description="its size, where no name says it"
    )
    tokens: Tokens | None = Field(None, description="that it was trained on")


class Spec(Model):
    """The words of a scenario file."""

    name: str | None = Field(
        None, description="for reports; the file's name unless given"
    )
    description: str | None = Field(None, description="for the reader; not used")
    law: str | dict[str, Any] = Field(
        description="a built-in law, a law file, or coefficients inline",
        examples=["besiroglu-2024-refit"],
    )
    experts: Count | None = Field(None, description="experts of a joint-MoE law")
    sparse: Sparse | None = Field(
        None, description="the experts of a law of their leverage"
    )
    objective: Literal["compute", "dollars", "energy", "carbon"] = Field(
        "compute", description="what to minimise over the model's life"
    )
    target: Target | None = Field(
        None, description="the quality to reach at the least cost"
    )
    budget: Budget | None = Field(
        None, description="what may be spent, in place of a target"
    )
    fix: Fix | None = Field(None, description="what is decided already")
    plan: OwnPlan | None = Field(
        None,
        description="a plan of your own, priced beside the optimum of the same loss, "
        "or of the target",
    )
    demand: Stream | Annotated[tuple[Stream, ...], Size(most=1000)] | None = Field(
        None, description="what the model serves: one stream, or a list"
    )
    training: Training = Field(Training(), description="the machine that trains")
    serving: Serving = Field(Serving(), description="the machine that serves")
    post_training: PostTraining | None = Field(
        None, description="the rollouts of reinforcement learning after pre-training"
    )
    distillation: Distillation | None = Field(
        None, description="a student of a teacher, beside the plan without one"
    )
    limits: Limits = Field(Limits(), description="what may not be exceeded")
    data: Data = Field(Data(), description="what training data cost")
    architecture: Architecture | None = Field(
        None,
        description="the shape, for attention and the KV cache; or a model of the "
        "library, or the path of a published config.json",
        extend=with_config,
    )
    money: MoneyOverTime = Field(
        MoneyOverTime(), description="discounting and falling prices"
    )
    energy: Energy | None = Field(
        None, description="from machine time to energy and carbon"
    )
    costs: Costs = Field(Costs(), description="costs beyond compute")
    buy: Buy | None = Field(None, description="compared with the plan")
    existing: Existing | None = Field(None, description="compared with the plan")
    probability: Fraction | None = Field(
        None, description="of this scenario among those it is compared with"
    )

    @property
    def seeks(self) -> bool:
        """Whether a loss is given, a target or that of a plan; else a budget is."""
        return self.target is not None or self.plan is not None

    @property
    def mixture(self) -> Mixture | None:
        """What a law of mixtures is asked for."""
        return self.experts if self.sparse is None else self.sparse


@dataclass(frozen=True, eq=False)
class Variant:
    """One combination of a scenario's lists.

    Attributes:
        choice: dotted word → value.
        scenario: with these values, or None where they do not fit together.
        reason: why there is none.
    """

    choice: Mapping[str, str]
    scenario: "Scenario | None"
    reason: str = ""


@dataclass(frozen=True)
class Whole:
    """What is decided of a serving machine in whole numbers.

    Attributes:
        batch: sequences decoded together, or None where that is left to choose.
        touched: the batch at which a monomial tells the experts that are read, where
            the batch is left to choose, infinite reading all; None guesses it.
        replicas: that stand all the time, or None where work alone is paid.
        parts: of their time that each stream's phases take, by the stream's name and
            the phase; they sum to 1.
    """

    batch: float | None = None
    replicas: float | None = None
    touched: float | None = None
    parts: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """A model that exists already.

    Attributes:
        name: in the library; empty for a bare size.
        what: the model, or its size.
        parameters: N, as the law counts it.
        tokens: D that it was trained on, or None.
    """

    name: str
    what: Exists
    parameters: float
    tokens: float | None


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
        examples: the same by the path of the word, where it means one chip.
        notes: what those prices are, in words.
        existing: the model of `existing`, or None.
        base: the folder that relative paths start from.
        variants: every combination of the lists that it holds; this scenario is then
            the first that fits. Empty where it holds none.
        stored: all parameters over N, where the model is known; else the law tells.
        whole: what is decided of serving machines in whole numbers, by their suffix.
        samples: how many are drawn where the demand leaves that open, once decided.
        constants: files of the user's own constants of serving, by their path as told.
    """

    name: str
    file: str
    spec: Spec
    law: Law
    hardware: Mapping[Steps, Hardware]
    document: Document
    reference: tuple[float, float] | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    examples: Mapping[Steps, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    existing: Known | None = None
    base: Path = Path()
    variants: tuple[Variant, ...] = ()
    stored: float | None = None
    whole: Mapping[str, Whole] = field(default_factory=dict)
    samples: float | None = None
    constants: Mapping[str, Library] = field(default_factory=dict)

    if TYPE_CHECKING:  # which the public names attach, from `functions.files`

        def set(self, **values: object) -> "Scenario":
            """See `change`."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of demand; none means that nothing is served."""
        demand = self.spec.demand
        if demand is None:
            return ()
        return demand if isinstance(demand, tuple) else (demand,)

    @property
    def uses(self) -> tuple[Stream, ...]:
        """The streams, and rollouts after training as one more."""
        after = self.spec.post_training
        return self.streams if after is None else (*self.streams, after.stream())

    @property
    def singles(self) -> tuple["Scenario", ...]:
        """Every combination of the lists that it holds and that fits; or itself."""
        found = tuple(v.scenario for v in self.variants if v.scenario is not None)
        return found or (self,)

    def chosen(self, choice: Mapping[str, str]) -> "Scenario":
        """The combination of a choice; itself where it holds no lists."""
        for variant in self.variants:
            if variant.scenario is not None and variant.choice == choice:
                return variant.scenario
        return self

    def every(self, change: Callable[["Scenario"], "Scenario"]) -> "Scenario":
        """Itself after a change, made in each combination of its lists too."""
        variants = tuple(
            v if v.scenario is None else replace(v, scenario=change(v.scenario))
            for v in self.variants
        )
        return replace(change(self), variants=variants)

    def place(self, name: str) -> Mark:
        """The place in the file of a dotted path such as `limits.parameters`.

        `serving.memory (chat)` is about the machine that the stream chat has alone; its
        memory is no word of the file, but that of its accelerators.
        """
        word, _, own = name.partition(" (")
        path: Steps = tuple(word.split("."))
        index = 0
        for at, stream in enumerate(self.uses if path[0] == "serving" else ()):
            if own == f"{stream.name or at + 1})":
                index, path = at, self.serving_path(at, str(path[-1]))
        if path[-1] == "memory" and "serving" in path and self.uses:
            for made in ("accelerators", "hardware"):
                there = self.serving_path(index, made)
                if there in self.document.marks:
                    return self.document.mark(there)
        return self.document.mark(path)

    def serving_of(self, index: int) -> tuple[Serving, Hardware | None]:
        """The machine that serves a stream: its own words over the common ones."""
        return self._machines[index]

    @property
    def machines(self) -> tuple[Serving, ...]:
        """The serving machine of each stream, and that of rollouts after training."""
        return tuple(serving for serving, _ in self._machines)

    @property
    def servings(self) -> tuple[Serving, ...]:
        """The serving machine of each stream; none where nothing is served."""
        return self.machines[: len(self.streams)]

    @cached_property
    def _machines(self) -> tuple[tuple[Serving, Hardware | None], ...]:
        return tuple(self._machine(index) for index in range(len(self.uses)))

    def _machine(self, index: int) -> tuple[Serving, Hardware | None]:
        stream, chip = self.uses[index], self.hardware.get(("serving",))
        serving = self.spec.serving
        if stream.serving is not None:
            chip = self.hardware.get((*self.stream_path(index), "serving"), chip)
            serving = stream.serving.over(serving)
        if stream.cached_input_tokens is not None:
            serving = serving.model_copy(update={"prefix_cache": stream.found})
        shape, own = self.spec.architecture, self.constants_of(serving)
        words = (serving, chip, shape, self.stored, self.mixture, own)
        return with_shares(*words), chip

    def constants_of(self, serving: Serving) -> Library | None:
        """The constants of the user's that a machine names, if any."""
        return self.constants.get(serving.constants or "")

    @property
    def told_share(self) -> float | None:
        """All parameters over N, as far as the model or its architecture tells."""
        shape = self.spec.architecture
        if self.stored is not None or shape is None or shape.parameters is None:
            return self.stored
        told = shape.parameters
        return told.total / (told.active or told.total)

    @property
    def mixture(self) -> bool:
        """Whether a token passes some of the stored weights only."""
        if (told := self.told_share) is not None:
            return bool(told.real > 1.0)
        if self.spec.sparse is not None:
            return not self.spec.sparse.dense
        active = self.law is not None and self.law.counts == "active"
        return active and self.spec.experts != 1

    def suffix(self, index: int) -> str:
        """What follows the names of a stream's machine; empty for the common one."""
        stream = self.uses[index]
        return "" if stream.serving is None else f" ({stream.name or index + 1})"

    def serving_path(self, index: int, word: str) -> Steps:
        """The path of a word about a stream's serving: its own, or the common one."""
        own = self.uses[index].serving
        if own is not None and word in own.model_fields_set:
            return (*self.stream_path(index), "serving", word)
        return ("serving", word)

    def price(
        self, price: Uncertain[float] | str | None, chip: Hardware | None
    ) -> float | None:
        """Dollars an hour of a chip, where `example` stands for the library's."""
        if not isinstance(price, str):
            return cast("float | None", expected(price))
        return None if chip is None else self.prices.get(chip.key)

    def stream_path(self, index: int) -> Steps:
        """The path of a stream in the file."""
        if index == len(self.streams):
            return ("post_training",)
        listed = isinstance(self.spec.demand, tuple)
        return ("demand", index) if listed else ("demand",)
