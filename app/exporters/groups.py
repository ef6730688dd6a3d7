"""The current partition, one row per item: its group, how sure, and whether an answer says so."""

from collections.abc import Iterator, Mapping

import numpy as np

from app.exporters.formats import Row
from db.nouns import Item

FIELDS = {
    "id": "int64",
    "name": "string",
    "sha256": "string",
    "path": "string",
    "group": "int64",
    "probability": "double",
    "answered": "bool",
}


def group_rows(
    ids: np.ndarray, labels: np.ndarray, sure: np.ndarray, stated: set[int], items: Mapping[int, Item]
) -> Iterator[Row]:
    """ids, labels: (N,) int64; sure: (N,) probability of the group; stated: items with at least one answer."""
    for number, group, probability in zip(ids.tolist(), labels.tolist(), sure.tolist(), strict=True):
        item = items[number]
        yield {
            "id": number,
            "name": item.name,
            "sha256": item.sha256,
            "path": item.path,
            "group": group,
            "probability": round(probability, 6),
            "answered": number in stated,
        }
