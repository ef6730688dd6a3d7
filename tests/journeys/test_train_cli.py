"""`pairwright train` from pictures to a kept version: stopped, resumed, refused, and seen on the Training screen."""

import csv
import json
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from app.cli.main import run
from app.cli.training import in_words
from app.features import ensure_features
from app.settings import Settings
from app.training import Learnt
from db import catalog, feedback, queue, runs, versions
from db.artifacts import ArtifactStore
from db.nouns import Answer, Kind, PairVerdict, Question, Verdict
from tests.patterns import Coarse, patterns
from trainer.features import feature_store
from trainer.suspects import suspects

COUNT = 72
SHORT = ("--set", "size=16", "--set", "batch=24", "--epochs", "4")
Call = Callable[..., object]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 pictures of six kinds with a pitch each, under a criterion, 30 of 60 answers given as audits."""
    folder, place = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("workspace")
    pixels, kinds = patterns(COUNT)
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "kind", "sure", "sound"])
        for number in range(COUNT):
            name = f"{number:02}"
            Image.fromarray(pixels[number]).resize((48, 48)).save(folder / f"{name}.png")
            sure = "1" if number < 30 else ""  # somebody said that the kind is right
            writer.writerow([name, f"{name}.png", f"kind {kinds[number]}", sure, f"{name}.wav"])
            pitch = np.sin(2 * np.pi * 300 * 1.4 ** kinds[number] * np.arange(1600 + number) / 8000)
            soundfile.write(folder / f"{name}.wav", 0.3 * pitch, 8000)
    where = ["--workspace", str(place)]
    named = ["--metadata", "metadata.csv", "--audio-column", "sound"]
    assert run(["import", str(folder), "--collection", "tiles", *named, *where]) == 0
    assert run(["criterion", "add", "kind", "--collection", "tiles", "--prompt", "Same kind?", *where]) == 0
    _answer(Settings(workspace=place))
    return place


def _answer(settings: Settings) -> None:
    rng = np.random.default_rng(0)
    with closing(settings.open()) as database, database.write() as s:
        about = catalog.criterion(s, "kind")
        items = catalog.items(s, about.collection)
        feature_store(settings.folder, about.collection, "lite0").extend(Coarse(), items, settings.folder)
        for number in range(60):
            a, b = (items[int(row)] for row in rng.choice(COUNT, 2, replace=False))
            if number % 3 == 0:
                b = next(one for one in items if one.attributes["kind"] == a.attributes["kind"] and one.id != a.id)
            asked = Question(about.id, Kind.PAIR, a.id, (b.id,), "test", audit=number % 2 == 0)
            (put,) = queue.put(s, about.id, [asked], retire=False)
            verdict = Verdict.SAME if a.attributes["kind"] == b.attributes["kind"] else Verdict.DIFFERENT
            feedback.record(s, Answer(put, (PairVerdict(a.id, b.id, verdict),), "ann", f"k{number}"))


@pytest.fixture
def call(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command; gives its exit code, what it printed as JSON, and its words on stderr."""

    def go(*words: object) -> tuple[int, object, str]:
        capsys.readouterr()
        code = run([*map(str, words), "--workspace", str(workspace), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return go


def test_training_ends_with_figures_and_an_encoder_whose_features_are_kept(call: Call, workspace: Path) -> None:
    code, done, err = call("train", "simclr", "--collection", "tiles", "--labels", "kind", *SHORT)
    assert code == 0, err
    assert done["finished"] and done["steps"] == 12 and done["version"] is None
    assert 0 <= done["figures"]["knn_accuracy_before"] <= 1 and 0 <= done["figures"]["knn_accuracy"] <= 1
    with closing(Settings(workspace=workspace).open()) as database:
        store, computed = ensure_features(database, workspace, "tiles", done["encoder"])
    assert computed == 0 and store.vectors().shape == (COUNT, 128)
    assert not list((workspace / "training").iterdir())  # nothing left to go on from


def test_with_a_criterion_a_version_is_kept_and_the_run_is_on_the_training_screen(call: Call, workspace: Path) -> None:
    code, done, err = call("train", "moco", "--collection", "tiles", "--criterion", "kind", *SHORT)
    assert code == 0, err
    assert done["figures"]["heldout_pairs"] > 8 and "promote it by hand" in done["figures"]["reason"]
    with closing(Settings(workspace=workspace).open()) as database, database.read() as s:
        version = versions.version(s, done["version"])
        assert version.status == "kept" and version.encoder == done["encoder"] and version.metrics["method"] == "moco"
        (shown,) = runs.recent(s, version.criterion)
        assert (shown.status, shown.version, shown.trigger) == ("done", version.id, "train moco")
        steps = runs.steps(s, shown.id)
        assert steps[-1][0] == 12 and {"loss", "rank", "spread"} <= set(steps[-1][1])
        assert {"confirmed", "unlabelled", "removed", "synthetic", "clamped"} <= set(steps[-1][1]["negatives"])
    code, _, err = call("versions", "promote", done["version"])
    assert code == 0, err
    code, scored, err = call("evaluate", "--collection", "tiles", "--criterion", "kind", "--labels", "kind")
    assert code == 0 and scored["version"] == done["version"], err


def test_a_column_of_labels_teaches_in_the_place_of_answers(call: Call) -> None:
    words = ("--collection", "tiles", "--labels", "kind", "--set", "rate=3e-3", *SHORT)
    found = []
    for taught in ((), ("--taught-by", "kind")):
        code, done, err = call("train", "supcon", *words, *taught)
        assert code == 0 and done["finished"] and done["version"] is None, err
        found.append(done)
    assert found[0]["encoder"] != found[1]["encoder"]


def test_a_run_that_chooses_names_the_words_it_doubts_and_keeps_its_doubts(call: Call, workspace: Path) -> None:
    words = ("train", "jest", "--collection", "tiles", "--set", "text=kind", "--set", "selector.steps=4", *SHORT)
    code, _, err = call(*words)
    assert code == 2 and "0 pictures with confirmed words = at least 8 expected" in err
    code, done, err = call(*words, "--set", "confirmed=sure")
    assert code == 0, err
    doubts = suspects(ArtifactStore(workspace / "artifacts"), done["encoder"])
    named = done["figures"]["suspects"]
    assert len(doubts) == COUNT and [one["item"] for one in named] == list(doubts)[:10]
    told = in_words(Learnt(**done))
    assert "words doubted most: " + named[0]["name"] in told and "--captions kind" in told
    assert 0 < done["figures"]["asked_first"] < COUNT, "those above the mean are asked about first"


def test_ctrl_c_keeps_what_was_done_and_the_same_command_goes_on(
    call: Call, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.training import Training

    words = ("train", "simclr", "--collection", "tiles", "--seed", "5", *SHORT)
    step = Training.step

    def interrupted(self: Training, *given: object) -> object:
        if self.done == 4:
            signal.raise_signal(signal.SIGINT)
        return step(self, *given)

    assert threading.current_thread() is threading.main_thread()
    with monkeypatch.context() as patched:
        patched.setattr(Training, "step", interrupted)
        code, done, err = call(*words)
    assert code == 130 and not done["finished"] and done["steps"] == 5, err
    seen: list[int] = []
    monkeypatch.setattr(Training, "step", lambda self, *given: seen.append(self.done) or step(self, *given))
    code, done, err = call(*words)
    assert code == 0 and done["finished"], err
    assert seen == [5, 6, 7, 8, 9, 10, 11]


def test_what_cannot_be_trained_is_refused_in_one_sentence(call: Call) -> None:
    for words, sentence in {
        ("simcler", "--collection", "tiles"): "Did you mean 'simclr'?",
        ("simclr", "--collection", "tile"): "tile",
        ("simclr", "--collection", "tiles", "--set", "temprature=1"): "Did you mean 'temperature'?",
        ("simclr", "--collection", "tiles", "--set", "temperature=warm"): "float expected, got 'warm'",
        ("simclr", "--collection", "tiles", "--set", "negatives=hard"): "negatives",
        ("simclr", "--collection", "tiles", "--set", "negatives.cutoff=1"): "cutoff",
        ("simclr", "--collection", "tiles", "--set", "views.flop=1"): "Did you mean 'flip'?",
        ("simclr", "--collection", "tiles", "--set", "batch"): "needs KEY=VALUE",
        ("simclr", "--collection", "tiles", "--set", "backbone=smal"): "Did you mean 'small'?",
        ("simclr", "--collection", "tiles", "--labels", "kinds"): "Did you mean 'kind'?",
        ("simclr", "--collection", "tiles", "--criterion", "kinds"): "kind",
        ("supcon", "--collection", "tiles", "--taught-by", "kinds"): "Did you mean 'kind'?",
        ("supcon", "--collection", "tiles", "--taught-by", "kind", "--criterion", "kind"): "both were named",
        ("byol", "--collection", "tiles", "--set", "feedback=-1"): "feedback = 0 or a number above",
    }.items():
        code, out, err = call("train", *words)
        assert (code, out) == (2, None) and sentence in err and "Traceback" not in err, (words, err)
        assert len(err.strip().splitlines()) == 1, err


def test_every_system_is_listed_and_one_is_shown_in_full(call: Call) -> None:
    _, listed, _ = call("methods")
    assert {"simclr", "moco"} <= {one["name"] for one in listed}
    _, one, _ = call("methods", "moco")
    assert one["settings"]["momentum"] == "0.99" and "arXiv 1911.05722" in one["said"]["Source"]
    assert call("methods", "mocko")[0] == 2


def test_words_recordings_and_answers_teach_together(call: Call) -> None:
    asked = ("--collection", "tiles", "--criterion", "kind", "--labels", "kind", "--set", "text=kind")
    code, done, err = call("train", "audioclip", *asked, *SHORT)
    assert code == 0, err
    assert done["finished"] and done["version"] is not None and done["report"]["loss"] > 0
    code, _, err = call("train", "clap", *asked, "--set", "sound=ngrams", *SHORT)
    assert code == 2 and "a tower that reads recordings expected, 'ngrams' reads texts. Known: logmel" in err
