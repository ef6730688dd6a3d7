"""Where a sentence lies among the pictures of a version: worked out beside the web process, see `app.eye`.

{"sentence", "head", "encoder", "words", "key", "collection", "liked", "disliked"}
    -->  "numbers": the vector, or "scores": of every item, or "unread": then the captions come along once, as JSON
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
    try:
        if not header["words"] and (scores := _shared(workspace, header)) is not None:
            return {"scores": len(scores)}, scores.tobytes()
        if key not in _KNOWN and not body:
            return {"unread": True}, b""
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


def _shared(workspace: Path, header: Mapping[str, Any]) -> np.ndarray | None:
    """Cosines of all items of the version to the sentence, where its encoder came of a network that compares them."""
    from trainer.features import feature_store
    from trainer.readers import has_reader

    store, encoder, collection = Settings(workspace).store(), str(header["encoder"]), int(header["collection"])
    if not has_reader(store, encoder):
        return None
    size = len(feature_store(workspace, collection, encoder).ids)
    space = _space(str(workspace), encoder, collection, size)
    if space is None:
        return None
    ids = _snapshot(store, str(header["head"])).ids
    found: np.ndarray = space.scores(str(header["sentence"]), ids, header["liked"], header["disliked"])
    return found


@lru_cache(maxsize=2)
def _space(workspace: str, encoder: str, collection: int, size: int) -> Any:
    """size: of the features; where more came, they are read anew."""
    from trainer.features import feature_store
    from trainer.shared_space import SharedSpace

    ids, vectors = feature_store(Path(workspace), collection, encoder).load()
    return SharedSpace.of(Settings(Path(workspace)).store(), encoder, vectors, ids)


@lru_cache(maxsize=1)
def _snapshot(store: ArtifactStore, artifact: str) -> Any:
    from trainer import snapshot

    return snapshot.load(store, artifact)
