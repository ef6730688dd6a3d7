"""Several processes of this machine that share one piece of work: started together, stopped together.

They find each other as torchrun's processes do, by RANK and WORLD_SIZE (`trainer.ranks`). When one of them fails the
others are given a moment to say so, then they are ended.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from db.errors import Broken

STOPPED = 130  # exit code of a process that was asked to stop
LOST = 75  # exit code of a process that only ended because another one did, without a word
GRACE_S = 30.0  # for the others, once one has failed
LOOK_S = 0.5
Stopped = Callable[[], bool]
Work = Callable[[Stopped], int]  # asked to stop? -> exit code, having said why; must be picklable


def together(count: int, work: Work) -> int:
    """Do the work in `count` processes; the exit code of the first. Ctrl-C asks all to stop, a second one ends them.

    Raises: Broken where a process ended without a word.
    """
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    with TemporaryDirectory(prefix="pairwright-") as folder:
        meeting = f"file://{folder}/meeting"
        members = [spawn.Process(target=_member, args=(work, stop, number, count, meeting)) for number in range(count)]
        try:
            with _asking(stop):
                for member in members:
                    member.start()
                failed = _first_failure(members)
                return members[0].exitcode or 0 if failed is None else _code(members, failed)
        finally:
            for member in members:
                _end(member)


def _member(work: Work, stop: Any, number: int, count: int, meeting: str) -> None:
    """One process, as torchrun would have started it. It stops, too, when the one that started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    here = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ |= {name: str(value) for name, value in here.items()} | {"PAIRWRIGHT_MEETING": meeting}
    parent = multiprocessing.parent_process()
    raise SystemExit(work(lambda: stop.is_set() or (parent is not None and not parent.is_alive())))


def _first_failure(members: list[SpawnProcess]) -> int | None:
    """Number of the process that failed first; None once all are done, or stopped as they were asked to."""
    while True:
        running = [one for one in members if one.exitcode is None]
        for number, one in enumerate(members):
            if one.exitcode not in (None, 0, STOPPED, LOST):
                return number
        if not running:
            return next((number for number, one in enumerate(members) if one.exitcode == LOST), None)
        wait([one.sentinel for one in running], LOOK_S)


def _code(members: list[SpawnProcess], failed: int) -> int:
    """What the first process ended with, if it ended by itself."""
    members[0].join(GRACE_S)
    code = members[0].exitcode
    if code is not None and code >= 0 and code != LOST:
        return code
    _end(members[0])
    how = members[failed].exitcode or 0
    words = f"was ended by signal {signal.Signals(-how).name}" if how < 0 else f"failed with exit code {how}"
    raise Broken(
        f"process {failed + 1} of {len(members)} {words}, so the others were ended too. The same command goes on from "
        "the last state."
    )


def _end(member: SpawnProcess) -> None:
    if member.pid is None or member.exitcode is not None:
        return
    member.terminate()
    member.join(GRACE_S)
    if member.exitcode is None:
        member.kill()
        member.join()


@contextmanager
def _asking(stop: Any) -> Iterator[None]:
    """Ctrl-C sets the event; a second one is raised here."""

    def asked(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
