"""Recordings by voice: an LSTM that tells speakers apart. `pip install --no-deps resemblyzer` brings its weights.

    e = mean over windows of 1.6 s of  relu(W h_T) / |relu(W h_T)|,  of length 1        h_T: last state of the 3rd layer

Near each other is who sounds alike, whatever is said. Its package is looked into, not imported, so that what it drags
along (librosa, webrtcvad) need not be there.
Source: Wan, Wang, Papir, Lopez Moreno 2018, "Generalized end-to-end loss for speaker verification", arXiv 1710.10467.
Weights and settings: resemble-ai/Resemblyzer (Apache-2.0).
Differs from the package: pauses are not cut out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from db.errors import BadInput
from trainer.towers._mel import in_bands

PACKAGE, FILE = "resemblyzer", "pretrained.pt"
BANDS, WIDE, LAYERS = 40, 256, 3
WINDOW, HOP = 400, 160  # samples of a frame, and from one to the next
FRAMES, STEP = 160, 77  # frames of a window, and from one to the next: 1.3 windows a second
COVERED = 0.75  # share of its last window that a longer recording must fill
LOUD = 10 ** (-30 / 20)  # a quieter recording is made as loud as this, root mean square


@dataclass(frozen=True)
class Tower:
    """model: path of `pretrained.pt`, empty for that of the installed package."""

    model: str = ""

    @property
    def rate(self) -> int:
        """16000 samples a second."""
        return 16_000

    @property
    def dim(self) -> int:
        """256."""
        return WIDE

    @torch.no_grad()
    def __call__(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """N waves -> (N, 256) float32 rows of length 1; zeros for silence. Raises: BadInput without its weights."""
        model, found = _loaded(self.model or str(_packed())), np.zeros((len(waves), WIDE), np.float32)
        for row, wave in zip(found, waves, strict=True):
            if wave.any():
                heard = model(torch.from_numpy(cut(wave)).float()).mean(0)
                row[:] = nn.functional.normalize(heard, dim=0).numpy()
        return found


class Voice(nn.Module):
    """(W, 160, 40) power in bands -> (W, 256) rows of length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, WIDE, LAYERS, batch_first=True)
        self.linear = nn.Linear(WIDE, WIDE)

    def forward(self, windows: Tensor) -> Tensor:
        _, (last, _) = self.lstm(windows)
        return nn.functional.normalize(self.linear(last[-1]).relu(), dim=1)


def cut(wave: np.ndarray) -> np.ndarray:
    """(S,) at 16 kHz -> (W, 160, 40) windows of a recording, the last of them filled up with silence."""
    loud = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
    wave = wave * max(LOUD / loud, 1.0)
    starts = windows(len(wave))
    wave = np.pad(wave, (0, max((starts[-1] + FRAMES) * HOP - len(wave), 0)))
    power = in_bands(wave, 16_000, WINDOW, HOP, BANDS)  # (T, 40)
    return np.stack([power[at : at + FRAMES] for at in starts]).astype(np.float32)


def windows(samples: int) -> list[int]:
    """The first frames of the windows of a recording."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - FRAMES + STEP + 1), STEP))
    covered = (samples / HOP - starts[-1]) / FRAMES
    return starts[:-1] if covered < COVERED and len(starts) > 1 else starts


def _packed() -> Path:
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise BadInput("the tower resemblyzer needs its weights: pip install --no-deps resemblyzer.")
    return Path(next(iter(package.submodule_search_locations))) / FILE


@cache
def _loaded(path: str) -> Voice:
    """The model with the weights of a file, in which nothing but weights is read."""
    model = Voice()
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        model.load_state_dict({name: kept[name] for name in model.state_dict()})
    except Exception as error:  # torch has many names for a file that holds more than weights, or less
        raise BadInput(f"{path} holds no weights of resemblyzer ({type(error).__name__}). Install it again.") from error
    return model.eval()
