"""The last step of a refresh: a head taught all answers of now, stored with its version, and perhaps served.

Answers that come in while the head learns are learnt in another round. The few that come in while it is stored are in
the log, and the trainer's next lesson begins with them.
"""

import os
import socket
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from app.settings import Settings
from app.training_start import Told
from db import feedback, versions
from db.engine import Database
from db.errors import Refused
from db.versions import Version
from oracle.weighing import weighed_graph
from trainer.checkpoint import Draft, commit
from trainer.desk import ENOUGH_NEW
from trainer.judging import Judgement
from trainer.leading import Lead
from trainer.learner import Candidate, Learner

ROUNDS = 4  # at most, where answers come in faster than a head learns
Known = tuple[int, int]  # criterion, newest event learnt from


def learnt_all(database: Database, criterion: int, learner: Learner, told: Told) -> tuple[Known, Candidate]:
    """A head on the new features that knows every answer, but for fewer than an online update waits for."""
    learner.start()
    last, candidate = -1, None
    for number in range(ROUNDS):
        with database.read() as s:
            newest = feedback.last_event(s, criterion)
            fresh = feedback.changes(s, criterion, max(last, 0))
            said = list(feedback.statements(s, criterion))
        new = len({one.answer for one in fresh.added} | set(fresh.removed))
        if candidate is not None and (newest == last or new < ENOUGH_NEW):
            break
        word = "learning all answers" if number == 0 else "learning what was said meanwhile"
        candidate = learner.learn(weighed_graph(said), progress=partial(_tell, told, word))
        last = newest
    assert candidate is not None
    return (criterion, last), candidate


def _tell(told: Told, what: str, step: int, of: int, losses: Mapping[str, Any]) -> None:
    told(what, step, of)


def stored_version(
    settings: Settings, database: Database, known: Known, candidate: Candidate, encoder: str, old: str,
    judgement: Judgement, words: Mapping[str, Any], run: int,
) -> tuple[int, bool]:  # fmt: skip
    """Number of the new version, and whether it is served. Raises: Refused where another run is storing its version."""
    criterion, last = known
    with database.read() as s:
        served = versions.current(s, criterion)
    lead = Lead(database, f"train:{criterion}", f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}")
    if not lead.hold():
        raise Refused("another training run of this criterion is storing its version. Refresh again in a moment.")
    figures = {
        "heldout_f1_before": judgement.before, "heldout_f1_after": judgement.after, "heldout_pairs": judgement.pairs,
        "log_loss_before": judgement.loss_before, "log_loss_after": judgement.loss_after, "sure": judgement.sure,
        "reason": judgement.reason,
    }  # fmt: skip
    metrics = {**candidate.metrics, **words, **figures}
    try:
        draft = Draft(
            criterion,
            candidate.snapshot,
            candidate.head,
            served,
            last,
            metrics,
            encoder,
            serve=judgement.better,
            run=run,
        )
        made = commit(database, settings.store(), lead, draft).version
    finally:
        lead.resign()
    return made, judgement.better and _serve(database, made, old, served)


def _serve(database: Database, made: int, old: str, parent: Version | None) -> bool:
    """Serve it also where the online head moved on meanwhile; not where a person chose other features."""
    with database.write() as s:
        now, version = versions.current(s, versions.version(s, made).criterion), versions.version(s, made)
        if version.status == "candidate" and now is not None and now.encoder == (parent.encoder if parent else old):
            versions.promote(s, made)
        elif version.status == "candidate":
            versions.keep(s, made)
        return versions.version(s, made).status == "promoted"
