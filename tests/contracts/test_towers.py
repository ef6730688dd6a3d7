"""What every tower promises. A file in trainer/towers is tested by being there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from db.errors import BadInput
from oracle import plugins
from trainer import towers
from trainer.towers import FAMILY, SOUNDS, TEXTS, minilm
from trainer.towers.resemblyzer import Voice

PHRASES = ["a red apple on a table", "A man repairs a tractor.", "ein Fluss", "42", "a red apple on the table"]
PARTS = ((220, 330), (1500, 1400), (500, 2500), (3000, 200), (222, 328))  # hertz of the halves of a recording


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in the shape of resemblyzer's, which not every machine has."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        state = {name: 3 * value for name, value in Voice().state_dict().items()}
    path = tmp_path_factory.mktemp("voice") / "pretrained.pt"
    torch.save({"model_state": state | {"similarity_weight": torch.ones(1)}, "step": 1}, path)
    return path


@pytest.fixture(params=plugins.names(FAMILY))
def tower(request: pytest.FixtureRequest, voice: Path) -> Any:
    """Those of many models with one that is here."""
    named = {"hf": lambda: str(minilm.folder()), "resemblyzer": lambda: str(voice)}
    more = {"model": named[request.param]()} if request.param in named else {}
    return plugins.load(FAMILY, request.param, **more)


def tone(hertz: Sequence[float], rate: int, seconds: float = 0.9) -> np.ndarray:
    """One pitch after another, with a little noise."""
    parts = [np.sin(2 * np.pi * f * np.arange(int(rate * seconds / len(hertz))) / rate) for f in hertz]
    wave = 0.3 * np.concatenate(parts)
    return (wave + 0.001 * np.random.default_rng(0).normal(size=len(wave))).astype(np.float32)


def samples(tower: Any) -> list[Any]:
    """Five things a tower can read, the first and the last of them alike."""
    return PHRASES if towers.reads(tower) == TEXTS else [tone(pair, tower.rate) for pair in PARTS]


def test_a_value_is_a_row_of_length_1(tower: Any) -> None:
    rows = tower(samples(tower))
    assert rows.shape == (len(PHRASES), tower.dim) and rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(PHRASES)), abs=1e-5)


def test_a_row_depends_on_its_value_alone(tower: Any) -> None:
    given = samples(tower)
    rows, turned = tower(given), tower(given[::-1])
    assert turned[::-1] == pytest.approx(rows, abs=1e-5) and tower(given[1:2])[0] == pytest.approx(rows[1], abs=1e-5)


def test_what_is_alike_is_near(tower: Any) -> None:
    cosines = (rows := tower(samples(tower))) @ rows.T
    assert cosines[0, 4] > 0.7 and cosines[0, 4] > max(cosines[0, 1], cosines[0, 2], cosines[0, 3])


def test_nothing_and_what_is_empty_are_no_error(tower: Any) -> None:
    empty = "" if towers.reads(tower) == TEXTS else np.zeros(10, np.float32)
    assert tower([]).shape == (0, tower.dim) and np.isfinite(tower([empty])).all()


def test_a_tower_is_named_with_what_it_reads() -> None:
    assert towers.reads(towers.load("ngrams", TEXTS)) == TEXTS and towers.load("logmel", SOUNDS).dim == 640
    assert towers.load(f"hf:{minilm.folder()}", TEXTS).dim == 384
    with pytest.raises(BadInput, match=r"reads texts expected, 'logmel' reads recordings. Known: .*minilm"):
        towers.load("logmel", TEXTS)
    with pytest.raises(BadInput, match="Known: logmel, resemblyzer"):
        towers.load("minilm", SOUNDS)
    with pytest.raises(BadInput, match="no models to choose from"):
        towers.load("ngrams:large", TEXTS)
    with pytest.raises(BadInput, match="tower=hf:OWNER/MODEL"):
        towers.load("hf", TEXTS)
