"""The demo without a browser: start the app as a process of its own, and let a scripted oracle answer over REST."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from app.scoring import column, score_view
from app.server import ADMIN, first_admin
from app.settings import Settings
from app.view import view
from db import catalog, users
from db.engine import Database
from db.errors import Broken
from db.nouns import Item, Kind, Question
from oracle.answerers import from_spec

ROBOT = "demo-oracle"
PATIENCE_S = 60.0
PACE_S = 0.7  # a quick person: the next question can follow from this answer
FIGURES = ("ari", "pair_f1", "knn_accuracy", "clusters")


@dataclass(frozen=True)
class Outcome:
    """Figures over all items before and after `answers` screens; version: the model served before and after."""

    criterion: str
    answers: int
    before: dict[str, float]
    after: dict[str, float]
    versions: tuple[int | None, int | None]
    took_s: float

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def words(self) -> str:
        lines = [f"{self.answers} questions about '{self.criterion}' answered over REST in {self.took_s:.0f} s"]
        lines += [f"  {name:<13}{self.before[name]:8.3f}  ->{self.after[name]:8.3f}" for name in FIGURES]
        return "\n".join([*lines, f"  model version {_or_none(self.versions[0])}  ->  {_or_none(self.versions[1])}"])


def run_headless(
    settings: Settings, collection: str, criterion: str, answers: int, say: Callable[[str], None]
) -> Outcome:
    """Answer `answers` questions through the running app; raises Broken if it does not start or stops asking."""
    began = time.monotonic()
    items, token = _prepare(settings, collection, criterion, say)
    before, old = _figures(settings, criterion)
    answerer = from_spec(f"attribute:{criterion}", items)
    with running(settings) as address:
        say(f"the app runs at {address}")
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            for number in range(answers):
                _answer_one(client, criterion, answerer)
                time.sleep(PACE_S)
                if (number + 1) % 20 == 0:
                    say(f"{number + 1} answered")
            _settle(client, criterion, answers)
    after, new = _figures(settings, criterion)
    return Outcome(criterion, answers, before, after, (old, new), round(time.monotonic() - began, 1))


def _prepare(settings: Settings, collection: str, criterion: str, say: Callable[[str], None]) -> tuple[list[Item], str]:
    """The items to answer about, and a fresh token of the demo's robot."""
    with closing(settings.open()) as database:
        if password := first_admin(database):
            say(f"first start: sign in as '{ADMIN}' with the password {password} (shown only now)")
        return _robot(database, collection, criterion)


def _robot(database: Database, collection: str, criterion: str) -> tuple[list[Item], str]:
    with database.write() as s:
        items = catalog.items(s, catalog.collection_id(s, collection))
        catalog.criterion(s, criterion)
        if ROBOT not in [user.name for user in users.users(s)]:
            users.add(s, ROBOT, "robot")
        return items, users.issue_token(s, ROBOT, "headless demo")


def _figures(settings: Settings, criterion: str) -> tuple[dict[str, float], int | None]:
    with closing(settings.open()) as database:
        seen = view(settings, database, criterion)
    truth = column(criterion, [seen.items[i] for i in seen.snapshot.ids.tolist()])
    figures, _ = score_view(seen, truth, seed=0, rounds=0)
    return figures, seen.version.id if seen.version else None


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """The app as a child process, stopped at the end; gives its address once it is healthy."""
    port = _free_port()
    where = {
        "PAIRWRIGHT_WORKSPACE": str(settings.folder),
        "PAIRWRIGHT_DATABASE_URL": settings.url,
    }  # not for `ps` to see
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=os.environ | where)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, child)
        yield address
    finally:
        _stop(child)


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    try:
        child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(address: str, child: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 2 * PATIENCE_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise Broken(
                f"the app stopped while starting (exit code {child.returncode}). Run pairwright serve to see why."
            )
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/healthz", timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    raise Broken(f"the app did not become healthy within {2 * PATIENCE_S:.0f} s. Run pairwright serve to see why.")


def _answer_one(client: httpx.Client, criterion: str, answerer: Any) -> None:
    """Claim one question, answer it, send the answer."""
    asked = _claim(client, criterion)
    question = Question(
        criterion=asked["criterion"],
        kind=Kind(asked["kind"]),
        anchor=asked["anchor"]["id"],
        candidates=tuple(one["id"] for one in asked["candidates"]),
        context=tuple(one["id"] for one in asked["context"]),
        proposer=asked["proposer"],
        id=asked["id"],
    )
    answer = answerer.answer(question)
    verdicts = [{"a": v.a, "b": v.b, "verdict": v.verdict.value} for v in answer.verdicts]
    body = {"question": asked["id"], "verdicts": verdicts, "seconds": answer.seconds, "lease": asked["token"]}
    _ok(client.post("/api/v1/answers", json=body, headers={"Idempotency-Key": secrets.token_hex(16)}))


def _claim(client: httpx.Client, criterion: str) -> dict[str, Any]:
    """The next question; the trainer process may need a moment to propose it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        body = {"criterion": criterion, "count": 1}
        if claimed := _ok(client.post("/api/v1/questions/claim", json=body))["questions"]:
            return dict(claimed[0])
        time.sleep(0.1)
    raise Broken(f"no question came within {PATIENCE_S:.0f} s. Is the trainer process running? See the app's log.")


def _settle(client: httpx.Client, criterion: str, answers: int) -> None:
    """Give the trainer a moment to learn from the last answers: until no newer version appears for some seconds."""
    if answers < 8:
        return
    seen, quiet_since, deadline = -1, time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and (seen < 1 or time.monotonic() - quiet_since < 6):
        found = _ok(client.get("/api/v1/versions", params={"criterion": criterion}))["versions"]
        newest = max((version["id"] for version in found if version["last_event"]), default=0)
        if newest != seen:
            seen, quiet_since = newest, time.monotonic()
        time.sleep(0.5)


def _ok(reply: httpx.Response) -> dict[str, Any]:
    if reply.is_error:
        raise Broken(f"the app refused {reply.request.url.path} ({reply.status_code}): {reply.text[:200]}")
    return dict(reply.json())


def _or_none(version: int | None) -> str:
    return "none" if version is None else str(version)
