"""A criterion's part in a training run: its answers before, and a model version of it afterwards."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from app.settings import Settings
from app.view import in_collection, view
from db import feedback
from db.engine import Database
from db.errors import Refused
from db.nouns import Snapshot, Statement
from db.versions import Version
from oracle.constraints import ConstraintGraph
from oracle.weighing import weighed_graph
from trainer.checkpoint import Draft, commit
from trainer.features import FeatureStore
from trainer.leading import Lead
from trainer.learner import Learner
from trainer.promotion import gate, split


@dataclass(frozen=True)
class Answers:
    """snapshot: of the served version, or the raw features. graph: of the statements that may be learnt from;
    witnesses: the others. last_event: newest event they include."""

    criterion: int
    snapshot: Snapshot
    graph: ConstraintGraph
    everything: ConstraintGraph
    witnesses: list[Statement]
    parent: Version | None
    last_event: int


def answers_of(settings: Settings, database: Database, criterion: str, collection: str) -> Answers:
    """What is known now. Raises: NotFound, or BadInput for a criterion of another collection."""
    from db import catalog

    in_collection(database, criterion, collection)
    with database.read() as s:
        about, last = catalog.criterion(s, criterion).id, feedback.last_event(s, catalog.criterion(s, criterion).id)
    seen = view(settings, database, criterion)
    said, witnesses = split(seen.statements)
    return Answers(about, seen.snapshot, weighed_graph(said), seen.graph, witnesses, seen.version, last)


def store_version(
    settings: Settings, database: Database, known: Answers, features: FeatureStore, encoder: str,
    words: Mapping[str, Any], run: int, *, seed: int,
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    """Teach a head on the new features, let the held-out answers judge it against what is served, keep it unserved.

    Returns: the version's number and the held-out figures. Raises: Refused where another run of this criterion is
    storing its version.
    """
    learner = Learner(features.vectors(), features.ids, seed=seed)
    learner.start()
    candidate = learner.learn(known.everything)
    assert candidate is not None
    decision = gate(known.snapshot, candidate.snapshot, known.witnesses)
    held_out = {
        "heldout_f1_before": decision.before,
        "heldout_f1_after": decision.after,
        "heldout_pairs": decision.pairs,
        "reason": f"{decision.reason.partition(':')[0]}; trained from pixels, promote it by hand",
    }
    metrics = {**candidate.metrics, **words, **held_out, "trigger": f"train {words['method']}"}
    lead = Lead(database, f"train:{known.criterion}", f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}")
    if not lead.hold():
        raise Refused("another training run of this criterion is storing its version. Run the same command again.")
    try:
        draft = Draft(
            known.criterion, candidate.snapshot, candidate.head, known.parent, known.last_event, metrics, encoder,
            serve=False, run=run,
        )  # fmt: skip
        made = commit(database, settings.store(), lead, draft)
    finally:
        lead.resign()
    return made.version, held_out
