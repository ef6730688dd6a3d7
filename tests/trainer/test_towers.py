"""Towers against what they were taken from: bands of mel, the voice's LSTM by hand, windows, and models by name."""

from pathlib import Path

import numpy as np
import pytest
import torch

from db.errors import BadInput
from trainer import towers
from trainer.towers import minilm, resemblyzer
from trainer.towers._mel import in_bands, triangles
from trainer.towers.logmel import Tower as LogMel
from trainer.towers.resemblyzer import LAYERS, WIDE, Voice, cut, windows
from trainer.towers.resemblyzer import Tower as Resemblyzer


def wave(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


def test_bands_of_mel_are_those_of_a_well_kept_library() -> None:
    library = pytest.importorskip("transformers.audio_utils")
    theirs = library.mel_filter_bank(201, 40, 0.0, 8000.0, 16_000, norm="slaney", mel_scale="slaney")
    assert triangles(16_000, 400, 40) == pytest.approx(theirs.T, abs=1e-12)
    window = library.window_function(400, "hann", periodic=True)
    heard = wave(3210)
    power = library.spectrogram(heard, window, 400, 160, power=2.0, mel_filters=theirs, pad_mode="constant",
                                mel_floor=0.0)  # fmt: skip
    found = in_bands(heard, 16_000, 400, 160, 40)
    assert found.shape == (1 + 3210 // 160, 40) and found == pytest.approx(power.T, rel=1e-4, abs=1e-9)


def test_a_word_said_slowly_is_near_the_same_word_said_fast() -> None:
    def sweep(seconds: float) -> np.ndarray:
        at = np.arange(int(16_000 * seconds)) / 16_000 / seconds
        return np.sin(2 * np.pi * seconds * (300 * at + 700 * at**2)).astype(np.float32)

    rows = LogMel()([sweep(0.4), sweep(1.1), sweep(0.4)[::-1], np.zeros(500, np.float32)])
    assert rows[0] @ rows[1] > 0.85 > 0.6 > rows[0] @ rows[2]
    assert not rows[3].any(), "silence"


@pytest.mark.parametrize("samples", [1, 100, 640])
def test_no_recording_is_too_short(samples: int) -> None:
    assert np.isfinite(LogMel()([wave(samples)])).all()


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(BadInput, match="bands = at least 8"):
        LogMel(bands=2)


def voice(seed: int = 3) -> Voice:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Voice().double()


@torch.no_grad()
def test_the_voice_is_three_layers_of_gates_by_hand() -> None:
    model, heard = voice(), np.random.default_rng(0).random((2, 7, 40))
    kept = {name: value.numpy() for name, value in model.state_dict().items()}
    for window, found in zip(heard, model(torch.from_numpy(heard)).numpy(), strict=True):
        below = list(window)
        for layer in range(LAYERS):
            W, U = (kept[f"lstm.weight_{kind}_l{layer}"] for kind in ("ih", "hh"))
            b = kept[f"lstm.bias_ih_l{layer}"] + kept[f"lstm.bias_hh_l{layer}"]
            h, c, states = np.zeros(WIDE), np.zeros(WIDE), []
            for x in below:
                i, f, g, o = np.split(W @ x + U @ h + b, 4)
                c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
                h = np.tanh(c) / (1 + np.exp(-o))
                states.append(h)
            below = states
        last = np.maximum(kept["linear.weight"] @ below[-1] + kept["linear.bias"], 0)
        assert found == pytest.approx(last / np.linalg.norm(last), abs=1e-9)


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(0.3, [0]), (1.6, [0]), (1.9, [0]), (2.0, [0, 77]), (3.0, [0, 77, 154])]
)
def test_windows_follow_each_other_and_the_last_is_covered(seconds: float, wanted: list[int]) -> None:
    assert windows(int(16_000 * seconds)) == wanted
    assert cut(wave(int(16_000 * seconds))).shape == (len(wanted), 160, 40)


def test_what_is_quiet_is_made_louder_and_what_is_loud_stays() -> None:
    quiet, louder = cut(wave(16_000) / 50), cut(wave(16_000) / 5)
    assert quiet == pytest.approx(louder, rel=1e-3)
    assert cut(wave(16_000) * 9).mean() > 10 * cut(wave(16_000)).mean()


def test_weights_are_read_and_nothing_else_is(tmp_path: Path) -> None:
    model = voice().float()
    good, evil, other = (tmp_path / name for name in ("good.pt", "evil.pt", "other.pt"))
    torch.save({"model_state": model.state_dict(), "step": 3}, good)
    with torch.no_grad():
        wanted = model(torch.from_numpy(cut(wave(40_000)))).mean(0)
    row = Resemblyzer(str(good))([wave(40_000)])[0]
    assert row == pytest.approx((wanted / wanted.norm()).numpy(), abs=1e-6)
    torch.save({"model_state": tmp_path}, evil)  # a Path is an object: to read it, code of its class must run
    torch.save({"state": 1}, other)
    for path in (evil, other, tmp_path / "absent.pt"):
        with pytest.raises(BadInput, match="holds no weights of resemblyzer"):
            Resemblyzer(str(path))([wave(100)])


def test_the_package_s_own_weights_hear_who_speaks() -> None:
    """Only where `pip install --no-deps resemblyzer` was run."""
    try:
        rows = Resemblyzer()([wave(32_000), wave(32_000, seed=1), np.zeros(99, np.float32)])
    except BadInput as error:
        assert "pip install --no-deps resemblyzer" in str(error)
        pytest.skip("resemblyzer is not installed")
    assert rows[0] @ rows[1] > 0.8 and not rows[2].any()


def test_without_its_package_the_command_that_brings_the_weights_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resemblyzer, "find_spec", lambda name: None)
    with pytest.raises(BadInput, match="pip install --no-deps resemblyzer"):
        Resemblyzer()([wave(100)])


def test_a_model_by_name_is_the_model_itself_and_what_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["one", "a longer text", ""]
    by_name = towers.load(f"hf:{minilm.folder()}", towers.TEXTS)(texts)
    assert by_name == pytest.approx(minilm.Tower()(texts), abs=1e-6)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BadInput, match="not on this machine as safetensors and cannot be fetched"):
        _ = towers.load(f"hf:{tmp_path}", towers.TEXTS).dim
