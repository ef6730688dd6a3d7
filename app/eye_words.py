"""Where a sentence lies among the pictures of a version: worked out beside the web process, see `app.eye`.

{"sentence", "head", "encoder", "words", "key"} -->  the vector, or "unread": then the captions come along once, as JSON
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.settings import Settings
from db.artifacts import ArtifactStore
from db.errors import BadInput

if TYPE_CHECKING:
    from trainer.words import WordsHead

_KNOWN: "dict[str, WordsHead]" = {}  # the newest few, by key
KEPT = 4


def told(workspace: Path, header: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The reply to a sentence."""
    key = str(header["key"])
    if key not in _KNOWN and not body:
        return {"unread": True}, b""
    try:
        if key not in _KNOWN:
            _KNOWN[key] = _taught(workspace, header, body)
            for old in list(_KNOWN)[:-KEPT]:
                del _KNOWN[old]
        vector = _KNOWN[key](str(header["sentence"]))
    except BadInput as error:
        return {"refused": str(error)}, b""
    return {"numbers": len(vector)}, vector.tobytes()


def packed(captions: Mapping[int, tuple[str, float]]) -> bytes:
    """Captions on their way: item -> words, and how far they are believed to belong."""
    return json.dumps([[item, *one] for item, one in captions.items()]).encode()


def _taught(workspace: Path, header: Mapping[str, Any], body: bytes) -> "WordsHead":
    """Words are read as the criterion says; else as the network does that the encoder came of; else by letters."""
    from trainer.proofreading import towers_of
    from trainer.readers import taught_reading
    from trainer.words import WordsHead, by_towers

    store, words = Settings(workspace).store(), str(header["words"])
    snapshot = _snapshot(store, str(header["head"]))
    rows = [
        (snapshot.position[item], words, belief)
        for item, words, belief in json.loads(body)
        if item in snapshot.position
    ]
    at, texts, beliefs = zip(*rows, strict=True)
    read = by_towers(*towers_of(words)) if words else taught_reading(store, str(header["encoder"]))
    return WordsHead.of(snapshot.vectors[list(at)], texts, np.array(beliefs), read)


@lru_cache(maxsize=1)
def _snapshot(store: ArtifactStore, artifact: str) -> Any:
    from trainer import snapshot

    return snapshot.load(store, artifact)
