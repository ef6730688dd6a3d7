"""Replies that were given, by idempotency key: a request that is sent again is answered again, not done again.

Answers need none of this: they carry their key in the log itself. A key is remembered for a day.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db import checks
from db.clock import now
from db.dialects import upsert
from db.errors import Conflict
from db.tables import ReplyRow

KEPT_S = 86_400.0
AT_WORK_S = 60.0  # a request without a reply for longer has died with its process
_QUIET = {"synchronize_session": False}


@dataclass(frozen=True)
class Reply:
    """What was replied. body: None where it must not be kept because it held a secret."""

    status: int
    media_type: str
    body: str | None


def begin(s: Session, source: str, key: str, request: str) -> Reply | None:
    """Take a key for this request (a SHA-256 of what is asked); the reply, if there is one from an earlier time.

    Raises: Conflict where the key was used for another request, or where the same one is still being worked on.
    """
    key = checks.text(key, "an idempotency key", 200)
    s.execute(delete(ReplyRow).where(ReplyRow.created_at < now() - KEPT_S), execution_options=_QUIET)
    row = {"source": source, "key": key, "request": request, "status": None, "media_type": "", "body": None}
    new = upsert(s, ReplyRow).values(**row).on_conflict_do_nothing().returning(ReplyRow.id)
    if s.scalar(new) is not None:
        return None
    known = s.scalar(select(ReplyRow).where(ReplyRow.source == source, ReplyRow.key == key))
    if known is None or known.request != request:
        raise Conflict(
            "this Idempotency-Key was used for another request. Send a new random one with every new request."
        )
    if known.status is not None:
        return Reply(known.status, known.media_type, known.body)
    _take_over(s, known.id)
    return None


def _take_over(s: Session, id: int) -> None:
    """Work on a request whose process has died. Raises Conflict while it may still be alive."""
    dead = (ReplyRow.id == id, ReplyRow.status.is_(None), ReplyRow.created_at < now() - AT_WORK_S)
    taken = s.execute(update(ReplyRow).where(*dead).values(created_at=now()), execution_options=_QUIET)
    if taken.rowcount == 0:  # type: ignore[attr-defined]
        raise Conflict("the same request is still being worked on. Wait a second, then send it again.")


def end(s: Session, source: str, key: str, reply: Reply | None) -> None:
    """Keep the reply under the key; None forgets the key, so that the request can be sent again."""
    mine = (ReplyRow.source == source, ReplyRow.key == key)
    if reply is None:
        s.execute(delete(ReplyRow).where(*mine), execution_options=_QUIET)
        return
    kept = {"status": reply.status, "media_type": reply.media_type, "body": reply.body}
    s.execute(update(ReplyRow).where(*mine).values(**kept), execution_options=_QUIET)
