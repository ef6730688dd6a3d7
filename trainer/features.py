"""Backbone features of a collection: computed once per picture, resumed after a kill, checked by SHA-256."""

import fcntl
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np

from db.errors import Broken
from db.nouns import Item
from trainer.encoders import Encoder
from trainer.originals import original
from trainer.shards import BATCH, PREFIX, Batch, Rows, Shards

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]
Encoded = tuple[Sequence[Item], np.ndarray, int]  # items that could be read, their (n, D) features, items looked at
Executor = Callable[[Encoder, Sequence[Item], Path, Cancelled], Iterator[Encoded]]  # batch by batch, in order
log = logging.getLogger("pairwright.features")


class FeatureStore:
    """Features of one collection under one encoder: a cache that any process may read while one extends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._shards = Shards(self.folder)

    @property
    def ids(self) -> np.ndarray:
        """(N,) int64, strictly increasing: the items that have features, as far as the manifest knows."""
        return np.sort(_ids(self._shards.batches()))

    def vectors(self) -> np.ndarray:
        """(N, D) float32 in the order of `ids`. Raises Broken if a checksum differs: `extend` repairs it."""
        ids, vectors = self.load()
        if len(ids) != len(self.ids):
            raise Broken(f"{self.damaged()} features in {self.folder} are damaged. Run `pairwright embed` to repair.")
        return vectors

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """(ids, vectors) of one moment, without damaged batches: for reading while another process extends."""
        batches = [batch for batch in self._shards.batches() if self._shards.whole(batch)]
        ids = _ids(batches)
        dim = (self._shards.meta() or {"dim": 0})["dim"]
        vectors = np.empty((len(ids), dim), np.float32)
        place = np.empty(len(ids), np.int64)
        place[np.argsort(ids)] = np.arange(len(ids))
        done = 0
        for batch in batches:
            vectors[place[done : done + len(batch.ids)]] = self._shards.read(batch)
            done += len(batch.ids)
        return np.sort(ids), vectors

    def mapped(self) -> tuple[np.ndarray, Rows]:
        """As `load`, but the vectors stay on the disk and are read where rows are taken: the same numbers, float16."""
        rows = Rows(self._shards, [batch for batch in self._shards.batches() if self._shards.whole(batch)])
        return rows.ids, rows

    def damaged(self) -> int:
        """Number of items whose stored features fail their checksum."""
        return sum(len(batch.ids) for batch in self._shards.batches() if not self._shards.whole(batch))

    def extend(
        self,
        encoder: Encoder,
        items: Sequence[Item],
        workspace: Path,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        executor: Executor | None = None,
    ) -> int:
        """Compute what is missing or damaged among these items; return how many pictures were encoded now.

        executor: who encodes, None for this process. Only this process writes.
        Pictures that cannot be read are left out and logged. Raises: Broken if the disk fails.
        """
        try:
            with self._only_writer():
                kept = self._prepare(encoder, items)
                by, stop = executor or here, cancelled or _never
                return self._fill(
                    kept, items, lambda missing: by(encoder, missing, Path(workspace), stop), progress or _silent
                )
        except OSError as error:
            raise Broken(f"cannot keep features in {self.folder} ({error.strerror}). Free some space.") from error

    def _prepare(self, encoder: Encoder, items: Sequence[Item]) -> list[Batch]:
        """The batches worth keeping; starts anew where the encoder or the picture behind an id has changed."""
        known = {item.id: item.sha256[:PREFIX] for item in items}
        batches = self._shards.batches()
        stale = any(
            known.get(item, sha) != sha for batch in batches for item, sha in zip(batch.ids, batch.shas, strict=True)
        )
        if stale or self._shards.meta() != {"encoder": encoder.name, "dim": encoder.dim}:
            self._shards.begin(encoder.name, encoder.dim)
            batches = []
        whole = [batch for batch in batches if self._shards.whole(batch)]
        self._shards.keep(whole)
        return whole

    def _fill(
        self, kept: list[Batch], items: Sequence[Item], encoded: Callable[..., Iterator[Encoded]], progress: Progress
    ) -> int:
        have = set(_ids(kept).tolist())
        missing = sorted((item for item in items if item.id not in have), key=lambda item: item.id)
        used = {batch.slot for batch in kept}
        free = (slot for slot in count() if slot not in used)  # gaps first: damaged rows are written over
        seen, done = len(items) - len(missing), 0
        progress(seen, len(items))
        for read, vectors, looked_at in encoded(missing):
            if read:
                self._shards.write(next(free), read, vectors)
            done, seen = done + len(read), seen + looked_at
            progress(seen, len(items))
        return done

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Wait for our turn; the system ends it when a process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def feature_store(workspace: Path, collection_id: int, encoder_name: str) -> FeatureStore:
    """The store of a collection under an encoder, in the workspace."""
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in encoder_name)
    return FeatureStore(Path(workspace) / "features" / str(int(collection_id)) / safe)


def here(encoder: Encoder, items: Sequence[Item], workspace: Path, cancelled: Cancelled) -> Iterator[Encoded]:
    """Encode in this process: the executor that needs no other."""
    for read, squares, looked_at in _decoded(encoder, items, workspace, cancelled):
        yield read, encoder.encode_squares(squares) if read else np.empty((0, encoder.dim), np.float32), looked_at


def _decoded(
    encoder: Encoder, items: Sequence[Item], workspace: Path, cancelled: Cancelled
) -> Iterator[tuple[list[Item], np.ndarray, int]]:
    """(items read, their squares, items looked at) by batch; the next batch is decoded while this one is encoded."""
    chunks = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    with ThreadPoolExecutor(max_workers=2) as threads:
        ahead = [threads.submit(_square, encoder, item, workspace) for item in chunks[0]] if chunks else []
        for index, chunk in enumerate(chunks):
            if cancelled():
                break
            squares = [future.result() for future in ahead]
            following = chunks[index + 1] if index + 1 < len(chunks) else []
            ahead = [threads.submit(_square, encoder, item, workspace) for item in following]
            read = [(item, square) for item, square in zip(chunk, squares, strict=True) if square is not None]
            pixels = np.stack([square for _, square in read]) if read else np.empty((0, 1, 1, 3), np.uint8)
            yield [item for item, _ in read], pixels, len(chunk)
        for future in ahead:
            future.cancel()


def _square(encoder: Encoder, item: Item, workspace: Path) -> np.ndarray | None:
    try:
        return encoder.square(original(workspace, item.path, item.sha256))
    except (OSError, ValueError) as error:
        log.warning("item %d (%s) gets no features: its picture cannot be read (%s)", item.id, item.name, error)
        return None


def _ids(batches: Sequence[Batch]) -> np.ndarray:
    return np.array([item for batch in batches for item in batch.ids], np.int64)


def _silent(done: int, total: int) -> None: ...


def _never() -> bool:
    return False
