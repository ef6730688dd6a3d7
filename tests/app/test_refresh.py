"""A deep refresh: a new backbone is judged on held-out answers, served or kept, and survives kills."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.cli.main import run
from app.refresh import refresh
from app.refresh_wish import Refreshed, Wish
from app.settings import Settings
from db import catalog, feedback, queue, runs, versions
from db.artifacts import ArtifactStore
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from db.versions import Version
from trainer.checkpoint import head_of
from trainer.features import feature_store
from trainer.training import Training

ROOT = Path(__file__).parents[2]
COUNT = 72
QUICK = ("steps=40",)  # of a head
OPTIONS = {"backbone": "small", "size": "16", "batch": "24", "projection": "16", "rate": "3e-3"}
WISH = Wish("kind", "pairwright", OPTIONS, 4, beside=False)
Call = Callable[..., tuple[int, dict[str, object], str]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 pictures of three kinds, features that show nothing of the kind, 150 answers."""
    folder, place = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("template")
    pixels, kinds = stripes()
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "kind"])
        for number in range(COUNT):
            Image.fromarray(pixels[number]).resize((48, 48)).save(folder / f"{number:03}.png")
            writer.writerow([f"{number:03}", f"{number:03}.png", f"kind {kinds[number]}"])
    where = ["--workspace", str(place)]
    assert run(["import", str(folder), "--collection", "tiles", "--metadata", "metadata.csv", *where]) == 0
    assert run(["criterion", "add", "kind", "--collection", "tiles", "--prompt", "Same kind?", *where]) == 0
    settings = Settings(workspace=place)
    _embed(settings)
    answer(settings, 0, 150)
    return place


def stripes() -> tuple[np.ndarray, np.ndarray]:
    """(N, 16, 16, 3) uint8 and (N,) kinds: lying, standing and crossed stripes, each moved by chance."""
    rng, kinds = np.random.default_rng(3), np.arange(COUNT) % 3
    down, right = (np.arange(16) + rng.integers(0, 4, (2, COUNT, 1))) // 2 % 2  # (N, 16) each
    lying, standing = down[:, :, None].repeat(16, 2), right[:, None, :].repeat(16, 1)
    seen = np.select([kinds[:, None, None] == 0, kinds[:, None, None] == 1], [lying, standing], lying ^ standing)
    noisy = 0.2 + 0.6 * seen[..., None] + rng.normal(0, 0.05, (COUNT, 16, 16, 3))
    return (255 * noisy.clip(0, 1)).astype(np.uint8), kinds


