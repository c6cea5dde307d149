"""The constants of serving as it is measured, by accelerator, format and engine.

`data/serving.yaml` holds those that `overtrain calibrate` finds in published
measurements; a file of the user's has its form. Where a combination was not measured,
the constants of all accelerators stand in, with the error they had on those that were
left out.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from optimizer.errors import InputError, Problem
from optimizer.reading.document import (
    Document,
    contents,
    dotted,
    load_file,
    load_text,
)
from optimizer.reading.fields import (
    Count,
    Field,
    Fraction,
    Mfu,
    Model,
    Quantity,
    Wait,
    read_model,
)
from optimizer.reading.kinds import FRACTION
from optimizer.reading.yamltext import SIZE
from optimizer.records import dataclass, replace

_FILE = Path(__file__).resolve().parents[2] / "data" / "serving.yaml"
Kind = Literal["dense", "mixture"]
MICRO = 1e-6
_ENTRY = re.compile(r"(?m)^(?=  - kind:)")  # as the package's own file has them
_WORD = re.compile(r"(?m)^    (\w+): (\S+)$")


@dataclass(frozen=True)
class Constants:
    """What the terms of a step cost.

    Attributes:
        layer: launching one layer [s].
        routed: for each expert that a token passes, more for that layer [s].
        memory: share of the sheet's bandwidth.
        arithmetic: share of the peak while decoding.
        link: share of the link while decoding.
        sequence: the host's work for one sequence [s].
        prefill: share of the peak while reading prompts.
        prefill_link: share of the link then.
        interleaved: share of the prompts of others that falls between a sequence's
            tokens, the rest before its first.
    """

    layer: float
    routed: float
    memory: float
    arithmetic: float
    link: float
    sequence: float
    prefill: float
    prefill_link: float
    interleaved: float

    @property
    def step(self) -> tuple[float, ...]:
        """Factors of the terms of a step, in the order of `Work.step`."""
        ends = (1.0 / self.memory, 1.0 / self.arithmetic, 1.0 / self.link)
        return (self.layer, self.routed, *ends, self.sequence)

    @property
    def prompt(self) -> tuple[float, ...]:
        """Factors of the terms of a prompt, in the order of `Work.prompt`."""
        return (1.0 / self.prefill, 1.0 / self.prefill_link)


@dataclass(frozen=True)
class Measured:
    """Constants with what they rest on.

    Attributes:
        constants: see there.
        kind: of model.
        accelerator: key of the accelerator; empty for all.
        precision: format of the weights; empty for all.
        engine: empty for all.
        points: how many measurements.
        error: median error of the time per token on these very points.
        error_90: its 90th percentile.
        throughput_error: median error of the tokens a second.
        held_out: median error on points of accelerators that were left out; None
            where it was not tried.
    """

    constants: Constants
    kind: str
    accelerator: str
    precision: str
    engine: str
    points: int
    error: float
    error_90: float
    throughput_error: float
    held_out: float | None = None

    @property
    def named(self) -> str:
        """What it is of, in words."""
        words = (self.accelerator, self.precision, self.engine)
        chip = " ".join(word for word in words if word)
        return f"{chip or 'all accelerators'}, {self.kind} models"


@dataclass(frozen=True, eq=False)
class Library:
    """All constants of a file.

    Attributes:
        file: its name.
        source: where the points are from.
        date: when they were fitted.
        entries: in the order of the file.
    """

    file: str
    source: str
    date: str
    entries: tuple[Measured, ...]

    def find(
        self, kind: str, accelerator: str, precision: str, engine: str = ""
    ) -> Measured:
        """The constants of a combination, or of the nearest that was measured.

        Accelerator, precision and engine; then without the engine; then the engine on
        all accelerators; then all. A kind without any takes the other's.
        """
        wanted = ((accelerator, precision, engine), (accelerator, precision, ""))
        for words in (*wanted, ("", "", engine), ("", "", "")):
            for one in self.entries:
                own = (one.accelerator, one.precision, one.engine)
                if own == words and one.kind == kind:
                    return one
        return next(
            one for one in self.entries if not one.accelerator and not one.engine
        )


Wide = Annotated[float, Quantity(replace(FRACTION, high=10.0))]  # an error


class _Errors(Model):
    median: Wide
    p90: Wide
    throughput: Wide
    held_out: Wide | None = None


class _Entry(Model):
    kind: Kind
    accelerator: str = ""
    precision: str = ""
    engine: str = ""
    layer: Wait
    routed: Wait
    memory: Mfu
    arithmetic: Mfu
    link: Mfu
    sequence: Wait
    prefill: Mfu
    prefill_link: Mfu
    interleaved: Fraction
    points: Count
    errors: _Errors
    range: str = Field("", description="of the points")


class _File(Model):
    source: str
    date: str
    constants: tuple[_Entry, ...]


@cache
def library() -> Library:
    """The constants that come with the package."""
    return read_library(load_file(_FILE))


@cache
def shipped(kind: str, accelerator: str, precision: str, engine: str) -> Measured:
    """What `find` of the package's constants finds, with few of the entries read."""
    wanted = {"accelerator": accelerator, "precision": precision, "engine": engine}
    head, *entries = _ENTRY.split(contents(_FILE, SIZE).decode())

    def may_be(entry: str) -> bool:
        own = dict(_WORD.findall(entry))
        return all(own.get(word, value) == value for word, value in wanted.items())

    few = load_text("".join([head, *filter(may_be, entries)]), str(_FILE))
    return read_library(few).find(kind, accelerator, precision, engine)


def load_library(path: str | Path) -> Library:
    """The constants in a file of the user's.

    Raises:
        InputError: every mistake of it, in its place.
    """
    return read_library(load_file(path))


def read_library(document: Document) -> Library:
    """The constants of a document.

    Raises:
        InputError: a word or number is wrong, or no entry is of all accelerators.
    """
    file = read_model(document, _File)
    entries = tuple(_measured(entry) for entry in file.constants)
    if not any(not one.accelerator and not one.engine for one in entries):
        path = ("constants",)
        message = (
            "has no entry for all accelerators, which stands in where none is "
            "measured; write it with overtrain calibrate"
        )
        raise InputError([Problem(document.mark(path), dotted(path), message)])
    return Library(str(document.file), file.source, file.date, entries)


def _measured(e: _Entry) -> Measured:
    constants = Constants(
        layer=e.layer,
        routed=e.routed,
        memory=e.memory,
        arithmetic=e.arithmetic,
        link=e.link,
        sequence=e.sequence,
        prefill=e.prefill,
        prefill_link=e.prefill_link,
        interleaved=e.interleaved,
    )
    return Measured(
        constants=constants,
        kind=e.kind,
        accelerator=e.accelerator,
        precision=e.precision,
        engine=e.engine,
        points=e.points,
        error=e.errors.median,
        error_90=e.errors.p90,
        throughput_error=e.errors.throughput,
        held_out=e.errors.held_out,
    )
