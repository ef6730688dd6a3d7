"""The steps that are measured, one function each: what is asked for is made first, only the step itself is timed.

Each runs in a process of its own, so that its peak memory is its own.
"""

import os
import resource
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._runs import Line
from benchmarks.ingest import processor_s
from benchmarks.scale.place import Place

ANSWERS, LIES, QUESTIONS, ROUNDS = 1000, 0.02, 32, 5
SEARCHES = 200  # single queries
MEGA = 2**20


@dataclass
class Clock:
    """Seconds by the clock, `cpu_s` of processor time, of what was timed; other figures beside them."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    figures: Line = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str = "") -> Iterator[None]:
        """Add what the block takes; under a name as well."""
        began, used = time.perf_counter(), processor_s()
        yield
        took, worked = time.perf_counter() - began, processor_s() - used
        self.seconds, self.cpu_s = self.seconds + took, self.cpu_s + worked
        if name:
            self.figures[f"{name}_s"] = round(took, 4)


@dataclass(frozen=True)
class Step:
    """run: what is measured. title: for the page. most: items up to which it is measured; least: from which on. needs:
    what earlier steps must have left."""

    run: Callable[[Place, Clock], None]
    title: str
    most: int = sys.maxsize
    least: int = 0
    needs: tuple[str, ...] = ()


def measured(name: str, place: Place) -> Line:
    """One step's line: time, the most memory that a process of it held, bytes it left on the disk."""
    for needed in STEPS[name].needs:
        if not place.has(needed):
            LEFT[needed](place, Clock())
    load, clock = round(os.getloadavg()[0], 2), Clock()
    STEPS[name].run(place, clock)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    kilo = 1024 if sys.platform == "darwin" else 1  # ru_maxrss: bytes there, kilobytes elsewhere
    return {
        "step": name, "items": place.items, "seed": place.seed, "real": place.real,
        "seconds": round(clock.seconds, 4), "cpu_s": round(clock.cpu_s, 4),
        "memory_mb": round(peak / 1024 / kilo, 1), "load": load, **clock.figures,
    }  # fmt: skip


def on_disk(folder: Path) -> float:
    """Megabytes."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGA, 3)


def prepare(place: Place, clock: Clock) -> None:
    """Make the pictures and embeddings of this size, in a process of its own: no step's memory is of making them."""
    if place.items <= STEPS["import"].most:
        assert place.archive.exists()
    clock.figures |= {"made": [*place.vectors.shape], "groups": len(np.unique(place.truth))}


def bring_in(place: Place, clock: Clock) -> None:
    """A ZIP file of pictures into a fresh workspace: checked, hashed, thumbnailed, in the database."""
    from app.importers import import_path
    from app.settings import Settings

    home, archive = place.empty("workspace"), place.archive
    with closing(Settings(workspace=home).open()) as database, clock.timed():
        report = import_path(database, home, archive, "scale")
    clock.figures |= {"disk_mb": on_disk(home), "added": report.added}


def embed(place: Place, clock: Clock) -> None:
    """Backbone features of every picture that `import` brought in, from files to checksummed shards."""
    from app.features import ensure_features
    from app.settings import Settings
    from trainer.encoders import load_encoder

    home = place.home / "workspace"
    load_encoder("lite0")  # what a process pays once
    with closing(Settings(workspace=home).open()) as database, clock.timed():
        store, computed = ensure_features(database, home, "scale")
    clock.figures |= {"disk_mb": on_disk(store.folder), "computed": computed}


def exact_index(place: Place, clock: Clock) -> None:
    """The index of one version where all items are compared."""
    _index(place, clock, exact_up_to=place.items)


def listed_index(place: Place, clock: Clock) -> None:
    """The index of one version in inverted lists."""
    _index(place, clock, exact_up_to=0)


def _index(place: Place, clock: Clock, exact_up_to: int) -> None:
    from trainer.index import build_index

    vectors = place.vectors
    with clock.timed():
        index = build_index(vectors, exact_up_to=exact_up_to)
    clock.figures |= {"kind": index.kind, "recall": round(index.recall, 4)}
    _searched(index, vectors, place.seed, clock)


def shards_on_disk(place: Place, clock: Clock) -> None:
    """The index of one version in memory-mapped files, written, checked and opened; vectors memory-mapped, too."""
    from db.artifacts import ArtifactStore
    from trainer.engines.shards import Engine
    from trainer.searching import Shelf

    home, vectors = place.empty("shards"), np.load(place.home / "vectors.npy", mmap_mode="r")
    with clock.timed():
        index = Engine().opened(vectors, Shelf(ArtifactStore(home), "models/1/a", 1))
    clock.figures |= {"kind": index.kind, "recall": round(index.recall, 4), "disk_mb": on_disk(home)}
    _searched(index, vectors, place.seed, clock)


def _searched(index: Any, vectors: np.ndarray, seed: int, clock: Clock) -> None:
    """Milliseconds of one search for ten, and the share of the true ten it found, for queries beside the items."""
    import faiss

    random = np.random.default_rng([seed, 2])
    near = vectors[random.choice(len(vectors), (2, SEARCHES))]  # (2, S, D)
    queries = near[0] + 0.3 * near[1]
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    truth = faiss.knn(queries, vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)[1]
    times, hits = [], 0
    for query, true in zip(queries, truth, strict=True):
        began = time.perf_counter()
        found = index.search(query[None], 10)[0][0]
        times.append(1000 * (time.perf_counter() - began))
        hits += len(np.intersect1d(found, true))
    clock.figures |= {"search_ms": round(float(np.median(times)), 3), "search_p95_ms": round(_p95(times), 3),
                      "found_at_10": round(hits / truth.size, 4)}  # fmt: skip


