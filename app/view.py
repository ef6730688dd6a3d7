"""What a criterion looks like right now: a model version's embedding, today's answers, and the partition they give."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.features import ensure_features
from app.settings import Settings
from db import catalog, feedback, versions
from db.engine import Database
from db.errors import BadInput, unknown
from db.nouns import Item, Snapshot, Statement
from oracle.constraints import ConstraintGraph

if TYPE_CHECKING:
    from db.versions import Version
    from oracle.belief import Belief


@dataclass(frozen=True)
class View:
    """items: by id, all of the collection; statements: the effective ones; version: None before any was made."""

    snapshot: Snapshot
    graph: ConstraintGraph
    belief: "Belief"
    items: dict[int, Item]
    statements: list[Statement]
    version: "Version | None"

    @property
    def sure(self) -> np.ndarray:
        """(N,) probability of each item's likeliest known group; 0 before any group is known."""
        if not self.belief.groups:
            return np.zeros(len(self.snapshot.ids))
        return self.belief.joint[:, :-1].max(axis=1)

    @property
    def stated(self) -> set[int]:
        return {item for said in self.statements for item in (said.a, said.b)}


def view(settings: Settings, database: Database, criterion: str | int, version: int | None = None) -> View:
    """Look at a criterion through its served version, or through the one given; before any, through the raw features.

    Raises: NotFound for an unknown criterion or version.
    """
    from oracle.holdout import weighed

    with database.read() as s:
        about = catalog.criterion(s, criterion)
        items = {item.id: item for item in catalog.items(s, about.collection)}
        collection = next(c.name for c in catalog.collections(s) if c.id == about.collection)
        said = feedback.statements(s, about.id)
        shown = chosen(versions.versions(s, about.id), versions.current(s, about.id), version)
    snapshot = (
        load_snapshot(settings, database, collection, shown) if shown else raw_snapshot(settings, database, collection)
    )
    graph, belief = weighed(snapshot, said)
    return View(snapshot, graph, belief, items, list(said), shown)


def load_snapshot(settings: Settings, database: Database, collection: str, version: "Version") -> Snapshot:
    """What a version sees: from its cache, else rebuilt from its head and the collection's features."""
    from trainer.checkpoint import open_version

    store, _ = ensure_features(database, settings.folder, collection, version.encoder)
    return open_version(settings.store(), version, store.vectors(), store.ids)


def raw_snapshot(settings: Settings, database: Database, collection: str) -> Snapshot:
    """Version 0, which no answer has touched."""
    from trainer.learner import Learner

    store, _ = ensure_features(database, settings.folder, collection)
    return Learner(store.vectors(), store.ids, seed=0).start()


def chosen(known: "list[Version]", current: "Version | None", wanted: int | None) -> "Version | None":
    """The version with this number, or the served one. Raises NotFound."""
    if wanted is None:
        return current
    found = next((v for v in known if v.id == wanted), None)
    if found is None:
        raise unknown("model version of this criterion", str(wanted), [str(v.id) for v in known])
    return found


def in_collection(database: Database, criterion: str, collection: str) -> None:
    """Check that the criterion is about this collection. Raises BadInput if it is about another."""
    with database.read() as s:
        about = catalog.criterion(s, criterion)
        number = catalog.collection_id(s, collection)
    if about.collection != number:
        raise BadInput(
            f"the criterion '{criterion}' is not about the collection '{collection}'. See: pairwright criterion list."
        )
