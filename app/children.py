"""The processes beside the web process: the trainer, restarted when it dies; importer, measurer, comparer,
mapper, refresher and keeper of backups, run when there is work.

All are told to end when the process that started them is gone, so that a killed server leaves nobody behind. Learning
and decoding in processes of their own never delay a click.
"""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.orm import Session

from app import backup
from app.settings import Settings
from db import jobs
from db.engine import Database
from db.errors import PairwrightError

logger = logging.getLogger("pairwright.children")
PATIENCE_S = 10.0  # between asking a child to stop and killing it
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
HEALTHY_S = 60.0  # a child that lived this long is restarted at once when it dies
LOOK_S = 5.0
PAUSED_S = 15.0  # a child that somebody else stopped may hold the database's only lock; it is replaced after this long
TRAINER = "trainer.worker"
REFRESHER = "app.refresh_job"
TAUGHT = (TRAINER, REFRESHER)


def spawn(module: str, settings: Settings) -> subprocess.Popen[bytes]:
    """Start `python -m module` on this installation, in a session of its own, so that Ctrl-C reaches only us."""
    return spawn_with(command(module, settings), more={"PAIRWRIGHT_DATABASE_URL": settings.url})


def spawn_with(
    words: Sequence[str], log: IO[bytes] | None = None, more: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command on this installation, in a session of its own.

    log: what takes its words; None: ours. more: variables besides ours, for what nobody else may see.
    """
    root = str(Path(__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    path = root if not known else os.pathsep.join([root, known])
    environment = {**os.environ, "PYTHONPATH": path, **(more or {})}
    return subprocess.Popen(
        words, env=environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )


def worker_name(pid: int) -> str:
    """Under which a process leases its jobs, so that whoever started it can tell what it left behind."""
    return f"{socket.gethostname()}:{pid}"


def command(module: str, settings: Settings) -> list[str]:
    """What to run; only those that train are told how."""
    place = ["--workspace", str(settings.folder), "--exit-with-parent"]
    if urlsplit(settings.url).password is None:  # anybody on this machine can read the words of a command
        place = ["--database-url", settings.url, *place]
    how = ["--artifacts", settings.artifacts] if module == TRAINER else []
    how += [part for text in settings.training for part in ("--set", text)] if module in TAUGHT else []
    how += ["--refresh-every", str(settings.refresh_every)] if module == TRAINER and settings.refresh_every else []
    return [sys.executable, "-m", module, *place, *how]


def stop(child: subprocess.Popen[bytes] | None) -> None:
    """Ask, wait, insist."""
    if child is None or child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        logger.warning("process %d did not stop in %.0f s and was killed", child.pid, PATIENCE_S)
        child.kill()
        child.wait()


class Standstill:
    """Ends a child that was stopped from outside (SIGSTOP, a debugger) and does not go on."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self.child = child
        self._since: float | None = None

    def end(self) -> None:
        """To be called again and again while the child lives."""
        if not stopped(self.child):
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()
        elif time.monotonic() - self._since > PAUSED_S:
            logger.error("process %d was stopped for %.0f s and was killed", self.child.pid, PAUSED_S)
            self.child.kill()
            self.child.wait()


def stopped(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child stands still because somebody stopped it; False where the system cannot tell."""
    if not hasattr(os, "waitid"):
        return False
    with contextlib.suppress(ChildProcessError):
        return os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    return False


class Trainer:
    """The trainer process, kept alive. state: off, running, restarting or stopped."""

    def __init__(self, settings: Settings, start: Callable[[str, Settings], subprocess.Popen[bytes]] = spawn) -> None:
        self.settings = settings
        self.child: subprocess.Popen[bytes] | None = None
        self.state = "off"
        self._spawn = start
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start it and watch over it from a thread."""
        self._thread = threading.Thread(target=self._watch, name="trainer-watch", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        """Run it; when it dies, run it again, waiting longer each time it dies young."""
        deaths = 0
        while not self._stopping.is_set():
            self.child = self._spawn(TRAINER, self.settings)
            self.state = "running"
            young = self._wait(self.child)
            if self._stopping.is_set():
                break
            deaths = deaths + 1 if young else 0
            pause = PAUSES_S[min(deaths, len(PAUSES_S) - 1)]
            logger.error("the trainer stopped with code %s; it starts again in %.0f s", self.child.returncode, pause)
            self.state = "restarting"
            self._stopping.wait(pause)
        stop(self.child)
        self.state = "stopped"

    def _wait(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait for its end or ours; True if it died young."""
        began, stands = time.monotonic(), Standstill(child)
        while child.poll() is None and not self._stopping.wait(0.2):
            stands.end()
        return time.monotonic() - began < HEALTHY_S

    def stop(self) -> None:
        """End it cleanly and wait for that."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S + 5)


class Errands:
    """Runs `module` whenever jobs of these kinds wait, one process at a time."""

    def __init__(self, settings: Settings, database: Database, module: str, kinds: Sequence[str]) -> None:
        self.settings, self.database, self.module, self.kinds = settings, database, module, tuple(kinds)
        self.child: subprocess.Popen[bytes] | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look for work now, when woken, and every few seconds."""
        self._thread = threading.Thread(target=self._work, name=f"{self.module}-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be a new job."""
        self._wake.set()

    def _work(self) -> None:
        while not self._stopping:
            self._wake.clear()
            if self._waiting():
                self.child = spawn(self.module, self.settings)
                stands = Standstill(self.child)
                while self.child.poll() is None and not self._stopping:
                    stands.end()
                    self._wake.wait(0.2)
                    self._wake.clear()
                self._bury(self.child)
            if not self._stopping:
                self._wake.wait(LOOK_S)
        stop(self.child)

    def _bury(self, child: "subprocess.Popen[bytes]") -> None:
        """What a process that was killed had leased is free at once, and not only when its lease has run out."""
        if not child.poll():
            return
        logger.error("%s stopped with code %d; its job goes on in another process", self.module, child.returncode)
        with contextlib.suppress(PairwrightError), self.database.write() as s:
            jobs.abandon(s, worker_name(child.pid))

    def _waiting(self) -> bool:
        """Whether a job is queued, or was left unfinished by a process that died."""
        try:
            with self.database.read() as s:
                return jobs.waits(s, self.kinds)
        except PairwrightError as error:
            logger.warning("cannot look for jobs: %s", error)
            return False

    def stop(self) -> None:
        """End it; its job goes on, or begins again, after the next start."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S + 5)


class Importer(Errands):
    """Imports, in `app.import_job`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database, "app.import_job", ["import"])


class Comparer(Errands):
    """Comparisons of methods, in `app.compare_job`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database, "app.compare_job", ["compare"])


class Mapper(Errands):
    """Maps and groups of the Map screen, in `app.map_job`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database, "app.map_job", ["map_pca", "map_umap", "map_groups"])


class Refresher(Errands):
    """Deep refreshes, in `app.refresh_job`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database, REFRESHER, ["refresh"])


class Measurer(Errands):
    """Measurements and forecasts of the Quality screen, in `app.quality_job`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database, "app.quality_job", ["quality", "forecast"])


class Keeper(Errands):
    """Backups and checks of them, in `app.backup_job`; every so many hours one by itself, if the settings say so."""

    def __init__(self, settings: Settings, database: Database) -> None:
        super().__init__(settings, database, "app.backup_job", [backup.KIND, backup.VERIFY])
        self._asked = 0.0
        self._me = f"{worker_name(os.getpid())}:{uuid4().hex[:8]}"

    def _waiting(self) -> bool:
        if self.due():
            with contextlib.suppress(PairwrightError), self.database.write() as s:
                self._ask(s)
        return super()._waiting()

    def _ask(self, s: Session) -> None:
        """Ask for a backup, unless another web process is about to, or has just done so."""
        if jobs.lead(s, backup.KIND, self._me, 2 * LOOK_S) is None or self._lately(jobs.asked_at(s, backup.KIND)):
            return
        self._asked = time.time()
        jobs.enqueue(s, backup.KIND, {"keep": self.settings.backup_keep})

    def due(self) -> bool:
        """Whether the newest backup, and the last attempt at one, are older than they may be."""
        if not self.settings.backup_every:
            return False
        if not self._lately(self._asked):
            newest = next(iter(backup.backups(self.settings.backups)), None)
            self._asked = newest.made_at.timestamp() if newest else 0.0
            with contextlib.suppress(PairwrightError), self.database.read() as s:
                self._asked = max(self._asked, jobs.asked_at(s, backup.KIND))
        return not self._lately(self._asked)

    def _lately(self, asked: float) -> bool:
        """Whether it is too early for another one."""
        return time.time() - asked < 3600 * float(self.settings.backup_every or 0)
