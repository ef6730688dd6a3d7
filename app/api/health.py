"""Is it alive, and how much has it done: for load balancers and for Prometheus."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from app.api.context import Here, Viewer
from app.api.shapes import PersonOut
from db import catalog, feedback, queue, versions

router = APIRouter(tags=["health"])


class Counters:
    """What this process counts by itself. One registry per app, so that tests do not add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "pairwright_answers", "Answers acknowledged by this process.", ["replayed"], registry=self.registry
        )
        self.open = Gauge("pairwright_questions_open", "Questions waiting.", ["criterion"], registry=self.registry)
        self.standing = Gauge(
            "pairwright_answers_standing", "Answers that count.", ["criterion"], registry=self.registry
        )
        self.serving = Gauge("pairwright_version", "Model version that asks.", ["criterion"], registry=self.registry)
        self.trainer = Gauge("pairwright_trainer_up", "Whether the trainer process runs.", registry=self.registry)

    def answered(self, *, replayed: bool) -> None:
        """One answer was acknowledged."""
        self.answers.labels(str(replayed).lower()).inc()


@router.get("/healthz")
def healthz(here: Here) -> dict[str, Any]:
    """200 when the database answers; says whether the trainer runs. Needs nobody signed in."""
    with here.database.read() as s:
        catalog.criteria(s)
    return {"status": "ok", "trainer": here.trainer.state}


@router.get("/metrics", response_class=Response)
def metrics(here: Here, _: Viewer) -> Response:
    """Prometheus text format. Give Prometheus a token (authorization: Bearer)."""
    with here.database.read() as s:
        for one in catalog.criteria(s):
            current = versions.current(s, one.id)
            here.counters.open.labels(one.name).set(queue.open_count(s, one.id))
            here.counters.standing.labels(one.name).set(feedback.counts(s, one.id).screens)
            here.counters.serving.labels(one.name).set(current.id if current else 0)
    here.counters.trainer.set(here.trainer.state == "running")
    return Response(generate_latest(here.counters.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/me")
def me(_: Here, person: Viewer) -> PersonOut:
    """Who is asking."""
    return PersonOut(name=person.name, role=person.role)
