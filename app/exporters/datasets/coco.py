"""COCO, image by image: a group is a category, and the whole picture is its box.

Source: https://cocodataset.org/#format-data.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from app.exporters.datasets import Record, write


class DataSet:
    """images/ and annotations.json; `score` of an annotation is the probability of the group."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None:
        """Numbers of images are those of the items."""
        groups = {one.group.number: one.group.name for one in records if one.group is not None}
        categories = {number: place for place, number in enumerate(sorted(groups), start=1)}
        document: dict[str, Any] = {
            "info": {"description": title},
            "licenses": [],
            "images": [_image(one, folder) for one in records],
            "annotations": [_annotation(one, categories) for one in records if one.group is not None],
            "categories": [
                {"id": place, "name": groups[number], "supercategory": ""} for number, place in categories.items()
            ],
        }
        write(folder / "annotations.json", orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _image(one: Record, folder: Path) -> dict[str, Any]:
    path, about = one.put(folder, "images")
    item = one.item
    return {"id": item.id, "file_name": path, "width": item.width, "height": item.height, "pairwright": about}


def _annotation(one: Record, categories: dict[int, int]) -> dict[str, Any]:
    item, group = one.item, one.group
    assert group is not None
    return {
        "id": item.id,
        "image_id": item.id,
        "category_id": categories[group.number],
        "bbox": [0, 0, item.width, item.height],
        "area": item.width * item.height,
        "iscrowd": 0,
        "score": group.probability,
    }
