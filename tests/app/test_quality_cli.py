"""`pairwright quality` and `pairwright forecast`: one document with --json, sentences without, kept for the screen."""

import json
import sys
from collections.abc import Callable

import pytest

from app.cli.main import run
from db import jobs
from tests.app.conftest import World
from tests.app.test_quality import answer
from tests.app.test_versions import keep_snapshot

Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run a command in the test's workspace; gives exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*words, "--workspace", str(world.settings.folder)])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def taught(world: World) -> World:
    """A model and twelve answers."""
    keep_snapshot(world, world.settings.folder)
    answer(world, 12)
    return world


def test_quality_prints_figures_with_what_they_rest_on_and_keeps_them(taught: World, shell: Shell) -> None:
    code, out, _ = shell("quality", "--criterion", "shape")
    assert code == 0
    assert "pair precision" in out and "from 12 answers" in out and "moved" in out
    with taught.database.read() as s:
        kept = jobs.newest(s, ["quality"], taught.criterion, ["done"])
    assert kept is not None and kept.result is not None and kept.result["answers"] == 12


def test_a_forecast_is_one_document_and_the_same_seed_gives_it_again(taught: World, shell: Shell) -> None:
    words = ("forecast", "--criterion", "shape", "--screens", "8", "--draws", "2", "--seed", "3", "--json")
    (code, first, _), (_, second, _) = shell(*words), shell(*words)
    found = json.loads(first)
    assert code == 0
    assert first == second
    assert (found["answers"], found["draws"], found["of_items"]) == (12, 2, len(taught.items))
    assert found["points"][-1]["screens"] <= 8


def test_known_labels_stand_in_for_the_hidden_truth(taught: World, shell: Shell) -> None:
    words = ("forecast", "--criterion", "shape", "--screens", "8", "--draws", "2", "--noise", "0")
    code, out, _ = shell(*words, "--labels", "shape")
    assert code == 0
    assert "more screens  minutes  pair F1  band" in out
    code, _, err = shell(*words, "--labels", "shap")
    assert code == 2
    assert "Did you mean 'shape'" in err


def test_a_collection_is_forecast_from_no_answer(taught: World, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import measure

    seen = measure.look(taught.settings, taught.database, "shape").snapshot
    monkeypatch.setattr("app.forecasting.raw_snapshot", lambda *_: seen)
    code, out, _ = shell("forecast", "--collection", "shapes", "--labels", "shape", "--screens", "6", "--draws", "1")
    assert code == 0
    assert "pair F1" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "needs --criterion, or --collection and --labels"),
        (("--criterion", "shap"), "Did you mean 'shape'"),
        (("--criterion", "shape"), "no model version yet"),
        (("--criterion", "shape", "--target", "2"), "target"),
        (("--criterion", "shape", "--acquisition", "mixd"), "Did you mean 'mixed'"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_one_sentence(
    world: World, shell: Shell, words: tuple[str, ...], said: str
) -> None:
    if "--acquisition" in words:
        keep_snapshot(world, world.settings.folder)
        answer(world, 3)
    code, out, err = shell("forecast", *words)
    assert (code, out) == (2, "")
    assert said in err and len(err.strip().splitlines()) == 1


def test_ctrl_c_stops_a_forecast_and_keeps_nothing(
    taught: World, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["oracle.forecast"], "_play", interrupted)
    code, out, _ = shell("forecast", "--criterion", "shape")
    assert (code, out) == (130, "")
    with taught.database.read() as s:
        assert jobs.newest(s, ["forecast"], taught.criterion, ["done"]) is None
