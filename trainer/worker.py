"""The trainer process: `python -m trainer.worker --database-url URL --workspace DIR`.

It runs at low priority beside the web process, or alone on another machine. Tickers look five times a second whether
questions are due, and every second whether there is something to learn or to embed. Everything durable is in the
database and the artifact store: kill it at any point and start it again.
"""

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Event
from uuid import uuid4

import torch

from db import catalog, events, logs, queue
from db.artifacts import ArtifactStore
from db.engine import Database, open_database
from db.errors import PairwrightError
from trainer import packs
from trainer.caption_desk import CaptionDesk
from trainer.checkpoint import sweep_orphans
from trainer.choices import chosen
from trainer.desk import Desk, Room
from trainer.embedding import Embedder
from trainer.leading import LEASE_S
from trainer.learner import Settings
from trainer.modest import be_modest
from trainer.refreshing import Refreshing
from trainer.schedule import Patient, Ticker
from trainer.trained import any_encoder

log = logging.getLogger("pairwright.trainer")
ASK_S, LEARN_S, EMBED_S, SWEEP_S, REFRESH_S = 0.2, 1.0, 1.0, 600.0, 10.0


class Worker:
    """All criteria of one database, each at its own desk; a desk that fails pauses alone."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.desks: dict[int, Desk | CaptionDesk] = {}
        self._asking: dict[int, Patient] = {}
        self._learning: dict[int, Patient] = {}

    def ask(self) -> None:
        """One round of asking over all criteria; new criteria get a desk."""
        with self.room.database.read() as s:
            known = catalog.criteria(s)
        for criterion in known:
            if criterion.id not in self.desks:
                made = CaptionDesk if criterion.captions else Desk
                desk = self.desks[criterion.id] = made(self.room, criterion)
                self._asking[criterion.id] = Patient(desk.ask, f"asking for '{criterion.name}'")
                self._learning[criterion.id] = Patient(desk.learn, f"learning '{criterion.name}'")
            self._asking[criterion.id]()

    def learn(self) -> None:
        """One round of learning over all criteria."""
        for patient in list(self._learning.values()):
            if not self.room.stopping.is_set():
                patient()

    def tidy(self) -> None:
        """Remove what kills and time left behind."""
        self.room.store.sweep()
        packs.sweep(self.room.database, self.room.workspace)
        for criterion in list(self.desks):
            sweep_orphans(self.room.database, self.room.store, criterion)
        with self.room.database.write() as s:
            queue.sweep(s, older_than_s=3600)
            events.prune(s)

    def resign(self) -> None:
        """Let another trainer lead at once."""
        for desk in self.desks.values():
            desk.lead.resign()


def run(
    database: Database,
    workspace: Path,
    stopping: Event,
    *,
    acquisition: str = "mixed",
    encoder: str = "lite0",
    artifacts: str | None = None,
    seed: int = 0,
    lease_s: float = LEASE_S,
    parent: int | None = None,
    training: Sequence[str] = (),
    refresh_every: int = 0,
) -> None:
    """Work until `stopping` is set, or until the parent process is gone where one is given."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    store = ArtifactStore(artifacts or workspace / "artifacts", cache=workspace / "artifacts")
    load = partial(any_encoder, store)
    embedder = Embedder(database, workspace, holder, stopping, encoder=encoder, load=load)
    teaching = Settings(update=chosen(training))
    worker = Worker(Room(database, workspace, store, holder, stopping, embedder, acquisition, seed, lease_s, teaching))
    with Ticker() as ticker:
        ticker.every(ASK_S, worker.ask, "asking")
        ticker.every(LEARN_S, worker.learn, "learning")
        ticker.every(EMBED_S, embedder.tick, "embedding")
        ticker.every(SWEEP_S, worker.tidy, "tidying")
        if refresh_every:
            ticker.every(REFRESH_S, Refreshing(database, refresh_every), "asking for refreshes")
        log.info("the trainer is at work in %s on %s", workspace, "CUDA" if torch.cuda.is_available() else "the CPU")
        while not stopping.wait(0.5):
            if parent is not None and os.getppid() != parent:
                stopping.set()
    worker.resign()


def main(
    database_url: str,
    workspace: str | Path,
    *,
    acquisition: str = "mixed",
    encoder: str = "lite0",
    artifacts: str | None = None,
    seed: int = 0,
    lease_s: float = LEASE_S,
    exit_with_parent: bool = False,
    training: Sequence[str] = (),
    refresh_every: int = 0,
) -> None:
    """Be the trainer process until SIGTERM or SIGINT; a running training step ends at its next gradient step.

    training: KEY=VALUE texts that say how to train, see `trainer.choices`. refresh_every: answers after which a deep
    refresh is asked for, 0 for never.
    """
    parent = os.getppid() if exit_with_parent else None
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    be_modest()
    folder = Path(workspace).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    database = open_database(database_url)
    try:
        run(
            database, folder, stopping, acquisition=acquisition, encoder=encoder, artifacts=artifacts, seed=seed,
            lease_s=lease_s, parent=parent, training=training, refresh_every=refresh_every,
        )  # fmt: skip
    finally:
        database.close()


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trainer.worker", description="The Pairwright trainer process.")
    known = os.environ.get("PAIRWRIGHT_DATABASE_URL")
    url = "sqlite:///path or postgresql+psycopg://...; else PAIRWRIGHT_DATABASE_URL"
    parser.add_argument("--database-url", required=not known, default=known, help=url)
    parser.add_argument("--workspace", required=True, help="folder of images, features and models")
    parser.add_argument("--acquisition", default="mixed", help="what to ask next: a name of oracle/acquisition")
    parser.add_argument("--encoder", default="lite0", help="backbone of collections that have no features yet")
    parser.add_argument("--artifacts", help="where models are stored, if not in the workspace (any fsspec address)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lease-s", type=float, default=LEASE_S, help="a killed trainer is replaced after this long")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the process that started this ends")
    parser.add_argument("--set", dest="training", action="append", default=[], metavar="KEY=VALUE",
                        help="how to train: negatives=NAME, negatives.KEY=VALUE, objective=NAME, ...")  # fmt: skip
    parser.add_argument("--refresh-every", type=int, default=0, help="answers after which a deep refresh is asked for")
    return parser.parse_args(given)


if __name__ == "__main__":
    logs.begin()
    try:
        main(**vars(_arguments(None)))
    except PairwrightError as error:
        log.error("%s", error)
        sys.exit(error.exit_code)