def _p95(times: list[float]) -> float:
    return float(np.quantile(times, 0.95))


def neighbours(place: Place, clock: Clock) -> None:
    """The neighbours of every item as a snapshot of this size has them."""
    from trainer.index import EXACT

    _neighbours(place, clock, exact=place.items <= EXACT)


def exact_neighbours(place: Place, clock: Clock) -> None:
    """The neighbours of every item, exactly, as snapshots up to 100,000 items have them."""
    _neighbours(place, clock, exact=True)


def listed_neighbours(place: Place, clock: Clock) -> None:
    """The neighbours of every item through inverted lists, as larger snapshots have them."""
    _neighbours(place, clock, exact=False)


def _neighbours(place: Place, clock: Clock, exact: bool) -> None:
    from trainer.index import EXACT, neighbours
    from trainer.snapshot import NEAR

    vectors = place.vectors
    with clock.timed():
        found, cosines = neighbours(vectors, NEAR, exact=exact)
    if exact == (place.items <= EXACT):
        place.keep("neighbours", neighbours=found, cosines=cosines)


def groups(place: Place, clock: Clock) -> None:
    """The partition before any answer, and its groups taken apart."""
    from trainer.clusters import start_partition, taken_apart

    found, vectors = place.kept("neighbours"), place.vectors
    near, cosines = found["neighbours"], found["cosines"]
    with clock.timed("start"):
        start = start_partition(vectors, near, cosines, place.seed)
    with clock.timed("apart"):
        finer = taken_apart(start, near, cosines, place.seed)
    place.keep("groups", start=start, finer=finer)
    clock.figures |= {"groups": int(start.max()) + 1}


def store(place: Place, clock: Clock) -> None:
    """Keep a snapshot crash-safely and read it back, checksums verified."""
    from db.artifacts import ArtifactStore
    from trainer.snapshot import load, save_cache

    snapshot, home = place.snapshot, place.empty("artifacts")
    kept = ArtifactStore(home)
    with clock.timed("save"):
        save_cache(kept, "scale", snapshot)
    with clock.timed("load"):
        load(kept, "scale")
    clock.figures |= {"disk_mb": on_disk(home)}


def propose(place: Place, clock: Clock) -> None:
    """32 questions after one more screen of answers: the belief brought up to date, then the rule."""
    from benchmarks.propose import measured as proposed
    from benchmarks.propose import screens
    from oracle import plugins

    snapshot, rule = place.snapshot, plugins.load("oracle.acquisition", "mixed", seed=place.seed)
    said = screens(snapshot, place.truth, LIES, place.seed)
    given = Namespace(rounds=ROUNDS, questions=QUESTIONS)
    found = proposed(rule, snapshot, said, ANSWERS, given)
    clock.seconds, clock.cpu_s = found["fresh_ms"] / 1000, found["fresh_cpu_ms"] / 1000
    names = ("belief_ms", "fresh_p95_ms", "cold_ms")
    clock.figures |= {"answers": ANSWERS, "groups": found["groups"], **{name: found[name] for name in names}}


def online_update(place: Place, clock: Clock) -> None:
    """A head that has learnt the whole log, and every item embedded with it: all of an update but the snapshot."""
    from benchmarks.propose import screens
    from oracle.belief import infer
    from oracle.constraints import ConstraintGraph
    from trainer.head import Head
    from trainer.update import update

    snapshot, head = place.snapshot, Head.from_features(place.features, seed=place.seed)
    reduced = head.reduce(place.features)  # once in the life of a trainer
    said = screens(snapshot, place.truth, LIES, place.seed)
    graph = ConstraintGraph.build(one for screen in islice(said, ANSWERS // 10) for one in screen)
    infer(snapshot, graph)  # the asking thread has it already
    with clock.timed("learn"):
        nothing = np.empty((0, 0), np.float32)  # features are not looked at where they are reduced already
        taught = update(head, nothing, snapshot.ids, graph, snapshot, seed=place.seed, reduced=reduced)
    with clock.timed("embed"):
        taught.whole(reduced)
    clock.figures |= {"answers": graph.size}


def flat(place: Place, clock: Clock) -> None:
    """The map that is there at once."""
    from trainer.planar import pca

    vectors = place.vectors
    with clock.timed():
        pca(vectors)


def umap(place: Place, clock: Clock) -> None:
    """The map that takes its time, made in the background."""
    from trainer.umap_map import umap_map

    snapshot = place.snapshot
    with clock.timed():
        umap_map(snapshot, seed=place.seed)


SNAPSHOT = ("neighbours", "groups")
LEFT = {"workspace": bring_in, "neighbours": neighbours, "groups": groups}  # in the order in which they need each other
STEPS = {
    "prepare": Step(prepare, "make the embeddings", most=0),  # not of the product: never on the page
    "import": Step(bring_in, "import a ZIP file", most=10_000),
    "embed": Step(embed, "embed pictures", most=3_000, needs=("workspace",)),
    "exact": Step(exact_neighbours, "neighbours, exact", most=100_000),
    "lists": Step(listed_neighbours, "neighbours, inverted lists", least=30_000),
    "groups": Step(groups, "start groups, taken apart", needs=("neighbours",)),
    "store": Step(store, "keep and read a snapshot", needs=SNAPSHOT),
    "index": Step(exact_index, "search index, exact", most=100_000),
    "index_lists": Step(listed_index, "search index, inverted lists", least=30_000),
    "shards": Step(shards_on_disk, "search index, shards on the disk", least=30_000),
    "propose": Step(propose, "propose 32 questions", needs=SNAPSHOT),
    "update": Step(online_update, "online update", needs=SNAPSHOT),
    "map": Step(flat, "map, PCA"),
    "umap": Step(umap, "map, UMAP", most=10_000, needs=SNAPSHOT),
}
