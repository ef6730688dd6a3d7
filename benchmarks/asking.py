"""From an answer to questions that know of it: a real trainer process at its low priority, 10,000 items of 1,280
features.

    python -m benchmarks.asking [--items 10000] [--answers 40]

Each answer is claimed and recorded as the web app does it; the wait ends when the queue has been refreshed from a
state of
the log that holds the answer. Answers during a training step and answers without one are reported apart.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import numpy as np

from benchmarks._report import keep, machine
from db import catalog, events, feedback, queue
from db.engine import Database, open_database
from db.nouns import Answer, PairVerdict, Question, Verdict
from trainer.features import feature_store

DIM, GROUPS = 1280, 12


class Numbers:
    """An encoder whose pictures are their own features."""

    name, dim, input_size = "lite0", DIM, 1

    def square(self, encoded: bytes) -> np.ndarray:
        return np.frombuffer(encoded, np.uint8)

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        return np.stack([square.view(np.float32) for square in squares])


def fill(database: Database, workspace: Path, items: int, seed: int) -> tuple[int, dict[int, int]]:
    """A collection with features; the criterion and the true group of every item."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, GROUPS, items)
    centres = random.standard_normal((GROUPS, DIM))
    features = np.maximum(0.35 * centres[truth] + random.standard_normal((items, DIM)), 0).astype(np.float32)
    (workspace / "media").mkdir(parents=True)
    names = [sha256(row.tobytes()).hexdigest() for row in features]
    for name, row in zip(names, features, strict=True):
        (workspace / "media" / name).write_bytes(row.tobytes())
    with database.write() as s:
        collection = catalog.add_collection(s, "numbers")
        catalog.add_items(s, collection, [catalog.NewItem(name, 1, 1, f"media/{name}") for name in names])
        criterion = catalog.add_criterion(s, "kind", collection, "The same kind?")
        stored = catalog.items(s, collection)
    feature_store(workspace, collection, "lite0").extend(Numbers(), stored, workspace)
    group = dict(zip(names, truth.tolist(), strict=True))
    return criterion, {item.id: group[item.sha256] for item in stored}


def answer(database: Database, criterion: int, truth: dict[int, int]) -> int:
    """Claim a question and answer it truthfully; the last event before the answer."""
    while True:
        with database.write() as s:
            claimed = queue.claim(s, criterion, "benchmark", 1)
        if claimed:
            break
        time.sleep(0.02)
    asked: Question = claimed[0].question
    said = [PairVerdict(a, b, Verdict.SAME if truth[a] == truth[b] else Verdict.DIFFERENT) for a, b in asked.pairs()]
    with database.write() as s:
        before = events.latest(s)
        feedback.record(s, Answer(asked.id or 0, tuple(said), "benchmark", uuid4().hex, lease=claimed[0].token))
    return before


def wait_for_questions(database: Database, since: int, patience_s: float = 60) -> tuple[float, bool]:
    """Seconds until the queue is refreshed after event `since`, and whether a training step was reported meanwhile."""
    began = time.perf_counter()
    while time.perf_counter() - began < patience_s:
        with database.read() as s:
            kinds = [event.kind for event in events.since(s, since)]
        if "answer" in kinds and "questions" in kinds[kinds.index("answer") :]:
            return time.perf_counter() - began, "training" in kinds
        time.sleep(0.01)
    raise SystemExit(f"no new questions within {patience_s:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--answers", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given, before = parser.parse_args(), machine()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/pairwright.sqlite"
        database = open_database(url)
        criterion, truth = fill(database, Path(folder), given.items, given.seed)
        command = [sys.executable, "-m", "trainer.worker", "--database-url", url, "--workspace", folder]
        trainer = subprocess.Popen(command)
        try:
            waits = [wait_for_questions(database, answer(database, criterion, truth)) for _ in range(given.answers)]
        finally:
            trainer.terminate()
            trainer.wait()
            database.close()
    measured = {
        name: {"answers": len(chosen), "median_s": round(float(np.median(chosen)), 3), "worst_s": round(max(chosen), 3)}
        for name, chosen in (
            ("quiet", [wait for wait, training in waits if not training]),
            ("while_training", [wait for wait, training in waits if training]),
        )
        if chosen
    }
    keep("asking", {"items": given.items, "answers": given.answers, "seed": given.seed}, measured, before)


if __name__ == "__main__":
    main()
