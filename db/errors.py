"""Every error Pairwright raises on purpose.

    PairwrightError
    ├── BadInput            the caller gave something we cannot use        exit code 2, HTTP 422
    │   └── NotFound        a name or id that does not exist              exit code 2, HTTP 404
    ├── Refused             allowed in form, not in this state or role    exit code 3, HTTP 403 or 409
    │   ├── Conflict        somebody else changed it first                HTTP 409
    │   ├── Forbidden       the role does not allow it                    HTTP 403
    │   └── StaleLease      the lease or fencing token is no longer ours  HTTP 409
    └── Broken              our fault or the machine's (disk full, corrupt cache)   exit code 1, HTTP 503
        └── LostPeer        another process of the same run ended

Messages are one sentence or two: what is wrong (expected, got), then what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PairwrightError(Exception):
    """Base of the tree. `exit_code` is what the command line exits with, `status` what REST replies."""

    exit_code = 1
    status = 500


class BadInput(PairwrightError):
    """The caller gave something we cannot use."""

    exit_code = 2
    status = 422


class NotFound(BadInput):
    """A name or id that does not exist."""

    status = 404


class Refused(PairwrightError):
    """Well formed, but not allowed now."""

    exit_code = 3
    status = 409


class Conflict(Refused):
    """Somebody else changed it first."""


class Forbidden(Refused):
    """The role does not allow it."""

    status = 403


class StaleLease(Refused):
    """The lease ran out or belongs to a newer holder."""


class Broken(PairwrightError):
    """Our fault or the machine's: disk full, corrupt cache, database gone."""

    status = 503


class LostPeer(Broken):
    """Another process of the same run ended."""


def unknown(what: str, given: str, known: Iterable[str], *, remedy: str = "") -> NotFound:
    """The error for a misspelt name: what was given, the nearest spelling, everything that would work."""
    names = sorted(known)
    near = get_close_matches(given, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(names) if names else "none yet"
    return NotFound(f"no {what} named '{given}'.{hint} Known: {listed}.{' ' + remedy if remedy else ''}")
