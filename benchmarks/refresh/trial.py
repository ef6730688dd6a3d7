"""One trial: a workspace with a labelled set, scripted answers in its log, a head alone, then a deep refresh.

600 pictures -> features -> 30 % of the items are never asked about -> answers about the others
    -> a head taught them all, on the pretrained features      -> pair F1 over all pairs of the 30 %
    -> app.refresh: the product itself, with its own held-out answers -> the same F1, and what it decided
"""

import csv
import shutil
import time
import zipfile
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from app.features import ensure_features
from app.importers import import_path
from app.refresh import refresh
from app.refresh_wish import Wish
from app.settings import Settings
from benchmarks.negatives import answers
from benchmarks.negatives.pictures import ARCHIVES
from db import catalog, feedback, queue, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.nouns import Answer, Kind, PairVerdict, Question, Snapshot, Statement
from oracle.weighing import weighed_graph
from trainer.checkpoint import open_version
from trainer.learner import Learner
from trainer.promotion import best_f1

NAME, HELD = "same", 0.3


@dataclass(frozen=True)
class Budget:
    """items: pictures of a set. screen: candidates of a question; 1 makes an answer a pair verdict."""

    items: int = 600
    screen: int = 12
    method: str = "pairwright"
    epochs: int | None = None


def measure(name: str, seed: int, budget: Budget, archives: Path) -> dict[str, Any]:
    """A line of results."""
    folder = Path(mkdtemp(prefix="refresh-"))
    try:
        shutil.copytree(workspace(name, budget.items, archives), folder / "workspace")
        return _measured(Settings(workspace=folder / "workspace"), name, seed, budget)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(settings: Settings, name: str, seed: int, budget: Budget) -> dict[str, Any]:
    with closing(settings.open()) as database:
        vectors, ids, labels = _embedded(settings, database, name)
        random = np.random.default_rng(seed)
        apart = np.sort(random.permutation(ids)[: int(HELD * len(ids))])
        asked = np.isin(ids, apart, invert=True)
        start = Learner(vectors[asked], ids[asked], seed=seed).start()
        log = answers.asked(start, labels, seed, budget.screen).statements
        _record(database, log)
        head = _taught(vectors, ids, log, seed)
    began = time.process_time()
    done = refresh(settings, Wish(NAME, budget.method, epochs=budget.epochs, seed=seed), lambda *_: None, lambda: False)
    spent = time.process_time() - began
    with closing(settings.open()) as database, database.read() as s:
        made = versions.version(s, done.version or 0)
    store = ArtifactStore(str(settings.folder / "artifacts"))
    after = open_version(store, made, np.zeros((0, 0)), ids)
    judgement = done.judgement
    assert judgement is not None
    return {
        "set": name, "seed": seed, "items": len(ids), "screen": budget.screen, "method": budget.method,
        "epochs": budget.epochs, "answers": answers.ANSWERS, "verdicts": len(log), "head": _f1(head, apart, labels),
        "refreshed": _f1(after, apart, labels), "served": done.served, "witnesses": judgement.answers,
        "judged_before": judgement.before, "judged_after": judgement.after, "sure": judgement.sure,
        "loss_before": judgement.loss_before, "loss_after": judgement.loss_after, "cpu_s": spent,
    }  # fmt: skip


def _taught(vectors: np.ndarray, ids: np.ndarray, log: Any, seed: int) -> Snapshot:
    """What the online loop would serve: a head taught all answers, on the pretrained features."""
    learner = Learner(vectors, ids, seed=seed)
    learner.start()
    made = learner.learn(weighed_graph(log))
    assert made is not None
    return made.snapshot


def _f1(snapshot: Snapshot, items: np.ndarray, labels: np.ndarray) -> float:
    """Best pair F1 over all pairs of these items."""
    rows = snapshot.vectors[np.searchsorted(snapshot.ids, items)]
    one, other = np.triu_indices(len(items), 1)
    same = labels[items][one] == labels[items][other]
    return best_f1((rows @ rows.T)[one, other], same)


def _embedded(settings: Settings, database: Database, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, D) features, (N,) ids, and labels by item id."""
    store, _ = ensure_features(database, settings.folder, name)
    ids, vectors = store.load()
    with database.read() as s:
        items = {one.id: one for one in catalog.items(s, catalog.collection_id(s, name))}
    words = sorted({one.attributes["label"] for one in items.values()})
    labels = np.full(int(ids.max()) + 1, -1)
    labels[ids] = [words.index(items[number].attributes["label"]) for number in ids.tolist()]
    return vectors, ids, labels


def _record(database: Database, log: tuple[Statement, ...]) -> None:
    """The answers as events of the log, one screen each."""
    with database.write() as s:
        criterion = catalog.criterion(s, NAME).id
        for number, said in groupby(log, key=lambda one: one.answer):
            pairs = list(said)
            anchor = next(item for item in (pairs[0].a, pairs[0].b) if all(item in (one.a, one.b) for one in pairs))
            verdicts = tuple(PairVerdict(anchor, one.b if one.a == anchor else one.a, one.verdict) for one in pairs)
            kind = Kind.PAIR if len(pairs) == 1 else Kind.TICK
            question = Question(criterion, kind, anchor, tuple(one.b for one in verdicts), "benchmark")
            (put,) = queue.put(s, criterion, [question], retire=False)
            feedback.record(s, Answer(put, verdicts, "oracle", f"a{number}"))


@cache
def workspace(name: str, items: int, archives: Path) -> Path:
    """A workspace with the first pictures of a shuffled set, embedded; made once for all seeds."""
    folder = Path(mkdtemp(prefix=f"{name}-"))
    _unpacked(name, items, archives, folder / "pictures")
    settings = Settings(workspace=folder / "workspace")
    with closing(settings.open()) as database:
        import_path(database, settings.folder, folder / "pictures", name, metadata="metadata.csv")
        with database.write() as s:
            catalog.add_criterion(s, NAME, catalog.collection_id(s, name), "Do these belong together?")
        ensure_features(database, settings.folder, name)
    return settings.folder


def _unpacked(name: str, items: int, archives: Path, folder: Path) -> None:
    archive = ARCHIVES[name]
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archives / archive.file) as file:
        rows = archive._rows(file)
        chosen = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))[:items]]
        with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as table:
            writer = csv.writer(table)
            writer.writerow(["id", "path", "label"])
            for number, row in enumerate(chosen):
                path = f"{number:04}{Path(row['path']).suffix}"
                (folder / path).write_bytes(file.read(f"{Path(archive.file).stem}/{row['path']}"))
                writer.writerow([f"{number:04}", path, row[archive.column]])
