"""The refreshing process is really killed while it trains: what is served stays, and the next process goes on."""

import json
import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from app.children import command
from app.refreshing import KIND
from app.settings import Settings
from db import catalog, jobs, versions
from db.engine import Database
from db.tables import JobRow
from tests.app.test_refresh import OPTIONS, settings, template

__all__ = ["settings", "template"]  # generated pictures, features and answers
ROOT = Path(__file__).parents[2]
WAIT_S = 90.0
SLOWLY = {"method": "pairwright", "options": OPTIONS, "epochs": 6, "beside": False, "share": 0.25}


def child(settings: Settings) -> "subprocess.Popen[bytes]":
    """The refreshing process itself."""
    words = [word for word in command("app.refresh_job", settings) if word != "--exit-with-parent"]
    return subprocess.Popen(words, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.mark.timeout(240)
def test_a_killed_process_leaves_what_is_served_and_the_next_one_goes_on(settings: Settings) -> None:
    with closing(settings.open()) as database:
        with database.write() as s:
            criterion = catalog.criterion(s, "kind").id
            old = versions.add(s, criterion, parent=None, artifact="x", last_event=0, metrics={}, encoder="lite0")
            versions.promote(s, old)
            job = jobs.enqueue(s, KIND, SLOWLY, criterion=criterion)
        first = child(settings)
        try:
            end = time.monotonic() + WAIT_S
            while not (note := _now(database, job).note).startswith("training") or ", loss " not in note:
                assert first.poll() is None and time.monotonic() < end, "it ended before it trained"
                time.sleep(0.05)
            assert os.getpriority(os.PRIO_PROCESS, first.pid) >= 10
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert (_now(database, job).state, _served(database, criterion)) == ("running", old)
        (begun,) = (settings.folder / "training").glob("refresh-*/begun.json")
        encoder = json.loads(begun.read_text())["encoder"]
        with database.write() as s:
            s.execute(update(JobRow).values(expires_at=0.0))  # the time a silent worker is waited for
        assert child(settings).wait(WAIT_S) == 0
        ended = _now(database, job)
        assert (ended.state, ended.result["encoder"]) == ("done", encoder), ended.error
        assert "held-out pair F1" in ended.result["reason"] or "to judge by" in ended.result["reason"]
        assert _served(database, criterion) == (ended.result["version"] if ended.result["served"] else old)


def _now(database: Database, job: int) -> jobs.Job:
    with database.read() as s:
        return jobs.job(s, job)


def _served(database: Database, criterion: int) -> int | None:
    with database.read() as s:
        now = versions.current(s, criterion)
    return now.id if now else None
