"""The OpenAPI document, finished: how to sign in, what can go wrong, what every body looks like.

FastAPI writes what it knows from the types; this adds what it cannot know. Served at /openapi.json.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.api.examples import example
from app.api.problems import MEDIA_TYPE
from app.auth import SCOPE_OF_TAG
from app.limits import FREE
from app.once import OWN

ABOUT = """Everything the screens do, for robots and programs.

Send `Authorization: Bearer TOKEN` (`pairwright users token NAME`). Errors are RFC 9457 problem documents: `detail` is
one sentence for people, `type` is for programs. Lists come in pages: pass `next` as `after` or `before`. Writes take an
`Idempotency-Key`: the same request with the same key is done once. `/api/v1/events` is a stream of server-sent events.
"""
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "An error as RFC 9457 has it. errors: the fields that are wrong.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:pairwright:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}
SAID = {
    "400": "The request cannot be read.",
    "401": "Nobody is signed in, or the token has ended.",
    "403": "The role or the token's scopes do not reach this.",
    "404": "There is no such thing.",
    "409": "It does not fit what is there now.",
    "413": "The body is too large.",
    "415": "The body is of another type.",
    "422": "A field is missing, unknown or out of range.",
    "429": "Too many requests; `Retry-After` says how long to wait.",
    "500": "Our fault; the server's log says more.",
    "503": "Something this needs is away for a moment.",
}
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/imports": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ImportIn"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["collection", "files"],
                "properties": {
                    "collection": {"type": "string", "minLength": 1, "maxLength": 80},
                    "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    "metadata": {"type": "string", "description": "Which of the files is the manifest."},
                    "packed": {"type": "boolean", "description": "Keep the pictures in few big files."},
                },
            }
        },
    },
    "/api/v1/sessions/{id}/observations": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ObservationIn"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["image"],
                "properties": {
                    "image": {"type": "string", "format": "binary"},
                    "object": {"type": "string", "maxLength": 200},
                    "seen_at": {"type": "string", "format": "date-time"},
                    "place": {"type": "string", "maxLength": 200},
                },
            }
        },
    },
    "/api/v1/search/picture": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "A new random one with every new request; the same one with a request that is sent again.",
}


def operation_id(route: APIRoute) -> str:
    """A name for generated clients: answers_undo, not undo_api_v1_answers__id__undo_post."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def install(app: FastAPI) -> None:
    """Make this app serve the finished document; it is written once, when somebody first asks."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = finished(
                get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def finished(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with security, problems, bodies and examples."""
    from app.api.session_shapes import ObservationIn
    from app.api.shapes import ImportIn

    schemas = document["components"]["schemas"]
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    schemas["Problem"] = PROBLEM
    schemas["ImportIn"] = ImportIn.model_json_schema()
    schemas["ObservationIn"] = ObservationIn.model_json_schema()
    for name, schema in schemas.items():
        if name != "Problem" and "properties" in schema:
            schema["examples"] = [example(schema, schemas)]
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            _finish(path, method, about, schemas)
    return document


def _finish(path: str, method: str, about: dict[str, Any], schemas: dict[str, Any]) -> None:
    """One operation: who may, what can go wrong, its body, its key."""
    open_to_all = path in ("/api/v1/healthz", "/api/v1/readyz")
    about["security"] = [] if open_to_all else [{"token": []}]
    scope = "read" if method == "get" else SCOPE_OF_TAG[about["tags"][0]]
    if not open_to_all:
        about["x-scope"] = scope
    if path in BODIES:
        about["requestBody"] = {"required": True, "content": BODIES[path]}
    for media in about.get("requestBody", {}).get("content", {}).values():
        if "$ref" in media["schema"]:
            media["example"] = example(media["schema"], schemas)
    if method == "post" and not OWN.match(path):
        about.setdefault("parameters", []).append(KEY)
    about["responses"] = {
        code: said for code, said in about["responses"].items() if code != "422"
    } | {code: _problem(code) for code in _codes(path, open_to_all, "requestBody" in about)}  # fmt: skip


def _codes(path: str, open_to_all: bool, has_body: bool) -> list[str]:
    if open_to_all:
        return ["500", "503"]
    codes = ["400", "401", "403", "404", "409", "422", "500", "503"]
    return sorted([*codes, *(["413", "415"] if has_body else []), *([] if path.startswith(FREE) else ["429"])])


def _problem(code: str) -> dict[str, Any]:
    return {"description": SAID[code], "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
