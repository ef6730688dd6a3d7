"""Recorded sessions: a JSONL file with one look at a thing on each line, in the order things came by.

    {"item": SHA-256 or "path": PICTURE, "object": ID, "seen_at": TIME, "place": TEXT, "put": BIN, "bin": BIN,
     "held": BOOL}

item: of a collection; path: a picture beside the file. put: what the person did with it unasked. bin: what they would
do if they were asked. held: not shown to the robot, only sorted at the end of every stretch to see how good it is.
Only positives: no line says where a thing does not belong.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from db import checks
from db.errors import BadInput
from db.nouns import Item

FIELDS = {"item", "path", "object", "seen_at", "place", "put", "bin", "held"}


@dataclass(frozen=True)
class Seen:
    """One line."""

    item: str | None = None
    path: str | None = None
    object: str = ""
    seen_at: datetime | None = None
    place: str = ""
    put: str | None = None
    bin: str | None = None
    held: bool = False


@dataclass(frozen=True)
class Share:
    """passive: share of things that a person places unasked. held: share that is only sorted. views: pictures of one
    thing, most: things, at most."""

    passive: float = 0.5
    held: float = 0.3
    views: int = 5
    most: int | None = None


def read(path: Path) -> list[Seen]:
    """Every line of a recording. Raises BadInput with the number of the first that cannot be used."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the recording '{path}' cannot be read ({error}). Name a JSONL file.") from error
    found = [_line(text, f"line {number} of '{path.name}'") for number, text in enumerate(lines, 1) if text.strip()]
    if not any(not one.held for one in found):
        raise BadInput(f"the recording '{path}' shows nothing to a robot. Record some lines that are not held.")
    return found


def write(path: Path, seen: Iterable[Seen]) -> int:
    """Write a recording; how many lines it has. Raises BadInput where the file cannot be written."""
    lines = [json.dumps({key: value for key, value in asdict(one).items() if value}, default=str) for one in seen]
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"'{path}' cannot be written ({error.strerror}). Choose another file.") from error
    return len(lines)


def recorded(
    items: Sequence[Item], bin_column: str, object_column: str | None, share: Share, seed: int
) -> Iterator[Seen]:  # fmt: skip
    """A recording from a labelled collection: its things in random order, each with some of its pictures.

    bin_column: the metadata column that says where a thing goes. object_column: which pictures show one thing; None:
    each shows its own. Raises BadInput where no item has both.
    """
    random = np.random.default_rng(seed)
    things: dict[str, list[Item]] = {}
    for item in items:
        if _text(item, bin_column):
            things.setdefault(_text(item, object_column) if object_column else str(item.id), []).append(item)
    things.pop("", None)
    if not things:
        columns = sorted({name for item in items for name in item.attributes})
        raise BadInput(f"no item says where it goes and what it shows. Columns there are: {', '.join(columns)}.")
    order = random.permutation(np.array(sorted(things), object))
    order = order[: share.most]
    apart = set(order[: round(share.held * len(order))])
    for name in order:
        shown = [things[name][at] for at in random.permutation(len(things[name]))[: share.views]]
        where = _text(shown[0], bin_column)
        put = where if random.random() < share.passive and name not in apart else None
        for place, item in enumerate(shown):
            acted = put if place == len(shown) - 1 else None  # the person acts once the thing was seen
            yield Seen(item.sha256, object=str(name), put=acted, bin=where, held=name in apart)


def _text(item: Item, column: str | None) -> str:
    value = item.attributes.get(column or "")
    return "" if value is None else str(value).strip()


def _line(text: str, where: str) -> Seen:
    try:
        given: Any = json.loads(text)
    except ValueError as error:
        raise BadInput(f"{where} is no JSON ({error}). Write one object a line.") from error
    if not isinstance(given, dict) or (unknown := set(given) - FIELDS):
        extra = f", got {', '.join(sorted(unknown))}" if isinstance(given, dict) else ""
        raise BadInput(f"{where} must be an object of {', '.join(sorted(FIELDS))}{extra}. Correct it.")
    if ("item" in given) is ("path" in given):
        raise BadInput(f"{where} needs either item or path. Give one of them.")
    for name, value in given.items():
        if not isinstance(value, bool if name == "held" else str):
            raise BadInput(
                f"{where}: {name} must be {'true or false' if name == 'held' else 'text'}, got {value!r:.80}."
            )
    return Seen(**{**given, **_checked(given, where)})


def _checked(given: dict[str, str], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        if "seen_at" in given:
            found["seen_at"] = datetime.fromisoformat(given["seen_at"])
        if "item" in given:
            found["item"] = checks.sha256(given["item"])
        for name in ("put", "bin"):
            if name in given:
                found[name] = checks.name(given[name], "bin")
    except ValueError as error:
        raise BadInput(
            f"{where}: seen_at must be a time such as 2026-01-05T09:30:00, got {given['seen_at']!r:.80}."
        ) from error
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error
    return found
