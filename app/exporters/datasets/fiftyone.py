"""FiftyOne: metadata.json, samples.json and data/, to be read as fiftyone.types.LegacyFiftyOneDataset.

Source: https://docs.voxel51.com/user_guide/import_datasets.html.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from app.exporters.datasets import Record, write


class DataSet:
    """A group is a classification in the field `group`; attributes that are numbers or text are fields of their own."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None:
        """Fields beyond text and numbers are only in `pairwright`."""
        samples = [_sample(one, folder) for one in records]
        write(folder / "samples.json", orjson.dumps({"samples": samples}, option=orjson.OPT_INDENT_2))
        write(folder / "metadata.json", orjson.dumps({"name": title, "media_type": "image"}))


def _sample(one: Record, folder: Path) -> dict[str, Any]:
    path, about = one.put(folder, "data")
    sample: dict[str, Any] = {"filepath": path, "tags": [], "name": one.item.name, "pairwright": about}
    for key, value in one.item.attributes.items():
        if (
            key.isidentifier()
            and key not in (*sample, "id", "metadata", "group")
            and isinstance(value, str | int | float)
        ):
            sample[key] = value
    if one.group is not None:
        group = one.group
        sample["group"] = {"_cls": "Classification", "label": group.name, "confidence": group.probability}
        sample["tags"] = ["answered"] if group.answered else []
    return sample
