"""`pairwright refresh` as people type it: refused in one sentence, told in a few lines, kept for the screen."""

import json
from typing import Any

import numpy as np
import pytest

from app.cli.main import run
from app.refresh_wish import Refreshed, Wish
from app.settings import Settings
from db import catalog, jobs
from tests.app.conftest import World
from tests.app.test_versions import keep_snapshot
from trainer.features import feature_store

PLACE = ("--collection", "shapes", "--criterion", "shape")


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs in this process, which must not stay at a low priority."""
    monkeypatch.setattr("trainer.modest.be_modest", lambda threads: None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "simclrr", *PLACE), "Did you mean 'simclr'"),
        ((*PLACE, "--set", "temprature=1"), "Did you mean 'temperature'"),
        ((*PLACE, "--set", "rate"), "KEY=VALUE"),
        ((*PLACE, "--share", "0"), "share = above 0 and at most 1 expected"),
        (("--collection", "shape", "--criterion", "shape"), "collection"),
        (("--collection", "shapes", "--criterion", "shap"), "Did you mean 'shape'"),
    ],
)
def test_what_cannot_be_refreshed_is_refused_in_one_sentence(
    world: World, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code = run(["refresh", *words, "--workspace", str(world.settings.folder)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "") and said in err and len(err.strip().splitlines()) == 1, err


def test_without_answers_there_is_nothing_to_refresh_from(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    keep_snapshot(world, world.settings.folder)
    with world.database.read() as s:
        items = catalog.items(s, catalog.criterion(s, world.criterion).collection)

    class Flat:
        name, dim, input_size = "lite0", 4, 8

        def square(self, encoded: bytes) -> Any:
            return np.zeros((8, 8, 3), np.uint8)

        def encode_squares(self, squares: Any) -> Any:
            return np.random.default_rng(0).normal(size=(len(squares), 4)).astype(np.float32)

    store = feature_store(world.settings.folder, items[0].collection, "lite0")
    store.extend(Flat(), items, world.settings.folder)  # type: ignore[arg-type]
    assert run(["refresh", *PLACE, "--workspace", str(world.settings.folder)]) == 2
    assert "nobody has answered about 'shape' yet" in capsys.readouterr().err


def test_the_outcome_is_told_and_kept_for_the_screen(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Wish] = []

    def refreshed(settings: Settings, wish: Wish, told: Any, stopped: Any, *, again: bool) -> Refreshed:
        asked.append(wish)
        told("training", 1, 2)
        return Refreshed(wish.seed == 0, 4, 9, 7, "simclr-1", True, "better: served", run=3)

    monkeypatch.setattr("app.refresh.refresh", refreshed)
    where = ("--workspace", str(world.settings.folder))
    assert run(["refresh", *PLACE, "--method", "simclr", "--epochs", "2", "--share", ".5", *where]) == 0
    out = capsys.readouterr().out
    assert out.startswith("better: served") and "rollback --criterion shape" in out
    assert (asked[0].method, asked[0].epochs, asked[0].share) == ("simclr", 2, 0.5)
    with world.database.read() as s:
        kept = jobs.newest(s, ["refresh"], world.criterion, ["done"])
    assert kept is not None and kept.result is not None and kept.result["reason"] == "better: served"
    assert run(["refresh", *PLACE, "--seed", "1", "--json", *where]) == 130
    assert json.loads(capsys.readouterr().out)["steps"] == 4
