"""What money is worth over time, and what is paid beside accelerators."""

from optimizer.reading.document import Steps
from optimizer.reading.fields import (
    Fall,
    Field,
    FieldError,
    Fraction,
    Model,
    Money,
    PriceTokens,
    Rate,
    Tokens,
    across,
)
from optimizer.reading.spread import Spread, Uncertain, expected


class MoneyOverTime(Model):
    """How dollars of later months count."""

    discount_rate: Uncertain[Rate] = Field(
        0.0, description="yearly; later dollars count less"
    )
    price_decline: Uncertain[Fall] = Field(
        0.0, description="yearly fall of hardware prices"
    )

    @across
    def _not_free(self) -> None:
        decline = self.price_decline
        path: Steps = ("price_decline",)
        if isinstance(decline, Spread):
            path, decline = (*path, "high"), decline.high
        if decline == 1:
            raise FieldError((path, "must be below 100 %, got 100 %"))

    @property
    def rates(self) -> tuple[float, float]:
        """The discount rate and the fall of prices that a solve uses."""
        return expected(self.discount_rate), expected(self.price_decline)


class Costs(Model):
    """Costs beyond the accelerators' useful work."""

    fixed: Uncertain[Money] = Field(0.0, description="dollars that no choice changes")
    restart: Fraction = Field(0.0, description="training work lost and done again")


class Data(Model):
    """What training data there are, and what they cost."""

    unique_tokens: Tokens | None = Field(
        None, description="distinct tokens; reading them again is worth less"
    )
    price: Uncertain[PriceTokens] = Field(
        0.0, description="dollars per million training tokens"
    )
