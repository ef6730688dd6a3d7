"""What a stored state was made of, in short texts beside its tensors, and whether a run may go on from it."""

import hashlib
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from db.errors import BadInput

MADE_WITH = ("pairwright", "torch")  # another version goes on too, but perhaps not to the same bits


def versions() -> dict[str, str]:
    """Versions of what computes the numbers."""
    return {name: version(name) for name in MADE_WITH}


def digest(numbers: np.ndarray) -> str:
    """16 hexadecimal digits that differ for other int64 numbers or another order."""
    return hashlib.sha256(np.ascontiguousarray(numbers, "<i8").tobytes()).hexdigest()[:16]


def described(path: Path) -> dict[str, str] | None:
    """The texts of a stored state; None where there is none that can be read."""
    try:
        with safe_open(os.fspath(path), "pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError):
        return None


def checked(path: Path, about: Mapping[str, str]) -> list[str]:
    """Sentences to warn with before a run goes on from a state; none where there is nothing to go on from.

    Raises: BadInput where the state is of other pictures or settings than `about` says.
    """
    stored = described(path)
    if stored is None:
        unread = "the state of the stopped run cannot be read, so this one begins anew."
        return [unread] if path.exists() else []
    other = [
        f"{name} = {stored.get(name, 'nothing')}, now {told}"
        for name, told in about.items()
        if told != stored.get(name)
    ]
    if other:
        raise BadInput(f"the run that was stopped here had {'; '.join(other)}. Add --again to begin anew.")
    moved = [f"{name} {stored.get(name)}, now {now}" for name, now in versions().items() if now != stored.get(name)]
    if moved:
        return [f"this run was begun with {', '.join(moved)}: it goes on, but may end with slightly other numbers."]
    return []
