"""A recorded session once more: stream it to a session, answer what it asks as the recording says, keep the score.

The session has a log of its own (`session.sqlite` in the report's folder); the workspace's answers are not touched.
Everything goes through what a robot's requests go through: `app.robots` and `db.placements`.
"""

import csv
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from app import robots
from app.eye import Eye
from app.features import ensure_features
from app.recorded import Seen, read
from app.robots import Sight
from app.scratch import new_scratch
from app.settings import Settings
from app.sorters import Sorters
from db import catalog, placements
from db.engine import Database
from db.errors import BadInput
from db.nouns import Item
from oracle.sorting import Costs

LOG = "session.sqlite"
STRETCHES = 20  # times the held-out things are sorted
BY = "replay"
COLUMNS = ("objects", "asked", "placed", "sorted_right", "recent_accuracy", "held_out_accuracy", "p50_ms", "p95_ms")
LATELY = 50  # objects of the running accuracy
Row = dict[str, float]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What to replay. ask_s, wrong_s: as a session is opened with."""

    recording: str
    collection: str
    ask_s: float = 4.0
    wrong_s: float = 20.0


def replay(settings: Settings, plan: Plan, report: Path, told: Told = lambda done, of: None) -> dict[str, Any]:
    """Replay a recording into a folder: curve.csv, summary.json, report.html. Returns the summary.

    Raises: BadInput for a recording that cannot be used, NotFound for a collection or an item that is not there.
    """
    from app.sorted_report import finish

    file = Path(plan.recording)
    seen = read(file)
    with closing(settings.open()) as database:
        with database.read() as s:
            items = catalog.items(s, catalog.collection_id(s, plan.collection))
        known = _features(database, settings, plan, items) if any(one.item for one in seen) else {}
    report.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    eye = Eye(settings)
    scratch, criterion, there = new_scratch(report, items, plan.collection, "bin", "The same bin?", name=LOG)
    with closing(scratch):
        try:
            belt = _Belt(Sorters(settings, scratch, eye, known), criterion, there, file.parent, plan)
            rows = list(belt.run(seen, told))
        finally:
            eye.stop()
    summary = {
        "arguments": asdict(plan), "things": len(things(seen, held=False)), "held": len(things(seen, held=True)),
        "final": rows[-1], "machine": {"platform": platform.platform(), "cores": os.cpu_count()},
        "took_s": round(time.monotonic() - began, 2), "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    with (report / "curve.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return finish(report, summary, rows)


def _features(
    database: Database, settings: Settings, plan: Plan, items: Sequence[Item]
) -> dict[str, np.ndarray]:  # fmt: skip
    """(D,) features of a collection's pictures by SHA-256."""
    store, _ = ensure_features(database, settings.folder, plan.collection, robots.ENCODER)
    ids, vectors = store.load()
    sha = {item.id: item.sha256 for item in items}
    return {sha[item]: vector for item, vector in zip(ids.tolist(), vectors, strict=True) if item in sha}


class _Belt:
    """Things come by; the robot looks, the person acts where the recording says so or where it is asked."""

    def __init__(self, sorters: Sorters, criterion: int, items: Sequence[Item], folder: Path, plan: Plan) -> None:
        self.sorters, self.folder, self.said = sorters, folder, 0
        self.items = {item.sha256: item for item in items}
        self.costs = Costs(plan.ask_s, plan.wrong_s)
        with self.database.write() as s:
            opened, _ = robots.begin(s, criterion, "replay", self.costs, (BY, "session"))
        self.session, self.criterion, self.encoder = opened.id, criterion, str(opened.settings["encoder"])
        self.held: dict[str, np.ndarray] = {}
        self.right: list[bool] = []
        self.asked = self.placed = 0
        self.wait_s: list[float] = []

    @property
    def database(self) -> Database:
        return self.sorters.database

    def run(self, seen: Sequence[Seen], told: Told) -> Iterator[Row]:
        """One row after every stretch of things."""
        stream, held = things(seen, held=False), things(seen, held=True)
        stops = set(np.linspace(0, len(stream), min(STRETCHES, len(stream)) + 1).astype(int)[1:].tolist())
        for number, looks in enumerate(stream, 1):
            self._thing(looks)
            told(number, len(stream))
            if number in stops:
                yield self._row(number, held)

    def _thing(self, looks: Sequence[Seen]) -> None:
        """Show a thing; place it where the person did so unasked, or is asked and knows."""
        for look in looks:
            sight, began = self._sight(look), time.perf_counter()
            answer, _ = robots.observe(self.sorters, self.session, sight, self._by())
            self.wait_s.append(time.perf_counter() - began)
        put = next((one.put for one in looks if one.put), None)
        truth = next((one.bin for one in looks if one.bin), put)
        asks = answer.reply["action"] != "sort"
        self.asked += asks
        if truth is not None and not answer.reply["known"]:
            self.right.append(answer.reply["bin"] == truth)
        if put is not None or (asks and truth is not None):
            with self.database.write() as s:
                placements.add(s, answer, placements.PLACEMENT, put or truth, *self._by())
            self.placed += 1

    def _sight(self, look: Seen) -> Sight:
        if look.item is not None:
            if look.item not in self.items:
                raise BadInput(f"the recording shows item {look.item[:12]}, which the collection does not hold.")
            return Sight(None, self.items[look.item].id, look.object, look.seen_at, look.place)
        return Sight(self._picture(str(look.path)), None, look.object, look.seen_at, look.place)

    def _picture(self, path: str) -> bytes:
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            raise BadInput(f"the recording shows '{path}', which cannot be read ({error.strerror}).") from error

    def _by(self) -> tuple[str, str]:
        self.said += 1
        return BY, str(self.said)

    def _row(self, number: int, held: Sequence[Sequence[Seen]]) -> Row:
        waits = np.array(self.wait_s) * 1000
        return {
            "objects": number, "asked": self.asked, "placed": self.placed, "sorted_right": sum(self.right),
            "recent_accuracy": float(np.mean(self.right[-LATELY:])) if self.right else float("nan"),
            "held_out_accuracy": float(np.mean([self._sorts(looks) for looks in held])) if held else float("nan"),
            "p50_ms": float(np.percentile(waits, 50)), "p95_ms": float(np.percentile(waits, 95)),
        }  # fmt: skip

    def _sorts(self, looks: Sequence[Seen]) -> bool:
        """Whether a held-out thing would go into the right bin. It leaves no trace."""
        vectors = [self._vector(self._sight(look), look) for look in looks]
        answer = self.sorters.look(self.criterion, self.encoder, vectors, self.costs)
        return answer.bin == next((one.bin for one in looks if one.bin), None)

    def _vector(self, sight: Sight, look: Seen) -> np.ndarray:
        if look.item is not None:
            return self.sorters.features(self.encoder, self.items[look.item])
        if str(look.path) not in self.held:
            self.held[str(look.path)] = self.sorters.eye.features(self.encoder, sight.encoded or b"")
        return self.held[str(look.path)]


def things(seen: Sequence[Seen], *, held: bool) -> list[list[Seen]]:
    """Looks that follow each other and are at one object, as one thing; in order."""
    rows = [(one.object or f"#{at}", one) for at, one in enumerate(seen) if one.held is held]
    return [[one for _, one in looks] for _, looks in groupby(rows, key=lambda row: row[0])]
