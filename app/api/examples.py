"""Examples for the OpenAPI document: one value for each name that fields bear, put together along the schemas.

A field whose name is not listed here takes what its own schema says (its default, its first allowed word, its lowest
number). `tests/app/test_openapi.py` holds every example against its schema, and sends those of the requests.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
MOMENT = "2026-01-05T09:30:00Z"
NAMED: dict[str, Any] = {
    "a": 12, "b": 31, "anchor": 12, "candidates": [31, 32], "items": [12, 31], "ids": "12,31", "id": 12,
    "question": 7, "answer": 41, "criterion": "material", "collection": "trash", "prompt": "Same material?",
    "name": "bottle-031.jpg", "caption": "a glass bottle", "media": "/api/v1/media/12", "width": 640, "height": 480,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "reason": "They look alike.",
    "proposer": "pairwright", "expected": [0.83, 0.41], "cosine": 0.83, "confidence": 0.9, "seconds": 1.4,
    "token": "pw_SHOWN-ONCE", "lease": "3f1c", "lease_s": 180, "tab": "belt-1", "verdict": "same", "role": "annotator",
    "user": "ada", "actor": "ada", "source": "ada", "label": "conveyor belt", "days": 30, "scopes": ["read", "answer"],
    "password": "correct horse battery", "kind": "pair", "kinds": ["pair", "tick"], "status": "done", "progress": 1,
    "latitude": 48.137, "longitude": 11.575, "attributes": {"shelf": "A3"}, "metrics": {"pair_f1": 0.71},
    "target": "version 4", "action": "promote", "trigger": "answers", "losses": {"loss": 0.42}, "path": "/srv/pictures",
    "methods": ["simclr"], "options": {}, "where": {"shelf": "A3"}, "vector": None, "sentence": None, "text": "bottle",
    "credit": "", "note": "", "error": None, "next": None, "version": 4, "before": None, "level": 0.9,
    "same": [31], "different": [32], "item": 12, "bin": "glass", "object": "track-17", "place": "belt 1", "image": None,
    "observation": 88, "encoder": "lite0",
}  # fmt: skip


def example(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:
    """A value that fits `schema`. schemas: those that references point to; name: of the field it is for."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, name)
    if name in NAMED and fits(NAMED[name], schema, schemas):
        return NAMED[name]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], schemas, name)
    if "properties" in schema:
        return {key: example(one, schemas, key) for key, one in schema["properties"].items()}
    return _plain(schema, schemas, name)


def _plain(schema: Schema, schemas: Mapping[str, Schema], name: str) -> Any:
    """A value for what is not an object with known fields."""
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "array":
        return [example(schema.get("items", {}), schemas, name)]
    if kind == "string":
        return MOMENT if schema.get("format") == "date-time" else "text"
    if kind in ("integer", "number"):
        return max(1, schema.get("minimum", 1)) if "maximum" not in schema else min(1, schema["maximum"])
    return {"boolean": False, "null": None}.get(str(kind), {})


def fits(value: Any, schema: Schema, schemas: Mapping[str, Schema]) -> bool:
    """Whether a value has the kind that a schema asks for: enough to tell an id from a list of ids."""
    if "$ref" in schema:
        return fits(value, schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if "anyOf" in schema:
        return any(fits(value, one, schemas) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    if schema.get("type") == "array" and isinstance(value, list):
        return all(fits(one, schema.get("items", {}), schemas) for one in value)
    kinds: dict[str, Any] = {
        "string": str, "integer": int, "number": (int, float), "array": list, "boolean": bool, "null": type(None),
    }  # fmt: skip
    wanted = kinds.get(str(schema.get("type")), dict)
    return isinstance(value, wanted) and not (isinstance(value, bool) and wanted is not bool)
