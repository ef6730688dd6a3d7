"""A disk that is really full: nothing is called stored that is not, and answers flow again once there is room."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from db import feedback, queue
from db.engine import open_database
from db.errors import Broken
from tests.db.factories import World, answer, make_world
from tests.measured import tell, times
from tests.postgres import run


@pytest.fixture
def size(request: pytest.FixtureRequest) -> int:
    """Megabytes; an empty database of PostgreSQL has ten already."""
    return times(32, 96) if "postgres_on_it" in request.fixturenames else times(4, 64)


@pytest.fixture
def small_disk(size: int) -> Iterator[Path]:
    """A file system of a few megabytes, where the user of PostgreSQL may look, too."""
    folder = Path(tempfile.mkdtemp(prefix="pairwright-disk-"))
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(folder)],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        folder.rmdir()
        pytest.skip("this machine does not let us mount a small disk")
    folder.chmod(0o755)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def say(world: World, question: int, key: str) -> int:
    with world.database.write() as s:
        return feedback.record(s, answer(queue.question(s, question), key=key)).id


def fill(disk: Path) -> Path:
    """Use up what room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    return filler


@pytest.fixture
def postgres_on_it(small_disk: Path, postgres_server: str, postgres_template: str) -> Iterator[str]:
    """URL of a PostgreSQL database whose tables lie on the small disk; the server's log of changes has its own."""
    folder = small_disk / "tables"
    folder.mkdir()
    folder.chmod(0o700)
    shutil.chown(folder, Path(parse_qs(urlsplit(postgres_server).query)["host"][0]).owner())
    run(postgres_server, f"CREATE TABLESPACE small_disk LOCATION '{folder}'")
    run(postgres_server, f"CREATE DATABASE on_small_disk TEMPLATE {postgres_template} TABLESPACE small_disk")
    yield postgres_server.replace("/postgres?", "/on_small_disk?")
    run(postgres_server, "DROP DATABASE on_small_disk WITH (FORCE)")
    run(postgres_server, "DROP TABLESPACE small_disk")


def test_a_full_disk_of_sqlite_never_says_stored_falsely_and_recovers_by_itself(small_disk: Path) -> None:
    try_it(small_disk, f"sqlite:///{small_disk / 'pairwright.sqlite'}", 30)


def test_a_full_disk_of_postgresql_never_says_stored_falsely_and_recovers_by_itself(
    small_disk: Path, postgres_on_it: str
) -> None:
    try_it(small_disk, postgres_on_it, 300)


def try_it(disk: Path, url: str, answers: int) -> None:
    """Fill the disk, answer so often, make room, send again what was refused; then compare with the log."""
    refused, told = 0, {}
    with closing(open_database(url)) as database:
        world, rounds = make_world(database), times(2, 40)
        asked = iter(world.ask(rounds * answers))
        for round_ in range(rounds):
            filler = fill(disk)
            waiting = [next(asked) for _ in range(answers)]
            for question in list(waiting):
                try:
                    told[f"{question}"] = say(world, question, f"{question}")
                    waiting.remove(question)
                except Broken as why:
                    assert "full" in str(why) and "Nothing of this change is saved" in str(why)
                    refused += 1
            filler.unlink()
            assert round_ or waiting, "the disk was never full"
            told |= {f"{question}": say(world, question, f"{question}") for question in waiting}  # sent again, stored
        with database.read() as s:
            stored = {one.id for one in feedback.log(s, world.criterion, 100_000)}
    lost = len(set(told.values()) - stored)
    said = {"rounds": rounds, "refused": refused, "acknowledged": len(told), "lost": lost}
    tell(9, fault="disk really full", database=database.dialect, **said)
    assert set(told.values()) == stored and len(stored) == len(told) and refused
