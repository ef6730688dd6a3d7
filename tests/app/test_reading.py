"""Who reads the words of a criterion: checked at the door, and the same in a review and in a search."""

import json
from pathlib import Path

import numpy as np
import pytest

from app import eye_words
from app.cli.main import run
from app.reading import checked_words, tried_words
from db.artifacts import ArtifactStore
from db.errors import BadInput, NotFound
from tests.small_world import make_world
from trainer import snapshot as snapshots
from trainer.head import Head


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
        reply, vector = eye_words.told(tmp_path, asked, body)
        found[words] = np.frombuffer(vector, np.float32) if vector else json.dumps(reply)
    vectors = snapshots.load(store, "models/1/a", 0).vectors
    cosines = vectors @ found["minilm"]
    assert cosines[ids % 2 == 0].min() > cosines[ids % 2 == 1].max(), "by its meaning"
    assert isinstance(found[""], str) or not np.allclose(found[""], found["minilm"]), "its letters are in no caption"


def test_the_command_line_says_at_once_what_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_world(tmp_path, embedded=False).database.close()
    given = ["criterion", "add", "meaning", "--collection", "things", "--prompt", "Same?", "--workspace", str(tmp_path)]
    assert run([*given, "--words", "logmel"]) == 2 and "reads recordings" in capsys.readouterr().err
    assert run([*given, "--words", "ngrams", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == "ngrams"
