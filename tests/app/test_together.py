"""Several processes of one machine share a run: by the command, through a stop, and through the death of one."""

import csv
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from app.cli.main import run
from app.together import LOST, Work, together
from db.errors import Broken
from tests.patterns import patterns


def well(stopped: Callable[[], bool]) -> int:
    return 0


def refused(stopped: Callable[[], bool]) -> int:
    return 2


def asked_to_stop(stopped: Callable[[], bool]) -> int:
    """The first takes longer to end than anyone would wait for it after a failure."""
    if os.environ["RANK"] == "0":
        time.sleep(1)
    return 130


def one_is_killed(stopped: Callable[[], bool]) -> int:
    """The second is killed; the first notices, as it would in a sum."""
    if os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    return LOST


def one_is_killed_and_one_hangs(stopped: Callable[[], bool]) -> int:
    while one_is_killed(stopped):
        signal.pause()
    return 0


def test_the_exit_code_is_that_of_the_first_process() -> None:
    assert together(2, well) == 0
    assert together(2, refused) == 2


def test_processes_that_were_asked_to_stop_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.together.GRACE_S", 0.0)
    assert together(2, asked_to_stop) == 130


@pytest.mark.parametrize("work", [one_is_killed, one_is_killed_and_one_hangs])
def test_the_death_of_one_ends_the_others_with_one_sentence(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.together.GRACE_S", 0.5)
    with pytest.raises(Broken, match=r"process 2 of 2 was ended by signal SIGKILL, so the others were ended too\."):
        together(2, work)


def test_two_processes_train_the_encoder_that_one_trains(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pixels, kinds = patterns(48)
    (tmp_path / "pictures").mkdir()
    with (tmp_path / "pictures" / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "kind"])
        for number in range(48):
            Image.fromarray(pixels[number]).save(tmp_path / "pictures" / f"{number:02}.png")
            writer.writerow([f"{number:02}", f"{number:02}.png", f"kind {kinds[number]}"])
    where = ["--workspace", str(tmp_path / "workspace"), "--json"]
    words = ["--collection", "tiles", "--labels", "kind", "--set", "size=16", "--set", "batch=24", "--epochs", "2"]
    assert (
        run(["import", str(tmp_path / "pictures"), "--collection", "tiles", "--metadata", "metadata.csv", *where]) == 0
    )
    capfd.readouterr()
    found = []
    for processes in ("1", "2"):
        code = run(["train", "simclr", *words, "--processes", processes, *where])
        out, err = capfd.readouterr()
        assert code == 0, err
        learnt = json.loads(out)  # one document: only the first process tells
        (weights,) = (tmp_path / "workspace" / "artifacts" / "encoders" / learnt["encoder"]).rglob("*.safetensors")
        found.append((learnt, load_file(weights)))
    (one, alone), (two, both) = found
    assert (one["steps"], one["finished"]) == (two["steps"], two["finished"]) == (4, True)
    assert one["report"]["loss"] == pytest.approx(two["report"]["loss"], rel=1e-3)
    for name, weight in alone.items():
        torch.testing.assert_close(both[name].float(), weight.float(), atol=5e-3, rtol=0.05)
    assert run(["train", "simclr", *words, "--set", "views.area=2", "--processes", "2", *where]) == 2
    out, err = capfd.readouterr()
    assert not out and len(err.strip().splitlines()) == 1 and "views.area" in err
