"""Child processes that check and store pictures: a picture that kills its process is refused, the others go on."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.importers import decode
from app.importers.decode import Refused, Stored

KILLED = f"decoding the picture crashed or took more than {decode.CPU_S} s of processor time"

Result = TypeVar("Result")
Task = Callable[[bytes, str, Path], Stored | Refused]


@dataclass(frozen=True)
class Pending:
    """One picture on its way through a child process."""

    encoded: bytes
    sha: str
    future: "Future[Stored | Refused]"


class Decoders:
    """A pool of limited processes. Use as a context manager. task: what they do with (bytes, sha256, workspace)."""

    def __init__(self, workspace: Path, workers: int | None = None, task: Task = decode.store) -> None:
        self._workspace = workspace
        self._task = task
        self._workers = workers or available_cpus() + 1  # one may wait for the disk
        self._pool = _pool(self._workers)
        self._careful: ProcessPoolExecutor | None = None  # one process, for pictures that were near a crash

    def submit(self, encoded: bytes, sha: str) -> Pending:
        """Start on one picture."""
        try:
            future = self._pool.submit(self._task, encoded, sha, self._workspace)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = _pool(self._workers)
            future = self._pool.submit(self._task, encoded, sha, self._workspace)
        return Pending(encoded, sha, future)

    def result(self, pending: Pending) -> Stored | Refused:
        """What became of it. Raises OSError if the disk fails."""
        try:
            return pending.future.result()
        except BrokenProcessPool:
            return self._alone(pending)

    def _alone(self, pending: Pending) -> Stored | Refused:
        """Try again with nobody else in the process, so that the culprit is certain."""
        self._careful = self._careful or _pool(1)
        try:
            return self._careful.submit(self._task, pending.encoded, pending.sha, self._workspace).result()
        except BrokenProcessPool:
            self._careful.shutdown()
            self._careful = None
            return Refused(KILLED)

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self._pool, self._careful):
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)


class Killed(Exception):
    """A limited process died."""


def in_a_child(task: Callable[..., Result], *given: Any) -> Result:
    """Call a function in a limited process of its own. Raises Killed where that dies of it."""
    with _pool(1) as pool:
        try:
            return pool.submit(task, *given).result()
        except BrokenProcessPool:
            raise Killed from None


def available_cpus() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pool(workers: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that runs torch may hang
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=start_child)


def start_child() -> None:
    """Limits for a decoding process; it ends when its parent does, even if that was killed."""
    decode.limit_child()
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
