"""A deep refresh by command on generated pictures: it ends and refuses in one sentence; Ctrl-C keeps what was done."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli.main import run
from app.settings import Settings
from tests.app.test_refresh import OPTIONS, known, settings, template

__all__ = ["settings", "template"]
ROOT = Path(__file__).parents[2]
SMALL = [word for key, value in OPTIONS.items() for word in ("--set", f"{key}={value}")]
WORDS = ["refresh", "--collection", "tiles", "--criterion", "kind", "--no-beside", *SMALL]


@pytest.fixture
def place(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where it happens; commands that run in this process leave its priority alone."""
    monkeypatch.setattr("trainer.modest.be_modest", lambda threads: None)
    return ["--workspace", str(settings.folder)]


def test_it_ends_with_a_version_and_both_figures(
    place: list[str], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*WORDS, "--epochs", "2", "--json", *place]) == 0
    done = json.loads(capsys.readouterr().out)
    (version,) = known(settings)
    assert (done["version"], done["encoder"], done["finished"]) == (version.id, version.encoder, True)
    assert done["served"] is (version.status == "promoted") is done["reason"].endswith(": served")
    assert "with the head alone" in done["reason"] and "after the refresh" in done["reason"]


@pytest.mark.timeout(240)
def test_ctrl_c_keeps_what_was_done_and_the_same_command_goes_on(place: list[str], settings: Settings) -> None:
    command = [sys.executable, "-m", "app.cli", *WORDS, "--epochs", "6", "--share", ".2", *place]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 90
        while not list((settings.folder / "training").glob("refresh-*/begun.json")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=90)
    assert process.returncode == 130 and "stopped" in out and known(settings) == []
    (begun,) = (settings.folder / "training").glob("refresh-*/begun.json")
    encoder = json.loads(begun.read_text())["encoder"]
    assert run([*WORDS, "--epochs", "6", "--share", ".2", *place]) == 0
    assert [one.encoder for one in known(settings)] == [encoder]
