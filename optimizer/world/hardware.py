"""Accelerators: peak speed, memory, bandwidth and power, and what an hour costs.

The library is `data/hardware.yaml`; a file of the user's and an entry inside a
scenario have its form. Peaks are dense and stated, never derived from one another:
where a precision has none, the question is refused.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from optimizer.errors import InputError, Mark, Problem
from optimizer.reading.document import Document, Steps, dotted, load_file, suggest
from optimizer.reading.entries import Entries
from optimizer.reading.fields import (
    Bandwidth,
    Bytes,
    Field,
    Flops,
    Model,
    Power,
    PriceHour,
    read_model,
)
from optimizer.reading.quantity import shown
from optimizer.records import dataclass

_DATA = Path(__file__).resolve().parent.parent / "data"
_LIBRARY = Entries(_DATA / "hardware.yaml")
_PRICES = Entries(_DATA / "prices.yaml")


@dataclass(frozen=True)
class Hardware:
    """One accelerator.

    Attributes:
        key: its name in the library, or the name that the user gave.
        name: the name for people.
        peaks: precision → dense peak [FLOP/s].
        memory: what it holds [bytes]; None where unknown.
        bandwidth: between memory and arithmetic [bytes/s]; None where unknown.
        tdp: thermal design power [W]; None where unknown.
        link: between the accelerators of a replica, one direction [bytes/s]; None
            where there is none or it is unknown.
        secondary: figures that stand in secondary sources only.
        source: where the figures stand.
        date: the day of that reading, such as `2025-11-14`.
        note: what to bear in mind, such as why a figure is absent.
    """

    key: str
    name: str
    peaks: Mapping[str, float]
    memory: float | None
    bandwidth: float | None
    tdp: float | None
    source: str
    date: str
    note: str = ""
    link: float | None = None
    secondary: tuple[str, ...] = ()

    def peak(self, precision: str) -> float:
        """Return the dense peak at an arithmetic precision [FLOP/s].

        Raises:
            ValueError: none is stated for it; the message names those that are.
        """
        if precision not in self.peaks:
            known = ", ".join(self.peaks)
            raise ValueError(f"{self.key} has no {precision} peak; it has {known}")
        return self.peaks[precision]

    def power(self) -> float:
        """Return the thermal design power [W].

        Raises:
            ValueError: it is unknown; the message says why and what to do.
        """
        if self.tdp is None:
            because = f" ({self.note})" if self.note else ""
            raise ValueError(
                f"{self.key} has no thermal design power{because}; describe the chip "
                "in the scenario and add e.g. tdp: 300 W"
            )
        return self.tdp


@dataclass(frozen=True)
class ExamplePrice:
    """What one provider asked for one accelerator on one day.

    Attributes:
        value: the price [USD/h].
        provider: who asked it.
        date: the day it was read, such as `2026-09-20`.
        note: the kind of offer.
    """

    value: float
    provider: str
    date: str
    note: str


class Peaks(Model):
    """Dense peaks by arithmetic precision; at least one."""

    bf16: Flops | None = None
    fp8: Flops | None = None
    int8: Flops | None = None
    fp4: Flops | None = None


class HardwareEntry(Model):
    """An accelerator as a file or a scenario describes it."""

    name: str
    peaks: Peaks
    memory: Bytes | None = None
    bandwidth: Bandwidth | None = None
    tdp: Power | None = Field(
        None, description="thermal design power, for energy and carbon"
    )
    link: Bandwidth | None = Field(
        None, description="between the accelerators of a replica, one direction"
    )
    secondary: tuple[str, ...] = Field(
        (), description="figures that stand in secondary sources only"
    )
    source: str = ""
    date: str = Field("", description="the day the figures were read")
    note: str = ""


class _Offer(Model):
    provider: str
    price: PriceHour
    date: str
    offer: str


def hardware_names() -> tuple[str, ...]:
    """Return the keys of the library, in its order."""
    return _LIBRARY.names


def load_hardware(
    name: str,
    base: Path | None = None,
    mark: Mark | None = None,
    path: str = "hardware",
) -> Hardware:
    """Return an accelerator of the library by its key, or one from a file.

    Args:
        name: a key, or a path where it ends in .yaml or .yml or has a slash in it.
        base: the folder that a relative path starts from: the scenario's.
        mark: where the name was written, for messages.
        path: the dotted path of the field with the name, for messages.

    Raises:
        InputError: no such accelerator, or every mistake of its file.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return hardware_from_mapping(load_file((base or Path()) / name))
    if name not in _LIBRARY:
        names = hardware_names()
        message = (
            f"must be a .yaml file or one of {', '.join(names)}, got {shown(name)}"
            f"{suggest(name, names)}"
        )
        raise InputError([Problem(mark or Mark(path), path, message)])
    return _of_library(name)


@cache
def _of_library(key: str) -> Hardware:
    return _read(_LIBRARY[key], (key,), key=key)


def hardware_from_mapping(document: Document, at: Steps = ()) -> Hardware:
    """Return the accelerator that a document, or a mapping inside it, describes.

    Raises:
        InputError: every mistake, each at its place.
    """
    hardware = _read(document, at)
    if hardware.key in hardware_names():
        # Its prices and figures would be taken for those of the library.
        message = f"{shown(hardware.key)} is in the library; choose another name"
        path = (*at, "name")
        raise InputError([Problem(document.mark(path), dotted(path), message)])
    return hardware


@cache  # every choice of a scenario asks
def example_price(hardware_key: str) -> ExamplePrice:
    """Return the example price of an accelerator of the library.

    Of the offers in `data/prices.yaml` it is the median, of two middle ones the
    dearer: always a real, dated offer.

    Raises:
        ValueError: the library has no price for it.
    """
    if hardware_key not in _PRICES:
        known = ", ".join(_PRICES.names)
        raise ValueError(
            f"there is no example price for {hardware_key}, only for {known}; "
            "give your own, e.g. price: $2.50/h"
        )
    document = _PRICES[hardware_key]
    listed = document.value[hardware_key]  # type: ignore[index]
    offers = [
        read_model(document, _Offer, at=(hardware_key, i)) for i in range(len(listed))
    ]
    middle = sorted(offers, key=lambda offer: offer.price)[len(offers) // 2]
    return ExamplePrice(middle.price, middle.provider, middle.date, middle.offer)


def listed_price(chip: Hardware) -> ExamplePrice | None:
    """The example price of an accelerator; None where the library has none."""
    return example_price(chip.key) if chip.key in _PRICES else None


def _read(document: Document, at: Steps, key: str = "") -> Hardware:
    entry = read_model(document, HardwareEntry, at=at)
    peaks = entry.peaks.model_dump(exclude_none=True)
    problems = [
        Problem(document.mark((*at, word)), dotted((*at, word)), message)
        for word, value, message in (
            ("name", entry.name.strip(), "must be a name, got an empty text"),
            ("peaks", peaks, "must give at least one peak, e.g. bf16: 400 TFLOP/s"),
        )
        if not value
    ]
    if problems:
        raise InputError(problems)
    return Hardware(
        key=key or entry.name,
        name=entry.name,
        peaks=peaks,
        memory=entry.memory,
        bandwidth=entry.bandwidth,
        tdp=entry.tdp,
        source=entry.source,
        date=entry.date,
        note=entry.note,
        link=entry.link,
        secondary=entry.secondary,
    )
