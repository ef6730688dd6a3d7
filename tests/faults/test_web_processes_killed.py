"""One workspace on PostgreSQL with everything at once: two web processes, killed in turn under eight who answer at
both, a trainer, and a network that two workers of Ray teach, one of them killed.

acknowledged is stored, once for each key -> a retry hears the same at either door -> no question has more answers
than it wants, nor two of one person -> one trainer led all along, and every version is the child of the last -> the
network is the one that two undisturbed processes teach
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from sqlalchemy import select

from app.importers import import_path
from app.settings import Settings
from db import queue, versions
from db.nouns import Kind, Question
from db.tables import LeaderRow
from tests import small_world
from tests.annotators import Annotator, acknowledged, at_work, log, tokens, wait_for_more
from tests.measured import tell, times
from tests.patterns import patterns
from tests.served import ROOT, Server

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(times(600, 3600))]
KILLS = times(1, 30)
CLIENTS, OVERLAP = 8, 3
PAUSE_S = 3.0  # of each annotator between two questions: the slower the machine, the more of them Ray's start takes
HELD = times(1500, 15000)  # more than eight answer while two workers of Ray learn on a slow machine


@dataclass
class Site:
    """Two doors, one trainer, eight annotators."""

    settings: Settings
    world: small_world.World
    doors: list[Server]
    annotators: list[Annotator]
    running: ExitStack

    def leaders(self) -> list[tuple[str, int]]:
        """(who leads the trainer, under which token)."""
        with self.world.database.read() as s:
            rows = s.scalars(select(LeaderRow).where(LeaderRow.name.startswith("trainer:")))
            return [(row.holder, row.token) for row in rows]

    def versions(self) -> list[versions.Version]:
        with self.world.database.read() as s:
            return versions.versions(s, self.world.criterion)


def hold_some(world: small_world.World, count: int) -> None:
    """Questions that somebody holds, too: a trainer that asks anew leaves them, and OVERLAP - 1 others may answer."""
    pairs = world.random_pairs(count)
    asked = [Question(world.criterion, Kind.PAIR, a, (b,), "test") for a, b in pairs]
    with world.database.write() as s:
        queue.put_for(s, world.criterion, asked, "somebody")


def pictures(site: Site, folder: Path) -> None:
    """A collection beside that of the annotators, to teach a network with."""
    folder.mkdir()
    for number, pixels in enumerate(patterns(40)[0]):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    import_path(site.world.database, site.settings.folder, folder, "tiles")


def training(site: Site, *how: str) -> "subprocess.Popen[bytes]":
    """`pairwright train` in the site's workspace."""
    where = {"PAIRWRIGHT_WORKSPACE": str(site.settings.folder), "PAIRWRIGHT_DATABASE_URL": site.settings.url}
    lesson = ["train", "moco", "--collection", "tiles", "--set", "size=16", "--set", "batch=20", "--epochs", "6"]
    return begun(site.running, ["app.cli", *lesson, *how, "--json"], where)


def begun(running: ExitStack, words: list[str], where: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """`python -m` in a process of its own, which ends with the rest, whatever happens."""
    command = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=ROOT, env=os.environ | (where or {}) | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    running.enter_context(command)
    running.callback(command.kill)
    return command


def taught(site: Site, command: "subprocess.Popen[bytes]") -> dict[str, torch.Tensor]:
    """The weights that a training leaves."""
    out, _ = command.communicate(timeout=times(480, 600))
    assert command.returncode == 0, out
    kept = site.settings.folder / "artifacts" / "encoders" / json.loads(out)["encoder"]
    (file,) = kept.rglob("*.safetensors")
    return load_file(file)


def kill_a_worker(command: "subprocess.Popen[bytes]") -> int:
    """SIGKILL to one of the two workers of Ray, as soon as both are there; its process."""
    while command.poll() is None:
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(command.pid).children(recursive=True)
            workers = [one for one in below if "TrainWorker" in " ".join(one.cmdline())]
            if len(workers) == 2:
                workers[1].send_signal(signal.SIGKILL)
                return workers[1].pid
        time.sleep(0.1)
    raise AssertionError("the training ended before two workers were seen")


@pytest.fixture
def site(postgres_url: str, tmp_path: Path) -> Iterator[Site]:
    settings = Settings(tmp_path / "workspace", postgres_url, trainer=False)
    settings.make_workspace()
    world = small_world.make_world(settings.folder, items=90, url=postgres_url)
    known = tokens(world.database, CLIENTS)
    hold_some(world, HELD)
    with ExitStack() as running:
        running.callback(world.database.close)
        place = ["--database-url", postgres_url, "--workspace", str(settings.folder), "--exit-with-parent"]
        how = ["--lease-s", "300", "--acquisition", "random", "--set", "steps=20"]  # many small lessons
        trainer = begun(running, ["trainer.worker", *place, *how])
        with ThreadPoolExecutor() as both:
            doors = list(both.map(lambda _: running.enter_context(Server(settings.folder, postgres_url)), range(2)))
        stopping = threading.Event()
        running.callback(stopping.set)
        all_ = [
            Annotator(
                f"annotator {at}", token, [door.address for door in doors], stopping, OVERLAP,
                lambda a, b: world.verdict(a, b).value, pause_s=PAUSE_S,
            )
            for at, token in enumerate(known)
        ]  # fmt: skip
        made = Site(settings, world, doors, all_, running)
        while not made.versions():
            assert trainer.poll() is None, "the trainer has ended"
            time.sleep(0.1)
        yield made


def test_whoever_is_killed_nothing_is_lost_doubled_or_learnt_otherwise(site: Site, tmp_path: Path) -> None:
    chance, all_ = random.Random(17), site.annotators
    pictures(site, tmp_path / "tiles")
    undisturbed = taught(site, training(site, "--processes", "2"))
    with at_work(all_):
        led = site.leaders()
        by_ray = training(site, "--ray", "2")
        assert kill_a_worker(by_ray)
        for number in range(KILLS):
            wait_for_more(all_, chance.randrange(8, 24))
            time.sleep(chance.uniform(0, 0.05))  # anywhere in a request
            door = site.doors[number % 2]
            door.kill()
            wait_for_more(all_, 8)  # the other one serves everybody
            door.start()
        wait_for_more(all_, 16)
        disturbed = taught(site, by_ray)
    assert undisturbed.keys() == disturbed.keys()
    assert all(torch.equal(undisturbed[name], disturbed[name]) for name in undisturbed), "the same network"
    said, stored = acknowledged(all_), log(site.settings)
    keys = Counter((row.source, row.key) for row in stored)
    assert set(keys.values()) == {1}, "one row a key"
    assert {key: one["id"] for key, one in said.items()}.items() <= {row.key: row.id for row in stored}.items()
    replayed = {}
    for number, one in enumerate(all_):
        replayed |= one.said_again(site.doors[number % 2].address)
    assert replayed == said, "a retry hears the same at either door"
    answers = Counter(row.question_id for row in stored)
    assert max(Counter((row.question_id, row.source) for row in stored).values()) == 1
    assert max(answers.values()) == OVERLAP - 1, "no question has more answers than it wants"
    made = site.versions()
    assert [one.parent for one in made] == [None, *(one.id for one in made[:-1])], "one line of versions"
    assert len(led) == 1 and site.leaders() == led, "one trainer led all along"
    tell(1, killed="one of two web processes", kills=KILLS, clients=CLIENTS, acknowledged=len(said), lost=0, doubled=0,
         database="postgresql")  # fmt: skip
