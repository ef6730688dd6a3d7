"""A taught embedding elsewhere: the same vectors from a folder, from ONNX, in scikit-learn and in PyTorch loaders."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch.utils.data import DataLoader

from app.exporters.models import export_model
from app.settings import Settings
from app.view import view
from db import catalog, versions
from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken, NotFound, Refused
from tests.doors.conftest import Place
from trainer import onnx_file, snapshot
from trainer.backbones import load_backbone
from trainer.head import Head
from trainer.pair_dataset import EvenPairs, PairDataset, indices_tuple
from trainer.pixels import pixels_of, rebuilt
from trainer.taught import load
from trainer.trained import Pretrained, load_trained, store_encoder
from trainer.transformer import PictureEmbedding


def taught(place: Place, beside: Pretrained | None = None) -> Settings:
    """A trained encoder of small squares, and a version whose head has learnt something."""
    settings = Settings(workspace=place.workspace)
    store = ArtifactStore(str(place.workspace / "artifacts"))
    torch.manual_seed(3)
    name = store_encoder(store, "simclr", "small", load_backbone("small", size=16), {}, beside=beside)
    encoder = load_trained(store, name)
    items = place.items()
    from trainer.features import feature_store

    features = feature_store(place.workspace, items[0].collection, name)
    features.extend(encoder, items, place.workspace)
    head = Head.from_features(features.vectors(), width=12, size=6)
    torch.nn.init.normal_(head.outer.weight, std=0.3)
    shown = snapshot.build(features.ids, head.embed(features.vectors()))
    snapshot.save(store, "models/1/taught", shown, head.to_bytes())
    with place.database.write() as s:
        kind = catalog.criterion(s, "kind").id
        metrics = {"held_f1": 0.75, "reason": "better | <b>", "steps": 40}
        made = versions.add(
            s, kind, parent=None, artifact="models/1/taught", last_event=1, metrics=metrics, encoder=name
        )  # fmt: skip
        versions.promote(s, made)
    return settings


@pytest.fixture
def model(here: Place, tmp_path: Path) -> Path:
    """An exported model."""
    taught(here)
    assert here.say("export", "model", tmp_path / "model", "--criterion", "kind") == 0
    return tmp_path / "model"


def test_a_model_gives_the_vectors_of_its_version_anywhere(here: Place, model: Path) -> None:
    shown = view(Settings(workspace=here.workspace), here.database, "kind").snapshot
    elsewhere = model.with_name("elsewhere")
    shutil.move(model, elsewhere)
    embed = load(elsewhere)
    paths = [here.workspace / item.path for item in here.items()]
    found = embed(paths)
    assert found.shape == (16, 6) and found.dtype == np.float32 and embed.dim == 6
    assert np.abs(found - shown.vectors).max() < 2e-3  # the workspace keeps features in half precision
    others = [path.read_bytes() for path in paths], [Image.open(path) for path in paths]
    arrays = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    for given in (*others, arrays, map(str, paths)):
        assert embed(given) == pytest.approx(found, abs=1e-5)
    assert embed([]).shape == (0, 6)
    with pytest.raises(BadInput, match="cannot be read"):
        embed([b"no picture"])


def test_weights_leave_and_come_back_bit_for_bit_also_beside_a_pretrained_backbone(here: Place, tmp_path: Path) -> None:
    settings = taught(here, Pretrained("small", (0.5, 2.0)))
    export_model(settings, here.database, "kind", tmp_path / "model")
    with here.database.read() as s:
        name = versions.versions(s, catalog.criterion(s, "kind").id)[0].encoder
    kept = pixels_of(ArtifactStore(str(here.workspace / "artifacts")), name).network.state_dict()
    back = load(tmp_path / "model").pixels.network.state_dict()
    assert back.keys() == kept.keys() and all(torch.equal(back[key], kept[key]) for key in kept if "first" not in key)


def test_the_card_and_the_config_say_where_the_model_comes_from(model: Path) -> None:
    said = json.loads((model / "config.json").read_text())
    assert said["criterion"] == "kind" and said["answers"] == 3 and said["version"] == 1
    card = (model / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: pairwright\n") and 'answering "Same kind?"' in card
    assert "| held_f1 | 0.75 |" in card and "| reason | better / &lt;b> |" in card
    assert sorted(path.name for path in model.iterdir()) == ["README.md", "config.json", "model.safetensors"]


def test_onnx_gives_the_numbers_of_torch_for_any_number_of_pictures(here: Place, tmp_path: Path) -> None:
    made = export_model(taught(here), here.database, "kind", tmp_path / "model", format="onnx")
    assert made.apart is not None and made.apart <= 1e-4
    whole = load(tmp_path / "model").module()
    for count in (1, 7):
        assert onnx_file.difference(whole, 16, tmp_path / "model" / "model.onnx", count) <= 1e-4
    assert not list((tmp_path / "model").glob("*.data")), "one file holds all"


def test_lite0_is_rebuilt_from_words_without_its_package_of_weights(here: Place) -> None:
    pixels = pixels_of(ArtifactStore(str(here.workspace / "artifacts")), "lite0")
    network = rebuilt(pixels.words)
    network.load_state_dict(pixels.network.state_dict())
    squares = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval()(squares), pixels.network(squares))


@pytest.mark.parametrize(
    "words",
    [{}, {"kind": "timm"}, {"kind": "timm", "architecture": "hf_hub:someone/else"}, {"kind": "code", "run": "x"},
     {"kind": "timm", "architecture": "no such model"}],
)  # fmt: skip
def test_a_config_that_names_no_network_is_bad_input(model: Path, words: dict[str, str]) -> None:
    said = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(said | {"network": words}))
    with pytest.raises(BadInput, match="names no network"):
        load(model)


def test_damage_and_absence_are_told(here: Place, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = bytearray((model / "model.safetensors").read_bytes())
    (model / "model.safetensors").write_bytes(weights[:-100])
    with pytest.raises(Broken, match="damaged"):
        load(model)
    (model / "config.json").write_text("[1]")
    with pytest.raises(BadInput):
        load(model)
    with pytest.raises(NotFound, match="no folder of a taught model"):
        load(tmp_path / "nowhere")
    monkeypatch.setattr(onnx_file, "NEEDED", ("no_such_package",))
    with pytest.raises(BadInput, match=r"pairwright\[onnx\]"):
        export_model(
            Settings(workspace=here.workspace), here.database, "kind", tmp_path / "other", format="onnx"
        )  # fmt: skip
    assert not (tmp_path / "other").exists()


def test_nothing_learnt_is_nothing_to_export(there: Place, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing was learnt"):
        export_model(Settings(workspace=there.workspace), there.database, "kind", tmp_path / "model")
    assert there.say("export", "model", tmp_path / "model", "--criterion", "kind", "--format", "pickle") == 2


def test_scikit_learn_takes_it_as_a_transformer(here: Place, model: Path) -> None:
    paths = [str(here.workspace / item.path) for item in here.items()]
    labels = [number % 2 for number in range(len(paths))]
    step = PictureEmbedding(model)
    assert clone(step).get_params() == {"model": model, "engine": "auto"}
    found = make_pipeline(clone(step), LogisticRegression()).fit(paths, labels)
    assert found.predict(paths).shape == (16,)
    fitted = step.fit(paths)
    assert fitted is step and np.array_equal(fitted.transform(paths), load(model)(paths))
    assert fitted.get_feature_names_out().tolist() == [f"pairwright{n}" for n in range(6)]
    assert fitted.set_output(transform="pandas").transform(paths).shape == (16, 6)
    with pytest.raises(ValueError, match="not fitted"):
        PictureEmbedding(model).transform(paths)


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.jsonl", "pairs.parquet", "st.parquet"])
def test_pairs_load_in_batches_with_the_rarer_kind_as_often(here: Place, tmp_path: Path, name: str) -> None:
    style = "sentence-transformers" if name.startswith("st") else "full"
    here.say("export", "pairs", tmp_path / name, "--criterion", "kind", "--style", style)
    pairs = PairDataset(tmp_path / name, here.workspace, lambda image: torch.from_numpy(np.array(image)))
    assert sorted(pairs.same.tolist()) == ([False, True, True] if style != "full" else [False, True, True, True])
    sampler = EvenPairs(pairs.same, seed=5)
    for first, second, same in DataLoader(pairs, batch_size=len(sampler), sampler=sampler):
        assert first.shape == second.shape == (len(sampler), 30, 40, 3)
        assert same.float().mean() == 0.5 and len(set(map(int, same))) == 2
    assert list(sampler) == list(sampler)
    before = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != before or len(before) < 3


def test_the_code_of_the_how_to_runs(here: Place, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "elsewhere.md").read_text(encoding="utf-8")
    loading, _, sorting, training = re.findall(r"```python\n(.*?)```", page, re.S)
    shutil.move(model, tmp_path / "material-model")
    shutil.copytree(here.workspace / "media", tmp_path / "workspace" / "media")
    paths = [here.workspace / item.path for item in here.items()]
    for name, path in zip(("a.jpg", "b.jpg"), paths, strict=False):
        shutil.copy(path, tmp_path / name)
    here.say("export", "pairs", tmp_path / "pairs.parquet", "--criterion", "kind")
    monkeypatch.chdir(tmp_path)
    given = {"paths": paths, "labels": [n % 2 for n in range(16)], "to_tensor": lambda image: torch.zeros(3)}
    for code in (loading, sorting, training):
        exec(code, dict(given))  # noqa: S102 - our own page


def test_pytorch_metric_learning_takes_the_indices(here: Place, tmp_path: Path) -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    here.say("export", "pairs", tmp_path / "t.safetensors", "--criterion", "kind", "--style", "pml")
    found = indices_tuple(tmp_path / "t.safetensors")
    assert [len(one) for one in found] == [2, 2, 1, 1]
    rows = torch.nn.functional.normalize(torch.randn(16, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    assert losses.ContrastiveLoss()(rows, indices_tuple=found).item() > 0


def test_a_path_that_leads_out_and_a_table_without_paths_are_bad_input(here: Place, tmp_path: Path) -> None:
    (tmp_path / "evil.csv").write_text("image1,image2,label\n../pictures/p00.png,/etc/passwd,1\n")
    with pytest.raises(BadInput, match="leads out"):
        PairDataset(tmp_path / "evil.csv", here.workspace)[0]
    (tmp_path / "other.csv").write_text("x,y\n1,2\n")
    with pytest.raises(BadInput, match="no pairs of paths"):
        PairDataset(tmp_path / "other.csv", here.workspace)
