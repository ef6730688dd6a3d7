"""A metadata column as answers: every labelled image belongs with the first of its label, and the firsts all differ.

That is as few pairs as say everything the column says; the constraint graph implies the rest.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import combinations

from app.importers.answers.record import Recorder, Told
from db.errors import BadInput
from db.nouns import Item, Kind, PairVerdict, Question, Verdict
from oracle.answerers._scripted import attributes_of, missing

PROPOSER = "import"
MOST_LABELS = 400  # 79,800 pairs of firsts


def add(recorder: Recorder, items: Sequence[Item], column: str, source: str) -> None:
    """Add the pairs. Raises NotFound for a column no image has, BadInput where it has too many values."""
    shas = {item.id: item.sha256 for item in items}
    groups: dict[str, list[int]] = {}
    for item, value in attributes_of(items, column).items():
        if not missing(value):
            groups.setdefault(str(value).strip(), []).append(item)
    if len(groups) > MOST_LABELS:
        raise BadInput(f"'{column}' has {len(groups):,} values; up to {MOST_LABELS} are labels. Choose another column.")
    recorder.add([_told(a, b, verdict, source, column, shas) for a, b, verdict in _pairs(groups)])


def _pairs(groups: dict[str, list[int]]) -> Iterator[tuple[int, int, Verdict]]:
    for members in groups.values():
        first, *others = sorted(members)
        yield from ((first, other, Verdict.SAME) for other in others)
    firsts = [min(members) for members in groups.values()]
    yield from ((a, b, Verdict.DIFFERENT) for a, b in combinations(firsts, 2))


def _told(a: int, b: int, verdict: Verdict, source: str, column: str, shas: dict[int, str]) -> Told:
    said = f"{column}\n{shas[a]}\n{shas[b]}\n{verdict.value}"
    key = f"label-{hashlib.sha256(said.encode()).hexdigest()[:40]}"
    asked = Question(0, Kind.PAIR, a, (b,), PROPOSER, reason=f"the column {column} says so"[:2000])
    return Told(f"the column '{column}'", asked, (PairVerdict(a, b, verdict),), source, key)
