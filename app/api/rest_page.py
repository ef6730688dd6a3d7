"""`python -m app.api.rest_page > docs/rest.md`: every REST route with its scope, from the OpenAPI document."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from app.api.typed import document

HEAD = """# REST

Made by `make docs` from the OpenAPI document; a test fails when it is out of date. The app serves the document itself
at `/openapi.json`, with the shape of every request and reply and an example of each. How to use it:
[from your program](program.md).

Send `Authorization: Bearer TOKEN`. Errors are RFC 9457 problem documents. Lists come in pages: pass `next` as `after`
or `before`. Every write takes an `Idempotency-Key`. *Scope* is what a token needs; `-` needs nobody signed in.
"""


def text(found: Mapping[str, Any]) -> str:
    """The page, from an OpenAPI document."""
    parts = [HEAD]
    tag = ""
    for one, row in sorted(_rows(found), key=lambda part: part[0]):
        if one != tag:
            parts.append(f"\n## {one.capitalize()}\n\n| route | does | scope |\n|---|---|---|\n")
        parts.append(row)
        tag = one
    return "".join(parts)


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in found["paths"].items():
        for method, about in methods.items():
            said = about["description"].partition("\n\n")[0].replace("\n", " ").replace("|", "/")
            said = said.replace("{", "&#123;")
            scope = f"`{about['x-scope']}`" if "x-scope" in about else "-"
            yield about["tags"][0], f"| `{method.upper()} {path}` | {said} | {scope} |\n"


if __name__ == "__main__":
    sys.stdout.write(text(document()))
