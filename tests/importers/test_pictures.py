"""One picture at a time: headers first, upright, opaque, and never the original bytes for a browser."""

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.importers import decode, media
from app.importers.decode import Refused, Stored, check
from db.errors import BadInput, Broken
from tests.importers.conftest import Paint, paint
from tests.measured import tell

BOMB_SIDE = 13_000


def bomb(side: int = BOMB_SIDE) -> bytes:
    """A PNG of 169 megapixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeeze = zlib.compressobj(9)
    row = bytes(1 + -(-side // 8))
    data = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


MEASURE = """
import resource, sys, time
from pathlib import Path
from app.importers import decode, media
decode.limit_child()
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
print(decode.check(Path(sys.argv[1]).read_bytes()).reason)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
print(time.process_time() - began)
"""


def test_a_bomb_is_refused_by_its_header_without_the_memory(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb())
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "bomb.png")]
    reason, megabytes, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "megapixels" in reason
    assert int(megabytes) < 64
    tell(16, megapixels=BOMB_SIDE**2 // 10**6, more_memory_mb=int(megabytes), refused_after_s=round(float(seconds), 3))


def test_just_over_the_limits_is_refused_and_just_under_is_not() -> None:
    assert check(bomb(6_400)) == Refused("the picture is 6400 x 6400 pixels, more than 40 megapixels")
    assert _good(check(bomb(6_300)))[:2] == (6_300, 6_300)
    for frames in (64, 65):
        out = BytesIO()
        pictures = [Image.new("L", (4, 4), number) for number in range(frames)]
        pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
        assert isinstance(check(out.getvalue()), Refused) == (frames == 65)


def test_a_file_over_the_limit_is_refused_unread() -> None:
    assert check(bytes(decode.MAX_BYTES + 1)) == Refused("the file is larger than 25 MB")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_every_format_is_read_whole(kind: str, paint: Paint) -> None:
    width, height, extension, thumbnail = _good(check(paint(3, (320, 240), kind)))
    assert (width, height) == (320, 240)
    assert extension in ("png", "jpg", "webp", "gif", "bmp", "tif", "ppm")
    with Image.open(BytesIO(thumbnail)) as small:
        assert (small.size, small.format) == ((256, 192), "WEBP")


def _good(checked: decode.Checked | Refused) -> tuple[int, int, str, bytes]:
    assert not isinstance(checked, Refused), checked
    assert checked[3] is not None
    return checked[0], checked[1], checked[2], checked[3]


def test_a_turned_photo_is_stored_with_its_upright_size(paint: Paint) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    width, height, _, thumbnail = _good(check(paint(1, (80, 40), "JPEG", exif=exif)))
    assert (width, height) == (40, 80)
    with Image.open(BytesIO(thumbnail)) as small:
        assert small.size == (40, 80)
        assert not small.getexif()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK", "F"])
def test_every_pixel_mode_becomes_a_thumbnail(mode: str) -> None:
    values = np.linspace(0, 60_000, 32 * 32).reshape(32, 32)
    image = Image.fromarray(values.astype(np.uint16)) if mode == "I;16" else Image.new(mode, (32, 32))
    out = BytesIO()
    image.save(out, "TIFF" if mode in ("CMYK", "F", "I;16") else "PNG")
    _good(check(out.getvalue()))


def test_what_is_transparent_becomes_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (8, 8), (200, 0, 0, 0)).save(out, "PNG")
    with Image.open(BytesIO(_good(check(out.getvalue()))[3])) as small:
        assert np.asarray(small).min() > 250


@given(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_picture_is_taken_or_refused_but_never_raises(place: int, value: int, kind: str) -> None:
    encoded = bytearray(paint(5, (60, 60), kind))
    encoded[place % len(encoded)] = value
    checked = check(bytes(encoded[: len(encoded) - place % 7 * 50]))
    assert isinstance(checked, Refused | tuple)


def test_storing_twice_writes_once(tmp_path: Path, paint: Paint) -> None:
    import hashlib

    sha = hashlib.sha256(paint(1)).hexdigest()
    first = decode.store(paint(1), sha, tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert decode.store(paint(1), sha, tmp_path) == first
    assert isinstance(first, Stored) and len(written) == 2
    assert written == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}


def test_a_browser_gets_a_fresh_picture_of_the_asked_size_and_no_metadata(tmp_path: Path) -> None:
    import hashlib

    exif = Image.Exif()
    exif[0x010E] = "my secret garden"
    original = paint(1, (900, 600), "JPEG", exif=exif)
    sha = hashlib.sha256(original).hexdigest()
    stored = decode.store(original, sha, tmp_path)
    assert isinstance(stored, Stored)
    for size in media.SIZES:
        content, mime = media.media_bytes(tmp_path, sha, stored.path, size)
        assert mime == "image/webp" and content != original and b"secret" not in content
        with Image.open(BytesIO(content)) as shown:
            assert max(shown.size) == min(size, 900)
        assert media.media_bytes(tmp_path, sha, stored.path, size)[0] == content


@pytest.mark.parametrize("path", ["../outside.png", "/etc/passwd", "pairwright.sqlite", "media/../secrets"])
def test_a_path_outside_the_media_store_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "media").mkdir()
    with pytest.raises(BadInput, match="picture of the media store"):
        media.media_bytes(tmp_path, "a" * 64, path)


def test_wrong_sizes_hashes_and_lost_originals_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="128, 256, 512, 1024"):
        media.media_bytes(tmp_path, "a" * 64, "media/aa/x.png", 4096)
    with pytest.raises(BadInput, match="sha256"):
        media.media_bytes(tmp_path, "../../etc", "media/aa/x.png")
    with pytest.raises(Broken, match="is gone"):
        media.media_bytes(tmp_path, "a" * 64, "media/aa/x.png")
    (tmp_path / "media" / "aa").mkdir(parents=True)
    (tmp_path / "media" / "aa" / "x.png").write_bytes(b"rubbish")
    with pytest.raises(Broken, match="damaged"):
        media.media_bytes(tmp_path, "a" * 64, "media/aa/x.png")
