"""Frames of a video, by PyAV, inside a child process with little memory: some each second, and the first of each shot.

A shot ends where the colours of two frames in a row differ by more than CUT (total variation of coarse histograms).
Frames of one shot look alike, so they share the group key `shot` and stay on one side of a split.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.importers import decode
from db.errors import BadInput

ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".ogv")
# Demuxers that read one file and no other: a playlist in a file called .mp4 would have FFmpeg open addresses.
DEMUXERS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,ogg"
CPU_S = 1800  # processor time of one video
MOST = 20_000  # frames of one video
CUT, SHORTEST_S = 0.45, 0.25  # of a shot
BINS, SMALL = 4, (64, 36)  # of a colour; pixels that are compared
QUALITY = 95


@dataclass(frozen=True)
class Frame:
    """file: its JPEG. second: when it is shown. shot: counted from 0."""

    file: str
    second: float
    shot: int


def require() -> None:
    """Raises BadInput where PyAV is missing."""
    if find_spec("av") is None:
        raise BadInput("reading videos needs PyAV, which is not installed: pip install 'pairwright[video]'.")


def extract(video: Path, folder: Path, every: float) -> list[Frame] | str:
    """Write frames into a folder; what they are, or why the video cannot be read. For a limited child process."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S)  # no handler: the process dies and the parent says why
    try:
        return list(_frames(video, folder, every))
    except MemoryError:
        return "decoding the video takes too much memory"
    except Exception as error:  # FFmpeg's errors are many
        return f"the video cannot be read ({str(error).strip('. ')[:160] or type(error).__name__})"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _frames(video: Path, folder: Path, every: float) -> Iterator[Frame]:
    shot, since, due, last = 0, 0.0, 0.0, None
    number = 0
    for second, picture in _decoded(video):
        colours = _histogram(picture)
        cut = last is not None and second - since >= SHORTEST_S and 0.5 * np.abs(colours - last).sum() > CUT
        last = colours
        if cut:
            shot, since = shot + 1, second
        if not cut and second + 1e-6 < due:
            continue
        if number == MOST:
            raise ValueError(f"it has more than {MOST:,} frames to keep; take fewer with video:every=SECONDS")
        name = f"{number:06}.jpg"
        picture.save(folder / name, "JPEG", quality=QUALITY)
        number, due = number + 1, second + every
        yield Frame(name, round(second, 3), shot)


def _decoded(video: Path) -> Iterator[tuple[float, Image.Image]]:
    import av

    with video.open("rb") as file, av.open(file, "r", options={"format_whitelist": DEMUXERS}) as container:
        if not container.streams.video:
            raise ValueError("it has no pictures")
        stream = container.streams.video[0]
        _small_enough(stream.codec_context.width, stream.codec_context.height)
        for number, frame in enumerate(container.decode(stream)):
            _small_enough(frame.width, frame.height)
            second = float(number) if frame.time is None else float(frame.time)
            yield second, frame.to_image()


def _small_enough(width: int, height: int) -> None:
    if width * height > decode.MAX_PIXELS:
        raise ValueError(f"its frames are {width} x {height}, more than {decode.MAX_PIXELS // 1_000_000} megapixels")


def _histogram(picture: Image.Image) -> np.ndarray:
    """(64,) shares of coarse colours."""
    small: Any = np.asarray(picture.resize(SMALL, Image.Resampling.BOX), np.uint8) // (256 // BINS)
    codes = small[..., 0].astype(np.int64) * BINS * BINS + small[..., 1] * BINS + small[..., 2]
    return np.bincount(codes.ravel(), minlength=BINS**3) / codes.size
