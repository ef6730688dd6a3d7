"""The OpenAPI document is valid, complete and true: examples fit their schemas, those of requests are understood."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from app.api import rest_page
from app.api.openapi import SAID
from tests.app.conftest import World

pytestmark = pytest.mark.anyio


async def document(world: World) -> dict[str, Any]:
    async with world.as_role(None) as client:
        return dict((await client.get("/openapi.json")).json())


def whole(schema: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """A schema that jsonschema can resolve alone."""
    return {**schema, "components": found["components"]}


async def test_the_document_is_valid_openapi(world: World) -> None:
    validate(await document(world))


async def test_the_page_of_the_reference_is_what_the_document_says(world: World) -> None:
    page = Path(__file__).parents[2] / "docs" / "rest.md"
    assert page.read_text(encoding="utf-8") == rest_page.text(await document(world)), "run make docs"


async def test_every_shape_has_an_example_that_fits(world: World) -> None:
    found = await document(world)
    shapes = {name: one for name, one in found["components"]["schemas"].items() if "properties" in one}
    assert len(shapes) > 80
    for name, schema in shapes.items():
        if name == "Problem":
            continue
        for one in schema["examples"]:
            jsonschema.validate(one, whole(schema, found))


async def test_every_operation_says_what_can_go_wrong_and_has_a_name(world: World) -> None:
    found = await document(world)
    about = [one for methods in found["paths"].values() for one in methods.values()]
    names = [one["operationId"] for one in about]
    assert len(set(names)) == len(names) and not any("api_v1" in name for name in names)
    for one in about:
        assert one["description"] and set(one["responses"]) & set(SAID)
        assert all("HTTPValidationError" not in str(reply) for reply in one["responses"].values())


async def test_examples_of_requests_are_understood(world: World) -> None:
    """They may find nothing here (404, 409) and are never misread (422) or too much for us (500)."""
    found = await document(world)
    async with world.as_role("admin") as client:
        for path, methods in found["paths"].items():
            media = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
            if media is None or path.endswith("/imports"):
                continue
            reply = await client.post(path.replace("{id}", "999"), json=media["example"])
            read = reply.status_code < 300 or reply.status_code in (404, 409)
            assert read or "Idempotency-Key" in reply.text, f"{path}: {reply.status_code} {reply.text}"
