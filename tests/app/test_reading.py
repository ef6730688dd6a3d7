"""Who reads the words of a criterion: checked at the door, and the same in a review and in a search."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from app import eye_words
from app.cli.main import run
from app.reading import checked_words, tried_words
from db.artifacts import ArtifactStore
from db.errors import BadInput, NotFound
from tests.patterns import patterns
from tests.small_world import make_world
from trainer import features as features_of
from trainer import snapshot as snapshots
from trainer.attributes import Attributes
from trainer.head import Head
from trainer.readers import store_reader
from trainer.recipe import build
from trainer.training import Training, TrainSettings


def test_names_are_kept_as_they_are_meant() -> None:
    assert checked_words("") == "" and checked_words(" ngrams + minilm ") == "ngrams+minilm"
    assert checked_words("hf:owner/model") == "hf:owner/model" and tried_words("ngrams") == "ngrams"
    with pytest.raises(NotFound, match="Did you mean 'minilm'"):
        checked_words("minlm")
    with pytest.raises(BadInput, match="hf:OWNER/MODEL"):
        checked_words("hf")
    with pytest.raises(BadInput, match="different towers joined by"):
        checked_words("ngrams+ngrams")
    with pytest.raises(BadInput, match="reads texts expected, 'logmel' reads recordings"):
        tried_words("logmel")


def test_a_sentence_is_read_by_the_tower_that_the_criterion_names(tmp_path: Path) -> None:
    random, store = np.random.default_rng(0), ArtifactStore(str(tmp_path / "artifacts"))
    kinds = ["a feline on a sofa", "a lorry on the motorway"]
    ids = np.arange(40)
    centre = random.normal(size=(2, 8))
    features = (centre[ids % 2] + 0.1 * random.normal(size=(40, 8))).astype(np.float32)
    head = Head.from_features(features)
    snapshots.save(store, "models/1/a", snapshots.build(ids, head.embed(features)), head.to_bytes())
    body = eye_words.packed({int(item): (kinds[item % 2], 1.0) for item in ids})
    found = {}
    for words in ("", "minilm"):
        asked = {"sentence": "kitten", "head": "models/1/a", "encoder": "lite0", "words": words, "key": f"k{words}"}
        asked |= {"collection": 1, "liked": [], "disliked": []}
        reply, vector = eye_words.told(tmp_path, asked, body)
        found[words] = np.frombuffer(vector, np.float32) if vector else json.dumps(reply)
    vectors = snapshots.load(store, "models/1/a", 0).vectors
    cosines = vectors @ found["minilm"]
    assert cosines[ids % 2 == 0].min() > cosines[ids % 2 == 1].max(), "by its meaning"
    assert isinstance(found[""], str) or not np.allclose(found[""], found["minilm"]), "its letters are in no caption"


def test_a_version_of_clip_is_asked_as_it_was_taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, run_ = ArtifactStore(str(tmp_path / "artifacts")), clip_on_patterns()
    encoder, network = "clip-1", run_.encoders.network
    assert store_reader(store, encoder, "clip", {"tower": "subwords"}, run_)
    ids, features = run_.ids.numpy(), run_.embed()
    kept = SimpleNamespace(ids=ids, load=lambda: (ids, features))
    monkeypatch.setattr(features_of, "feature_store", lambda *_: kept)
    head = Head.from_features(features)
    snapshots.save(store, "models/1/b", snapshots.build(ids, head.embed(features)), head.to_bytes())
    asked = {
        "sentence": "moss",
        "head": "models/1/b",
        "encoder": encoder,
        "words": "",
        "key": "taught",
        "collection": 1,
    }
    reply, body = eye_words.told(tmp_path, {**asked, "liked": [], "disliked": []}, b"")
    with torch.no_grad():
        z = normalize(network.eval().projection(torch.from_numpy(features)), dim=1)
        words = run_.recipe.look.read(["moss"])  # type: ignore[union-attr]
        t = normalize(network.predictors[0](torch.from_numpy(words)), dim=1)
    found = np.frombuffer(body, np.float32)
    assert reply == {"scores": len(ids)} and found == pytest.approx((z @ t.T).numpy()[:, 0], abs=1e-5)
    _, body = eye_words.told(tmp_path, {**asked, "liked": [int(ids[3])], "disliked": []}, b"")
    assert np.frombuffer(body, np.float32)[3] > found[3], "what is liked comes nearer"
    refused, _ = eye_words.told(tmp_path, {**asked, "sentence": "!?", "liked": [], "disliked": []}, b"")
    assert "nothing in this sentence" in str(refused["refused"])
    assert eye_words.told(tmp_path, {**asked, "words": "ngrams", "liked": [], "disliked": []}, b"")[0] == {
        "unread": True
    }


def clip_on_patterns() -> Training:
    """Six steps of CLIP with a tower that learns."""
    pictures, labels = patterns(24)
    words = np.array([("stripes", "dots", "a wall", "moss", "night", "sand")[label] for label in labels], object)
    ids, unknown = 5 + 2 * np.arange(24), np.full(24, np.nan)
    attributes = Attributes(ids, {"caption": words}, unknown, np.stack([unknown, unknown], 1))
    plan = TrainSettings(size=16, batch=12, epochs=3, projection=12)
    made = Training(build("clip", {"tower": "subwords"}), pictures, ids, plan, attributes=attributes)
    while made.done < made.steps:
        made.step()
    return made


def test_the_command_line_says_at_once_what_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_world(tmp_path, embedded=False).database.close()
    given = ["criterion", "add", "meaning", "--collection", "things", "--prompt", "Same?", "--workspace", str(tmp_path)]
    assert run([*given, "--words", "logmel"]) == 2 and "reads recordings" in capsys.readouterr().err
    assert run([*given, "--words", "ngrams", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == "ngrams"
