"""The feedback log of a criterion, one event a row: what was asked, what was said, by whom, and what was taken back.

Images are named by content hash, so that `import-answers` can bring the log into any workspace that holds them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.exporters.formats import Row
from db.feedback import LoggedAnswer
from db.nouns import Item

FIELDS = {
    "event": "int64",
    "kind": "string",
    "at": "string",
    "source": "string",
    "key": "string",
    "seconds": "double",
    "late": "bool",
    "supersedes": "int64",
    "undone": "bool",
    "question": "int64",
    "layout": "string",
    "anchor": "string",
    "candidates": "json",
    "context": "json",
    "expected": "json",
    "proposer": "string",
    "probability": "double",
    "audit": "bool",
    "version": "int64",
    "reason": "string",
    "verdicts": "json",
}


def answer_rows(events: Iterable[LoggedAnswer], items: Mapping[int, Item]) -> Iterator[Row]:
    """Rows in the order of the log. verdicts: [candidate's hash, verdict, confidence, background] each."""
    for event in events:
        yield {**_event(event), **_question(event, items), "verdicts": _verdicts(event, items)}


def _event(event: LoggedAnswer) -> Row:
    return {
        "event": event.id,
        "kind": event.kind,
        "at": event.created_at.isoformat(),
        "source": event.source,
        "key": event.key,
        "seconds": event.seconds,
        "late": event.late,
        "supersedes": event.supersedes,
        "undone": event.undone,
    }


def _question(event: LoggedAnswer, items: Mapping[int, Item]) -> Row:
    asked = event.question
    return {
        "question": asked.id,
        "layout": asked.kind.value,
        "anchor": items[asked.anchor].sha256,
        "candidates": _shas(asked.candidates, items),
        "context": _shas(asked.context, items),
        "expected": list(asked.expected),
        "proposer": asked.proposer,
        "probability": asked.probability,
        "audit": asked.audit,
        "version": asked.version,
        "reason": asked.reason,
    }


def _verdicts(event: LoggedAnswer, items: Mapping[int, Item]) -> list[list[object]]:
    anchor = event.question.anchor
    return [
        [items[one.b if one.a == anchor else one.a].sha256, one.verdict.value, one.confidence, one.background]
        for one in event.verdicts
    ]


def _shas(ids: Sequence[int], items: Mapping[int, Item]) -> list[str]:
    return [items[one].sha256 for one in ids]
