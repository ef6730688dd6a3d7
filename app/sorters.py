"""The live sorters of robot sessions: one for each criterion and encoder, shared by every session that uses it.

A sorter holds nothing that is not in the log: before it answers it reads what was added since it last looked. So a
restarted server, a second process and one that never stopped know the same (only the weights of the experts may have
been fitted a few placements earlier).
"""

import hashlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.eye import Eye
from app.importers import files
from app.importers.decode import THUMBNAIL, Stored
from app.seen import Seen
from app.settings import Settings
from db import catalog, observations, placements
from db.engine import Database
from db.errors import Broken
from db.nouns import Item
from db.observations import Observation, Thing
from oracle.bins import unit
from oracle.sorting import Costs, Sorted, Sorter
from trainer.originals import original


@dataclass
class _Live:
    """observed, placed: newest rows of the log that it knows."""

    seen: Seen
    turn: threading.Lock = field(default_factory=threading.Lock)
    sorter: Sorter | None = None
    observed: int = 0
    placed: int = 0


class Sorters:
    """Sees pictures by `eye`, answers from the log. known: features that need not be computed, by SHA-256."""

    def __init__(
        self, settings: Settings, database: Database, eye: Eye, known: Mapping[str, np.ndarray] | None = None
    ) -> None:
        self.settings, self.database, self.eye = settings, database, eye
        self._known = known or {}
        self._live: dict[tuple[int, str], _Live] = {}
        self._turn = threading.Lock()

    def keep(self, encoder: str, encoded: bytes) -> tuple[str, Stored, np.ndarray]:
        """Check and store a picture; its SHA-256, where it is, and its raw features.

        Raises: BadInput for what is no picture, Broken where it cannot be looked at or kept.
        """
        sha = hashlib.sha256(encoded).hexdigest()
        stored, vector = self.eye.keep(encoder, encoded, sha)
        for path in (stored.path, files.thumbnail_path(sha, THUMBNAIL)):
            files.sync_folder((self.settings.folder / path).parent)
        return sha, stored, Seen(self.settings.folder, encoder).put(sha, vector)

    def features(self, encoder: str, item: Item) -> np.ndarray:
        """(D,) raw features of an item, cached where they can be. Raises Broken where its picture is gone."""
        if item.sha256 in self._known:
            return self._known[item.sha256]
        seen = Seen(self.settings.folder, encoder)
        known = seen.get(item.sha256)
        if known is not None:
            return known
        try:
            encoded = original(self.settings.folder, item.path, item.sha256)
        except OSError as error:
            raise Broken(f"the picture of item {item.id} cannot be read ({error.strerror}). Restore it.") from error
        return seen.put(item.sha256, self.eye.features(encoder, encoded))

    def place(self, criterion: int, encoder: str, thing: Thing, vector: np.ndarray, costs: Costs) -> Sorted:
        """Where a thing goes, by everything that is in the log and one more look at it."""
        live = self._of(criterion, encoder)
        with live.turn:
            self._catch_up(live, criterion, encoder)
            sorter = live.sorter or Sorter(len(vector))
            return sorter.place(thing, costs, also=vector)

    def look(self, criterion: int, encoder: str, vectors: Sequence[np.ndarray], costs: Costs) -> Sorted:
        """Where a thing with these views would go; it leaves no trace."""
        live = self._of(criterion, encoder)
        with live.turn:
            self._catch_up(live, criterion, encoder)
            sorter = live.sorter or Sorter(len(vectors[0]))
            return sorter.look(np.array([unit(one) for one in vectors]), costs)

    def _of(self, criterion: int, encoder: str) -> _Live:
        with self._turn:
            found = self._live.get((criterion, encoder))
            if found is None:
                found = self._live[criterion, encoder] = _Live(Seen(self.settings.folder, encoder))
            return found

    def _catch_up(self, live: _Live, criterion: int, encoder: str) -> None:
        """Learn what was added to the log. Nothing is half learnt: a look that fails leaves the rest for the next."""
        with self.database.read() as s:
            looks = observations.since(s, criterion, live.observed)
            said = placements.since(s, criterion, live.placed)
            items = catalog.items_by_id(s, [one.item for one in looks])
        for look, vector in self._vectors(encoder, looks, items):
            live.sorter = live.sorter or Sorter(len(vector))
            live.sorter.see(look.thing, vector)
            live.observed = look.id
        for one in said:
            assert live.sorter is not None  # what is placed was seen
            live.sorter.put(one.thing, one.bin)
            live.placed = one.id

    def _vectors(
        self, encoder: str, looks: Iterable[Observation], items: dict[int, Item]
    ) -> Iterable[tuple[Observation, np.ndarray]]:
        for look in looks:
            yield look, self.features(encoder, items[look.item])
