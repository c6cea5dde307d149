"""The JSON Schema of scenarios and portfolios: editors complete and check by it."""

from __future__ import annotations

from typing import Any

from optimizer.question.exclusive import CHOICES
from optimizer.question.portfolio import Shared
from optimizer.question.portfolio_file import SEVERAL
from optimizer.question.scenario import Spec
from optimizer.reading.json_schema import json_schema
from optimizer.world.machines import Serving, Sparsity, Training

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "overtrain scenario"
KEPT = ("description", "default", "title", "examples")  # of a word, not of its value


def schema() -> dict[str, Any]:
    """The schema as plain data: of a scenario, and of a portfolio of several models.

    A model has the words of a scenario, which may also stand above the list; what is
    needed may stand in either place, so that the schema asks only for the list.
    """
    body = json_schema(Spec)
    body.pop("title", None)
    needed = body.pop("required")
    words = body["properties"]
    _with_choices(words, body["$defs"])
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
    shared = json_schema(Shared)
    shared.pop("title", None)
    return {
        "$schema": DIALECT,
        "title": TITLE,
        **body,
        "properties": {**words, "models": models, "shared": shared},
        "anyOf": [{"required": needed}, {"required": ["models"]}],
        "dependentRequired": {"shared": ["models"]},
    }


def _with_choices(words: dict[str, Any], parts: dict[str, Any]) -> None:
    """Lets a list stand where the scenario takes one, of which the best is chosen."""
    for path in CHOICES:
        if len(path) == 1:
            holder = words
        elif path[0] == "serving":
            holder = parts[Serving.__name__]["properties"]
        elif path[0] == "training":
            owner = Training if len(path) == 2 else Sparsity
            holder = parts[owner.__name__]["properties"]
        else:
            continue  # a stream's own serving has the same words
        one = holder[path[-1]]
        told = {key: one.pop(key) for key in KEPT if key in one}
        several = {"type": "array", "items": dict(one), "minItems": 1}
        holder[path[-1]] = {"anyOf": [dict(one), several], **told}
