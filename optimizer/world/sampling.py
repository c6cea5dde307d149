"""Samples: answers drawn for a request, of which a verifier keeps the best.

Under a law that says what samples are worth their number may be left open.
"""

from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from optimizer.reading.fields import Count, FieldError, Model, Ratio
from optimizer.reading.spread import Spread


class Between(Model):
    """Samples that are left to choose, in whole numbers."""

    at_least: Count = Field(1, description="the fewest")
    at_most: Count = Field(description="the most")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_least > self.at_most:
            message = f"must be at least at_least, {self.at_least}, got {self.at_most}"
            raise FieldError((("at_most",), message))
        return self


def _kind_of(value: Any) -> str:
    if isinstance(value, Between):
        return "between"
    if isinstance(value, dict) and not {"low", "expected", "high"} & set(value):
        return "between"
    return "spread" if isinstance(value, dict | Spread) else "value"


if TYPE_CHECKING:
    Samples: TypeAlias = Ratio | Spread[Ratio] | Between
else:
    Samples = Annotated[
        Annotated[Ratio, Tag("value")]
        | Annotated[Spread[Ratio], Tag("spread")]
        | Annotated[Between, Tag("between")],
        Discriminator(_kind_of),
    ]
