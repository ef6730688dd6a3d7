"""What every named system must keep: it learns, its page is written, and a stopped run ends as if it had not been."""

from dataclasses import fields
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
import torch

from oracle import plugins
from tests.patterns import patterns
from trainer.attributes import Attributes
from trainer.collapse import collapsed, spread
from trainer.probe import knn_left_out
from trainer.recipe import FAMILY, build
from trainer.systems import system
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, write

NAMES = plugins.names(FAMILY)
SLOW = [name for name in NAMES if getattr(plugins.find(FAMILY, name), "slow", False)]  # say so in their own file
FEW = {
    name: getattr(plugins.find(FAMILY, name), "few_pictures", {}) for name in NAMES
}  # settings for few pictures, likewise
KINDS = ("stripes", "dots", "a wall", "moss", "night", "sand")
FOLDER = TemporaryDirectory()
PLAN = TrainSettings(size=16, batch=32, epochs=3, projection=16)


READS = {"text", "sound"}  # settings of those that need more than pictures


@cache
def recorded(label: int, take: int) -> Path:
    """A recording: a pitch a pattern, in another noise each time."""
    rng, seconds = np.random.default_rng((label, take)), np.arange(3200) / 8000
    wave = np.sin(2 * np.pi * 300 * 1.4**label * seconds) * np.hanning(3200) + rng.normal(0, 0.02, 3200)
    path = Path(FOLDER.name) / f"{label}-{take}.wav"
    soundfile.write(path, 0.3 * wave, 8000)
    return path


def told_of(ids: np.ndarray, labels: np.ndarray) -> Attributes:
    """Words and a recording beside every picture but one each: what it shows, among what it does not. Half of the words
    are confirmed."""
    said = [f"{KINDS[label]} {place % 5}" for place, label in enumerate(labels.tolist())]
    heard = [recorded(label, place % 9) for place, label in enumerate(labels.tolist())]
    column, recordings = np.array([None, *said[1:]], dtype=object), np.array([*heard[:-1], None], dtype=object)
    unknown = np.full(len(ids), np.nan)
    sure = np.where(np.arange(len(ids)) % 2, 1, None)
    columns = {"caption": column, "label": np.array(KINDS, object)[labels], "confirmed": sure, "target": sure}
    return Attributes(ids, columns, unknown, np.stack([unknown, unknown], 1), recordings)


def training(name: str, count: int = 64, plan: TrainSettings = PLAN) -> Training:
    """A fresh run on generated pictures; ids are not positions."""
    pictures, labels = patterns(count)
    ids, reads = 11 + 3 * np.arange(count), not READS.isdisjoint(plugins.settings_of(FAMILY, name))
    brief = {"selector.steps": 10} if hasattr(build(name).selector, "steps") else {}
    recipe = build(name, {**FEW[name], **brief})
    return Training(recipe, pictures, ids, plan, attributes=told_of(ids, labels) if reads else None)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_changes_the_network_and_nothing_is_infinite(name: str) -> None:
    run = training(name)
    before = {key: value.clone() for key, value in run.encoders.network.state_dict().items()}
    report = run.step(lambda pool: {})
    assert all(np.isfinite(list(report.values())))
    after = run.encoders.network.state_dict()
    assert all(value.isfinite().all() for value in after.values())
    learnt = [weight for weight, _ in run.encoders.network.named_parameters()]
    assert any(not torch.equal(before[weight], after[weight]) for weight in learnt)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SLOW])
def test_training_improves_on_its_own_start(name: str) -> None:
    _, labels = patterns(256)
    run = training(name, 256, TrainSettings(size=16, batch=128, epochs=20, rate=3e-3))
    before = knn_left_out(run.embed(), labels, 5)
    while run.done < run.steps:
        run.step()
    assert knn_left_out(run.embed(), labels, 5) > before + 0.05


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_lowers_its_loss_without_collapse(name: str) -> None:
    run = training(name, 256, TrainSettings(size=16, batch=128, epochs=20))
    losses = [run.step()["loss"] for _ in range(run.steps)]
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])
    told = spread(torch.nn.functional.normalize(torch.from_numpy(run.embed(projected=True)), dim=1))
    assert not collapsed(told) and told["rank"] > 6  # as many as there are patterns


@pytest.mark.parametrize("name", NAMES)
def test_a_stopped_run_goes_on_bit_equal(name: str, tmp_path: Path) -> None:
    whole, first, second = training(name), training(name), training(name)
    for _ in range(whole.steps):
        whole.step()
    for _ in range(3):  # in the middle of an epoch
        first.step()
    write(tmp_path / "state.safetensors", first, {"run": "a"})
    stored = read(tmp_path / "state.safetensors", {"run": "a"})
    assert stored is not None
    restore(second, stored)
    while second.done < second.steps:
        second.step()
    for key, value in whole.encoders.network.state_dict().items():
        assert torch.equal(value, second.encoders.network.state_dict()[key]), key


@pytest.mark.parametrize("name", NAMES)
def test_the_same_recipe_is_built_from_texts(name: str) -> None:
    """As `--set` gives them."""
    defaults = plugins.settings_of(FAMILY, name)
    spoken = {key: str(value) for key, value in defaults.items() if isinstance(value, (int, float, str))}
    assert plugins.load(FAMILY, name, **spoken) == plugins.load(FAMILY, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_names_every_section_and_setting(name: str) -> None:
    page, found = system(name), plugins.find(FAMILY, name)
    assert page.formula and page.title.endswith(".") and all(page.said.values())
    assert set(page.settings) == {field.name for field in fields(found)}
    assert "arXiv" in page.said["Source"]
    for setting in page.settings:
        assert setting in (found.__doc__ or ""), f"the docstring of Method says nothing about {setting}"
