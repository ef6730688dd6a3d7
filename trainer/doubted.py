"""Which words a training run doubted, kept per collection for reviews of captions, which ask about them first.

run with a selector -> doubts (`trainer.suspects`) -> those above the mean, with their words -> artifact -> Fits

A doubt is about the words that the run has read: where they are others by now, it counts no more. The newest run about
a column is listened to alone. Needs no torch.
"""

import json
import time
from collections.abc import Mapping

from db.artifacts import ArtifactStore
from db.errors import Broken, NotFound

FOLDER, FILE = "doubted", "doubted.json"


def keep_doubts(
    store: ArtifactStore, collection: int, column: str, doubts: Mapping[int, float], texts: Mapping[int, str]
) -> int:
    """Keep what a run doubted more than the mean of all it looked at, in the place of what an earlier run about this
    column did; how many there are. texts: item id -> the words that it has read."""
    known = {item: doubt for item, doubt in doubts.items() if item in texts}
    mean = sum(known.values()) / max(len(known), 1)
    rows = [[item, doubt, texts[item]] for item, doubt in known.items() if doubt > mean]
    earlier = [name for name in store.under(f"{FOLDER}/{collection}") if _read(store, name).get("column") == column]
    about = {"column": column, "rows": rows}
    name = f"{FOLDER}/{collection}/{time.time_ns():020d}"
    store.save(name, {FILE: json.dumps(about, sort_keys=True).encode()})
    for old in earlier:
        store.remove(old)
    return len(rows)


def doubted(store: ArtifactStore, collection: int, column: str, texts: Mapping[int, str]) -> dict[int, float]:
    """Item id -> doubt in nats, of those whose words are still those that the newest run about this column doubted."""
    for name in reversed(store.under(f"{FOLDER}/{collection}")):
        about = _read(store, name)
        if about.get("column") == column:
            return {item: doubt for item, doubt, words in about["rows"] if texts.get(item) == words}
    return {}


def _read(store: ArtifactStore, name: str) -> dict:  # type: ignore[type-arg]
    """Empty for what is damaged, or was removed meanwhile: doubts are a hint, and a review goes on without."""
    try:
        return dict(json.loads((store.open(name) / FILE).read_bytes()))
    except (Broken, NotFound, OSError, ValueError):
        return {}
