"""Demand: the tokens that a deployment serves over the life of the model.

A stream is described as products know it, by requests a day, or as a total. It
becomes a lifetime number of input and output tokens and their course by month, to
which prices and discounting apply. Everything here is analytic in its numbers, so
that a complex step gives exact sensitivities; comparisons look at real parts.
"""

from functools import cached_property
from typing import Annotated

from optimizer.algebra.batch_value import is_stepped, up_and_down
from optimizer.reading.fields import (
    DemandTokens,
    Duration,
    Field,
    FieldError,
    Fraction,
    Model,
    Quantity,
    Rate,
    Requests,
    Wait,
    across,
)
from optimizer.reading.quantity import DEMAND_TOKENS, FAR, MONTH, YEAR, Flow
from optimizer.reading.spread import Uncertain, expected
from optimizer.records import dataclass
from optimizer.world.machines import Serving
from optimizer.world.sampling import Between, Samples

MOST_FOUND = 0.99  # of a prompt
TokenFlow = Annotated[Flow, Quantity(DEMAND_TOKENS, flow=True)]


class Stream(Model):
    """One use of the model: how much it serves, when, and what of it counts.

    Either `tokens`, or `requests` with their input and output tokens.
    """

    name: str | None = Field(None, description="a word for reports and --set")
    tokens: Uncertain[TokenFlow] | None = Field(
        None, description="inference tokens, input and output: 2T in all, or 5B/day"
    )
    requests: Uncertain[Requests] | None = Field(
        None, description="requests in all (1e10), or per time (5M/day)"
    )
    input_tokens: Uncertain[DemandTokens] | None = Field(
        None, description="input tokens a request"
    )
    cached_input_tokens: Uncertain[DemandTokens] | None = Field(
        None, description="those of the input tokens whose cache is found; 0"
    )
    output_tokens: Uncertain[DemandTokens] | None = Field(
        None, description="output tokens an answer"
    )
    samples: Samples = Field(
        1.0,
        description="answers a request; multiplies output tokens only. Left open, "
        "{at_least: 1, at_most: 64}, under a law that says what they are worth; "
        "tokens are then those of one sample",
    )
    lifetime: Uncertain[Duration] | None = Field(
        None, description="how long it is served: 2 years"
    )
    growth: Uncertain[Rate] = Field(
        0.0, description="growth of the demand: 5 %/month, or per year"
    )
    start: Uncertain[Wait] = Field(
        0.0, description="when serving starts, after training ends"
    )
    cost_share: Uncertain[Fraction] = Field(
        1.0,
        description="share of this stream's serving cost that the objective counts",
    )
    serving: Serving | None = Field(
        None, description="overrides the scenario's serving for this stream"
    )

    @across
    def _complete(self) -> None:
        if self.tokens is None and self.requests is None:
            raise ValueError(
                "has no amount; add tokens: 2T, or requests: 5M/day with "
                "input_tokens and output_tokens"
            )
        if self.tokens is not None and self.requests is not None:
            raise ValueError("has both tokens and requests; keep one of them")
        flow = expected(self.tokens if self.requests is None else self.requests)
        if self.requests is not None and (
            self.input_tokens is None or self.output_tokens is None
        ):
            raise ValueError(
                "has requests without their length; add input_tokens: 800 and "
                "output_tokens: 300"
            )
        if (self.input_tokens is None) != (self.output_tokens is None):
            raise ValueError("needs input_tokens and output_tokens together, or none")
        if self.cached_input_tokens is not None:
            if self.input_tokens is None:
                raise ValueError(
                    "has cached_input_tokens of unknown prompts; add input_tokens: 800 "
                    "and output_tokens: 300"
                )
            if self.found > MOST_FOUND:
                raise ValueError(
                    "has more cached_input_tokens than 99 % of its input_tokens; the "
                    "last of a prompt is always computed"
                )
        if self.lifetime is None and (flow.per is not None or expected(self.growth)):
            raise ValueError(
                "has a rate or a growth but no lifetime; add lifetime: 2 years"
            )
        served(self)

    @property
    def found(self) -> float:
        """The share of the prompt tokens whose cache is found."""
        if self.cached_input_tokens is None or self.input_tokens is None:
            return 0.0
        whole: float = expected(self.input_tokens)
        return expected(self.cached_input_tokens) / whole if whole else 0.0


@dataclass(frozen=True)
class Course:
    """The demand of a stream by month; that of a whole first month is 1.

    Attributes:
        start: months after the end of training at which the first begins.
        step: the demand of a month over that of the one before.
        full: whole months.
        rest: further pairs of a month's number and its demand.
    """

    start: float
    step: float
    full: int
    rest: tuple[tuple[int, float], ...]

    @cached_property
    def total(self) -> float:
        """The demand of all months."""
        return _geometric(self.step, self.full) + sum(part for _, part in self.rest)

    @property
    def months(self) -> tuple[tuple[float, float], ...]:
        """Pairs of months after the end of training and the part that is served."""
        whole = [(m, self.step**m) for m in range(self.full)]
        total = self.total
        return tuple((self.start + m, part / total) for m, part in (*whole, *self.rest))

    def mean(self, factor: float) -> float:
        """The mean of factor^months, each month by its part.

        Raises:
            OverflowError: a power is beyond any number.
        """
        if isinstance(factor, float) and factor == 1:
            return 1.0
        whole = _geometric(self.step * factor, self.full)
        rest = sum(part * factor**month for month, part in self.rest)
        first: float = factor**self.start
        return first * (whole + rest) / self.total


