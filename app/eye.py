"""A process that looks at one picture for somebody who searches with it: begun when first needed, ended when idle.

    web process  -- {"encoder", "head", "bytes"} and the picture -->  app.eye_job  -- {"numbers"} and float32 -->

The picture goes through a pipe and is nowhere written, unless it is to be kept ("keep": its SHA-256): what a robot saw.
Decoding and torch stay out of the web process; a picture that kills the eye costs its sender an error and nobody else
anything.
"""

import json
import logging
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from app.importers.decode import Stored
from app.settings import Settings
from db.errors import BadInput, Broken

logger = logging.getLogger("pairwright.eye")
TIME_S = 120.0  # for one picture, loading the encoder included
IDLE_S = 600.0
PATIENCE_S = 5.0  # between closing its input and killing it
GONE = "the picture could not be looked at: the process that does it ended. Try again, or another picture."


@dataclass(frozen=True, eq=False)
class Read:
    """vector: (D,) where a sentence lies among the pictures of a version; or scores: (N,) of its items, in their order,
    by a network that compares pictures with words."""

    vector: np.ndarray | None = None
    scores: np.ndarray | None = None


class Eye:
    """Sees one picture at a time. start: begins the process."""

    def __init__(
        self, settings: Settings, start: "Callable[[Settings], subprocess.Popen[bytes]] | None" = None
    ) -> None:
        self.settings = settings
        self.child: subprocess.Popen[bytes] | None = None
        self._start = start or spawn
        self._turn = threading.Lock()
        self._idle: threading.Timer | None = None

    def see(self, encoder: str, head: str, encoded: bytes) -> np.ndarray:
        """(D,) unit vector of a picture as a version sees it. head: the artifact of the version.

        Raises: BadInput in a sentence for what is no picture, Broken if the process ended or took too long.
        """
        header, body = self._asked({"encoder": encoder, "head": head}, encoded)
        if "refused" in header:
            raise BadInput(f"this picture cannot be searched with: {header['refused']}.")
        return np.frombuffer(body, np.float32)

    def features(self, encoder: str, encoded: bytes) -> np.ndarray:
        """(D,) raw features of a picture. Raises as `see`."""
        return self._features({"encoder": encoder}, encoded)[1]

    def read(self, asked: Mapping[str, Any], captions: Callable[[], bytes]) -> Read:
        """A sentence among the pictures of a version. asked: the header of `app.eye_words`; captions: what teaches
        words, packed, asked for where the process has not read those of this key yet.

        Raises: BadInput in a sentence for what cannot be read, Broken as `see`.
        """
        header, body = self._asked(asked, b"")
        if "unread" in header:
            header, body = self._asked(asked, captions())
        if "refused" in header:
            raise BadInput(str(header["refused"]))
        found = np.frombuffer(body, np.float32)
        return Read(scores=found) if "scores" in header else Read(vector=found)

    def keep(self, encoder: str, encoded: bytes, sha: str) -> tuple[Stored, np.ndarray]:
        """Put a picture into the media store as an import does; where it is, and its (D,) raw features.

        Raises as `see`.
        """
        header, found = self._features({"encoder": encoder, "keep": sha}, encoded)
        return Stored(int(header["width"]), int(header["height"]), str(header["path"])), found

    def _features(self, asked: Mapping[str, Any], encoded: bytes) -> tuple[dict[str, Any], np.ndarray]:
        header, body = self._asked(asked, encoded)
        if "refused" in header:
            raise BadInput(f"this picture cannot be used: {header['refused']}.")
        return header, np.frombuffer(body, np.float32)

    def _asked(self, asked: Mapping[str, Any], encoded: bytes) -> tuple[dict[str, Any], bytes]:
        with self._turn:
            self._rest(None)
            child = self._child()
            watch = threading.Timer(TIME_S, child.kill)
            watch.daemon = True
            watch.start()
            try:
                header, body = _ask(child, asked, encoded)
            except (OSError, EOFError, ValueError) as error:
                child.kill()
                child.wait()
                raise Broken(GONE) from error
            finally:
                watch.cancel()
                self._rest(IDLE_S)
        if "broken" in header:
            raise Broken(str(header["broken"]))
        return header, body

    def stop(self) -> None:
        """End the process; the next picture begins another one."""
        self._rest(None)
        child, self.child = self.child, None
        if child is None:
            return
        if child.stdin is not None:
            _close(child.stdin)  # it ends with its input
        try:
            child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            _close(child.stdout)

    def _child(self) -> "subprocess.Popen[bytes]":
        if self.child is None or self.child.poll() is not None:
            self.stop()
            self.child = self._start(self.settings)
        return self.child

    def _rest(self, after_s: float | None) -> None:
        """Begin to wait for the idle end, or, with None, stop waiting."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = None if after_s is None else threading.Timer(after_s, self._asleep)
        if self._idle is not None:
            self._idle.daemon = True
            self._idle.start()

    def _asleep(self) -> None:
        """Nobody searched with a picture for a while: give the memory back."""
        if self._turn.acquire(blocking=False):
            try:
                self.stop()
            finally:
                self._turn.release()


def spawn(settings: Settings) -> "subprocess.Popen[bytes]":
    """`python -m app.eye_job` with pipes; it ends when its input does, so also when we are killed."""
    root = str(Path(__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": root if not known else os.pathsep.join([root, known])}
    return subprocess.Popen(
        [sys.executable, "-m", "app.eye_job", "--workspace", str(settings.folder)],
        env=environment, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _ask(
    child: "subprocess.Popen[bytes]", header: Mapping[str, Any], body: bytes
) -> tuple[dict[str, Any], bytes]:  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    send(child.stdin, header, body)
    return receive(child.stdout)


def send(pipe: IO[bytes], header: Mapping[str, Any], body: bytes = b"") -> None:
    """One message: two lengths, a header in JSON, a body."""
    text = json.dumps(dict(header)).encode()
    pipe.write(struct.pack("<II", len(text), len(body)) + text + body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """The next message. Raises EOFError where the pipe ended."""
    lengths = struct.unpack("<II", _exactly(pipe, 8))
    header = json.loads(_exactly(pipe, lengths[0]))
    return header, _exactly(pipe, lengths[1])


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = pipe.read(count - len(found))
        if not part:
            raise EOFError("the pipe ended")
        found += part
    return found


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        logger.debug("the eye's pipe was broken already")
