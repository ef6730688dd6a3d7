"""Thumbnails for browsers: always re-encoded, never the original bytes, kept on disk once made."""

from functools import lru_cache
from pathlib import Path

from PIL import Image

from app.importers import decode, files
from db.errors import BadInput, Broken

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
    made = _draw(_original(Path(workspace), path), size)
    try:
        files.write_once(cached, made)
    except OSError as error:
        raise Broken(f"cannot keep a thumbnail ({error.strerror}). Free some disk space.") from error
    return made, MIME


def _original(workspace: Path, path: str) -> Path:
    """The original's file, which must lie in the media store."""
    found = (workspace / path).resolve()
    if not found.is_relative_to(_media_root(workspace)):
        raise BadInput(f"path: expected a picture of the media store, got '{path[:120]}'.")
    return found


@lru_cache(maxsize=16)
def _media_root(workspace: Path) -> Path:
    return (workspace / "media").resolve()


def _draw(original: Path, size: int) -> bytes:
    try:
        with Image.open(original, formats=decode.FORMATS) as image:
            if decode.header_fault(image):
                raise Broken(f"the stored picture {original.name} is not the one that was imported. Import it again.")
            small, _ = decode.shrink(image, size)
            return decode.webp(small)
    except FileNotFoundError as error:
        raise Broken(f"the stored picture {original.name} is gone. Import its source again.") from error
    except (OSError, Image.DecompressionBombError) as error:
        raise Broken(f"the stored picture {original.name} is damaged ({error}). Import its source again.") from error
