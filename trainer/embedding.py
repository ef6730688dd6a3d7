"""Backbone features for every collection that has a criterion, computed as a durable job that a kill only delays."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from db import catalog, jobs, versions
from db.engine import Database
from db.errors import PairwrightError, StaleLease
from db.jobs import Job
from trainer.encoders import load_encoder
from trainer.features import feature_store
from trainer.shards import Rows

log = logging.getLogger("pairwright.trainer")
LEASE_S = 30.0
BEAT_S = 0.5  # progress is told at most this often
Stamp = tuple[int, int]  # items of the collection, jobs done: when to read the features again
IN_MEMORY = 100_000  # items up to which features are held in memory, half a gigabyte
ACTIVE = ("queued", "running")


class Embedder:
    """Finds what lacks features, asks for jobs, and does them one at a time.

    Wanted are the features of `encoder`, from which a criterion begins, and of the encoder of every served version.
    settled: by collection and encoder, the number of items when nothing was left to do, or nothing could be done.
    """

    def __init__(
        self, database: Database, workspace: Path, holder: str, stopping: Event, *, encoder: str = "lite0",
        load: Callable[[str], Any] = load_encoder,
    ) -> None:  # fmt: skip
        self.database, self.workspace, self.holder, self.stopping = database, workspace, holder, stopping
        self.encoder, self.load = encoder, load
        self.loaded: dict[str, Any] = {}
        self.settled: dict[tuple[int, str], int] = {}
        self.jobs_done = 0
        self._kept: dict[tuple[int, str], tuple[Stamp, np.ndarray | Rows, np.ndarray]] = {}

    def tick(self) -> None:
        """Ask for what is missing, then do one job if there is one."""
        with self.database.read() as s:
            known = catalog.criteria(s)
            served = [(one.collection, versions.current(s, one.id)) for one in known]
            active = [job for job in jobs.jobs(s, 100) if job.kind == "embed" and job.state in ACTIVE]
        wanted = {(one.collection, self.encoder) for one in known}
        wanted |= {(collection, version.encoder) for collection, version in served if version is not None}
        busy = {(job.collection, str(job.payload.get("encoder", self.encoder))) for job in active}
        requested = [self._request(*one) for one in sorted(wanted - busy)]
        if (active or any(requested)) and not self.stopping.is_set():
            self._work()

    def features(self, collection: int, encoder: str | None = None) -> tuple[np.ndarray | Rows, np.ndarray, str] | None:
        """(N, D) features, (N,) ids and the encoder's name; None until the collection is embedded. Many features
        stay on the disk."""
        name = encoder or self.encoder
        stamp = (self._count(collection), self.jobs_done)
        kept = self._kept.get((collection, name))
        whole = self.settled.get((collection, name)) == stamp[0]
        if whole and (kept is None or kept[0] != stamp):
            store = feature_store(self.workspace, collection, name)
            ids, vectors = store.load() if stamp[0] <= IN_MEMORY else store.mapped()
            kept = self._kept[collection, name] = (stamp, vectors, ids)
        return None if kept is None or len(kept[2]) == 0 else (kept[1], kept[2], name)

    def _count(self, collection: int) -> int:
        with self.database.read() as s:
            return next((known.items for known in catalog.collections(s) if known.id == collection), 0)

    def _request(self, collection: int, encoder: str) -> bool:
        """Ask for a job for this collection if items lack features; True if one was asked for."""
        count = self._count(collection)
        if self.settled.get((collection, encoder)) == count:
            return False
        if not self._missing(collection, encoder):
            self.settled[collection, encoder] = count
            return False
        with self.database.write() as s:
            jobs.enqueue(s, "embed", {"encoder": encoder}, collection=collection)
        return True

    def _missing(self, collection: int, encoder: str) -> int:
        with self.database.read() as s:
            items = {item.id for item in catalog.items(s, collection)}
        return len(items - set(feature_store(self.workspace, collection, encoder).ids.tolist()))

    def _work(self) -> None:
        """Lease one job and do it; a failure is told in the job, not raised."""
        with self.database.write() as s:
            job = jobs.lease(s, ["embed"], self.holder, LEASE_S)
        if job is None or job.collection is None:
            return
        count = self._count(job.collection)
        try:
            result = self._run(job)
        except StaleLease as error:
            log.info("embed: %s", error)
            return
        except PairwrightError as error:
            self._end(job, error=str(error))
        except Exception as error:
            self._end(job, error=f"embedding failed ({type(error).__name__}: {error}). Ask for it again.")
        else:
            self._end(job, result=result)
        self.settled[job.collection, str(job.payload.get("encoder", self.encoder))] = count
        self.jobs_done += 1

    def _run(self, job: Job) -> dict[str, Any]:
        assert job.collection is not None
        name = str(job.payload.get("encoder", self.encoder))
        beat = _Beat(self.database, job, self.stopping)
        beat(0, 1, force=True)
        if name not in self.loaded:
            self.loaded[name] = self.load(name)
        with self.database.read() as s:
            items = catalog.items(s, job.collection)
        computed = feature_store(self.workspace, job.collection, name).extend(
            self.loaded[name], items, self.workspace, beat, beat.cancelled
        )
        return {"computed": computed, "items": len(items), "stopped": beat.cancelled()}

    def _end(self, job: Job, *, result: dict[str, Any] | None = None, error: str = "") -> None:
        stopped = result is not None and result["stopped"]
        with self.database.write() as s:
            if result is not None and not stopped:
                jobs.finish(s, job.id, job.token, result)
            else:
                jobs.fail(s, job.id, job.token, error or "stopped; what was computed is kept")


class _Beat:
    """Progress of a job as heartbeats; learns from them whether to stop."""

    def __init__(self, database: Database, job: Job, stopping: Event) -> None:
        self.database, self.job, self.stopping = database, job, stopping
        self.told_at, self.asked_to_stop = float("-inf"), False

    def __call__(self, done: int, of: int, *, force: bool = False) -> None:
        if not force and done < of and time.monotonic() - self.told_at < BEAT_S:
            return
        self.told_at = time.monotonic()
        with self.database.write() as s:
            note = f"{done} of {of} images" if not force else "starting"
            self.asked_to_stop = jobs.heartbeat(s, self.job.id, self.job.token, done / max(of, 1), note)

    def cancelled(self) -> bool:
        return self.asked_to_stop or self.stopping.is_set()
