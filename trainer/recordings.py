"""Recordings as waves: one channel, at the rate a tower wants, no longer than a limit. Light to import.

The header is looked at first: a file that promises absurd rates or channels is not decoded, and of a long one only the
beginning is, so no small file fills the memory.
"""

from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from db.errors import BadInput

LONGEST_S = 30.0  # what of a recording is heard
RATES, MOST_CHANNELS = (1_000, 384_000), 32
FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")
OGG = (b"OggS",)
MP3 = (b"ID3", *(bytes((0xFF, byte)) for byte in (0xE2, 0xE3, 0xF2, 0xF3, 0xFA, 0xFB)))
BEGIN = {".wav": (b"RIFF", b"RIFX"), ".flac": (b"fLaC",), ".ogg": OGG, ".opus": OGG, ".mp3": MP3, ".m4a": ()}


def begins_as(content: bytes, extension: str) -> bool:
    """Whether the first bytes are those of a sound file with such a name. `.m4a` is stored, but no tower hears it."""
    return content.startswith(BEGIN.get(extension, ())) if extension != ".m4a" else content[4:8] == b"ftyp"


def waveform(path: Path, rate: int, longest_s: float = LONGEST_S) -> np.ndarray:
    """(S,) float32 in about [-1, 1]: the mean of the channels, at `rate` samples a second.

    Raises: OSError or ValueError for a file that is no recording; BadInput where the extra `methods` is missing.
    """
    sound = _soundfile()
    if not path.is_file():
        raise FileNotFoundError(f"no file {path.name}")
    try:
        with sound.SoundFile(path) as file:
            _check(file)
            wave = file.read(int(longest_s * file.samplerate), dtype="float32", always_2d=True).mean(1)
            own = int(file.samplerate)
    except sound.SoundFileError as error:
        raise ValueError(str(error)) from error
    if not len(wave) or not np.isfinite(wave).all():
        raise ValueError("it is empty or holds no numbers")
    return resampled(wave, own, rate)


def resampled(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """(S,) float32 -> (S',) at another rate, without aliases."""
    if rate == wanted:
        return wave
    from scipy.signal import resample_poly

    common = gcd(rate, wanted)
    return np.asarray(resample_poly(wave, wanted // common, rate // common), np.float32)


def _check(file: Any) -> None:
    if file.format not in FORMATS:
        raise ValueError(f"a recording as {', '.join(FORMATS)} expected, got {file.format}")
    if not RATES[0] <= file.samplerate <= RATES[1] or not 1 <= file.channels <= MOST_CHANNELS:
        raise ValueError(f"{file.samplerate} samples a second on {file.channels} channels is no recording")


def _soundfile() -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise BadInput("recordings need a package that is not installed: pip install 'pairwright[methods]'.") from error
    return soundfile
