"""A process is killed while it saves models: what it said is stored is whole, and nothing is half there."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from db.artifacts import ArtifactStore
from tests.faults.saver import content
from tests.measured import tell, times

ROOT = Path(__file__).parents[2]
KILLS = times(6, 100)


@pytest.mark.timeout(600)
def test_a_model_is_whole_or_not_there_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    chance, store, said, started = random.Random(3), ArtifactStore(tmp_path), 0, 0
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.faults.saver", str(tmp_path), str(started)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
            lines = [first, *process.stdout]
        names = [int(line) for line in lines if line.endswith("\n")]
        said += len(names)
        for number in range(started, names[-1] + 2):  # the one under way is whole or not there
            if number <= names[-1] or store.exists(f"v{number}"):
                folder = store.open(f"v{number}")
                assert {path.name: path.read_bytes() for path in folder.iterdir()}.items() >= content(number).items()
        started = names[-1] + 2
    left = store.sweep(older_than_s=0)
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith("v")]
    tell(5, kills=KILLS, saved=said, unreadable=0, unfinished_swept=left)
