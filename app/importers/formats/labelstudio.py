"""Label Studio: a JSON list of tasks with their annotations. Choices and texts become attributes.

Source: https://labelstud.io/guide/export, the formats JSON and JSON-MIN. Regions inside a picture are not read.
"""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from app.importers.exact import exact
from app.importers.formats import Described, Finder, Line, only, plain, read_json
from app.importers.stores import Store
from db.errors import BadInput

DEFAULT = "tasks.json"
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
VALUES = ("choices", "text", "taxonomy", "rating", "number", "datetime")


class Format:
    """An annotation that was cancelled counts for nothing; of several the last counts."""

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """The file that was named, or tasks.json, is a list of tasks with an image."""
        name = manifest or only(store, DEFAULT)
        if name is None or not name.lower().endswith(".json"):
            return False
        found = read_json(store, name)
        return isinstance(found, list) and bool(found) and isinstance(found[0], dict) and _image(found[0]) is not None

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each task."""
        name = manifest or only(store, DEFAULT) or DEFAULT
        described, finder = Described(store, base=str(PurePosixPath(name).parent)), Finder(store, name)
        try:
            for task in read_json(store, name):
                _add(described, finder, task)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"'{name}' is not as Label Studio has it ({error!r}). Export it again.") from error
        return described


def _add(described: Described, finder: Finder, task: dict[str, Any]) -> None:
    found = _image(task)
    if found is None:
        described.faults.append((f"task {task.get('id')}", "it has no image"))
        return
    key, address = found
    path = _path(address)
    file = finder.find(path) or finder.find(_unmarked(path))
    if file is None:
        described.faults.append((path, "there is no such file in the source"))
        return
    row = plain(task.get("data") or {key: value for key, value in task.items() if key not in RESERVED}, (key,))
    known = exact((task.get("meta") or {}).get("pairwright"), path)
    described.lines.append(Line(known.name if known else path, file, row | _said(task), known))


RESERVED = ("id", "annotations", "predictions", "meta", "annotator", "annotation_id", "created_at", "updated_at",
            "lead_time", "file_upload", "project", "inner_id", "drafts")  # fmt: skip


def _image(task: dict[str, Any]) -> tuple[str, str] | None:
    """(key, address) of the task's picture: the entry called image, else the first that looks like one."""
    data = task.get("data") if isinstance(task.get("data"), dict) else task
    texts = {key: value for key, value in data.items() if isinstance(value, str)}  # type: ignore[union-attr]
    if "image" in texts:
        return "image", texts["image"]
    return next(((key, text) for key, text in texts.items() if _path(text).lower().endswith(ENDINGS)), None)


def _path(address: str) -> str:
    """The path behind /data/local-files/?d=..., /data/upload/... or an address."""
    parts = urlsplit(address)
    if parts.path.endswith("/local-files/"):
        return parse_qs(parts.query).get("d", [""])[0]
    return unquote(parts.path).lstrip("/") if parts.scheme or address.startswith("/") else address


def _unmarked(path: str) -> str:
    """Uploads get eight hexadecimal digits and a dash before their name."""
    name = PurePosixPath(path).name
    mark, dash, rest = name.partition("-")
    is_mark = len(mark) == 8 and all(letter in "0123456789abcdef" for letter in mark)
    return rest if dash and is_mark else name


def _said(task: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for annotation in task.get("annotations") or []:
        if annotation.get("was_cancelled"):
            continue
        for result in annotation.get("result") or []:
            value = result.get("value") or {}
            found = next((value[kind] for kind in VALUES if kind in value), None)
            if found is not None:
                row[str(result["from_name"])] = found[0] if isinstance(found, list) and len(found) == 1 else found
    return row
