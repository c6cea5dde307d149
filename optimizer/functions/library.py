"""What is built in: laws, accelerators, models, and the schema of the scenario file."""

from __future__ import annotations

from optimizer.analysis.plan.snap import Snap, snap
from optimizer.functions.looks import attach, attach_pages
from optimizer.report.formats.schema import schema
from optimizer.world.architecture.record import Record
from optimizer.world.described import record_named as load_architecture
from optimizer.world.hardware import Hardware, hardware_names, load_hardware
from optimizer.world.law import Law
from optimizer.world.laws import builtin_names as law_names
from optimizer.world.laws import load_law
from optimizer.world.models import PublishedModel, load_model, model_names

__all__ = [
    "hardware_names",
    "law_names",
    "load_architecture",
    "load_hardware",
    "load_law",
    "load_model",
    "model_names",
    "schema",
    "snap",
]

attach_pages(Hardware, Law, Record)
attach(PublishedModel, Snap)
