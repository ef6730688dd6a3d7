"""COCO: a JSON file of images, annotations and categories. What an image shows becomes its attributes.

Source: https://cocodataset.org/#format-data. Boxes and masks are not read: an image is one item.
"""

from pathlib import PurePosixPath
from typing import Any

from app.importers.exact import exact
from app.importers.formats import Described, Finder, Line, only, plain, read_json
from app.importers.stores import Store
from db.errors import BadInput

DEFAULT = "annotations.json"
NOT_ATTRIBUTES = ("id", "file_name", "width", "height")


class Format:
    """`category` is the one category of an image, `categories` the list where there are several."""

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """The file that was named, or annotations.json, has images and categories."""
        name = manifest or only(store, DEFAULT)
        if name is None or not name.lower().endswith(".json"):
            return False
        found = read_json(store, name)
        return isinstance(found, dict) and {"images", "annotations"} <= set(found)

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each image."""
        name = manifest or only(store, DEFAULT) or DEFAULT
        found = read_json(store, name)
        try:
            return _described(store, name, found)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"'{name}' is not as COCO has it ({error!r}). Export it again.") from error


def _described(store: Store, name: str, found: dict[str, Any]) -> Described:
    described, finder = Described(store, base=str(PurePosixPath(name).parent)), Finder(store, name)
    categories = {one["id"]: str(one["name"]) for one in found.get("categories", [])}
    shown: dict[Any, list[str]] = {}
    captions: dict[Any, str] = {}
    for one in found["annotations"]:
        if "caption" in one:
            captions.setdefault(one["image_id"], str(one["caption"]))
        if (category := categories.get(one.get("category_id"))) is not None:
            there = shown.setdefault(one["image_id"], [])
            there.extend([] if category in there else [category])
    for image in found["images"]:
        path, number = str(image["file_name"]), image["id"]
        file = finder.find(path)
        if file is None:
            described.faults.append((path, "there is no such file in the source"))
            continue
        row = plain(image, NOT_ATTRIBUTES) | _categories(shown.get(number, []))
        row |= {"caption": captions[number]} if number in captions else {}
        known = exact(image.get("pairwright"), path)
        described.lines.append(Line(known.name if known else path, file, row, known))
    return described


def _categories(names: list[str]) -> dict[str, Any]:
    if len(names) == 1:
        return {"category": names[0]}
    return {"categories": names} if names else {}
