"""`python -m app.api.typed` writes app/client_shapes.py: what goes over REST, as plain typed dictionaries.

The client must not need pydantic or the server's code, and yet know every field: so its types are generated from the
OpenAPI document, and a test holds them in step.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = '''"""What goes over REST, as typed dictionaries. Written by `python -m app.api.typed`; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict
'''
PLAIN = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict[str, Any]",
}


def text(document: Mapping[str, Any]) -> str:
    """The module's text from an OpenAPI document."""
    schemas = document["components"]["schemas"]
    parts = [_alias(name, one) for name, one in sorted(schemas.items()) if "enum" in one]
    parts += [_shape(name, one) for name, one in sorted(schemas.items()) if "properties" in one]
    return HEAD + "".join(parts)


def _alias(name: str, schema: Mapping[str, Any]) -> str:
    return f"\n{name} = {_kind(schema)}\n"


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    needed = set(schema.get("required", [])) if name.endswith("In") or name == "Problem" else set(schema["properties"])
    lines = [
        f"    {key}: {_kind(one) if key in needed else f'NotRequired[{_kind(one)}]'}\n"
        for key, one in schema["properties"].items()
    ]
    return f"\n\nclass {name}(TypedDict):\n{_words(schema)}{''.join(lines)}"


def _words(schema: Mapping[str, Any]) -> str:
    said = " ".join(schema.get("description", "").split("\n\n")[0].split())
    return f'    """{said}"""\n\n' if said and len(said) < 110 else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """A JSON schema as Python's type."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum', [schema.get('const')])))}]"
    if schema.get("type") == "array":
        return f"list[{_kind(schema.get('items', {}))}]"
    values = schema.get("additionalProperties")
    if schema.get("type") == "object" and isinstance(values, Mapping) and values:
        return f"dict[str, {_kind(values)}]"
    return PLAIN.get(str(schema.get("type")), "Any")


def document() -> dict[str, Any]:
    """The OpenAPI document of an app with nothing in it."""
    from app.server import create_app
    from app.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(Path(folder), trainer=False))
        found = app.openapi()
        app.state.context.database.close()
    return found


def main() -> None:
    """Print the module."""
    sys.stdout.write(text(document()))


if __name__ == "__main__":
    main()
