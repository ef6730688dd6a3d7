"""PostgreSQL behind a network of its own, whose cable can be pulled: what is sent then vanishes, and nobody is told.

Needs root and `ip` of iproute2: a network namespace holds the far end of a cable, and a door in front of the server.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEAR, FAR = "10.203.7.1", "10.203.7.2"
DOOR = """
import sys, threading
from tests.faults.proxy import Proxy
print(Proxy(sys.argv[1], sys.argv[2]).port, flush=True)
threading.Event().wait()
"""


def possible() -> bool:
    """Whether this machine lets us have a network namespace."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    with contextlib.suppress(subprocess.CalledProcessError):
        name = f"pw-try-{os.getpid()}"
        ip("netns", "add", name)
        ip("netns", "del", name)
        return True
    return False


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Cable:
    """From here to the door. address: HOST:PORT of the door."""

    space: str
    far: str
    address: str

    def pull(self) -> None:
        """At the far end: here the way still seems open, and nothing arrives, either way; nobody hangs up."""
        ip("-n", self.space, "link", "set", self.far, "down")

    def plug(self) -> None:
        ip("-n", self.space, "link", "set", self.far, "up")


@contextlib.contextmanager
def cable(target: str) -> Iterator[Cable]:
    """A cable to a door before the Unix socket `target`; everything goes with it."""
    space, near, far = f"pw-{os.getpid()}", f"pwn{os.getpid()}", f"pwf{os.getpid()}"
    ip("netns", "add", space)
    try:
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
        ip("addr", "add", f"{NEAR}/30", "dev", near)
        ip("-n", space, "addr", "add", f"{FAR}/30", "dev", far)
        for words in (("link", "set", near), ("-n", space, "link", "set", far), ("-n", space, "link", "set", "lo")):
            ip(*words, "up")
        command = ["ip", "netns", "exec", space, sys.executable, "-c", DOOR, target, FAR]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as door:
            assert door.stdout is not None
            try:
                yield Cable(space, far, f"{FAR}:{door.stdout.readline().strip()}")
            finally:
                door.kill()
    finally:
        ip("netns", "del", space)
