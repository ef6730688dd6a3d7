"""Check one picture and put it in the media store, inside a child process with little memory and time.

The child imports this module and little else. A bomb is refused by its header, before a pixel is decoded.
"""

import resource
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from app.importers import files
from trainer.pictures import FORMATS, upright

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_FRAMES = 64
THUMBNAIL = 256  # longer side of the thumbnail made at import, in pixels
MEMORY_BYTES = 1024 * 1024 * 1024  # what decoding may take on top of the child's own start
CPU_S = 20  # processor time one picture may take
SYNTHETIC = "pairwright-synthetic"  # what the header of a picture says that a generator made here
EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif"}

Checked = tuple[int, int, str, bytes | None]
TOO_MANY_BYTES = f"the file is larger than {MAX_BYTES // 1024 // 1024} MB"


@dataclass(frozen=True)
class Stored:
    """A picture that is safely on disk. path: relative to the workspace."""

    width: int
    height: int
    path: str


@dataclass(frozen=True)
class Refused:
    """Why a picture was not taken, in one sentence."""

    reason: str


def limit_child() -> None:
    """Start-up of a decoding process: bounded memory, quiet Pillow, Ctrl-C left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    if (used := _address_space()) is not None:
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))


def look(encoded: bytes, sha: str, workspace: Path) -> Stored | Refused:
    """Check a picture and write nothing. `Stored.path` is where `store` would have put it."""
    checked = _limited(lambda: check(encoded))
    if isinstance(checked, Refused):
        return checked
    width, height, extension, _ = checked
    return Stored(width, height, files.media_path(sha, extension))


def store(encoded: bytes, sha: str, workspace: Path) -> Stored | Refused:
    """Check a picture, write its thumbnail and its bytes. Raises OSError only when the disk fails."""
    checked = _limited(lambda: check(encoded, lambda extension: _is_stored(encoded, sha, extension, workspace)))
    if isinstance(checked, Refused):
        return checked
    width, height, extension, thumbnail = checked
    path = files.media_path(sha, extension)
    if thumbnail is not None:
        files.write_once(workspace / files.thumbnail_path(sha, THUMBNAIL), thumbnail)
        files.write_once(workspace / path, encoded)
    return Stored(width, height, path)


def _limited(task: Callable[[], Checked | Refused]) -> Checked | Refused:
    """The task, with so much processor time."""
    signal.setitimer(signal.ITIMER_PROF, CPU_S)  # no handler: the process dies and the parent says why
    try:
        return task()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _is_stored(encoded: bytes, sha: str, extension: str, workspace: Path) -> bool:
    """True if this very picture was checked and stored before (its bytes are written last)."""
    original = workspace / files.media_path(sha, extension)
    thumbnail = workspace / files.thumbnail_path(sha, THUMBNAIL)
    return thumbnail.exists() and original.exists() and original.stat().st_size == len(encoded)


def check(encoded: bytes, known: Callable[[str], bool] = lambda extension: False) -> Checked | Refused:
    """(width, height, extension, thumbnail as WebP) of a picture that can be used whole.

    known: asked with the extension; if it says yes the header is enough and the thumbnail is None.
    """
    if len(encoded) > MAX_BYTES:
        return Refused(TOO_MANY_BYTES)
    try:
        with Image.open(BytesIO(encoded), formats=FORMATS) as image:
            if refused := header_fault(image):
                return refused
            if SYNTHETIC in image.info:
                return Refused("it is a synthetic picture, which stands beside its anchor and is never imported")
            extension = EXTENSIONS.get(image.format or "", (image.format or "bin").lower())
            if known(extension):
                return *_upright_size(image), extension, None
            small, (width, height) = shrink(image, THUMBNAIL)
            return width, height, extension, webp(small)
    except Image.UnidentifiedImageError:
        return Refused("not a picture in a format we read (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF)")
    except Image.DecompressionBombError:
        return Refused(f"the picture has more than {MAX_PIXELS // 1_000_000} megapixels")
    except MemoryError:
        return Refused("decoding the picture takes too much memory")
    except Exception as error:  # decoders raise nearly anything on damaged bytes
        return Refused(f"the picture is damaged ({str(error).strip('. ') or type(error).__name__})"[:200])


def header_fault(image: Image.Image) -> Refused | None:
    """What the header alone says against the picture, or None."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        return Refused(f"the picture is {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels")
    frames = getattr(image, "n_frames", 1)
    if frames > MAX_FRAMES:
        return Refused(f"the picture has {frames} frames, more than {MAX_FRAMES}")
    return None


def shrink(image: Image.Image, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """(upright RGB copy whose longer side is at most `side`, upright size of the original). Reads every byte."""
    size = _upright_size(image)
    longer = max(image.size)
    image.draft("RGB", (image.width * side // longer, image.height * side // longer))  # JPEG: skip detail unseen
    small = upright(image)
    small.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return small, size


def webp(image: Image.Image) -> bytes:
    """The picture as WebP, without any metadata."""
    out = BytesIO()
    image.save(out, "WEBP", quality=82, method=1)
    return out.getvalue()


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if image.getexif().get(0x0112, 1) >= 5 else (width, height)


def _address_space() -> int | None:
    """Bytes of address space this process has now; None where the system does not say (macOS)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None
    return pages * resource.getpagesize()
