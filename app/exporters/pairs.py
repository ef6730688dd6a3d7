"""Every effective pair verdict of a criterion, one row each: what was said, by whom, about which images.

Paths are relative to the workspace.
"""

from collections.abc import Iterable, Iterator, Mapping

from app.exporters.formats import Row
from db.nouns import Item, Statement

FIELDS = {
    "answer": "int64",
    "a": "int64",
    "b": "int64",
    "a_name": "string",
    "b_name": "string",
    "a_sha256": "string",
    "b_sha256": "string",
    "a_path": "string",
    "b_path": "string",
    "verdict": "string",
    "confidence": "double",
    "background": "bool",
    "audit": "bool",
    "probability": "double",
    "source": "string",
}


def pair_rows(statements: Iterable[Statement], items: Mapping[int, Item]) -> Iterator[Row]:
    """Rows in the order of the log. Undone and corrected answers are not among the statements."""
    for said in statements:
        a, b = items[said.a], items[said.b]
        yield {
            "answer": said.answer,
            "a": said.a,
            "b": said.b,
            "a_name": a.name,
            "b_name": b.name,
            "a_sha256": a.sha256,
            "b_sha256": b.sha256,
            "a_path": a.path,
            "b_path": b.path,
            "verdict": said.verdict.value,
            "confidence": said.confidence,
            "background": said.background,
            "audit": said.audit,
            "probability": said.probability,
            "source": said.source,
        }
