"""Towers that learn with the run: gradients reach them, they go on bit-equal, and frozen ones stay as they were."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from db.errors import BadInput
from tests.patterns import patterns
from trainer import towers
from trainer.attributes import Attributes
from trainer.columns import Column
from trainer.recipe import build, columns_of
from trainer.towers import minilm
from trainer.training import Training, TrainSettings
from trainer.training_state import read, restore, write

PLAN = TrainSettings(size=16, batch=8, epochs=2, projection=12)
COUNT = 16
KINDS = ("stripes", "dots", "a wall", "moss", "night", "sand")
RUNS = [
    ("clip", {"tower": "subwords"}), ("align", {"tower": "minilm", "words.train": "true"}),
    ("cit", {"tower": "subwords"}), ("jest", {"tower": "subwords", "selector.steps": "4"}),
    ("audioclip", {"tower": "subwords", "sound": "spectrogram"}), ("avid", {"sound": "spectrogram"}),
    ("xdc", {"sound": "spectrogram"}),
]  # fmt: skip


def told(folder: Path) -> Attributes:
    _, labels = patterns(COUNT)
    for place, label in enumerate(labels.tolist()):
        wave = np.sin(2 * np.pi * 300 * 1.4**label * np.arange(3200) / 8000) + 0.01 * np.sin(place * np.arange(3200))
        soundfile.write(folder / f"{place}.wav", 0.3 * wave, 8000)
    ids, unknown = 5 + 2 * np.arange(COUNT), np.full(COUNT, np.nan)
    columns = {
        "caption": np.array([f"{KINDS[label]} {place % 3}" for place, label in enumerate(labels.tolist())], object),
        "label": np.array(KINDS, object)[labels], "confirmed": np.where(np.arange(COUNT) % 3, 1, None),
    }  # fmt: skip
    recordings = np.array([folder / f"{place}.wav" for place in range(COUNT)], object)
    return Attributes(ids, columns, unknown, np.stack([unknown, unknown], 1), recordings)


def training(folder: Path, name: str, settings: dict[str, str]) -> Training:
    attributes = told(folder)
    return Training(build(name, settings), patterns(COUNT)[0], attributes.ids, PLAN, attributes=attributes)


def towers_of(run: Training) -> dict[str, torch.Tensor]:
    """Weights of all towers that learn."""
    return {name: weight for name, weight in run.encoders.network.named_parameters() if ".tower." in name}


@pytest.mark.parametrize(("name", "settings"), RUNS, ids=[name for name, _ in RUNS])
def test_gradients_reach_the_tower_and_it_moves(name: str, settings: dict[str, str], tmp_path: Path) -> None:
    run = training(tmp_path, name, settings)
    before = {key: weight.detach().clone() for key, weight in towers_of(run).items()}
    for _ in range(2):  # the first step's size is 0 where there is a warm-up
        run.step()
    moved = [key for key, weight in towers_of(run).items() if not torch.equal(before[key], weight)]
    learnt = [key for key, weight in towers_of(run).items() if weight.requires_grad]
    assert before and set(moved) <= set(learnt) and len(moved) > 0.9 * len(learnt)


@pytest.mark.parametrize(("name", "settings"), [RUNS[0], *RUNS[3:]], ids=["clip", *[name for name, _ in RUNS[3:]]])
def test_a_stopped_run_goes_on_bit_equal(name: str, settings: dict[str, str], tmp_path: Path) -> None:
    whole, first, second = (training(tmp_path, name, settings) for _ in range(3))
    for run, steps in ((whole, whole.steps), (first, 3)):
        for _ in range(steps):
            run.step()
    write(tmp_path / "state.safetensors", first, {"run": "a"})
    restore(second, read(tmp_path / "state.safetensors", {"run": "a"}) or {})
    while second.done < second.steps:
        second.step()
    for key, value in whole.encoders.network.state_dict().items():
        assert torch.equal(value, second.encoders.network.state_dict()[key]), key


def test_a_tower_taught_by_many_sentences_goes_slower_than_the_rest(tmp_path: Path) -> None:
    run = training(tmp_path, *RUNS[1])
    run.step()
    sizes = {group["pace"]: group["lr"] for group in run.optimizer.param_groups}
    assert sizes[0.03] == pytest.approx(0.03 * sizes[1.0])
    shared = minilm._loaded()[1].state_dict()
    ours = {key.partition(".model.")[2]: weight for key, weight in towers_of(run).items()}
    assert any(not torch.equal(weight, shared[key]) for key, weight in ours.items()), (
        "the one of others stays as it was"
    )


def test_before_its_first_step_it_reads_as_the_frozen_one_does() -> None:
    texts = ["a red apple", "a man repairs a tractor in the yard", "no"]
    frozen, network = minilm.Tower(), minilm.Tower().network().eval()
    with torch.no_grad():
        found = network(torch.from_numpy(minilm.Tower().inputs(texts)))
        alone = network(torch.from_numpy(minilm.Tower().inputs(texts[:1])))
    assert found.numpy() == pytest.approx(frozen(texts), abs=1e-5)
    assert alone.numpy() == pytest.approx(frozen(texts[:1]), abs=1e-5), "whoever else was read"


def test_the_order_of_words_counts_and_letters_are_shared() -> None:
    tower: Any = towers.load("subwords", towers.TEXTS)
    one, turned, near, other = tower(["dog bites man", "man bites dog", "dogs biting men", "seven quiet rivers"])
    assert one @ turned < 0.9999 and one @ near > one @ other
    assert tower.inputs(["a-b", ""]).any(1).tolist() == [True, False]


def test_parts_of_a_recording_are_hidden_only_while_it_learns() -> None:
    tower: Any = towers.load("spectrogram", towers.SOUNDS)
    rows, network = torch.randn(4, 64 * 40), tower.network()
    assert not torch.equal(network(rows), network(rows))
    network.eval()
    assert torch.equal(network(rows), network(rows))


def test_frozen_is_what_it_was_and_what_cannot_be_is_said() -> None:
    def column(name: str, **settings: str) -> Column:
        return columns_of(build(name, settings).look)[0]

    assert column("clip", tower="minilm").learner is None
    assert column("clip", tower="minilm", **{"words.train": "true"}).learner is not None
    assert column("avid").learner is None and column("avid", sound="spectrogram").learner is not None
    with pytest.raises(BadInput, match=r"tower ngrams cannot be trained.*hf, minilm, subwords"):
        build("clip", {"words.train": "true"})
    with pytest.raises(BadInput, match=r"tower logmel cannot be trained.*spectrogram"):
        build("avid", {"sounds.train": "true"})
    with pytest.raises(BadInput, match=r"reads no words through a tower"):
        build("simclr", {"words.train": "true"})
