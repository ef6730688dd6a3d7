"""One criterion at work in the trainer process: lead, ask, learn, store.

Two threads come by: `ask` several times a second, `learn` about once a second and for as long as a training step takes.
They share only immutable snapshots, so an answer changes the next question while a model is still being trained.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np

from db import runs, versions
from db.artifacts import ArtifactStore
from db.catalog import Criterion
from db.engine import Database
from db.errors import Broken, NotFound, StaleLease
from db.nouns import Snapshot
from db.versions import Version
from trainer import snapshot as snapshots
from trainer.asker import Asker
from trainer.checkpoint import Draft, commit, head_of, sweep
from trainer.embedding import Embedder
from trainer.follow import Follower
from trainer.leading import LEASE_S, Lead
from trainer.learner import Candidate, Learner, Settings
from trainer.reporting import Reporter
from trainer.shards import Rows

log = logging.getLogger("pairwright.trainer")
ENOUGH_NEW = 8  # answers given or taken back since the last version


@dataclass(frozen=True)
class Room:
    """What all desks of a process share. holder: unique to the process; stopping: set when it should end."""

    database: Database
    workspace: Path
    store: ArtifactStore
    holder: str
    stopping: Event
    embedder: Embedder
    acquisition: str = "mixed"
    seed: int = 0
    lease_s: float = LEASE_S
    teaching: Settings = field(default_factory=Settings)


class Desk:
    """Asks and learns for one criterion while this process leads it."""

    def __init__(self, room: Room, criterion: Criterion) -> None:
        self.room, self.criterion = room, criterion
        self.lead = Lead(room.database, f"trainer:{criterion.id}", room.holder, lease_s=room.lease_s)
        self.asker = Asker(room.database, criterion.id, acquisition=room.acquisition, seed=room.seed)
        self.follower = Follower(criterion.id)
        self.learner: Learner | None = None
        self.led_under: int | None = None  # the token under which stale runs were closed
        self.newest: Snapshot | None = None  # made or restored by the learning thread

    # the asking thread --------------------------------------------------------------------------------------------
    def ask(self) -> None:
        """Keep the questions fresh under the served model."""
        if not self.lead.hold():
            return
        with self.room.database.read() as s:
            served = versions.current(s, self.criterion.id)
        if served is None or not self._serve(served):
            return
        if self.asker.refresh():
            log.debug("%s: asked again after event %d", self.criterion.name, self.asker.follower.seen)

    def _serve(self, served: Version) -> bool:
        """Ask from this version; False while its snapshot has to be rebuilt by the learning thread."""
        if self.asker.snapshot is not None and self.asker.snapshot.version == served.id:
            return True
        made = self.newest
        if made is not None and made.version == served.id:
            self.asker.snapshot = made
        else:
            self.asker.snapshot = self._stored(served)
        return self.asker.snapshot is not None

    def _stored(self, version: Version) -> Snapshot | None:
        """The snapshot on disk; None where it is missing or damaged."""
        try:
            return snapshots.load(self.room.store, version.artifact, version.id)
        except (Broken, NotFound) as error:
            log.warning("%s: %s", self.criterion.name, error)
            return None

    # the learning thread ------------------------------------------------------------------------------------------
    def learn(self) -> None:
        """Make the first version, restore a damaged one, or train when enough was said. Raises StaleLease."""
        if self.lead.token is None:
            return
        if self.lead.token != self.led_under:
            self._end_stale_runs()
        with self.room.database.read() as s:
            known = versions.versions(s, self.criterion.id)
            served = versions.current(s, self.criterion.id)
        features = self.room.embedder.features(self.criterion.collection, served.encoder if served else None)
        if features is None:
            return
        vectors, ids, encoder = features
        if served is None:
            self._first(vectors, ids, encoder)
        elif self._prepare(served, vectors, ids) and self._enough_new(known, served):
            self._train(served)

    def _first(self, vectors: np.ndarray | Rows, ids: np.ndarray, encoder: str) -> None:
        """Version 0: the raw embedding, served before any answer."""
        if len(ids) < 2:
            return
        self.learner = Learner(vectors, ids, seed=self.room.seed, settings=self.room.teaching)
        snapshot = self.learner.start()
        metrics = {"trigger": "features", "reason": "before any answer", "items": len(ids)}
        made = self._store(Draft(self.criterion.id, snapshot, self.learner.head, None, 0, metrics, encoder))
        self.learner.resume(self.learner.head, made)

    def _prepare(self, served: Version, vectors: np.ndarray | Rows, ids: np.ndarray) -> bool:
        """Have the served model at hand; True if it is ready to be taught."""
        if self.learner is None or self.learner.snapshot.version != served.id or len(self.learner.ids) != len(ids):
            self.learner = Learner(vectors, ids, seed=self.room.seed, settings=self.room.teaching)
            stored = self._stored(served)
            grown = stored is not None and not np.array_equal(stored.ids, ids)
            head = head_of(self.room.store, served)
            restored = self.learner.resume(head, None if grown else stored, served.id)
            if grown:
                self._regrow(served, restored)
                return False
            if stored is None:
                snapshots.save_cache(self.room.store, served.artifact, restored)
            self.newest = restored
        return True

    def _regrow(self, served: Version, restored: Snapshot) -> None:
        """Items came since: the same head over all of them, as a version of its own."""
        learner = self.learner
        assert learner is not None
        if served.last_event == 0:
            restored = learner.start()
        metrics = {**served.metrics, "trigger": "items", "reason": "items were added", "items": len(restored.ids)}
        draft = Draft(self.criterion.id, restored, learner.head, served, served.last_event, metrics, served.encoder)
        learner.resume(learner.head, self._store(draft))

    def _enough_new(self, known: list[Version], served: Version) -> bool:
        """Versions on other features, which `train` keeps, do not count: what is served has not learnt from theirs."""
        with self.room.database.read() as s:
            self.follower.catch_up(s)
            learnt = max(version.last_event for version in known if version.encoder == served.encoder)
            if self.follower.seen <= learnt:
                return False
            return self.follower.events_since(s, learnt) >= ENOUGH_NEW

    def _train(self, served: Version) -> None:
        """One training run, from the served head to a stored version."""
        learner = self.learner
        assert learner is not None
        about = {
            "seed": learner.seed,
            "last_event": self.follower.seen,
            "training": self.room.teaching.training.document(),
        }
        reporter = Reporter(self.room.database, self.criterion.id, about)
        try:
            candidate = learner.learn(self.follower.graph, progress=reporter, cancelled=self._stop)
            if candidate is None:
                reporter.end("cancelled", "the trainer was stopped or lost its lead")
                return
            made = self._store(self._draft(candidate, served, reporter.run))
        except Exception as error:
            reporter.end("cancelled" if isinstance(error, StaleLease) else "failed", str(error))
            raise
        if candidate.better:
            learner.accept(candidate, made.version)
        log.info("%s: version %d. %s", self.criterion.name, made.version, candidate.metrics["reason"])

    def _draft(self, candidate: Candidate, served: Version, run: int) -> Draft:
        return Draft(
            self.criterion.id, candidate.snapshot, candidate.head, served, self.follower.seen,
            {**candidate.metrics, "trigger": "answers"}, served.encoder, candidate.better, run,
        )  # fmt: skip

    def _store(self, draft: Draft) -> Snapshot:
        self.newest = made = commit(self.room.database, self.room.store, self.lead, draft)
        sweep(self.room.database, self.room.store, self.criterion.id)
        return made

    def _stop(self) -> bool:
        return self.room.stopping.is_set() or self.lead.token is None

    def _end_stale_runs(self) -> None:
        """Lessons that a killed trainer left open are closed by the next one; a refresh is no lesson of its."""
        token = self.lead.token
        with self.room.database.write() as s:
            self.lead.check(s)
            for run in runs.recent(s, self.criterion.id):
                if run.status == "running" and run.trigger == "answers":
                    runs.end(s, run.id, "failed", note="the trainer was killed")
        self.led_under = token
