"""A pair that somebody chose to answer about: a question of its own in the log, and an ordinary answer to it."""

from app.api.context import Context
from app.api.shapes import AnswerOut
from app.auth import Person
from db import catalog, feedback, queue
from db.errors import BadInput
from db.feedback import Recorded
from db.nouns import Answer, Kind, PairVerdict, Question


def answered(
    here: Context, person: Person, criterion: int | str, said: PairVerdict, key: str | None, *, proposer: str,
    reason: str, seconds: float | None = None,
) -> tuple[AnswerOut, Recorded]:  # fmt: skip
    """Put the question into the log unless it is there, and the answer. The same key again changes nothing.

    Raises: BadInput without a key; NotFound for the criterion or an item outside its collection.
    """
    if not key or not key.strip():
        raise BadInput("the header Idempotency-Key is missing. Send a new random one with every new answer.")
    with here.database.write() as s:
        about = catalog.criterion(s, criterion).id
        asked = queue.about_pair(s, Question(about, Kind.PAIR, said.a, (said.b,), proposer, reason=reason))
        stored = feedback.record(s, Answer(asked, (said,), person.name, key, seconds))
    here.counters.answered(stored)
    return AnswerOut(id=stored.id, question=asked, late=stored.late), stored
