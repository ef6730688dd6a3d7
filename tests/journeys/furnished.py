"""A workspace in which every screen has something to show, made without a trainer."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as to_bytes

from app.settings import Settings
from db import audit, catalog, feedback, jobs, queue, runs, users, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.app.conftest import ask, fill, propose
from tests.journeys.test_browser import drawn, measured, pushed
from trainer import snapshot

WORDS = "a fair look"


def furnish(folder: Path) -> Settings:
    """Forty pictures, two versions, answers with one contradiction, a measurement, a comparison, runs, people."""
    settings = Settings(folder)
    database = settings.open()
    items = fill(database, folder, 40)
    with database.write() as s:
        criterion = catalog.add_criterion(s, "shape", catalog.collection_id(s, "shapes"), "Same shape?")
        for name in ("ada", "grace"):
            users.add(s, name, "annotator")
        if "admin" not in [one.name for one in users.users(s)]:
            users.add(s, "admin", "admin")
        users.issue_token(s, "ada", "conveyor belt")
        audit.note(s, "admin", "add user", "ada", role="annotator")
    said(database, criterion, items)
    learnt(database, settings, criterion, items)
    propose(database, folder, items[:3])
    ask(database, criterion, items, [Kind.PAIR] * 4 + [Kind.TICK, Kind.ODD, Kind.MISSING])
    database.close()
    return settings


def said(database: Database, criterion: int, items: list[int]) -> None:
    """Answers of two people that contradict each other once."""
    a, b, c, d, e, *_ = items
    same, other = Verdict.SAME, Verdict.DIFFERENT
    rows = (("ada", a, c, same), ("ada", c, e, same), ("grace", a, e, other), ("ada", b, d, same), ("ada", a, b, other))
    with database.write() as s:
        for source, one, two, verdict in rows:
            asked = queue.about_pair(s, Question(criterion, Kind.PAIR, one, (two,), "test"))
            feedback.record(s, Answer(asked, (PairVerdict(one, two, verdict),), source, uuid.uuid4().hex))


def learnt(database: Database, settings: Settings, criterion: int, items: list[int]) -> None:
    """Two versions with their run, and what jobs found out."""
    store, made = ArtifactStore(str(settings.folder / "artifacts")), None
    metrics: dict[str, Any] = {"negatives": pushed(0.1, 0.2), "settings": {"negatives": "soft_elimination"}}
    for number in (1, 2):
        angle = np.array([0.015 * at + (1.5 if at % 2 else 0.0) + number * (at % 5 == 0) for at in range(len(items))])
        seen = snapshot.build(np.array(items), np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32), number)
        snapshot.save(store, f"v{number}", seen, to_bytes({"weight": np.eye(2, dtype=np.float32)}))
        with database.write() as s:
            made = versions.add(
                s, criterion, parent=made, artifact=f"v{number}", last_event=number, metrics=metrics, encoder="lite0"
            )
            versions.promote(s, made)
    with database.write() as s:
        run = runs.start(s, criterion, "answers", {})
        for step in (10, 20, 30):
            runs.step(
                s, run, step, {"loss": 3 - step / 20, "negatives": pushed(0.3, step / 100), "rank": 9.5 - step / 4}
            )
        runs.end(s, run, "done", made)
        jobs.keep_result(s, "quality", {}, measured(int(made or 0), WORDS), criterion=criterion)
        jobs.keep_result(s, "compare", {}, drawn(items, WORDS), criterion=criterion)
        jobs.keep_result(s, "refresh", {}, {"served": False, "version": made, "reason": WORDS}, criterion=criterion)
