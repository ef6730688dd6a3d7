"""How well words fit, as a version keeps it beside its head, and what was answered since. Needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from safetensors.numpy import load, save
from sqlalchemy.orm import Session

from db import catalog, feedback, versions
from db.artifacts import ArtifactStore
from db.catalog import Criterion
from db.errors import Broken, NotFound
from db.versions import Version
from oracle.ledger import Fits, Ledger, rates_of
from oracle.weighing import checkpoint
from trainer.doubted import doubted

FILE = "fits.safetensors"


@dataclass
class Reader:
    """Follows the log of one criterion on words. graph: what stands, as a ledger; seen: the last event it has read.

    fits: of the served version, set from outside; its texts are those of now.
    """

    criterion: Criterion
    fits: Fits | None = None
    graph: Ledger = field(default_factory=Ledger)
    seen: int = 0
    _read: tuple[int, Fits | None] = (-1, None)
    _judged: tuple[int, Fits | None] = (-1, None)
    _rates: Mapping[str, float] = field(default_factory=dict)

    def catch_up(self, s: Session) -> bool:
        """Read the log anew if anything happened; True if it did. The newest event is read first, as in `Follower`."""
        newest = feedback.last_event(s, self.criterion.id)
        if self.fits is None or (newest == self._read[0] and self.fits is self._read[1]):
            return False
        said = [one for one in feedback.captions(s, self.criterion.id, self.fits.texts) if one.answer <= newest]
        length = checkpoint(len(said))
        if length != self._judged[0] or self.fits is not self._judged[1]:
            self._rates, self._judged = rates_of(said, self.fits), (length, self.fits)
        self.graph = Ledger.of(said, self._rates)
        self.seen, self._read = newest, (newest, self.fits)
        return True


def to_bytes(chances: Mapping[int, float]) -> bytes:
    """Chances as a file to keep beside a version's head."""
    ids = np.array(sorted(chances), np.int64)
    return save({"ids": ids, "chance": np.array([chances[item] for item in ids.tolist()], np.float32)})


def stored_fits(store: ArtifactStore, version: Version, texts: Mapping[int, str]) -> Fits:
    """What a version thinks of the words of now. Raises: NotFound, or Broken where its file is damaged."""
    try:
        arrays = load((store.open(version.artifact) / FILE).read_bytes())
        chance = dict(zip(arrays["ids"].tolist(), arrays["chance"].tolist(), strict=True))
    except (OSError, KeyError, ValueError) as error:
        raise Broken(f"the chances of version {version.id} cannot be read ({error}). New ones will be made.") from error
    return Fits({item: value for item, value in chance.items() if item in texts}, texts, version.id)


def as_it_stands(s: Session, store: ArtifactStore, about: Criterion) -> Reader:
    """What was answered, beside what the served version thinks of the words of now; before any, it thinks nothing."""
    texts, served = catalog.texts(s, about), versions.current(s, about.id)
    try:
        fits = stored_fits(store, served, texts) if served is not None else Fits({}, texts)
    except (Broken, NotFound):  # a version that was made otherwise; the trainer makes another one
        fits = Fits({}, texts)
    reader = Reader(about, replace(fits, suspects=doubted(store, about.collection, about.captions, texts)))
    reader.catch_up(s)
    return reader
