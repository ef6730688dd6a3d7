"""Recordings as waves: channels, rates, limits, and files that are none."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.recordings import begins_as, waveform


def tone(hertz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(np.float32)


def write(path: Path, wave: np.ndarray, rate: int) -> Path:
    soundfile.write(path, wave, rate)
    return path


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_a_pitch_stays_the_same_at_another_rate(tmp_path: Path, kind: str, rate: int) -> None:
    heard = waveform(write(tmp_path / f"a.{kind}", tone(440, rate), rate), 16_000)
    loudest = np.abs(np.fft.rfft(heard)).argmax() * 16_000 / len(heard)
    assert heard.dtype == np.float32 and heard.ndim == 1
    assert loudest == pytest.approx(440, abs=4) and len(heard) == pytest.approx(8000, rel=0.2)


def test_channels_are_averaged_and_the_beginning_is_heard(tmp_path: Path) -> None:
    both = np.stack([tone(300, 8000), tone(900, 8000)], 1)
    heard = waveform(write(tmp_path / "a.wav", both, 8000), 8000)
    assert heard == pytest.approx(both.mean(1), abs=1e-4)
    assert len(waveform(tmp_path / "a.wav", 8000, longest_s=0.1)) == 800


def test_a_small_file_that_grows_large_is_cut_before_it_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "quiet.flac", np.zeros(600 * 8000, np.float32), 8000)
    assert path.stat().st_size < 200_000
    assert len(waveform(path, 8000)) == 30 * 8000


def test_what_is_no_recording_is_an_error_of_its_own(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"RIFF....WAVE")
    empty = write(tmp_path / "empty.wav", np.zeros(0, np.float32), 8000)
    odd = write(tmp_path / "odd.wav", tone(100, 500), 500)
    many = write(tmp_path / "many.wav", np.zeros((10, 40), np.float32), 8000)
    other = write(tmp_path / "other.aiff", tone(100, 8000), 8000)
    for path, why in ((damaged, "WAV"), (empty, "empty"), (odd, "500 samples"), (many, "40 channels"), (other, "AIFF")):
        with pytest.raises(ValueError, match=why):
            waveform(path, 16_000)
    with pytest.raises(OSError, match="no file absent"):
        waveform(tmp_path / "absent.wav", 16_000)


def test_files_begin_as_their_names_say() -> None:
    for kind in ("wav", "flac", "ogg", "mp3"):
        out = io.BytesIO()
        soundfile.write(out, tone(440, 8000), 8000, format=kind)
        assert begins_as(out.getvalue(), f".{kind}") and not begins_as(b"<html>", f".{kind}")
    assert (
        begins_as(b"\0\0\0\x20ftypM4A ", ".m4a") and not begins_as(b"RIFF", ".m4a") and not begins_as(b"RIFF", ".exe")
    )
