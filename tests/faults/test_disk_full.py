"""A disk that is really full: nothing is called stored that is not, and answers flow again once there is room."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db import feedback, queue
from db.engine import open_database
from db.errors import Broken
from tests.db.factories import World, answer, make_world
from tests.measured import tell, times


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={times(4, 64)}m", "tmpfs", str(folder)],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine does not let us mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


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


def test_a_full_disk_never_says_stored_falsely_and_recovers_by_itself(small_disk: Path) -> None:
    refused, told = 0, {}
    with closing(open_database(f"sqlite:///{small_disk / 'pairwright.sqlite'}")) as database:
        world, rounds = make_world(database), times(2, 40)
        asked = iter(world.ask(rounds * 40))
        for round_ in range(rounds):
            filler = fill(small_disk)
            waiting = [next(asked) for _ in range(30)]
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
            stored = {one.id for one in feedback.log(s, world.criterion, 10_000)}
    tell(
        9,
        fault="disk really full",
        rounds=rounds,
        refused=refused,
        acknowledged=len(told),
        lost=len(set(told.values()) - stored),
    )
    assert set(told.values()) == stored and len(stored) == len(told) and refused
