"""The JSON Schema of scenarios and portfolios: editors complete and check by it."""

from __future__ import annotations

from typing import Any

from optimizer.question.portfolio import Shared
from optimizer.question.portfolio_file import SEVERAL
from optimizer.question.scenario import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "overtrain scenario"


def schema() -> dict[str, Any]:
    """The schema as plain data: of a scenario, and of a portfolio of several models.

    A model has the words of a scenario, which may also stand above the list; what is
    needed may stand in either place, so that the schema asks only for the list.
    """
    body = Spec.model_json_schema()
    body.pop("title", None)
    needed = body.pop("required")
    words = body["properties"]
    member = {
        "type": "object",
        "description": "a model, in the words of a scenario",
        "properties": {word: {"$ref": f"#/properties/{word}"} for word in words},
        "required": ["name"],
        "additionalProperties": False,
    }
    models = {
        "type": "array",
        "description": "several models that share limits: a portfolio",
        "items": member,
        "minItems": 1,
        "maxItems": SEVERAL,
    }
    shared = Shared.model_json_schema()
    shared.pop("title", None)
    return {
        "$schema": DIALECT,
        "title": TITLE,
        **body,
        "properties": {**words, "models": models, "shared": shared},
        "anyOf": [{"required": needed}, {"required": ["models"]}],
        "dependentRequired": {"shared": ["models"]},
    }