def _geometric(ratio: float, count: int) -> float:
    """1 + r + r² + … of so many terms, by doubling: G(2n) = (1 + r^n)·G(n)."""
    total, power = 0.0, 1.0
    for bit in f"{count:b}":
        total, power = total * (1 + power), power * power
        if bit == "1":
            total, power = total * ratio + 1, power * ratio
    return total


@dataclass(frozen=True)
class Served:
    """What one stream serves over the model's life.

    Attributes:
        name: the stream's name.
        tokens: input and output tokens together.
        input_tokens: prompt tokens, or None where only the total is known.
        output_tokens: generated tokens, or None likewise.
        prompt: input tokens of one request, or None.
        found: share of the prompt tokens whose cache is found.
        share: the part of the serving cost that the objective counts.
        course: when.
    """

    name: str
    tokens: float
    input_tokens: float | None
    output_tokens: float | None
    prompt: float | None
    found: float
    share: float
    course: Course

    def weighted(self, discount_rate: float, price_decline: float) -> float:
        """The mean present price of a token over the price at the end of training.

        Args:
            discount_rate: yearly, as a fraction.
            price_decline: yearly fall of the hardware price, as a fraction.

        Raises:
            ValueError: it is beyond any number, since the discount rate is negative
                or the start is far away.

        Source: Σ_m part_m · (1 − decline)^(m/12) / (1 + rate)^(m/12).
        """
        factor = ((1 - price_decline) / (1 + discount_rate)) ** (1 / 12)
        try:
            mean = self.course.mean(factor)
            if abs(mean) < float("inf"):
                return mean
        except OverflowError:
            pass
        raise ValueError(
            "starts so late that its present price is beyond any number; give an "
            "earlier start or a discount_rate above 0"
        )


def served(stream: Stream, samples: float | None = None) -> Served:
    """Folds a stream into its lifetime tokens.

    Requests or tokens per time are summed month by month over the lifetime, the
    last month in part, each month's rate (1 + growth)^(m/12) times the first's. A
    total is spread over the months in the same proportions.

    Args:
        stream: the stream.
        samples: how many are drawn where the stream leaves that open; one if None.

    Raises:
        ValueError: the sum overflows, or a request has no tokens.
    """
    flow: Flow = expected(stream.tokens if stream.requests is None else stream.requests)
    course = _course(stream)
    total = course.total
    if not abs(total) < float("inf"):
        raise _endless()
    amount = flow.amount
    if flow.per is not None:
        amount = amount * (MONTH / flow.per) * total
    prompt = expected(stream.input_tokens)
    answer = expected(stream.output_tokens)
    inputs = outputs = None
    open_ = isinstance(stream.samples, Between)
    if prompt is not None and answer is not None:
        each = answer * expected(1.0 if open_ else stream.samples)
        length = prompt + each
        if length.real <= 0:
            raise ValueError("needs input_tokens or output_tokens above 0")
        requests = amount if stream.requests is not None else amount / length
        if open_ and samples is not None:
            each = answer * samples
        inputs, outputs = requests * prompt, requests * each
        amount = inputs + outputs
    elif open_ and samples is not None:
        amount = amount * samples
    if not abs(amount) <= FAR:
        raise ValueError("serves more tokens than any number; lower its demand")
    return Served(
        name=stream.name or "demand",
        tokens=amount,
        input_tokens=inputs,
        output_tokens=outputs,
        prompt=prompt,
        found=stream.found,
        share=expected(stream.cost_share),
        course=course,
    )


def _course(stream: Stream) -> Course:
    """The demand by month.

    At a whole number of months a longer life gains at the rate of the next month, a
    shorter one loses at the rate of the last: a kink, whose side the sign of a complex
    step chooses.
    """
    start = expected(stream.start) / MONTH
    if stream.lifetime is None:
        return Course(start, 1.0, 1, ())
    months = expected(stream.lifetime) / MONTH
    full = int(months.real)
    rest = months - full
    further: list[tuple[int, float]] = []
    try:
        step = (1 + expected(stream.growth)) ** (MONTH / YEAR)
        if rest.real > 0 or full == 0:
            further.append((full, rest * step**full))
        elif is_stepped(rest):
            up, down = up_and_down(rest)
            further.append((full, up * step**full))
            further.append((full - 1, down * step ** (full - 1)))
    except OverflowError:
        raise _endless() from None
    return Course(start, step, full, tuple(further))


def _endless() -> FieldError:
    message = "grows beyond any number over the lifetime; lower growth or lifetime"
    return FieldError((("growth",), message))
