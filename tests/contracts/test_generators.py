"""What every generator promises. A file in trainer/generators is tested by being there."""

from dataclasses import fields
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
import torch

from db.errors import BadInput
from oracle import plugins
from tests.patterns import patterns
from trainer.attributes import Attributes
from trainer.generating import FAMILY, candidates, keep, learn, maker_of
from trainer.generators._maker import Maker

NAMES = plugins.names(FAMILY)
TINY = {"side": 16, "width": 8, "batch": 8, "ddim": 4, "classes": "pattern"}
PICTURES, KINDS = patterns(32)
TONES = TemporaryDirectory(prefix="pairwright-tones-")


def maker(name: str, seed: int = 0, **more: object) -> Maker:
    """A small one; what it does not take is left out."""
    takes = plugins.settings_of(FAMILY, name)
    given = {key: value for key, value in {**TINY, **more}.items() if key in takes}
    return maker_of(plugins.load(FAMILY, name, **given), seed, metadata)


@cache
def metadata() -> Attributes:
    """Of the pictures: their pattern, and a tone as high as it."""
    paths = np.array([Path(TONES.name) / f"{kind}.wav" for kind in KINDS], object)
    for kind, path in zip(KINDS, paths, strict=True):
        soundfile.write(path, np.sin(2 * np.pi * (200 + 300 * kind) * np.arange(800) / 8000), 8000)
    unknown = np.full(len(KINDS), np.nan)
    values = {"pattern": np.array([str(kind) for kind in KINDS], object)}
    return Attributes(np.arange(len(KINDS)), values, unknown, np.stack([unknown, unknown], 1), paths)


def taught(name: str, folder: Path, steps: int = 3, seed: int = 0) -> Maker:
    made = maker(name, seed)
    told = lambda done, of, report: None  # noqa: E731
    state = folder / "state.safetensors"
    assert learn(made, PICTURES, steps, 8, state=state, about={"run": "a"}, told=told, cancelled=lambda: False)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_steps_change_the_weights_and_their_reports_are_finite(name: str) -> None:
    made = maker(name)
    before = {key: value.clone() for key, value in made.weights().items()}
    pixels = torch.from_numpy(PICTURES[:8]).permute(0, 3, 1, 2).float() / 127.5 - 1
    reports = [made.step(pixels, np.arange(8)) for _ in range(2)]
    assert all(np.isfinite(list(report.values())).all() and "loss" in report for report in reports)
    assert any(not torch.equal(before[key], value) for key, value in made.weights().items())
    assert all(value.isfinite().all() for value in made.weights().values()) and made.done == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_makes_the_same_pictures_whatever_was_made_before(name: str, tmp_path: Path) -> None:
    one, again = taught(name, tmp_path / "a"), taught(name, tmp_path / "b")
    first = candidates(one, PICTURES[3], 11, 2)
    assert first.shape == (2, 16, 16, 3) and first.dtype == np.uint8
    candidates(again, PICTURES[4], 12, 2)
    assert np.array_equal(first, candidates(again, PICTURES[3], 11, 2))
    assert not np.array_equal(first[0], first[1]), "candidates of an anchor are distinct"
    assert not np.array_equal(first, candidates(one, PICTURES[3], 12, 2)), "the draws follow from the item"
    assert not np.array_equal(first, candidates(taught(name, tmp_path / "c", seed=1), PICTURES[3], 11, 2))


@pytest.mark.parametrize("name", NAMES)
def test_a_stopped_one_goes_on_bit_equal(name: str, tmp_path: Path) -> None:
    whole, stopped = taught(name, tmp_path / "a", 4), taught(name, tmp_path / "b", 2)
    keep(tmp_path / "b" / "state.safetensors", stopped, {"run": "a"})
    gone_on = taught(name, tmp_path / "b", 4)
    assert gone_on.done == whole.done == 4
    for key, value in whole.state().items():
        assert torch.equal(value, gone_on.state()[key]), key


@pytest.mark.parametrize("name", NAMES)
def test_a_cancel_is_heard_between_steps_and_loses_none(name: str, tmp_path: Path) -> None:
    made, told = maker(name), []
    state = tmp_path / "state.safetensors"
    assert not learn(
        made, PICTURES, 9, 8, state=state, about={},
        told=lambda done, of, report: told.append(done), cancelled=lambda: len(told) == 2,
    )  # fmt: skip
    again = maker(name)
    learn(again, PICTURES, 9, 8, state=state, about={}, told=lambda *_: None, cancelled=lambda: True)
    assert told == [1, 2] and again.done == 2


@pytest.mark.parametrize("name", NAMES)
def test_weights_of_another_generator_and_odd_settings_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="of another generator"):
        maker(name).load_weights(maker(name, width=16).weights())
    for wrong in ({"side": 18}, {"steps": 0}, {"candidates": 0}, {"rate": 0.0}):
        with pytest.raises(BadInput, match="expected, got"):
            maker(name, **wrong)


@pytest.mark.parametrize("name", NAMES)
def test_the_docstrings_name_the_source_and_every_setting(name: str) -> None:
    found = plugins.find(FAMILY, name)
    assert "arXiv" in (__import__(found.__module__, fromlist=["x"]).__doc__ or "")
    for setting in fields(found):
        assert setting.name in (found.__doc__ or ""), f"the docstring of Generator says nothing about {setting.name}"
