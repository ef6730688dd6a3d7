"""Doors: values from people, files and programs are checked here once, so the rest of db can trust them."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from pathlib import PurePosixPath
from typing import Any

from db.errors import BadInput

LARGEST_ID = 2**63 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEVER_IN_A_NAME = {"Cc", "Cs", "Zl", "Zp"}


def name(value: object, what: str) -> str:
    """A name of 1 to 80 characters without control characters, stripped. Raises BadInput."""
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 80:
        raise BadInput(
            f"a {what}'s name must have 1 to 80 characters, got {value!r:.120}. Choose a shorter, visible name."
        )
    if any(unicodedata.category(letter) in _NEVER_IN_A_NAME for letter in value):
        raise BadInput(f"a {what}'s name must not hold control characters, got {value!r:.120}. Type it again.")
    return value.strip()


def text(value: object, what: str, longest: int, *, shortest: int = 1) -> str:
    """Free text of bounded length, safe to store in either database. Raises BadInput."""
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        got = f"{len(value)} characters" if isinstance(value, str) else repr(value)[:80]
        raise BadInput(f"{what} must be text of {shortest} to {longest} characters, got {got}. Change its length.")
    return storable(value)


def storable(value: str) -> str:
    """The text without what PostgreSQL or UTF-8 cannot hold: NUL and lone surrogates become a question mark."""
    return value.replace("\x00", "?").encode("utf-8", "replace").decode("utf-8")


def row_id(value: object, what: str) -> int:
    """A positive 64-bit id. Accepts numpy integers. Raises BadInput."""
    whole = value.__index__() if hasattr(value, "__index__") and not isinstance(value, bool) else 0
    if not 0 < whole <= LARGEST_ID:
        raise BadInput(f"{what} must be a positive whole number, got {value!r:.80}. Use the id the database gave.")
    return whole


def number(value: object, what: str, low: float, high: float, *, open_low: bool = False) -> float:
    """A finite number within [low, high], or (low, high] with `open_low`. Raises BadInput."""
    try:
        given = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        given = math.nan
    if not (math.isfinite(given) and low <= given <= high) or (open_low and given == low):
        left = "(" if open_low else "["
        raise BadInput(f"{what} must be a number in {left}{low:g}, {high:g}], got {value!r:.80}. Correct it.")
    return given


def one_of(value: str, what: str, known: Iterable[str]) -> str:
    """One of a short list of words. Raises BadInput naming them."""
    words = sorted(known)
    if value not in words:
        raise BadInput(f"{what} must be one of {', '.join(words)}, got {value!r:.80}. Pick one of them.")
    return value


def sha256(value: object) -> str:
    """64 lower-case hexadecimal digits. Raises BadInput."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise BadInput(f"sha256 must be 64 lower-case hexadecimal digits, got {value!r:.80}. Hash the file's bytes.")
    return value


def relative_path(value: object, what: str) -> str:
    """A POSIX path that stays below the folder it is relative to. Raises BadInput."""
    given = PurePosixPath(value) if isinstance(value, str) else None
    if given is None or given.is_absolute() or not given.parts or ".." in given.parts or "\x00" in str(given):
        raise BadInput(
            f"{what} must be a path inside the workspace, got {value!r:.120}. Make it relative, without '..'."
        )
    return storable(str(given))


def plain(value: Any) -> Any:
    """The value as JSON both databases can hold: numpy becomes Python, dates become ISO text, NaN becomes None."""
    if isinstance(value, Mapping):
        return {storable(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return storable(str(value))
