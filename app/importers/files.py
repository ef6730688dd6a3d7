"""Where pictures lie in the workspace, and how a file gets there whole or not at all."""

import os
import re
import threading
from pathlib import Path

from db.errors import BadInput

_SHA = re.compile(r"[0-9a-f]{64}")


def media_path(sha: str, extension: str) -> str:
    """Where the original bytes lie, relative to the workspace."""
    return f"media/{_checked(sha)[:2]}/{sha}.{extension}"


def thumbnail_path(sha: str, size: int) -> str:
    """Where a thumbnail lies, relative to the workspace."""
    return f"thumbs/{size}/{_checked(sha)[:2]}/{sha}.webp"


def write_once(target: Path, content: bytes) -> None:
    """Write a file that is either whole or absent, even if the power fails; an existing whole one is kept."""
    if not target.exists() or target.stat().st_size != len(content):
        replace(target, content)


def replace(target: Path, content: bytes) -> None:
    """Write a file, in place of an older one or not, that is whole at every moment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked(sha: str) -> str:
    if not _SHA.fullmatch(sha):
        raise BadInput(f"sha256: expected 64 hexadecimal digits, got '{sha[:80]}'.")
    return sha
