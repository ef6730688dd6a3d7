"""The trainer is kept alive while the app lives, and ends with it."""

import subprocess
import sys
import time
from collections.abc import Callable

from app.children import TRAINER, Importer, Trainer, command, stop, worker_name
from app.settings import Settings
from db import jobs

WAIT_S = 20.0


def until(true: Callable[[], bool]) -> None:
    """Wait for something another thread does."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def sleeper(module: str, settings: Settings) -> subprocess.Popen[bytes]:
    """A stand-in for the trainer."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_trainer_that_dies_is_started_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("app.children.PAUSES_S", (0.05,))
    trainer = Trainer(Settings(tmp_path), sleeper)
    trainer.start()
    until(lambda: trainer.child is not None)
    first = trainer.child
    first.kill()
    until(lambda: trainer.child is not first and trainer.state == "running")
    trainer.stop()
    assert trainer.child.poll() is not None
    assert trainer.state == "stopped"


def test_only_the_trainer_is_told_how_to_train(tmp_path) -> None:
    settings = Settings(tmp_path, training=("negatives=uniform", "steps=30"))
    assert command(TRAINER, settings)[-4:] == ["--set", "negatives=uniform", "--set", "steps=30"]
    assert "--set" not in command("app.import_job", settings)


def test_a_child_that_will_not_stop_is_killed(monkeypatch) -> None:
    monkeypatch.setattr("app.children.PATIENCE_S", 0.3)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    stubborn = f"import signal, time; {deaf}; print('ready', flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
    child.stdout.readline()
    stop(child)
    assert child.poll() is not None
    child.stdout.close()


def test_what_a_killed_process_had_leased_is_free_at_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("app.children.spawn", sleeper)
    settings = Settings(tmp_path)
    database = settings.open()
    with database.write() as s:
        job = jobs.enqueue(s, "import", {})
    errands = Importer(settings, database)
    errands.start()
    until(lambda: errands.child is not None)
    killed = errands.child
    with database.write() as s:
        assert jobs.lease(s, ["import"], worker_name(killed.pid), lease_s=3600).id == job
        assert not jobs.waits(s, ["import"])  # somebody is at it: no second process is started for it
    killed.kill()

    def free() -> bool:
        with database.read() as s:
            return jobs.waits(s, ["import"])

    until(free)
    errands.stop()
    database.close()
