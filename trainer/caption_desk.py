"""One criterion on captions at work in the trainer process: lead, ask, score anew, store. Threads as in `trainer.desk`.

A version is a head that sees pictures as their words describe them, and, beside it, how well each picture's words fit.
"""

import logging
import time
from dataclasses import replace

import numpy as np

from db import catalog, versions
from db.catalog import Criterion
from db.errors import Broken, NotFound
from db.versions import Version
from oracle.captions import FAMILY
from oracle.ledger import Fits
from trainer import snapshot as snapshots
from trainer.asker import Asker
from trainer.checkpoint import Draft, commit, sweep
from trainer.desk import Room
from trainer.doubted import doubted
from trainer.fits import FILE, Reader, stored_fits, to_bytes
from trainer.leading import Lead
from trainer.proofreading import Proofreader, digest, towers_of

log = logging.getLogger("pairwright.trainer")
ENOUGH_NEW = 12  # answers given or taken back since the last version
REREAD_S = 10.0  # how often the words are read again: an import may have changed some


class CaptionDesk:
    """Asks and learns for one criterion on captions while this process leads it."""

    def __init__(self, room: Room, criterion: Criterion) -> None:
        self.room, self.criterion = room, criterion
        self.lead = Lead(room.database, f"trainer:{criterion.id}", room.holder, lease_s=room.lease_s)
        self.reader = Reader(criterion)
        self.asker = Asker(
            room.database, criterion.id, acquisition=room.acquisition, seed=room.seed, family=FAMILY,
            follower=self.reader,
        )  # fmt: skip
        self.proofreader = Proofreader(room.seed, towers_of(criterion.words))
        self.read_at = float("-inf")
        self.lost: int | None = None  # the served version whose chances cannot be read

    # the asking thread --------------------------------------------------------------------------------------------
    def ask(self) -> None:
        """Keep the questions fresh under the served model."""
        if not self.lead.hold():
            return
        with self.room.database.read() as s:
            served = versions.current(s, self.criterion.id)
        if served is not None and self._serve(served) and self.asker.refresh():
            log.debug("%s: asked again after event %d", self.criterion.name, self.reader.seen)

    def _serve(self, served: Version) -> bool:
        """Ask by what this version thinks of the words of now; False where that cannot be read."""
        known = self.reader.fits
        if known is not None and known.version == served.id and time.monotonic() - self.read_at < REREAD_S:
            return True
        with self.room.database.read() as s:
            texts = catalog.texts(s, self.criterion)
        self.read_at = time.monotonic()
        suspects = doubted(self.room.store, self.criterion.collection, self.criterion.captions, texts)
        if known is None or (known.version, known.texts, known.suspects) != (served.id, texts, suspects):
            try:
                fits = replace(stored_fits(self.room.store, served, texts), suspects=suspects)
                self.asker.snapshot = self.reader.fits = fits
                self.asker.asked_from = None  # what waits was asked without them
            except (Broken, NotFound) as error:
                log.warning("%s: %s", self.criterion.name, error)
                self.lost = served.id
                return False
        return True

    # the learning thread ------------------------------------------------------------------------------------------
    def learn(self) -> None:
        """Score anew where words, pictures or enough answers came since the served version. Raises StaleLease."""
        if self.lead.token is None:
            return
        with self.room.database.read() as s:
            served = versions.current(s, self.criterion.id)
        features = self.room.embedder.features(self.criterion.collection, served.encoder if served else None)
        if features is None or not self._due(served, len(features[1])):
            return
        with self.room.database.read() as s:
            texts, known = catalog.texts(s, self.criterion), self.reader.fits
            reader = Reader(self.criterion, Fits(known.chance if known else {}, texts))
            reader.catch_up(s)
        vectors, ids, encoder = features
        self._train(served, np.asarray(vectors, np.float32), ids, encoder, reader)

    def _due(self, served: Version | None, items: int) -> bool:
        """Whether pictures, words or enough answers came since, or the served version cannot be read."""
        if served is None or served.metrics.get("items") != items or self.lost == served.id:
            return True
        fits, told = self.reader.fits, served.metrics
        if fits is None or fits.version != served.id:
            return False
        if digest(fits.texts) != told.get("texts"):
            return True
        return abs(self.reader.graph.size - int(told.get("answers", 0))) >= ENOUGH_NEW

    def _train(
        self, served: Version | None, vectors: np.ndarray, ids: np.ndarray, encoder: str, reader: Reader
    ) -> None:
        """One round of scoring, from the log to a stored version."""
        assert reader.fits is not None
        ledger, texts = reader.graph, reader.fits.texts
        pairs = self.proofreader.pairs(vectors, ids, texts)
        chances = self.proofreader.chances(pairs, ledger)
        head = self.proofreader.head(pairs, ledger, chances)
        snapshot = snapshots.build(ids, head.embed(vectors), seed=self.room.seed)
        found = Fits(chances, texts)
        metrics = {
            "trigger": "answers" if served is not None else "features", "items": len(ids), "captions": len(pairs.ids),
            "answers": ledger.size, "texts": digest(texts), "found": sum(ledger.rejected(item) for item in texts),
            "left": round(sum(ledger.doubt(i, found.of(i)) for i in chances if not ledger.rejected(i)), 1),
            "reason": f"scored anew with {ledger.size} answers",
        }  # fmt: skip
        draft = Draft(
            self.criterion.id, snapshot, head, served, reader.seen, metrics, encoder, beside={FILE: to_bytes(chances)}
        )
        made = commit(self.room.database, self.room.store, self.lead, draft)
        sweep(self.room.database, self.room.store, self.criterion.id)
        log.info("%s: version %d. %s", self.criterion.name, made.version, metrics["reason"])
