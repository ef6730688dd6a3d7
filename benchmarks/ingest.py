"""How fast pictures come in: checked, hashed, thumbnailed, on disk and in the database.

    python -m benchmarks.ingest                      # 10,000 JPEG pictures of 640 x 480 from a folder
    python -m benchmarks.ingest --pictures 2000 --from zip

Pictures are drawn from a seed. Drawing is not counted; everything `pairwright import` does is.
"""

import argparse
import io
import resource
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from app.importers import import_path
from benchmarks import _report
from db.engine import open_database

DISTINCT = 64  # pictures really drawn; the others differ by bytes after their end, so none is a copy


def draw(seed: int, size: tuple[int, int]) -> bytes:
    """One JPEG with the detail of a photo: about 60 kB at 640 x 480."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    noisy = np.asarray(coarse, np.int16) + rng.integers(-9, 10, (size[1], size[0], 1), np.int16)
    out = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=87)
    return out.getvalue()


def prepare(folder: Path, pictures: int, seed: int, size: tuple[int, int], source: str) -> tuple[Path, int]:
    """(source, bytes a picture): a folder or a zip."""
    drawn = [draw(seed + number, size) for number in range(min(DISTINCT, pictures))]
    bytes_each = sum(map(len, drawn)) // len(drawn)
    named = ((f"{n:06}.jpg", drawn[n % len(drawn)] + n.to_bytes(8, "big")) for n in range(pictures))
    if source == "zip":
        with zipfile.ZipFile(folder / "pictures.zip", "w") as pack:
            for name, content in named:
                pack.writestr(name, content)
        return folder / "pictures.zip", bytes_each
    (folder / "pictures").mkdir()
    for name, content in named:
        (folder / "pictures" / name).write_bytes(content)
    return folder / "pictures", bytes_each


def processor_s() -> float:
    """Processor time of this process and its children so far: what the load of the machine does not change."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Measure one import and the same import again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--from", dest="source", choices=("folder", "zip"), default="folder")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    before = _report.machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "workspace").mkdir()
        source, bytes_each = prepare(folder, given.pictures, given.seed, tuple(given.size), given.source)
        database = open_database(f"sqlite:///{folder / 'workspace' / 'pairwright.sqlite'}")
        seconds, processor = [], []
        for expected in ((given.pictures, 0), (0, given.pictures)):
            began, used = time.perf_counter(), processor_s()
            done = import_path(database, folder / "workspace", source, "benchmark")
            seconds.append(time.perf_counter() - began)
            processor.append(processor_s() - used)
            if (done.added, done.known) != expected:
                raise SystemExit(f"expected (added, known) = {expected}, got {(done.added, done.known)}")
        database.close()
    measured = {
        "seconds": round(seconds[0], 1),
        "pictures_per_second": round(given.pictures / seconds[0], 1),
        "processor_seconds": round(processor[0], 1),
        "again_seconds": round(seconds[1], 1),
        "bytes_per_picture": bytes_each,
    }
    _report.keep("ingest", vars(given), measured, before)


if __name__ == "__main__":
    main()