class Blurred:
    """Stands in for lite0: the mean colour and noise, from which no head can tell the kinds apart."""

    name, dim, input_size = "lite0", 24, 8

    def square(self, encoded: bytes) -> np.ndarray:
        from trainer.pictures import decode_square

        return decode_square(encoded, 8, Image.Resampling.BOX)

    def encode_squares(self, squares: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(int(squares.sum())).normal(size=(len(squares), 21))
        return np.concatenate([squares.mean((1, 2)) / 255, noise], 1).astype(np.float32)


def _embed(settings: Settings) -> None:
    with closing(settings.open()) as database, database.read() as s:
        about = catalog.criterion(s, "kind")
        items = catalog.items(s, about.collection)
    feature_store(settings.folder, about.collection, "lite0").extend(Blurred(), items, settings.folder)  # type: ignore[arg-type]


def answer(settings: Settings, start: int, count: int) -> None:
    """Truthful answers, a third of them about two items of one kind."""
    rng = np.random.default_rng(start)
    with closing(settings.open()) as database, database.write() as s:
        about = catalog.criterion(s, "kind")
        items = catalog.items(s, about.collection)
        for number in range(start, start + count):
            a, b = (items[int(row)] for row in rng.choice(COUNT, 2, replace=False))
            if number % 3 == 0:
                b = next(one for one in items if one.attributes["kind"] == a.attributes["kind"] and one.id != a.id)
            (put,) = queue.put(s, about.id, [Question(about.id, Kind.PAIR, a.id, (b.id,), "test")], retire=False)
            verdict = Verdict.SAME if a.attributes["kind"] == b.attributes["kind"] else Verdict.DIFFERENT
            feedback.record(s, Answer(put, (PairVerdict(a.id, b.id, verdict),), "ann", f"k{number}"))


@pytest.fixture
def settings(template: Path, tmp_path: Path) -> Settings:
    """A copy of that workspace."""
    shutil.copytree(template, tmp_path / "workspace")
    return Settings(workspace=tmp_path / "workspace", training=QUICK)


def go(settings: Settings, wish: Wish = WISH, cancelled: Callable[[], bool] = lambda: False) -> Refreshed:
    return refresh(settings, wish, lambda what, done, of: None, cancelled)


def known(settings: Settings) -> list[Version]:
    with closing(settings.open()) as database, database.read() as s:
        return versions.versions(s, catalog.criterion(s, "kind").id)


def test_a_better_backbone_is_served_with_both_figures_and_can_be_rolled_back(settings: Settings) -> None:
    first = go(settings)
    assert first.finished and first.served, first.reason
    assert first.judgement is not None and first.judgement.after > first.judgement.before  # type: ignore[operator]
    assert f"{first.judgement.before:.3f} with the head alone, {first.judgement.after:.3f} after" in first.reason
    (made,) = known(settings)
    assert (made.status, made.encoder, made.metrics["reason"]) == ("promoted", first.encoder, first.reason)
    assert made.metrics["trigger"] == "refresh pairwright"
    assert not list((settings.folder / "training").iterdir()), "nothing is left to go on from"
    idle = replace(WISH, options={**OPTIONS, "rate": "1e-9"})
    second = go(settings, idle)
    assert second.encoder != first.encoder and "kept" in second.reason, "a network that learnt nothing is no better"
    with closing(settings.open()) as database, database.read() as s:
        served = versions.current(s, made.criterion)
        assert served is not None and served.id == first.version
        shown = runs.recent(s, made.criterion)
        assert [one.trigger for one in shown] == ["refresh pairwright"] * 2 and runs.steps(s, shown[0].id)


def test_the_same_answers_and_seed_give_the_same_network_however_often_it_is_stopped(
    settings: Settings, tmp_path: Path
) -> None:
    shutil.copytree(settings.folder, tmp_path / "other")
    other = Settings(workspace=tmp_path / "other", training=QUICK)
    made = [go(settings).version]
    asked = 0

    def after_some() -> bool:
        nonlocal asked
        asked += 1
        return asked % 7 == 0

    tries = 0
    while not (done := go(other, cancelled=after_some)).finished:
        tries += 1
        assert tries < 20
    assert tries > 1
    made.append(done.version)
    heads = [
        head_of(ArtifactStore(str(one.folder / "artifacts")), known(one)[-1]).to_bytes() for one in (settings, other)
    ]
    assert heads[0] == heads[1]


def test_answers_given_meanwhile_are_in_the_version_that_is_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, last = Training.step, 0

    def answered(self: Training, *given: object) -> object:
        if self.done == 2:
            answer(settings, 1000, 20)
        return step(self, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Training, "step", answered)
        done = go(settings)
    with closing(settings.open()) as database, database.read() as s:
        last = feedback.last_event(s, catalog.criterion(s, "kind").id)
        version = versions.version(s, done.version or 0)
    assert version.last_event == last and version.metrics["statements"] == 170


def test_without_enough_held_out_answers_it_is_kept_and_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.holding.SHARE", 0.005)
    done = go(settings)
    assert done.finished and not done.served and "to judge by: kept, not served" in done.reason
    assert [one.status for one in known(settings)] == ["kept"]


def killed_at(settings: Settings, stage: str) -> None:
    """Refresh in a process of its own and kill it without warning as soon as it says that stage."""
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from app.refresh import refresh\nfrom app.refresh_wish import Wish\n"
        "from app.settings import Settings\n"
        f"wish = Wish('kind', 'pairwright', {OPTIONS!r}, 4, beside=False)\n"
        "def told(what, done, of):\n"
        f"    if what.startswith({stage!r}) and done:\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"refresh(Settings(workspace=Path(sys.argv[1]), training={QUICK!r}), wish, told, lambda: False)\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code, str(settings.folder)], cwd=ROOT, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_kill_at_any_stage_leaves_what_is_served_and_the_refresh_goes_on(settings: Settings) -> None:
    """Really killed, in the middle of training and of the last lesson."""
    for stage in ("training", "learning"):
        killed_at(settings, stage)
        assert known(settings) == [], stage
    begun = next((settings.folder / "training").glob("refresh-*/begun.json"))
    name = json.loads(begun.read_text())["encoder"]
    done = go(settings)
    assert done.finished and done.encoder == name
    (version,) = known(settings)
    with closing(settings.open()) as database, database.read() as s:
        found = [(one.status, one.version) for one in runs.recent(s, version.criterion)]
    assert found[0] == ("done", version.id) and {status for status, _ in found[1:]} == {"cancelled"}


def test_a_refresh_stored_before_a_kill_is_not_stored_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("app.refresh.shutil.rmtree", lambda *given, **more: None)  # killed before it tidied up
        first = go(settings)
    again = go(settings)
    assert (again.version, again.served, again.encoder) == (first.version, first.served, first.encoder)
    assert len(known(settings)) == 1
