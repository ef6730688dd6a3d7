"""Scopes: what a bearer token may be used for, within what its owner's role allows."""

from collections.abc import Iterable

from db.errors import BadInput

SCOPES = {
    "read": "look at questions, items, groups, versions, quality and events",
    "answer": "claim questions, answer and undo; robot sessions",
    "import": "add collections, criteria and pictures",
    "train": "promote versions; start refreshes, measurements, comparisons and maps",
    "admin": "people, tokens, backups",
}


def scopes(given: Iterable[str] | None) -> list[str] | None:
    """The scopes in their usual order, each once; None stands for all of them. Raises BadInput."""
    if given is None:
        return None
    wanted = set(given)
    unknown = sorted(wanted - SCOPES.keys())
    if unknown or not wanted:
        got = f"'{unknown[0]}'" if unknown else "none"
        raise BadInput(f"a token's scopes must be some of {', '.join(SCOPES)}, got {got}. Leave them out for all.")
    return [name for name in SCOPES if name in wanted]
