"""Check a picture that is only looked at, never kept: the same limits as at import, and nothing is written."""

import signal
from pathlib import Path

from app.importers import decode
from app.importers.decode import Refused, Stored


def glimpse(encoded: bytes, sha: str, workspace: Path) -> Stored | Refused:
    """Decode a picture whole, in a process with little memory and time. The task of `decoders.Decoders`."""
    signal.setitimer(signal.ITIMER_PROF, decode.CPU_S)
    try:
        checked = decode.check(encoded)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return checked if isinstance(checked, Refused) else Stored(checked[0], checked[1], "")
