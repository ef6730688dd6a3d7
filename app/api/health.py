"""Is it alive, and how much has it done: for load balancers and for Prometheus."""

import logging
import os
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.orm import Session

from app.api.context import Context, Here, Viewer
from app.api.problems import problem
from app.api.shapes import PersonOut
from app.contradictions import contradictions
from db import catalog, feedback, queue, versions, vitals
from db.catalog import Criterion
from db.errors import PairwrightError
from db.feedback import Recorded

router = APIRouter(tags=["health"])
logger = logging.getLogger("pairwright.answers")


class Counters:
    """What a monitor sees. One registry per app, so that tests do not add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "pairwright_answers", "Answers acknowledged by this process.", ["replayed"], registry=self.registry
        )
        self.requests = Histogram(
            "pairwright_request_seconds", "Requests by how long they took.", ["method", "route", "status"],
            registry=self.registry, buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 1, 5, 30),
        )  # fmt: skip
        self.open = self._of_criterion("questions_open", "Questions waiting.")
        self.held = self._of_criterion("questions_held", "Questions in somebody's hands.")
        self.lapsed = self._of_criterion("leases_lapsed", "Questions given out that did not come back in time.")
        self.late = self._of_criterion("answers_late", "Answers that came after their lease had run out.")
        self.standing = self._of_criterion("answers_standing", "Answers that count.")
        self.conflicts = self._of_criterion("conflicts_open", "Contradictions that wait, at most a minute old.")
        self.serving = self._of_criterion("version", "Model version that asks; 0: none yet.")
        self.behind = self._of_criterion("trainer_lag_answers", "Events the serving version has not learnt.")
        self.behind_s = self._of_criterion("trainer_lag_seconds", "Age of the oldest of them.")
        self.jobs = Gauge("pairwright_jobs", "Jobs.", ["kind", "state"], registry=self.registry)
        self.items = Gauge("pairwright_items", "Pictures.", registry=self.registry)
        self.pace = Gauge(
            "pairwright_embedding_pictures_per_second", "Pace of the newest embedding job.", registry=self.registry
        )
        self.trainer = Gauge("pairwright_trainer_up", "Whether the trainer process runs.", registry=self.registry)
        self._counted: dict[int, tuple[int, float, int]] = {}

    def _of_criterion(self, name: str, words: str) -> Gauge:
        return Gauge(f"pairwright_{name}", words, ["criterion"], registry=self.registry)

    def answered(self, stored: Recorded) -> None:
        """One answer was acknowledged; its event is noted beside the request that brought it."""
        self.answers.labels(str(stored.replayed).lower()).inc()
        told = {"event_id": stored.id, "replayed": stored.replayed, "late": stored.late}
        logger.info("answer %d%s", stored.id, " again" if stored.replayed else "", extra=told)

    def look(self, s: Session, one: Criterion) -> None:
        """Read one criterion's figures."""
        current, found = versions.current(s, one.id), vitals.vitals(s, one.id)
        figures = {
            self.open: queue.open_count(s, one.id), self.standing: feedback.counts(s, one.id).screens,
            self.serving: current.id if current else 0, self.held: found.held, self.lapsed: found.lapsed,
            self.late: found.late, self.behind: found.behind, self.behind_s: found.behind_s,
            self.conflicts: self._conflicts(s, one.id),
        }  # fmt: skip
        for gauge, figure in figures.items():
            gauge.labels(one.name).set(figure)

    def _conflicts(self, s: Session, criterion: int) -> int:
        """Looked for anew only where the log has grown, and then once a minute: on a long log it takes a second."""
        last, at, count = self._counted.get(criterion, (-1, -MINUTE_S, 0))
        newest = feedback.last_event(s, criterion)
        if newest != last and time.monotonic() - at >= MINUTE_S:
            count = len(contradictions(list(feedback.statements(s, criterion))))
            self._counted[criterion] = (newest, time.monotonic(), count)
        return count


MINUTE_S = 60.0


@router.get("/healthz")
def healthz(here: Here) -> dict[str, Any]:
    """200 when the database answers; says whether the trainer runs. Needs nobody signed in."""
    with here.database.read() as s:
        catalog.criteria(s)
    return {"status": "ok", "trainer": here.trainer.state}


@router.get("/readyz", response_model=None)
def readyz(here: Here, request: Request) -> dict[str, Any] | Response:
    """200 when requests can be served as promised; 503 with the reason when not. Needs nobody signed in."""
    reason = _not_ready(here)
    return {"status": "ready"} if reason is None else problem(503, reason, request, "not-ready")


def _not_ready(here: Context) -> str | None:
    """What is missing, in a sentence, or None."""
    try:
        with here.database.read() as s:
            catalog.criteria(s)
    except PairwrightError as error:
        return str(error)
    if not os.access(here.settings.folder, os.W_OK):
        return "the workspace cannot be written. Check its permissions and its disk."
    if here.settings.trainer and here.trainer.state not in ("running", "off"):
        return f"the trainer is {here.trainer.state}. Answers are kept and learnt when it is back."
    return None


@router.get("/metrics", response_class=Response)
def metrics(here: Here, _: Viewer) -> Response:
    """Prometheus text format. Give Prometheus a token (authorization: Bearer)."""
    counters = here.counters
    with here.database.read() as s:
        for one in catalog.criteria(s):
            counters.look(s, one)
        counters.jobs.clear()
        for (kind, state), count in vitals.jobs_by_state(s).items():
            counters.jobs.labels(kind, state).set(count)
        counters.items.set(vitals.items(s))
        counters.pace.set(vitals.embedding_pace(s))
    counters.trainer.set(here.trainer.state == "running")
    return Response(generate_latest(counters.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/me")
def me(_: Here, person: Viewer) -> PersonOut:
    """Who is asking."""
    return PersonOut(name=person.name, role=person.role)
