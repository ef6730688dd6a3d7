"""FiftyOne: `samples.json` beside the media, as fiftyone.types.FiftyOneDataset writes it. Fields become attributes.

Source: https://docs.voxel51.com/user_guide/export_datasets.html. Of labels only classifications and tags are read.
"""

from pathlib import PurePosixPath
from typing import Any

from app.importers.exact import exact
from app.importers.formats import Described, Finder, Line, only, plain, read_json
from app.importers.stores import Store
from db.errors import BadInput

SAMPLES = "samples.json"
NOT_ATTRIBUTES = ("id", "filepath", "metadata")


class Format:
    """A classification becomes its label, several become a list; other labels are left out."""

    def recognises(self, store: Store, manifest: str | None) -> bool:
        """A file samples.json with samples that have a path."""
        name = manifest or only(store, SAMPLES)
        if name is None or not name.lower().endswith(".json"):
            return False
        found = read_json(store, name)
        return isinstance(found, dict) and isinstance(found.get("samples"), list)

    def describe(self, store: Store, manifest: str | None) -> Described:
        """One line for each sample."""
        name = manifest or only(store, SAMPLES) or SAMPLES
        described, finder = Described(store, base=str(PurePosixPath(name).parent)), Finder(store, name)
        try:
            for sample in read_json(store, name)["samples"]:
                _add(described, finder, sample)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"'{name}' is not as FiftyOne has it ({error!r}). Export it again.") from error
        return described


def _add(described: Described, finder: Finder, sample: dict[str, Any]) -> None:
    path = str(sample["filepath"])
    file = finder.find(path)
    if file is None:
        described.faults.append((path, "there is no such file in the source"))
        return
    row = {key: _value(value) for key, value in plain(sample, NOT_ATTRIBUTES).items()}
    known = exact(sample.get("pairwright"), path)
    kept = {key: value for key, value in row.items() if value not in (None, [])}
    described.lines.append(Line(known.name if known else path, file, kept, known))


def _value(value: Any) -> Any:
    """What a field says, None where it is a label we do not read."""
    if not isinstance(value, dict):
        return value
    if value.get("_cls") == "Classification":
        return value.get("label")
    if value.get("_cls") == "Classifications":
        return [one.get("label") for one in value.get("classifications") or []]
    return value.get("$date") or value.get("$oid")
