"""Samples: answers drawn for a request, of which a verifier keeps the best.

Under a law that says what samples are worth their number may be left open.
"""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from optimizer.reading.fields import Count, Field, FieldError, Model, Ratio, across
from optimizer.reading.spread import Spread
from optimizer.reading.types import Pick


class Between(Model):
    """Samples that are left to choose, in whole numbers."""

    at_least: Count = Field(1, description="the fewest")
    at_most: Count = Field(description="the most")

    @across
    def _ordered(self) -> None:
        if self.at_least > self.at_most:
            message = f"must be at least at_least, {self.at_least}, got {self.at_most}"
            raise FieldError((("at_most",), message))


def _which(value: Any) -> int:
    if isinstance(value, Between):
        return 2
    if isinstance(value, dict) and not {"low", "expected", "high"} & set(value):
        return 2
    return isinstance(value, dict | Spread)


if TYPE_CHECKING:
    Samples: TypeAlias = Ratio | Spread[Ratio] | Between
else:
    Samples = Annotated[
        Ratio | Spread[Ratio] | Between, Pick(_which, (Ratio, Spread[Ratio], Between))
    ]
