"""The JSON Schema of the scenario file, with which editors complete and check it."""

from __future__ import annotations

from typing import Any

from optimizer.scenario import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "overtrain scenario"


def schema() -> dict[str, Any]:
    """The schema as plain data."""
    body = Spec.model_json_schema()
    body.pop("title", None)
    return {"$schema": DIALECT, "title": TITLE, **body}
