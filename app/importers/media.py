"""Thumbnails for browsers: always re-encoded, never the original bytes, kept on disk once made."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath

from PIL import Image

from app.importers import decode, files
from db.errors import BadInput, Broken
from trainer.originals import Part, original

SIZES = (128, 256, 512, 1024)
MIME = "image/webp"


def media_bytes(workspace: Path, item_sha: str, path: str, size: int = 256) -> tuple[bytes, str]:
    """(bytes, MIME type) of a picture whose longer side is at most `size` pixels.

    Args: path: Item.path, relative to the workspace. size: one of 128, 256, 512, 1024.
    Raises: BadInput for another size or a path outside the media store, Broken if the original is gone or damaged.
    """
    if size not in SIZES:
        raise BadInput(f"size: expected one of {', '.join(map(str, SIZES))}, got {size}.")
    cached = Path(workspace) / files.thumbnail_path(item_sha, size)
    try:
        return cached.read_bytes(), MIME
    except FileNotFoundError:
        pass
    made = _draw(_original(Path(workspace), path, item_sha), path, size)
    try:
        files.write_once(cached, made)
    except OSError as error:
        raise Broken(f"cannot keep a thumbnail ({error.strerror}). Free some disk space.") from error
    return made, MIME


def _original(workspace: Path, path: str, sha: str) -> bytes:
    """The original's bytes, of the media store or of a big file."""
    name = PurePosixPath(path).name
    if Part.of(path) is None and not (workspace / path).resolve().is_relative_to(_media_root(workspace)):
        raise BadInput(f"path: expected a picture of the media store, got '{path[:120]}'.")
    try:
        return original(workspace, path, sha)
    except FileNotFoundError as error:
        raise Broken(f"the stored picture {name} is gone. Import its source again.") from error
    except OSError as error:
        raise Broken(f"the stored picture {name} is damaged ({error}). Import its source again.") from error


@lru_cache(maxsize=16)
def _media_root(workspace: Path) -> Path:
    return (workspace / "media").resolve()


def _draw(encoded: bytes, path: str, size: int) -> bytes:
    name = PurePosixPath(path).name
    try:
        with Image.open(BytesIO(encoded), formats=decode.FORMATS) as image:
            if decode.header_fault(image):
                raise Broken(f"the stored picture {name} is not the one that was imported. Import it again.")
            small, _ = decode.shrink(image, size)
            return decode.webp(small)
    except (OSError, Image.DecompressionBombError) as error:
        raise Broken(f"the stored picture {name} is damaged ({error}). Import its source again.") from error
