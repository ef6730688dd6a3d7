"""Repeat what was answered before, from a file of pair verdicts (`export pairs`, or a run's answers.jsonl)."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.errors import BadInput, NotFound
from db.nouns import Answer, Item, PairVerdict, Question, Verdict
from oracle.answerers._scripted import Scripted, missing

Pair = frozenset[int]


@dataclass
class Answerer(Scripted):
    """file: CSV or JSON lines with columns a, b, verdict and, if known, confidence and background.

    a and b are content hashes, names or ids; columns a_sha256 and b_sha256 go first. Of several rows about one pair the
    last counts. A question of which no pair was answered gets no answer; single unknown pairs are skipped.
    """

    ARGUMENT = "file"

    items: Sequence[Item] = field(repr=False)
    file: str | Path

    def __post_init__(self) -> None:
        place = places(self.items)
        self._said: dict[Pair, PairVerdict] = {}
        for number, row in enumerate(_rows(Path(self.file)), start=1):
            said = _verdict(row, place, f"{self.file}, row {number}")
            if said:
                self._said[frozenset((said.a, said.b))] = said

    def answer(self, question: Question) -> Answer | None:
        """What was said about the question's pairs; None if nothing was."""
        if not any(frozenset(pair) in self._said for pair in question.pairs()):
            return None
        return super().answer(question)

    def verdict(self, a: int, b: int) -> PairVerdict:
        """What the file says about the pair, else skip."""
        return self._said.get(frozenset((a, b)), PairVerdict(a, b, Verdict.SKIP))


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    if not file.is_file():
        raise NotFound(f"no file '{file}' to replay. Write one with export pairs, or by a simulation.")
    if file.suffix.lower() not in (".csv", ".jsonl"):
        raise BadInput(f"a replay file is .csv or .jsonl, got '{file.name}'. Export the pairs in one of these formats.")
    with file.open(encoding="utf-8", newline="") as lines:
        if file.suffix.lower() == ".csv":
            yield from csv.DictReader(lines)
        else:
            yield from (json.loads(line) for line in lines if line.strip())


def places(items: Sequence[Item]) -> dict[str, int]:
    """Item id by content hash, name and id, as text; the hash wins over the name, the name over the id."""
    place = {str(item.id): item.id for item in items}
    place |= {item.name: item.id for item in items if item.name}
    return place | {item.sha256: item.id for item in items}


def _verdict(row: Mapping[str, Any], place: Mapping[str, int], where: str) -> PairVerdict | None:
    """The row as a verdict; None if an item is not in this collection. Raises BadInput."""
    ends = [place.get(str(row.get(f"{side}_sha256") or row.get(side) or "")) for side in "ab"]
    try:
        verdict = Verdict(row["verdict"])
        confidence = None if missing(row.get("confidence")) else float(row["confidence"])
    except (KeyError, ValueError) as error:
        raise BadInput(f"{where}: columns a, b, verdict expected, got {dict(row)} ({error}). Mend the row.") from error
    if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
        return None
    background = str(row.get("background") or "").lower() in ("true", "1", "yes")
    return PairVerdict(ends[0], ends[1], verdict, confidence, background)
