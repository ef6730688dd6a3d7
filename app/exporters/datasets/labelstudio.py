"""Label Studio: tasks.json, in which an answered group is an annotation and any other a prediction.

Source: https://labelstud.io/guide/tasks. config.xml is the labelling set-up that the tasks fit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import orjson

from app.exporters.datasets import Record, write


class DataSet:
    """images/, tasks.json, config.xml. Serve the folder as Label Studio's local files."""

    def write(self, title: str, records: Sequence[Record], folder: Path) -> None:
        """One task for each picture, in the order of the items."""
        tasks = [_task(one, folder) for one in records]
        write(folder / "tasks.json", orjson.dumps(tasks, option=orjson.OPT_INDENT_2))
        names = sorted({one.group.name for one in records if one.group is not None})
        choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in names)
        config = (
            '<View>\n  <Image name="image" value="$image"/>\n'
            f'  <Choices name="group" toName="image">\n{choices}\n  </Choices>\n</View>\n'
        )
        write(folder / "config.xml", config.encode())


def _task(one: Record, folder: Path) -> dict[str, Any]:
    path, about = one.put(folder, "images")
    said = [] if one.group is None else [_choice(one.group.name)]
    answered = one.group is not None and one.group.answered
    task: dict[str, Any] = {"id": one.item.id, "data": {"image": path, "name": one.item.name}}
    task["meta"] = {"pairwright": about}
    task["annotations"] = [{"result": said, "was_cancelled": False}] if answered else []
    if one.group is not None and not answered:
        task["predictions"] = [{"model_version": "pairwright", "score": one.group.probability, "result": said}]
    return task


def _choice(name: str) -> dict[str, Any]:
    return {"from_name": "group", "to_name": "image", "type": "choices", "value": {"choices": [name]}}
