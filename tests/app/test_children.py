"""The trainer is kept alive while the app lives, and ends with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.children import REFRESHER, TRAINER, Importer, Standstill, Trainer, command, spawn, stop, stopped, worker_name
from app.settings import Settings
from db import jobs
from db.engine import open_database

ROOT = Path(__file__).parents[2]
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


HOLDS_THE_LOCK = """
import os, signal, sys
from db.engine import open_database
with open_database(sys.argv[1], migrate=False).write():
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_trainer_stopped_in_the_middle_of_a_write_is_replaced_and_the_database_is_free(tmp_path, monkeypatch) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'pairwright.db'}")
    monkeypatch.setattr("app.children.PAUSED_S", 0.5)
    monkeypatch.setattr("app.children.PAUSES_S", (0.05,))
    made: list[subprocess.Popen[bytes]] = []

    def start(module: str, settings: Settings) -> subprocess.Popen[bytes]:
        words = ["-c", HOLDS_THE_LOCK, database.url] if not made else ["-c", "import time; time.sleep(600)"]
        made.append(subprocess.Popen([sys.executable, *words]))
        return made[-1]

    trainer = Trainer(Settings(tmp_path), start)
    trainer.start()
    until(lambda: len(made) == 2)
    with database.write() as s:
        jobs.enqueue(s, "import", {})
    assert made[0].returncode == -signal.SIGKILL
    trainer.stop()
    database.close()


def test_a_child_that_goes_on_in_time_is_left_alone(monkeypatch) -> None:
    monkeypatch.setattr("app.children.PAUSED_S", 0.3)
    child = sleeper("", None)
    stands = Standstill(child)
    for _ in range(3):
        child.send_signal(signal.SIGSTOP)
        until(lambda: stopped(child))
        stands.end()
        time.sleep(0.2)
        child.send_signal(signal.SIGCONT)
        until(lambda: not stopped(child))
        stands.end()
    assert child.poll() is None
    stop(child)


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


def test_a_password_of_the_database_is_in_no_command_line_and_the_process_knows_it(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "workspace", "postgresql+psycopg://ann:geheim@127.0.0.1:9/none")
    for module in (TRAINER, REFRESHER, "app.import_job"):
        assert not any("geheim" in word for word in command(module, settings))
    told = Settings(tmp_path / "workspace", f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    here = {**os.environ, "PAIRWRIGHT_DATABASE_URL": told.url}
    words = [word for word in command("app.import_job", settings) if word != "--exit-with-parent"]
    assert subprocess.run(words, env=here, cwd=ROOT, check=False).returncode == 0
    assert (tmp_path / "elsewhere.sqlite").exists()
    child = spawn("app.import_job", told)
    assert child.wait(60) == 0
