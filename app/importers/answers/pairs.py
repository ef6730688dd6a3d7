"""Pair lists: `export pairs`, pair files that other libraries train on, or any two columns of images and a verdict.

Columns for the images: a_sha256 and b_sha256, a and b, image1 and image2, sentence1 and sentence2, or anchor and
positive, with negative beside them or not. For what is said: verdict, or label or score of 1 and 0.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from app.importers.answers.record import Recorder, Told
from db.errors import BadInput
from db.nouns import Item, Kind, PairVerdict, Question, Statement, Verdict

Row = Mapping[str, Any]
PROPOSER = "import"
SIDES = (("a_sha256", "b_sha256"), ("a", "b"), ("image1", "image2"), ("sentence1", "sentence2"))
SAID = ("verdict", "label", "score")
WORDS = {"1": Verdict.SAME, "true": Verdict.SAME, "yes": Verdict.SAME, "must-link": Verdict.SAME,
         "0": Verdict.DIFFERENT, "-1": Verdict.DIFFERENT, "false": Verdict.DIFFERENT, "no": Verdict.DIFFERENT,
         "cannot-link": Verdict.DIFFERENT} | {one.value: one for one in Verdict}  # fmt: skip
WIDEST = 12  # candidates of a screen; more were looked at as a whole group


@dataclass(frozen=True)
class _Pair:
    """One row. screen: rows with the same value were one answer; None for a pair of its own."""

    where: str
    said: PairVerdict
    source: str
    audit: bool = False
    probability: float = 1.0
    screen: str | None = None


def known_names(items: Sequence[Item], place: Mapping[str, int]) -> dict[str, int]:
    """Item ids by all that a list may call an image: content hash, name, id, stored path."""
    return {**{item.path: item.id for item in items}, **place}


def add(
    recorder: Recorder, columns: Sequence[str], rows: Sequence[Row], place: Mapping[str, int], source: str,
    standing: Sequence[Statement],
) -> None:  # fmt: skip
    """Add every pair whose two images are here, unless the same source said the same already and it stands.

    Raises: BadInput for a table without the columns, or a verdict that is none.
    """
    sides, said = _columns(columns)
    prefixes = {sha[:12]: number for sha, number in place.items() if re.fullmatch("[0-9a-f]{64}", sha)}
    found: list[_Pair] = []
    for number, row in enumerate(rows, start=1):
        for pair, word in _stated(row, sides, said):
            ends = [_item(one, place, prefixes) for one in pair]
            where = f"row {number}"
            if ends[0] is None or ends[1] is None:
                recorder.skip(where, f"'{pair[ends.index(None)]:.80}' is no image of this collection.")
            elif ends[0] == ends[1]:
                recorder.skip(where, "it compares an image with itself.")
            else:
                found.append(_pair(row, ends[0], ends[1], word, where, source))
    shas = {number: sha for sha, number in place.items() if re.fullmatch("[0-9a-f]{64}", sha)}
    recorder.add(list(_unsaid(_answers(found, shas), standing, recorder)))


def _columns(columns: Sequence[str]) -> tuple[Sequence[str], str | None]:
    there = set(columns)
    said = next((name for name in SAID if name in there), None)
    for sides in SIDES:
        if there >= set(sides) and said:
            return sides, said
    if there >= {"anchor", "positive"}:
        return ("anchor", "positive", *(["negative"] if "negative" in there else [])), None
    wanted = "; ".join(f"{one}, {other}" for one, other in SIDES)
    raise BadInput(
        f"a pair list needs two columns of images ({wanted}) and one of {', '.join(SAID)}, or anchor and positive; "
        f"got {', '.join(columns) or 'none'}. Rename its columns."
    )


def _stated(row: Row, sides: Sequence[str], said: str | None) -> Iterator[tuple[tuple[str, str], Any]]:
    """(two images, verdict) once or, for a triplet, twice."""
    first, *others = (str(row.get(name) or "").strip() for name in sides)
    words = [row.get(said)] if said else ["same", "different"]
    for other, word in zip(others, words, strict=False):
        yield (first, other), word


def _pair(row: Row, a: int, b: int, word: Any, where: str, source: str) -> _Pair:
    screen = row.get("answer")
    try:
        sure = None if row.get("confidence") in (None, "") else float(row["confidence"])
        chance = float(row.get("probability") or 1.0)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{where}: confidence and probability must be numbers ({error}). Mend the row.") from error
    return _Pair(
        where,
        PairVerdict(a, b, _verdict(word, where), sure, _yes(row.get("background"))),
        str(row.get("source") or source)[:200],
        _yes(row.get("audit")),
        chance,
        None if screen in (None, "") else str(screen),
    )


def _verdict(word: Any, where: str) -> Verdict:
    text = str(word).strip().lower()
    text = {"1.0": "1", "0.0": "0", "-1.0": "-1"}.get(text, text)
    if text not in WORDS:
        raise BadInput(f"{where}: a verdict of {', '.join(WORDS)} expected, got {word!r:.60}. Mend the row.")
    return WORDS[text]


def _yes(value: Any) -> bool:
    return str(value or "").strip().lower() in ("true", "1", "yes")


def _item(text: str, place: Mapping[str, int], prefixes: Mapping[str, int]) -> int | None:
    """By hash, name, id or path; files of our data sets carry the beginning of the hash in their name."""
    name = PurePosixPath(text).name
    marked = re.search(r"-([0-9a-f]{12})\.\w+$", name)
    found = place.get(text) or place.get(name)
    return found or (prefixes.get(marked[1]) if marked else None)


def _answers(found: Sequence[_Pair], shas: Mapping[int, str]) -> Iterator[Told]:
    """Rows of one screen as one answer; its key is what it says, and how often that was said before in this file."""
    screens: dict[tuple[str, str], list[_Pair]] = {}
    for number, one in enumerate(found):
        own = f"#{number}" if one.screen is None else one.screen
        screens.setdefault((one.source, own), []).append(one)
    met: Counter[str] = Counter()
    for rows in screens.values():
        for part in _whole(rows):
            digest = _digest(part, shas)
            met[digest] += 1
            yield _told(part, f"import-{digest}-{met[digest]}")


def _whole(rows: list[_Pair]) -> list[list[_Pair]]:
    """The rows of a screen together where they share their first image, else each by itself."""
    candidates = {one.said.b for one in rows}
    if len({one.said.a for one in rows}) == 1 and len(candidates) == len(rows):
        return [rows]
    return [[one] for one in rows]


def _told(rows: list[_Pair], key: str) -> Told:
    first, count = rows[0], len(rows)
    kind = Kind.PAIR if count == 1 else Kind.TICK if count <= WIDEST else Kind.ODD
    asked = Question(
        0, kind, first.said.a, tuple(one.said.b for one in rows), PROPOSER, first.probability, first.audit
    )  # fmt: skip
    return Told(first.where, asked, tuple(one.said for one in rows), first.source, key)


def _digest(rows: list[_Pair], shas: Mapping[int, str]) -> str:
    said = [
        (shas[one.said.a], shas[one.said.b], one.said.verdict.value, one.said.confidence, one.said.background,
         one.audit, one.probability)
        for one in rows
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:40]


def _unsaid(told: Iterator[Told], standing: Sequence[Statement], recorder: Recorder) -> Iterator[Told]:
    """Without what stands already because it was said here and not brought in: a file that comes home adds nothing."""
    left = Counter(_said(one.source, one) for one in standing)
    for answer in told:
        wanted = Counter(_said(answer.source, one) for one in answer.verdicts)
        if all(left[one] >= count for one, count in wanted.items()):
            left -= wanted
            recorder.report.known += 1
        else:
            yield answer


def _said(source: str, one: PairVerdict | Statement) -> tuple[object, ...]:
    return source, frozenset((one.a, one.b)), one.verdict, one.confidence, one.background
