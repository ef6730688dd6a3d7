"""The process that sees pictures: talks through its pipes, refuses bombs, survives its own death, leaves nothing."""

import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pytest

from app.eye import Eye, receive, send
from app.settings import Settings
from db.artifacts import ArtifactStore
from db.errors import BadInput, Broken
from tests.app.conftest import paint

ECHO = """
import sys
from app.eye import receive, send
import numpy as np
while True:
    try: header, body = receive(sys.stdin.buffer)
    except EOFError: break
    if body == b"die": sys.exit(3)
    if body == b"no": send(sys.stdout.buffer, {"refused": "it is no picture"})
    elif body == b"broken": send(sys.stdout.buffer, {"broken": "the encoder is gone."})
    else: send(sys.stdout.buffer, {"numbers": 2}, np.array([len(body), len(header["head"])], np.float32).tobytes())
"""


def echo(settings: Settings) -> "Popen[bytes]":
    return Popen([sys.executable, "-c", ECHO], stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parents[2])


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few kilobytes that says it has 3.6 gigapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_messages_come_back_as_they_were_sent() -> None:
    pipe = BytesIO()
    send(pipe, {"a": "ü"}, b"body")
    send(pipe, {}, b"")
    pipe.seek(0)
    assert [receive(pipe), receive(pipe)] == [({"a": "ü"}, b"body"), ({}, b"")]
    with pytest.raises(EOFError):
        receive(pipe)


def test_one_process_sees_many_pictures_and_a_death_costs_one_error(tmp_path: Path) -> None:
    eye = Eye(Settings(tmp_path), echo)
    try:
        assert eye.see("lite0", "abc", b"12345").tolist() == [5, 3]
        first = eye.child
        assert eye.see("lite0", "", b"1").tolist() == [1, 0] and eye.child is first
        with pytest.raises(BadInput, match=r"cannot be searched with: it is no picture\."):
            eye.see("lite0", "", b"no")
        with pytest.raises(Broken, match="encoder is gone"):
            eye.see("lite0", "", b"broken")
        with pytest.raises(Broken, match="could not be looked at"):
            eye.see("lite0", "", b"die")
        assert eye.see("lite0", "", b"again").tolist() == [5, 0] and eye.child is not first
    finally:
        eye.stop()
    assert eye.child is None


def test_a_stopped_eye_leaves_no_process(tmp_path: Path) -> None:
    eye = Eye(Settings(tmp_path), echo)
    eye.see("lite0", "", b"1")
    child = eye.child
    eye.stop()
    assert child is not None and child.poll() is not None


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_real_process_sees_a_picture_as_the_version_does_and_refuses_a_bomb(tmp_path: Path) -> None:
    """Its vector is that of the importer's features through the same head; nothing but the head is on disk after."""
    from trainer.backbones import load_backbone
    from trainer.head import Head
    from trainer.snapshot import unit
    from trainer.trained import load_trained, store_encoder

    settings = Settings(tmp_path / "workspace")
    settings.folder.mkdir()
    store = ArtifactStore(str(settings.folder / "artifacts"))
    name = store_encoder(store, "simclr", "small", load_backbone("small", size=32, pretrained=False).eval(), {})
    encoder = load_trained(store, name)
    features = encoder.encode_squares(np.stack([encoder.square(paint(number)) for number in range(8)]))
    head = Head.from_features(features, size=6)
    store.save("models/1/x", {"head.safetensors": head.to_bytes()})
    before = sorted(settings.folder.rglob("*"))
    eye = Eye(settings)
    try:
        with pytest.raises(BadInput, match="megapixels"):
            eye.see(name, "models/1/x", bomb())
        with pytest.raises(BadInput, match="not a picture"):
            eye.see(name, "models/1/x", b"<svg onload=alert(1)>")
        found = eye.see(name, "models/1/x", paint(3))
    finally:
        eye.stop()
    assert found @ unit(head.embed(features))[3] > 0.999
    assert sorted(settings.folder.rglob("*")) == before
