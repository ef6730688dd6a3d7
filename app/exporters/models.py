"""A model version as a folder that works anywhere: weights, config.json, a model card, and ONNX where it is wished."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from app.exporters.datasets import new_folder, write
from app.settings import Settings
from app.view import chosen
from db import catalog, feedback, versions
from db.catalog import Criterion
from db.engine import Database
from db.errors import BadInput, Refused
from db.versions import Version

FORMATS = ("safetensors", "onnx")


@dataclass(frozen=True)
class Exported:
    """version: its number. size: numbers of a vector. apart: greatest difference of the ONNX file from torch."""

    version: int
    size: int
    apart: float | None


def export_model(
    settings: Settings, database: Database, criterion: str, out: Path, version: int | None = None,
    format: str = "safetensors",
) -> Exported:  # fmt: skip
    """Write the served version, or another one, into a new folder, which appears whole or not at all.

    Raises: NotFound for the criterion or version, Refused where nothing was learnt yet, BadInput for the format or an
    encoder that cannot leave.
    """
    from trainer import onnx_file, taught
    from trainer.checkpoint import head_of
    from trainer.pixels import pixels_of

    if format not in FORMATS:
        raise BadInput(f"format = {' or '.join(FORMATS)} expected, got '{format}'.")
    if format == "onnx":
        onnx_file.require()
    about, chosen = _chosen(database, criterion, version)
    store = settings.store()
    words = _words(database, about, chosen)
    pixels, head = pixels_of(store, chosen.encoder), head_of(store, chosen)
    apart = None
    with new_folder(out) as folder:
        taught.save(folder, pixels, head, words)
        if format == "onnx":
            apart = onnx_file.write_onnx(taught.Whole(pixels, head), pixels.side, folder / taught.ONNX)
        write(folder / "README.md", card(words, head.size, pixels.side, apart).encode())
    return Exported(chosen.id, head.size, apart)


def _chosen(database: Database, criterion: str, wanted: int | None) -> tuple[Criterion, Version]:
    with database.read() as s:
        about = catalog.criterion(s, criterion)
        found = chosen(versions.versions(s, about.id), versions.current(s, about.id), wanted)
    if found is None:
        raise Refused(f"nothing was learnt for '{criterion}' yet. Answer some questions while the trainer runs.")
    return about, found


def _words(database: Database, about: Criterion, chosen: Version) -> dict[str, Any]:
    with database.read() as s:
        counts = feedback.counts(s, about.id)
        names = {one.id: one for one in catalog.collections(s)}
    plain = {key: value for key, value in chosen.metrics.items() if isinstance(value, str | int | float | bool)}
    return {
        "made_by": f"pairwright {installed('pairwright')}",
        "criterion": about.name,
        "prompt": about.prompt,
        "collection": names[about.collection].name,
        "pictures": names[about.collection].items,
        "version": chosen.id,
        "made_at": chosen.created_at.isoformat(),
        "encoder": chosen.encoder,
        "answers": counts.screens,
        "same": counts.same,
        "different": counts.different,
        "metrics": plain,
    }


def card(words: Mapping[str, Any], size: int, side: int, apart: float | None) -> str:
    """The model card, as Markdown with the front matter that model hubs read."""
    metrics = "\n".join(f"| {key} | {_cell(value)} |" for key, value in sorted(words["metrics"].items()))
    onnx = "" if apart is None else ONNX.format(side=side, size=size, apart=apart)
    shown = {"title": words["criterion"], "question": words["prompt"], "place": words["collection"]}
    texts = {key: _cell(value) for key, value in shown.items()}
    return CARD.format(**{**words, "metrics": metrics}, size=size, side=side, onnx=onnx, **texts)


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "/").replace("<", "&lt;").replace("\n", " ")


CARD = """---
library_name: pairwright
pipeline_tag: image-feature-extraction
tags:
- metric-learning
- image-embedding
---

# {title}: what belongs together

An image embedding that was taught by answering "{question}". Pictures that belong together have a high cosine.

```python
from trainer.taught import load  # pip install pairwright

embed = load(".")
vectors = embed(["a.jpg", "b.jpg"])  # (N, {size}) float32, rows of length 1
```

| | |
|---|---|
| taught with | {answers} answers ({same} pairs same, {different} different) about {pictures} pictures of "{place}" |
| backbone | {encoder}, middle square of {side} x {side} pixels |
| vector | {size} numbers of length 1 |
| version | {version}, made {made_at} by {made_by} |
{onnx}
## Figures of this version

| figure | value |
|---|---|
{metrics}

## What it is good for, and what not

It knows one notion of "same", learnt from the pictures above. On other pictures it is an educated guess: look at the
nearest neighbours of some of them before you rely on it. It inherits what its backbone learnt and did not learn.
Weights of the backbone keep their own licence; this card grants none.
"""
ONNX = """
`model.onnx` takes `squares` (N, {side}, {side}, 3) uint8 RGB and gives `vectors` (N, {size}) float32; numbers differ
from torch's by at most {apart:.1g}.
"""
