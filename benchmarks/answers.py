"""How many durable answers a second: each one claimed, recorded and committed to the disk before the next.

    python -m benchmarks.answers                                # SQLite in a temporary folder, one writer
    python -m benchmarks.answers --database-url URL --clients 8 # PostgreSQL; the database must be empty

The disk's own limit (fsyncs of 4 kB a second) is measured beside it: SQLite needs one for each answer.
"""

import argparse
import hashlib
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

from db import catalog, feedback, queue
from db.catalog import NewItem
from db.engine import Database, open_database
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict


def fsyncs_a_second(folder: Path, count: int = 200) -> float:
    """What the disk allows."""
    with (folder / "fsync.bin").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(count):
            file.write(bytes(4096))
            os.fsync(file.fileno())
    return count / (time.perf_counter() - began)


def prepare(database: Database, answers: int) -> tuple[int, list[Question]]:
    """A criterion with that many pair questions."""
    with database.write() as s:
        collection = catalog.add_collection(s, "benchmark")
        shas = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000)]
        catalog.add_items(s, collection, [NewItem(sha, 1, 1, f"media/{sha}") for sha in shas])
        criterion = catalog.add_criterion(s, "benchmark", collection, "same?")
        items = [item.id for item in catalog.items(s, collection)]
        pairs = [(items[n % 1000], items[(n * 7 + 1) % 1000]) for n in range(answers * 2)]
        asked = [Question(criterion, Kind.PAIR, a, (b,), "benchmark") for a, b in pairs if a != b][:answers]
        ids = queue.put(s, criterion, asked)
        found = queue.questions(s, ids[:30_000])
    return criterion, [found[id_] for id_ in ids]


def record(database: Database, questions: list[Question], source: str) -> None:
    """One client: one transaction per answer."""
    for asked in questions:
        said = tuple(PairVerdict(a, b, Verdict.SAME) for a, b in asked.pairs())
        with database.write() as s:
            feedback.record(s, Answer(asked.id or 0, said, source, str(uuid4()), 1.0))


def measure(url: str, answers: int, clients: int) -> dict[str, float | str]:
    """Answers a second over all clients."""
    database = open_database(url)
    criterion, questions = prepare(database, answers)
    shares = [questions[number::clients] for number in range(clients)]
    threads = [threading.Thread(target=record, args=(database, share, f"c{n}")) for n, share in enumerate(shares)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    with database.read() as s:
        stored = len(feedback.statements(s, criterion))
    database.close()
    assert stored == len(questions), f"stored {stored} of {len(questions)}"
    return {"database": database.dialect, "clients": clients, "answers_a_second": round(stored / seconds, 1)}


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database-url")
    parser.add_argument("--answers", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        disk = fsyncs_a_second(Path(name))
        url = given.database_url or f"sqlite:///{name}/benchmark.sqlite"
        result = measure(url, given.answers, given.clients)
    print(json.dumps({**result, "fsyncs_a_second": round(disk, 1), "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
