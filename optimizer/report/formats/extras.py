"""Optional parts of the installation: which one a missing library belongs to."""

from __future__ import annotations

from optimizer.errors import InputError, Mark, Problem, needs

PARTS = {"xlsxwriter": "excel"}


def missing(error: ImportError) -> InputError:
    """Says what to install."""
    name = (error.name or "altair").partition(".")[0]
    part = PARTS.get(name, "report")
    message = needs(name.replace("_", "-"), part)
    return InputError([Problem(Mark("overtrain"), "", message)])
