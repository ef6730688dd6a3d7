"""Embedding speed: a plain eager torch loop and our path side by side, in one run, over the same files.

    python -m benchmarks.embed
    python -m benchmarks.embed --pictures 512 --compile     # also torch.compile, which needs a C++ compiler

Every way starts from encoded JPEG files and ends with (N, 1280) numbers. Rounds alternate, the median counts.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image

from benchmarks import _report
from benchmarks.ingest import draw
from trainer.encoders import Encoder, load_encoder
from trainer.encoders.lite0 import network

BATCH = 32
Way = Callable[[Sequence[bytes]], np.ndarray]


def eager_loop(model: torch.nn.Module, layout: torch.memory_format = torch.contiguous_format) -> Way:
    """What one writes first: decode, resize, normalise, stack, forward, batch by batch."""
    ready = model.to(memory_format=layout)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(files: Sequence[bytes]) -> np.ndarray:
        out = []
        for start in range(0, len(files), BATCH):
            batch = torch.stack([_tensor(file) for file in files[start : start + BATCH]])
            out.append(ready(batch.to(memory_format=layout)).numpy())
        return np.concatenate(out)

    return run


def _tensor(file: bytes) -> torch.Tensor:
    with Image.open(io.BytesIO(file)) as image:
        width, height = image.size
        cut = min(width, height)
        box = ((width - cut) / 2, (height - cut) / 2, (width + cut) / 2, (height + cut) / 2)
        small = image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC, box=box)
    return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float().div(255).sub(0.5).div(0.5)


def ours(encoder: Encoder) -> Way:
    """As `trainer.features` does it: threads decode the next batch while this one is encoded."""

    def run(files: Sequence[bytes]) -> np.ndarray:
        with ThreadPoolExecutor(2) as threads:
            squares = threads.map(encoder.square, files)
            starts = range(0, len(files), 2 * BATCH)
            stacked = ([next(squares) for _ in files[start : start + 2 * BATCH]] for start in starts)
            return np.concatenate([encoder.encode_squares(np.stack(batch)) for batch in stacked])

    return run


def main() -> None:
    """Measure every way, check that they agree, and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    before = _report.machine()
    files = [draw(given.seed + number, (640, 480)) for number in range(given.pictures)]
    began = time.perf_counter()
    encoder = load_encoder("lite0")
    load_s = time.perf_counter() - began
    ways: dict[str, Way] = {
        "eager": eager_loop(network()),
        "eager_channels_last": eager_loop(network(), torch.channels_last),
        "pairwright": ours(encoder),
        "pairwright_without_openvino": ours(load_encoder("lite0", engine="eager")),
    }
    if given.compile:
        ways["compiled"] = eager_loop(torch.compile(network()))  # type: ignore[arg-type]
    rates, cosines = _race(ways, files, given.rounds)
    measured = {
        "pictures_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "times_eager": {name: round(rate / rates["eager"], 2) for name, rate in rates.items()},
        "smallest_cosine_to_eager": {name: round(cosine, 6) for name, cosine in cosines.items()},
        "load_seconds": round(load_s, 1),
        "threads": torch.get_num_threads(),
    }
    _report.keep("embed", vars(given), measured, before)


def _race(ways: dict[str, Way], files: Sequence[bytes], rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """(pictures a second, smallest cosine to the eager loop) of every way."""
    truth = ways["eager"](files)
    cosines = {name: _cosine(way(files), truth) for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(files)
            times[name].append(time.perf_counter() - began)
    return {name: len(files) / statistics.median(taken) for name, taken in times.items()}, cosines


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


if __name__ == "__main__":
    main()
