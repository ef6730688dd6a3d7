"""Raw features of single pictures, one small file each: a cache for what arrives one by one.

A file is float16 numbers and the SHA-256 of them. What is missing or damaged is computed again.
"""

import hashlib
from pathlib import Path

import numpy as np

from app.importers.files import write_once
from db.errors import Broken

FOLDER = "seen"
DIGEST = 32


class Seen:
    """The features of one encoder, by the SHA-256 of the picture."""

    def __init__(self, workspace: Path, encoder: str) -> None:
        safe = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in encoder)
        self.folder = Path(workspace) / "features" / FOLDER / safe

    def get(self, sha: str) -> np.ndarray | None:
        """(D,) float32, or None where it has to be computed."""
        try:
            content = self._path(sha).read_bytes()
        except FileNotFoundError:
            return None
        numbers, digest = content[:-DIGEST], content[-DIGEST:]
        if hashlib.sha256(numbers).digest() != digest:
            self._path(sha).unlink(missing_ok=True)
            return None
        return np.frombuffer(numbers, "<f2").astype(np.float32)

    def put(self, sha: str, vector: np.ndarray) -> np.ndarray:
        """Keep a vector; as it will be read again. Raises Broken where the disk fails."""
        numbers = vector.astype("<f2").tobytes()
        try:
            write_once(self._path(sha), numbers + hashlib.sha256(numbers).digest())
        except OSError as error:
            raise Broken(f"cannot keep features in {self.folder} ({error.strerror}). Free some space.") from error
        return np.frombuffer(numbers, "<f2").astype(np.float32)

    def _path(self, sha: str) -> Path:
        return self.folder / sha[:2] / f"{sha}.f16"
